from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState, Proposal
from kcode.draft.hunks import choose, count_lines, propose
from kcode.draft.patch import render_patch
from tests.draft.trees import Tree, changes, edits, fits, git, look, ordinary, put, texts

if TYPE_CHECKING:
    from pathlib import Path


def check_both_ways(folder: Path, before: Tree, after: Tree, patch: bytes) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    put(folder, before)
    git(folder, "apply", "--whitespace=nowarn", data=patch)
    assert look(folder) == after
    git(folder, "apply", "--whitespace=nowarn", "-R", data=patch)
    assert look(folder) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
@example(({"a": FileState(REGULAR, b"1\n2")}, {"a/b": FileState(REGULAR, b"1\n2")}))
@example(({"a": FileState(REGULAR, b"x" * 9000 + b"\0\nold\n")}, {"a": FileState(REGULAR, b"x" * 9000 + b"\0\nnew\n")}))
@example(({"x b/x": FileState(REGULAR, b"")}, {"x b/x": FileState(EXECUTABLE, b"")}))
@example(({}, {"\udcff": FileState(REGULAR, b"")}))
def test_git_applies_the_patch_byte_for_byte_and_takes_it_back(tmp_path: Path, edit: tuple[Tree, Tree]) -> None:
    before, after = edit
    proposal = propose(changes(before, after))
    if not proposal or not fits(before) or not fits(after):
        return
    patch = render_patch(proposal)
    check_both_ways(tmp_path / "plain", before, after, patch)
    repository = tmp_path / "repository"
    shutil.rmtree(repository, ignore_errors=True)
    put(repository, before)
    git(repository, "init", "-q")
    git(repository, "add", "-fA", ".")
    git(repository, "apply", "--check", "--index", data=patch)
    git(repository, "apply", "--index", "--whitespace=nowarn", data=patch)
    assert look(repository) == after
    # The index holds what the work tree holds, so the patch named the right blobs and modes.
    assert git(repository, "diff", "--raw") == b""
    git(repository, "apply", "--index", "--whitespace=nowarn", "-R", data=patch)
    assert look(repository) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts, st.data())
def test_the_patch_of_some_hunks_applies(tmp_path: Path, before: bytes, after: bytes, data: st.DataObject) -> None:
    proposal = propose([Change("f", FileState(REGULAR, before), FileState(EXECUTABLE, after))])
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks] or ["f"]
    part = choose(proposal, data.draw(st.sets(st.sampled_from(ids))))
    if not part:
        return
    (change,) = part.changes
    assert change.after
    patch = render_patch(part)
    check_both_ways(tmp_path / "plain", {"f": FileState(REGULAR, before)}, {"f": change.after}, patch)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
def test_git_counts_the_lines_that_we_count(tmp_path: Path, edit: tuple[Tree, Tree]) -> None:
    text = [{path: state for path, state in tree.items() if state.mode != LINK} for tree in edit]
    proposal = propose(changes(*text))
    if proposal:
        rows = [
            row.split(b"\t")[:2]
            for row in git(tmp_path, "apply", "--numstat", "-z", data=render_patch(proposal)).split(b"\0")
            if row
        ]
        added, removed = ([int(row[i]) for row in rows if row[i] != b"-"] for i in (0, 1))
        assert (sum(added), sum(removed)) == count_lines(proposal)


def test_the_patch_reads_as_git_itself_writes_it(tmp_path: Path) -> None:
    before, after = ordinary()
    put(tmp_path / "r", before)
    git(tmp_path / "r", "init", "-q")
    git(tmp_path / "r", "add", "-A")
    tree = git(tmp_path / "r", "write-tree").decode().strip()
    shutil.move(tmp_path / "r" / ".git", tmp_path / "git")
    put(tmp_path / "s", after)
    shutil.move(tmp_path / "git", tmp_path / "s" / ".git")
    git(tmp_path / "s", "add", "-A")
    theirs = git(tmp_path / "s", "diff", "--cached", "--full-index", "--binary", "-M60%", tree)
    # Git names functions after @@, which helps no program.
    theirs = b"".join(
        line[: line.index(b" @@") + 3] + b"\n" if line.startswith(b"@@ ") else line for line in theirs.splitlines(True)
    )
    assert render_patch(propose(changes(before, after))) == theirs


def test_a_binary_part_decodes_whatever_its_length() -> None:
    for size in (0, 1, 51, 52, 53, 1000):
        data = os.urandom(size) + b"\0"
        patch = render_patch(propose([Change("b", None, FileState(REGULAR, data))]))
        assert b"GIT binary patch\nliteral %d\n" % len(data) in patch


@pytest.mark.parametrize("proposal", [Proposal(), propose([])])
def test_no_change_is_an_empty_patch(proposal: Proposal) -> None:
    assert render_patch(proposal) == b""


def test_for_people_names_are_readable_and_a_binary_file_is_told_by_its_size() -> None:
    before = {
        "b": FileState(REGULAR, b"\0" * 2000),
        "grö ße": FileState(REGULAR, b"1\n"),
        "ü\n": FileState(REGULAR, b"\0"),
    }
    after = {"b": FileState(REGULAR, b"\0a"), "grö ße": FileState(REGULAR, b"2\n")}
    lines = render_patch(propose(changes(before, after)), for_people=True).decode().splitlines()
    assert [line for line in lines if not line.startswith("index ")] == [
        "diff --git a/b b/b",
        "Binary file: 2,000 bytes, then 2 bytes",
        "diff --git a/grö ße b/grö ße",
        "--- a/grö ße\t",
        "+++ b/grö ße\t",
        "@@ -1 +1 @@",
        "-1",
        "+2",
        'diff --git "a/ü\\n" "b/ü\\n"',
        "deleted file mode 100644",
        "Binary file: 1 byte",
    ]
