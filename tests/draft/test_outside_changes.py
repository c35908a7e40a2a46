"""Changes that come from commits, or from patches that are in the files already or for other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.applied import read_applied_patch
from kcode.draft.committed import changes_between
from kcode.draft.excerpt import read_excerpt
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.hunks import propose
from kcode.draft.patch import render_patch
from kcode.errors import DraftError, UsageError
from kcode.safegit import SafeGit
from tests.repositories import git, new_repository, write_tree

if TYPE_CHECKING:
    from pathlib import Path

LINES = [b"a\n", b"b\n", b"\n", b"x\r\n", b"-- a\n", b"@@ -1 +1 @@\n", b"\xff\n"]
bodies = st.builds(
    lambda lines, end: b"".join(lines) + end,
    st.lists(st.sampled_from(LINES), max_size=8),
    st.sampled_from([b"", b"end"]),
)
states = st.one_of(
    st.none(),
    st.builds(FileState, st.sampled_from([REGULAR, EXECUTABLE]), bodies),
    st.builds(FileState, st.just(REGULAR), st.sampled_from([b"\0one", b"\0two"])),
)
trees = st.dictionaries(st.sampled_from(["a", "b c", "d/é"]), st.tuples(states, states), max_size=3)


@settings(max_examples=120)
@given(trees)
def test_a_patch_is_read_back_from_the_files_that_it_led_to(
    tree: dict[str, tuple[FileState | None, FileState | None]],
) -> None:
    changes = tuple(Change(path, *tree[path]) for path in sorted(tree) if tree[path][0] != tree[path][1])
    patch = render_patch(propose(changes))
    if not changes:
        return
    after = {change.path: change.after for change in changes}
    assert read_applied_patch(patch, after.get) == changes


def test_a_patch_of_other_files_is_not_taken_for_theirs() -> None:
    patch = render_patch(propose([Change("a", FileState(REGULAR, b"one\n"), FileState(REGULAR, b"two\n"))]))
    with pytest.raises(DraftError, match="does not apply"):
        read_applied_patch(patch, {"a": FileState(REGULAR, b"three\n")}.get)


def test_an_excerpt_has_the_patchs_lines_at_their_numbers() -> None:
    before = b"".join(b"line %d\n" % number for number in range(100))
    after = before.replace(b"line 50\n", b"fifty\n").replace(b"line 80\n", b"")
    patch = render_patch(propose([Change("a.txt", FileState(REGULAR, before), FileState(REGULAR, after))]))
    proposal = propose(read_excerpt(patch))
    hunks = proposal.changes[0].hunks
    assert [(hunk.old_start, hunk.old_lines, hunk.new_lines) for hunk in hunks] == [
        (51, (b"line 50\n",), (b"fifty\n",)),
        (81, (b"line 80\n",), ()),
    ]


def test_an_excerpt_knows_new_and_deleted_files() -> None:
    changes = [Change("gone", FileState(REGULAR, b"x\n"), None), Change("new", None, FileState(REGULAR, b"y\n"))]
    found = read_excerpt(render_patch(propose(changes)))
    assert [(change.before is None, change.after is None) for change in found] == [(False, True), (True, False)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = new_repository(tmp_path / "work", {"a.txt": "one\n", "run.sh": "#!/bin/sh\n", "gone.txt": "x\n"})
    git(root, "switch", "-qc", "topic")
    write_tree(root, {"a.txt": "two\n", "sub/new é.txt": "n\n", "pic": b"\0"})
    (root / "run.sh").chmod(0o755)
    (root / "gone.txt").unlink()
    (root / "link").symlink_to("a.txt")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "second")
    git(root, "switch", "-q", "main")
    write_tree(root, {"other.txt": "o\n"})
    git(root, "add", "-A")
    git(root, "commit", "-qm", "on main")
    git(root, "switch", "-q", "topic")
    return root


def changed(root: Path, words: str) -> dict[str, tuple[FileState | None, FileState | None]]:
    safe = SafeGit(root / ".git", root)
    return {change.path: (change.before, change.after) for change in changes_between(safe, words)}


def test_a_commit_is_what_it_changed(repository: Path) -> None:
    assert changed(repository, "HEAD") == {
        "a.txt": (FileState(REGULAR, b"one\n"), FileState(REGULAR, b"two\n")),
        "gone.txt": (FileState(REGULAR, b"x\n"), None),
        "link": (None, FileState(LINK, b"a.txt")),
        "pic": (None, FileState(REGULAR, b"\0")),
        "run.sh": (FileState(REGULAR, b"#!/bin/sh\n"), FileState(EXECUTABLE, b"#!/bin/sh\n")),
        "sub/new é.txt": (None, FileState(REGULAR, b"n\n")),
    }
    assert set(changed(repository, "topic~1")) == {"a.txt", "run.sh", "gone.txt"}


def test_ranges_mean_what_they_mean_to_git(repository: Path) -> None:
    assert "other.txt" in changed(repository, "main..")
    assert "other.txt" not in changed(repository, "main...")
    assert changed(repository, "topic..topic") == {}
    assert changed(repository, "..main")["other.txt"] == (None, FileState(REGULAR, b"o\n"))


@pytest.mark.parametrize("words", ["nothing", "main..nothing", "--all", "-o..x", "main:a.txt", "x...y", "a\nb"])
def test_words_that_name_no_commit_are_refused(repository: Path, words: str) -> None:
    with pytest.raises(UsageError, match="no commit and no range"):
        changed(repository, words)
