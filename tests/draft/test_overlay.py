"""The overlay backend reads and writes an upper folder as the kernel does: compared with a real mount."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcode.draft.draft import Draft, open_draft
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, FileState
from kcode.draft.overlay import Overlay
from kcode.errors import DraftError, ToolError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import can_mount_overlay, new_repository, picture, run_over, text_file

pytestmark = pytest.mark.skipif(not can_mount_overlay(), reason="no overlay can be mounted here")

# For each file or link: its mode for git, and its bytes.
Shown = dict[str, FileState]

SHOW = r"""
find . -path ./.git -prune -o \( -type f -o -type l \) -print0 | sort -z | while IFS= read -r -d '' f; do
  if [ -L "$f" ]; then printf 'l%s\0%s\0' "${f#./}" "$(readlink "$f")"
  elif [ -x "$f" ]; then printf 'x%s\0%s\0' "${f#./}" "$(cat "$f")"
  else printf 'f%s\0%s\0' "${f#./}" "$(cat "$f")"; fi
done
"""


def shown_by_the_kernel(draft: Draft, script: str = "true") -> Shown:
    fields = run_over(draft, f"{script}\nbash -c {shlex.quote(SHOW)}").split("\0")[:-1]
    modes = {"l": LINK, "x": EXECUTABLE, "f": REGULAR}
    return {
        name[1:]: FileState(modes[name[0]], os.fsencode(data))
        for name, data in zip(fields[::2], fields[1::2], strict=True)
    }


def shown_by_the_draft(draft: Draft, folder: str = "") -> Shown:
    found: Shown = {}
    for entry in draft.entries(folder):
        state = draft.read(entry.path)
        if entry.kind == "folder":
            found |= shown_by_the_draft(draft, entry.path)
        elif state is not None:
            found[entry.path] = state
    return found


def apply_changes(before: Shown, draft: Draft) -> Shown:
    after = dict(before)
    for change in draft.changes():
        assert change.before == before.get(change.path)
        if change.after is None:
            del after[change.path]
        else:
            after[change.path] = change.after
    return after


NAMES = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/f/b", "n/x"]
FOLDERS = ["d", "d/e", "d/e/f", "n", "a"]
OPERATIONS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(["1", "22", "orig"])),
    st.tuples(st.just("link"), st.sampled_from(NAMES), st.sampled_from(["b", "nowhere"])),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("sh"), st.sampled_from(FOLDERS + NAMES), st.sampled_from(["rm -rf {}"])),
    st.tuples(st.just("sh"), st.sampled_from(FOLDERS), st.sampled_from([
        "rm -rf {0}; mkdir -p {0}; echo -n k > {0}/a", "mkdir -p {0}", "mkdir -p {0}; chmod 700 {0}",
        "mv {0} moved", "mv moved {0}", "rm -rf {0}; echo -n file > {0}", "rm -rf {0}; ln -s b {0}",
        "mkdir -p {0}/deep/er && echo -n k > {0}/deep/er/x", "rm -rf {0}; mkdir {0}; mkdir {0}/e",
    ])),
    st.tuples(st.just("sh"), st.sampled_from(NAMES), st.sampled_from([
        "echo -n s > {0}", "echo -n orig > {0}", "chmod +x {0}", "touch {0}", "rm -f {0}; mkfifo {0}",
        "sed -i s/orig/other/ {0}", "cp -r d copy",
    ])),
)  # fmt: skip


def perform(draft: Draft, kind: str, first: str, second: str) -> None:
    if kind == "sh":
        run_over(draft, f"{{ {second.format(first)}; }} 2>/dev/null || true")
        draft.settle("sh")
        return
    try:
        if kind == "write":
            draft.write(first, text_file(second), "write_file")
        elif kind == "link":
            draft.write(first, FileState(LINK, second.encode()), "write_file")
        elif kind == "remove":
            draft.remove(first, "delete_file")
        else:
            draft.move(first, second, "move_file")
    except (DraftError, ToolError):
        pass


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(OPERATIONS, min_size=1, max_size=6))
def test_the_draft_shows_what_a_mount_shows_whatever_was_done(operations: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as name:
        root = new_repository(Path(name).resolve() / "r", dict.fromkeys(NAMES[:-1], "orig") | {"d/.keep": ""})
        (root / "d/l").symlink_to("a")
        workspace = open_workspace(root, {"HOME": "/nonexistent"})
        git = open_git(workspace, root.parent)
        draft = open_draft(workspace, git, root.parent / "draft", "overlay")
        original, untouched = shown_by_the_draft(draft), picture(root)
        for operation in operations:
            perform(draft, *operation)
            assert shown_by_the_draft(draft) == shown_by_the_kernel(draft), operation
            assert apply_changes(original, draft) == shown_by_the_draft(draft), operation
        again = open_draft(workspace, git, root.parent / "draft")
        assert again.changes() == draft.changes()
        assert again.settle("nothing") == ()
        assert sorted(shown_by_the_draft(draft)) == draft.files()
        assert picture(root) == untouched


def test_a_folder_above_a_new_file_keeps_its_permissions(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"closed/deep/a": "a"})
    (root / "closed").chmod(0o750)
    (root / "closed/deep").chmod(0o700)
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    draft = open_draft(workspace, open_git(workspace, tmp_path), tmp_path / "draft", "overlay")
    draft.write("closed/deep/new", text_file("n"), "x")
    assert run_over(draft, "stat -c %a . closed closed/deep") == f"{root.stat().st_mode & 0o777:o}\n750\n700\n"


def test_whiteouts_that_are_attributes_count(tmp_path: Path) -> None:
    """Kernels from 6.7 read them, and write them where an upper lies on another overlay."""
    lower, folder = tmp_path / "lower", tmp_path / "draft"
    for name in ("d/a", "d/b", "e/c"):
        (lower / name).parent.mkdir(parents=True, exist_ok=True)
        (lower / name).write_text(name)
    folder.mkdir()
    overlay = Overlay(lower, folder)
    (folder / "upper/d").mkdir()
    for path, key, value in (("d", "opaque", b"x"), ("d/a", "whiteout", b"y"), ("e", "whiteout", b"y")):
        place = folder / "upper" / path
        if not place.exists():
            place.touch()
        os.setxattr(place, f"user.overlay.{key}", value)
    assert overlay.names("d") == ["b"]
    assert overlay.lstat("d/a") is None
    # In a folder without the mark, such a file is only a file.
    assert overlay.names("") == ["d", "e"]
    assert overlay.scan(lambda _: set()).keys() == {"d/a", "e", "e/c"}
    overlay.put("d/a", text_file("again"))
    assert overlay.names("d") == ["a", "b"]


NO_DEVICES = """
import os, sys
from pathlib import Path
def refuse(*_):
    raise PermissionError(1, "Operation not permitted")
os.mknod = refuse
from kcode.draft.overlay import Overlay
folder = Path(sys.argv[1])
overlay = Overlay(folder / "lower", folder / "draft")
overlay.delete("d/a")
overlay.delete("top")
print(overlay.names(""), overlay.names("d"))
"""


def test_where_no_device_may_be_made_a_whiteout_is_an_attribute(tmp_path: Path) -> None:
    (tmp_path / "lower/d").mkdir(parents=True)
    (tmp_path / "draft").mkdir()
    for name in ("d/a", "d/b", "top"):
        (tmp_path / "lower" / name).touch()
    done = subprocess.run(
        [sys.executable, "-c", NO_DEVICES, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "['d'] ['b']\n", done.stderr
    if tuple(map(int, platform.release().split(".")[:2])) >= (6, 7):
        options = "lowerdir=lower,upperdir=draft/upper,workdir=draft/work,userxattr"
        look = "test ! -e lower/d/a && test ! -e lower/top && test -e lower/d/b"
        argv = ["unshare", "-Urm", "sh", "-c", f"mount -t overlay overlay -o {options} lower && {look}"]
        subprocess.run(argv, cwd=tmp_path, check=True)


def test_a_mount_of_roots_own_reads_and_writes_other_attributes(tmp_path: Path) -> None:
    lower, folder = tmp_path / "lower", tmp_path / "draft"
    for name in ("d/a", "d/b", "e/a", "e/b"):
        (lower / name).parent.mkdir(parents=True, exist_ok=True)
        (lower / name).write_text(name)
    folder.mkdir()
    overlay = Overlay(lower, folder)
    overlay.delete("d/a")
    overlay.delete("d/b")
    subprocess.run(["rm", "-r", str(folder / "upper/d")], check=True)
    os.mknod(folder / "upper/d", 0o020000, 0)  # as `rm -r d` leaves it
    overlay.put("d/new", text_file("new"))
    options = f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work"
    script = f"mount -t overlay overlay -o {options} {lower} && cd {lower} && ls d && rm -r e && mkdir e && touch e/c"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("not root of this machine")
    assert done.stdout == "new\n"
    assert (overlay.names("d"), overlay.names("e")) == (["new"], ["c"])
    assert overlay.scan(lambda _: set()).keys() == {"d/new", "d/a", "d/b", "e/a", "e/b", "e/c"}


def test_ignored_folders_are_not_looked_into(tmp_path: Path) -> None:
    lower, folder = tmp_path / "lower", tmp_path / "draft"
    (lower / "gone/inner").mkdir(parents=True)
    (lower / "gone/inner/x").touch()
    folder.mkdir()
    overlay = Overlay(lower, folder)
    overlay.put("heavy/deep/x", text_file("x"))
    overlay.put("src/x", text_file("x"))
    overlay.delete("gone/inner/x")
    asked: list[list[str]] = []

    def skip(folders: list[str]) -> set[str]:
        asked.append(sorted(folders))
        return {"heavy", "gone"} & set(folders)

    assert overlay.scan(skip).keys() == {"src/x"}  # type: ignore[arg-type]
    assert asked == [["gone", "heavy", "src"], []]


def test_a_file_that_is_as_it_was_again_is_newer_than_what_was_built_meanwhile(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "work", {"a.c": "one\n", ".gitignore": "*.o\n"})
    os.utime(root / "a.c", (1_000_000_000, 1_000_000_000))
    workspace = open_workspace(root, {})
    draft = open_draft(workspace, open_git(workspace, tmp_path / "git"), tmp_path / "draft", "overlay")
    build = "[ a.o -nt a.c ] || cp a.c a.o"
    for text in ("two\n", "one\n"):
        draft.write("a.c", FileState(REGULAR, text.encode()), "edit")
        run_over(draft, build)
        assert draft.settle("build") == ()
        assert (state := draft.read("a.o")) is not None
        assert state.data == text.encode()
    run_over(draft, "true")
    draft.settle("true")
    (root / "a.c").write_text("the user's\n")
    assert draft.read("a.c") == FileState(REGULAR, b"the user's\n")
