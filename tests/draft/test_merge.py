from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, FileState
from kcode.draft.merge import merge_files, merge_texts

if TYPE_CHECKING:
    from pathlib import Path

BASE = b"1\n2\n3\n4\n5\n6\n"


@pytest.mark.parametrize(
    ("yours", "theirs", "merged"),
    [
        (b"1\n2\n3\n4\n5\nY\n", b"T\n2\n3\n4\n5\n6\n", b"T\n2\n3\n4\n5\nY\n"),
        (b"0\n" + BASE, BASE + b"7\n", b"0\n" + BASE + b"7\n"),
        (b"1\nS\n3\n4\n5\n6\n", b"1\nS\n3\n4\n5\nT\n", b"1\nS\n3\n4\n5\nT\n"),
        (b"1\n3\n4\n5\n6\n", b"1\n2\n3\n4\n6\n", b"1\n3\n4\n6\n"),
        (b"1\n2\n3\n4\n5\n6", b"T\n2\n3\n4\n5\n6\n", b"T\n2\n3\n4\n5\n6"),
        (b"Y\n2\n3\n4\n5\n6\n", b"1\n2\n3\n4\n5\n6", b"Y\n2\n3\n4\n5\n6"),
    ],
)
def test_changes_of_other_lines_are_joined(yours: bytes, theirs: bytes, merged: bytes) -> None:
    found = merge_texts(BASE, yours, theirs)
    assert (found.data, found.conflicts) == (merged, ())


@pytest.mark.parametrize(
    ("yours", "theirs"),
    [
        (b"1\nY\n3\n4\n5\n6\n", b"1\nT\n3\n4\n5\n6\n"),
        (b"1\nY\n3\n4\n5\n6\n", b"1\n2\nT\n4\n5\n6\n"),
        (b"1\n2\nY\n3\n4\n5\n6\n", b"1\n2\nT\n3\n4\n5\n6\n"),
        (b"1\n2\n4\n5\n6\n", b"1\n2\nT\n4\n5\n6\n"),
        (b"", b"1\n2\nT\n4\n5\n6\n"),
        (b"1\n2\n3\n4\n5\n6", b"1\n2\n3\n4\n5\n6\n7\n"),
    ],
)
def test_changes_of_the_same_or_adjacent_lines_conflict(yours: bytes, theirs: bytes) -> None:
    assert merge_texts(BASE, yours, theirs).conflicts
    assert merge_texts(BASE, theirs, yours).conflicts


def test_a_conflict_tells_where_it_is_and_the_rest_is_joined() -> None:
    found = merge_texts(BASE, b"Y\n2\n3\n4\nYY\n6\n", b"1\n2\nT\n4\nTT\nTT\n6\n")
    assert found.data == b"Y\n2\nT\n4\nTT\nTT\n6\n"
    (conflict,) = found.conflicts
    assert (conflict.yours_from, conflict.yours_to, conflict.merged_from, conflict.merged_to) == (4, 5, 4, 6)


def test_every_line_of_yours_keeps_its_end_and_new_ones_get_the_end_that_is_there() -> None:
    theirs = b"1\n2\nT\nT\n4\n5\n6\n7\n"
    windows = BASE.replace(b"\n", b"\r\n")
    assert merge_texts(BASE, windows, theirs).data == theirs.replace(b"\n", b"\r\n")
    assert merge_texts(windows, BASE, theirs.replace(b"\n", b"\r\n")).data == theirs
    mixed = b"1\r\n2\n3\r\n4\n5\n6\r\n"
    assert merge_texts(BASE, mixed, theirs).data == b"1\r\n2\nT\r\nT\r\n4\n5\n6\r\n7\r\n"
    # Line ends that theirs changed on purpose are a change like any other.
    assert merge_texts(windows, windows + b"7\r\n", BASE).data == BASE + b"7\r\n"
    assert merge_texts(BASE, b"\xef\xbb\xbf" + windows, theirs).data == b"\xef\xbb\xbf" + theirs.replace(b"\n", b"\r\n")
    assert merge_texts(b"\xef\xbb\xbf" + BASE, b"\xef\xbb\xbf" + BASE + b"7\n", BASE).data == BASE + b"7\n"


A, B, C = (FileState(REGULAR, text) for text in (BASE, BASE + b"7\n", b"0\n" + BASE))
NUL, LINKED = FileState(REGULAR, b"\0"), FileState(LINK, b"a")


@pytest.mark.parametrize(
    ("base", "yours", "theirs", "merged"),
    [
        (A, A, None, None),
        (A, None, A, None),
        (A, None, None, None),
        (None, A, A, A),
        (None, None, A, A),
        (A, NUL, NUL, NUL),
        (A, A, LINKED, LINKED),
        (A, FileState(EXECUTABLE, BASE), B, FileState(EXECUTABLE, B.data)),
        (A, B, FileState(EXECUTABLE, BASE), FileState(EXECUTABLE, B.data)),
        (A, B, C, FileState(REGULAR, b"0\n" + BASE + b"7\n")),
    ],
)
def test_whole_files_that_one_side_changed_alone_merge(base: Any, yours: Any, theirs: Any, merged: Any) -> None:
    found = merge_files(base, yours, theirs)
    assert (found.state, found.is_conflict) == (merged, False)


@pytest.mark.parametrize(
    ("base", "yours", "theirs"),
    [(A, B, None), (A, None, B), (None, A, B), (A, NUL, B), (A, B, NUL), (A, LINKED, B), (A, B, LINKED)],
)
def test_what_cannot_be_joined_line_by_line_is_a_conflict_of_whole_files(base: Any, yours: Any, theirs: Any) -> None:
    found = merge_files(base, yours, theirs)
    assert (found.state, found.is_conflict, found.conflicts) == (theirs, True, ())


@st.composite
def three(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A base of lines that all differ, and two edits of it.

    Among equal lines a diff has choices, which git makes otherwise: what stands next to what is then open.
    """
    base = [b"line %d\n" % i for i in range(draw(st.integers(0, 12)))]

    def side(number: int) -> bytes:
        lines = list(base)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            text = draw(st.sampled_from([[], [b"x\n"], [b"%d\n" % number], [b"x\n", b"y\n"]]))
            lines[at : at + draw(st.integers(0, 2))] = text
        whole = b"".join(lines)
        return whole[:-1] if draw(st.integers(0, 5)) == 0 else whole

    return b"".join(base), side(1), side(2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(three())
def test_what_git_joins_is_joined_alike_and_what_git_does_not_join_conflicts(
    tmp_path: Path, texts: tuple[bytes, bytes, bytes]
) -> None:
    for name, text in zip(("base", "yours", "theirs"), texts, strict=True):
        (tmp_path / name).write_bytes(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "yours", "base", "theirs"], cwd=tmp_path, capture_output=True, check=False
    )
    found = merge_texts(*texts)
    assert bool(found.conflicts) == (done.returncode != 0)
    if not found.conflicts:
        assert found.data == done.stdout


line = st.sampled_from([b"a", b"b", b"", b"a\r", b"\xef\xbb\xbfa"])
text = st.builds(lambda parts, end: b"\n".join(parts) + end, st.lists(line, max_size=8), st.sampled_from([b"", b"\n"]))


@settings(max_examples=300, deadline=None)
@given(text, text)
def test_a_side_that_changed_nothing_does_not_count(base: bytes, other: bytes) -> None:
    assert merge_texts(base, other, base).data == other
    assert merge_texts(base, base, other).data == other
    assert merge_texts(base, other, other).data == other
    assert not merge_texts(base, other, other).conflicts


@settings(max_examples=300, deadline=None)
@given(text, text, text)
def test_each_line_that_only_yours_has_is_there_or_in_a_conflict(base: bytes, yours: bytes, theirs: bytes) -> None:
    marked = b"the user's own line\n"
    lines = yours.splitlines(keepends=True)
    mine = b"".join([*lines[: len(lines) // 2], marked, *lines[len(lines) // 2 :]])
    found = merge_texts(base, mine, theirs)
    inside = mine.split(b"\n").index(marked[:-1])
    assert marked in found.data or any(c.yours_from <= inside < c.yours_to for c in found.conflicts)
