"""The copy backend: the copy that commands see is the draft that tools see, and the workspace shows through live."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcode.draft.draft import Draft, open_draft
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, FileState, FolderMount
from kcode.errors import DraftError, ToolError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import new_repository, picture, run_over, text_file, write_tree

Shown = dict[str, FileState]


def opened(root: Path) -> Draft:
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    return open_draft(workspace, open_git(workspace, root.parent), root.parent / "draft", "copy")


def on_disk(root: Path) -> Shown:
    found: Shown = {}
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files + [name for name in folders if (Path(parent) / name).is_symlink()]:
            path = Path(parent) / name
            inner = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[inner] = FileState(LINK, os.fsencode(path.readlink()))
            elif path.is_file():
                found[inner] = FileState(EXECUTABLE if os.access(path, os.X_OK) else REGULAR, path.read_bytes())
    return found


def in_draft(draft: Draft, folder: str = "") -> Shown:
    found: Shown = {}
    for entry in draft.entries(folder):
        state = draft.read(entry.path)
        if entry.kind == "folder":
            found |= in_draft(draft, entry.path)
        elif state is not None:
            found[entry.path] = state
    return found


def copy_of(draft: Draft) -> Path:
    mount = draft.mount()
    assert isinstance(mount, FolderMount)
    return mount.source


NAMES = ["a", "b", "d/a", "d/b", "d/e/a", "n/x"]
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["write", "user"]), st.sampled_from(NAMES), st.sampled_from(["1", "22", "orig"])),
    st.tuples(st.sampled_from(["remove", "user removes"]), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("sh"), st.sampled_from(NAMES), st.sampled_from([
        "echo -n s > {0}", "echo -n orig > {0}", "chmod +x {0}", "touch {0}", "rm -f {0}", "cp -r d copy", "rm -r d",
        "mv d moved", "mv moved d", "sed -i s/orig/other/ {0}", "mv {0} {0}2; cp -p {0}2 {0}", "mkdir -p d; touch d/a",
    ])),
)  # fmt: skip


def perform(draft: Draft, kind: str, first: str, second: str) -> None:
    if kind == "sh":
        run_over(draft, f"{{ {second.format(first)}; }} 2>/dev/null || true")
        draft.settle("sh")
    elif kind.startswith("user") and first in draft._ledger.changed:
        pass  # a path that both sides changed shows the draft's, which other tests hold
    elif kind == "user":
        write_tree(draft.workspace.root, {first: second})
    elif kind == "user removes":
        (draft.workspace.root / first).unlink(missing_ok=True)
    else:
        try:
            if kind == "write":
                draft.write(first, text_file(second), "write_file")
            elif kind == "remove":
                draft.remove(first, "delete_file")
            else:
                draft.move(first, second, "move_file")
        except (DraftError, ToolError):
            pass


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(OPERATIONS, min_size=1, max_size=8))
def test_the_draft_is_the_workspace_with_its_changes_and_so_is_the_copy(operations: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as name:
        root = new_repository(Path(name).resolve() / "r", dict.fromkeys(NAMES[:-1], "orig"))
        draft = opened(root)
        for operation in operations:
            perform(draft, *operation)
            expected = on_disk(root)
            for change in draft.changes():
                expected.pop(change.path, None)
                if change.after is not None:
                    expected[change.path] = change.after
            assert in_draft(draft) == expected, operation
            assert draft.files() == sorted(expected)
            if operation[0] != "user":
                assert on_disk(copy_of(draft)) == expected, operation
        untouched = picture(root)
        assert opened(root).changes() == draft.changes()
        assert opened(root).settle("nothing") == ()
        assert in_draft(opened(root)) == in_draft(draft)
        assert picture(root) == untouched


def test_the_copy_is_made_only_when_it_is_needed(tmp_path: Path) -> None:
    draft = opened(new_repository(tmp_path / "r", {"a": "a"}))
    assert draft.read("a") == text_file("a")
    assert draft.settle("nothing") == ()
    assert not (tmp_path / "draft/copy").exists()
    draft.write("a", text_file("b"), "edit_file")
    assert (tmp_path / "draft/copy/a").read_text() == "b"


def test_modes_times_and_links_are_copied(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"run": "#!/bin/sh\n", "d/closed": "c"})
    (root / "run").chmod(0o751)
    (root / "d").chmod(0o750)
    os.utime(root / "run", ns=(10**18, 10**18 + 7))
    (root / "out").symlink_to("/etc/passwd")
    (root / "broken").symlink_to("nowhere")
    copy = copy_of(opened(root))
    assert (copy / "run").stat().st_mode & 0o7777 == 0o751
    assert (copy / "run").stat().st_mtime_ns == 10**18 + 7
    assert (copy / "d").stat().st_mode & 0o7777 == 0o750
    assert (copy / "out").readlink() == Path("/etc/passwd")
    assert (copy / "broken").readlink() == Path("nowhere")


def test_ignored_folders_are_shared_and_ignored_files_copied_but_no_caches(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": ".venv/\nnode_modules/\n.env\n__pycache__/\n", "web/a.js": ""})
    write_tree(root, {".venv/bin/python": "", "web/node_modules/x/i.js": "x", ".env": "KEY=1", "__pycache__/a.pyc": ""})
    draft = opened(root)
    mount = draft.mount()
    assert isinstance(mount, FolderMount)
    assert mount.linked == (".git", ".venv", "web/node_modules")
    assert sorted(path.name for path in mount.source.iterdir()) == [".env", ".gitignore", "web"]
    assert [entry.path for entry in draft.entries("")] == [".env", ".gitignore", ".venv", "__pycache__", "web"]
    assert draft.read("web/node_modules/x/i.js") == text_file("x")
    with pytest.raises(DraftError, match="shares it"):
        draft.write(".venv/bin/python", text_file("no"), "write_file")
    assert draft.changes() == ()


def test_ignored_folders_can_be_linked_where_nothing_is_mounted(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n", "a": "a"})
    write_tree(root, {"node_modules/x.js": "x"})
    draft = opened(root)
    draft.mount()
    draft.layers.link_ignored()
    assert run_over(draft, "cat node_modules/x.js; ls -A") == "x.gitignore\na\nnode_modules\n"
    assert draft.settle("sh") == ()
    assert draft.changes() == ()


def test_a_change_with_the_old_size_and_time_is_found(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a": "one"})
    draft = opened(root)
    run_over(draft, "touch -r a ref; printf two > a; touch -r ref a; rm ref")
    assert draft.settle("sh") == ("a",)


def test_a_copy_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a": "a", "b": "b"})
    draft = opened(root)
    (tmp_path / "draft/copy").mkdir()
    (tmp_path / "draft/copy/a").write_text("torn")
    assert draft.read("a") == text_file("a")
    assert run_over(draft, "cat a b") == "ab"
    assert draft.settle("sh") == ()


def test_a_disk_that_fills_while_copying_is_named_and_the_draft_still_reads(tmp_path: Path) -> None:
    if os.geteuid() != 0 and subprocess.run(["unshare", "-Urm", "true"], check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    root = new_repository(tmp_path / "r", {"a": "a" * 100_000, "b": "b" * 100_000})
    (tmp_path / "small").mkdir()
    code = """
import sys
from pathlib import Path
from kcode.draft.draft import open_draft
from kcode.draft.files import FileState
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
root, small = Path(sys.argv[1]), Path(sys.argv[2])
workspace = open_workspace(root, {"HOME": "/nonexistent"})
draft = open_draft(workspace, open_git(workspace, root.parent), small / "draft", "copy")
for action in (draft.mount, lambda: draft.write("a", FileState(0o100644, b"x"), "x")):
    try:
        action()
    except DraftError as error:
        print("is full" in str(error), draft.changes(), len(draft.read("a").data))
"""
    script = 'mount -t tmpfs -o size=150k tmpfs "$2" && exec "$0" -c "$3" "$1" "$2"'
    argv = [
        "unshare",
        "-Urm",
        "sh",
        "-c",
        script,
        sys.executable,
        str(root),
        str(tmp_path / "small"),
        code,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout == "True () 100000\n" * 2, done.stderr
