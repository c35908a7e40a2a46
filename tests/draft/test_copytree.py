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

from kcode.draft import disk
from kcode.draft.copytree import CopyTree
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


def linked_in(draft: Draft) -> tuple[str, ...]:
    mount = draft.mount()
    assert isinstance(mount, FolderMount)
    return mount.linked


def test_dependency_folders_can_be_linked_where_nothing_is_mounted(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n", "a": "a"})
    write_tree(root, {"node_modules/x.js": "x"})
    draft = opened(root)
    draft.mount()
    draft.layers.link_ignored()
    draft.layers.link_ignored()
    assert (tmp_path / "draft/copy/node_modules").is_symlink()
    assert (tmp_path / "draft/copy/node_modules/x.js").read_text() == "x"
    assert sorted(path.name for path in (tmp_path / "draft/copy").iterdir()) == [".gitignore", "a", "node_modules"]
    assert draft.settle("sh") == ()
    assert draft.changes() == ()
    assert draft.read("node_modules/x.js") == text_file("x")


def test_the_links_are_gone_again_where_folders_are_mounted_and_when_theirs_are(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n.venv/\n", "a": "a"})
    write_tree(root, {"node_modules/x.js": "x", ".venv/pyvenv.cfg": ""})
    draft = opened(root)
    draft.mount()
    draft.layers.link_ignored()
    (root / "node_modules").rename(root.parent / "elsewhere")
    draft = opened(root)
    assert linked_in(draft) == (".git", ".venv")
    assert sorted(path.name for path in (tmp_path / "draft/copy").iterdir()) == [".gitignore", "a"]
    # bubblewrap leaves the empty folder behind on which it mounts.
    (tmp_path / "draft/copy/.venv").mkdir()
    draft.layers.link_ignored()
    assert (tmp_path / "draft/copy/.venv").is_symlink()
    assert draft.settle("sh") == ()
    assert draft.changes() == ()


def test_a_link_that_a_command_put_a_folder_in_place_of_is_neither_proposed_nor_put_back(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n", "a": "a"})
    write_tree(root, {"node_modules/x.js": "x"})
    before = picture(root)
    draft = opened(root)
    draft.mount()
    draft.layers.link_ignored()
    copy = tmp_path / "draft/copy"
    (copy / "node_modules").unlink()
    write_tree(copy, {"node_modules/x.js": "own"})
    assert draft.settle("npm ci") == ()
    draft.mount()
    draft.layers.link_ignored()
    assert (copy / "node_modules/x.js").read_text() == "own"
    assert draft.changes() == ()
    assert picture(root) == before


def test_a_file_that_is_as_it_was_again_is_newer_than_what_was_built_meanwhile(tmp_path: Path) -> None:
    """Else make and cargo would take the build of the other version for one of this."""
    root = new_repository(tmp_path / "r", {"a": "a", "b": "b"})
    os.utime(root / "a", ns=(10**18, 10**18))
    draft = opened(root)
    draft.write("a", text_file("other"), "edit_file")
    built = (tmp_path / "draft/copy/a").stat().st_mtime_ns
    draft.write("a", text_file("a"), "edit_file")
    assert draft.changes() == ()
    copy = copy_of(draft)
    assert (copy / "a").stat().st_mtime_ns >= built
    write_tree(root, {"a": "live"})
    assert (copy_of(draft) / "a").read_text() == "live"


def test_a_large_ignored_file_is_never_linked_so_that_no_command_writes_it(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "*.db\n"})
    with (root / "big.db").open("wb") as file:
        file.truncate(disk.LARGEST + 1)
    draft = opened(root)
    assert linked_in(draft) == (".git", "big.db")
    draft.layers.link_ignored()
    assert not (tmp_path / "draft/copy/big.db").is_symlink()


def test_no_link_is_made_where_the_draft_has_a_file_or_a_link_to_the_workspace(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n", "web/a": "a", "app/a": "a"})
    for folder in ("web/node_modules", "app/node_modules"):
        (root / folder).mkdir()
    draft = opened(root)
    run_over(draft, f"rm -r web app; touch web; ln -s {root}/app app")
    draft.settle("sh")
    before = picture(root)
    draft.layers.prepare()
    draft.layers.link_ignored()
    assert (tmp_path / "draft/copy/web").read_bytes() == b""
    assert picture(root) == before


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


class _SavedMeanwhile(CopyTree):
    """A copy beside which the user saves `saved` just when it was brought up to date."""

    saved: Path | None = None
    started: Path

    def prepare(self) -> None:
        super().prepare()
        while self.saved is not None:  # the clock of file times ticks every few milliseconds
            self.saved.write_text("theirs\n")
            if self.saved.stat().st_ctime_ns > self.started.stat().st_mtime_ns:
                return


def test_what_is_saved_while_the_copy_is_brought_up_to_date_is_not_undone_by_the_command(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "repository", {"a.txt": "one\n"})
    folder = tmp_path / "draft"
    folder.mkdir()
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    git = open_git(workspace, tmp_path)
    layers = _SavedMeanwhile(workspace.root, folder, git)
    layers.started = folder / "started"
    draft = Draft(workspace, git, folder, layers)
    draft.mount()
    layers.saved = root / "a.txt"
    assert run_over(draft, "echo two >> a.txt; cat a.txt") == "one\ntwo\n"
    draft.settle("sh")
    assert draft.read("a.txt") == text_file("theirs\n")
    assert draft.changes() == ()
