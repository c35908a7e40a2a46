from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileChange, FileState, Proposal
from kcode.draft.hunks import apply_hunks, choose, count_lines, propose, single_paths, split_change
from kcode.draft.linediff import changed_ranges, split_lines


def text(data: bytes, mode: int = REGULAR) -> FileState:
    return FileState(mode, data)


def edit(before: bytes, after: bytes, path: str = "a.py") -> FileChange:
    (change,) = propose([Change(path, text(before), text(after))]).changes
    return change


def numbered(count: int) -> list[bytes]:
    return [b"line %d\n" % i for i in range(count)]


lines = st.lists(st.sampled_from([b"a", b"b", b"", b"\r", b"x\x0cy", b"\xff", "\u2028".encode()]), max_size=14)
texts = st.builds(lambda parts, end: b"\n".join(parts) + end, lines, st.sampled_from([b"", b"\n"]))


@given(texts, texts, st.data())
def test_any_subset_of_hunks_gives_exactly_those_hunks(before: bytes, after: bytes, data: st.DataObject) -> None:
    changes = propose([Change("f", text(before), text(after))]).changes
    if before == after:
        assert changes == ()
        return
    (change,) = changes
    ids = [hunk.id for hunk in change.hunks]
    assert len(set(ids)) == len(ids)
    assert apply_hunks(change, ids) == after
    assert apply_hunks(change, ()) == before
    chosen = data.draw(st.sets(st.sampled_from(ids)))
    # Rebuilt from the other end: the proposed text with the old lines put back.
    rebuilt = split_lines(after)
    for hunk in reversed(change.hunks):
        if hunk.id not in chosen:
            first = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            rebuilt[first : first + len(hunk.new_lines)] = hunk.old_lines
    assert apply_hunks(change, chosen) == b"".join(rebuilt)


@given(texts, texts, st.data())
def test_choosing_some_and_then_others_is_choosing_both(before: bytes, after: bytes, data: st.DataObject) -> None:
    changes = propose([Change("f", text(before), text(after))]).changes
    if not changes:
        return
    (change,) = changes
    ids = [hunk.id for hunk in change.hunks]
    one = data.draw(st.sets(st.sampled_from(ids)))
    other = data.draw(st.sets(st.sampled_from(ids))) - one
    first, rest = split_change(change, one)
    both = apply_hunks(change, one | other)
    if rest is not None:
        assert [hunk.id for hunk in rest.hunks] == [i for i in ids if i not in one]
        assert apply_hunks(rest, other) == both
    if first is not None:
        assert first.after == text(apply_hunks(change, one))
        assert apply_hunks(first, one & set(ids[::2])) == apply_hunks(change, one & set(ids[::2]))


@given(texts, texts)
def test_line_numbers_count_the_lines_of_both_texts(before: bytes, after: bytes) -> None:
    for change in propose([Change("f", text(before), text(after))]).changes:
        old, new = split_lines(before), split_lines(after)
        for hunk in change.hunks:
            if hunk.old_lines:
                assert tuple(old[hunk.old_start - 1 :][: len(hunk.old_lines)]) == hunk.old_lines
            if hunk.new_lines:
                assert tuple(new[hunk.new_start - 1 :][: len(hunk.new_lines)]) == hunk.new_lines


def test_ids_stay_when_other_hunks_are_decided_and_the_diff_is_made_anew() -> None:
    before = numbered(100)
    after = list(before)
    for i in (10, 30, 50, 70):
        after[i] = b"    return changed(x)\n"
    after[90:90] = [b"added\n"]
    change = edit(b"".join(before), b"".join(after))
    ids = [hunk.id for hunk in change.hunks]
    assert len(ids) == 5
    for decided in ids:
        accepted = edit(apply_hunks(change, {decided}), b"".join(after))
        rejected = edit(b"".join(before), apply_hunks(change, set(ids) - {decided}))
        left = [i for i in ids if i != decided]
        assert [hunk.id for hunk in accepted.hunks] == left
        assert [hunk.id for hunk in rejected.hunks] == left


def test_ids_differ_by_path_and_between_equal_hunks() -> None:
    before, after = b"x\nsame\nx\n" * 3, b"y\nsame\ny\n" * 3
    one, other = edit(before, after, "one"), edit(before, after, "other")
    ids = [hunk.id for change in (one, other) for hunk in change.hunks]
    assert len(set(ids)) == len(ids)


def test_lines_end_at_newlines_only() -> None:
    change = edit(b"a\x0cb\x85c\rd\r\ne\n", b"a\x0cb\x85c\rd\r\nE\n")
    (hunk,) = change.hunks
    assert (hunk.old_start, hunk.old_lines, hunk.new_lines) == (2, (b"e\n",), (b"E\n",))


def test_an_inserted_function_is_shown_as_the_function() -> None:
    old = b"def a():\n    x()\n    return 1\n\n\ndef c():\n    x()\n    return 1\n"
    new = old.replace(b"def c", b"def b():\n    x()\n    return 1\n\n\ndef c", 1)
    (hunk,) = edit(old, new).hunks
    assert hunk.new_lines[0] == b"def b():\n"
    assert hunk.old_start == 5


def test_a_decorator_stays_with_the_function_that_came_with_it() -> None:
    old = b"@test\ndef a():\n    x()\n\n@test\ndef c():\n    z()\n"
    new = old.replace(b"@test\ndef c", b"@test\ndef b():\n    y()\n\n@test\ndef c")
    (inserted,) = edit(old, new).hunks
    assert inserted.new_lines == (b"@test\n", b"def b():\n", b"    y()\n", b"\n")
    (deleted,) = edit(new, old).hunks
    assert deleted.old_lines == inserted.new_lines


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("unique", numbered(50_000)),
        ("repetitive", [b"{\n", b"  x,\n", b"}\n"] * 16_667),
        ("all equal", [b"\n"] * 50_000),
    ],
)
def test_ten_changes_in_fifty_thousand_lines_are_found_exactly_and_fast(name: str, before: list[bytes]) -> None:
    after = list(before)
    for i in range(10):
        after[5_000 * i + 2_000] = b"changed %d\n" % i
    ranges, seconds = [], 9.0
    for _ in range(3):  # the best of three: other work shares the machine
        started = time.perf_counter()
        ranges = changed_ranges(before, after)
        seconds = min(seconds, time.perf_counter() - started)
    assert sum(r.old_to - r.old_from + r.new_to - r.new_from for r in ranges) == 20
    if name != "all equal":
        assert [(r.old_from, r.old_to) for r in ranges] == [(5_000 * i + 2_000, 5_000 * i + 2_001) for i in range(10)]
    assert seconds < 0.3


@pytest.mark.parametrize("kinds", [1, 20, 50_000])
def test_two_large_texts_with_little_in_common_end_in_time(kinds: int) -> None:
    pick = random.Random(kinds)  # noqa: S311
    before = [b"%d\n" % pick.randrange(kinds) for _ in range(30_000)]
    after = [b"%d\n" % pick.randrange(kinds) for _ in range(30_000)]
    started = time.perf_counter()
    change = edit(b"".join(before), b"".join([*after, b"x\n"]))
    assert time.perf_counter() - started < 10
    assert apply_hunks(change, {hunk.id for hunk in change.hunks}) == b"".join([*after, b"x\n"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (text(b"a\0b"), text(b"a\0c")),
        (text(b"text\n"), text(b"\0")),
        (text(b"target", LINK), text(b"other", LINK)),
        (text(b"target", LINK), text(b"text\n")),
        (text(b"same\n"), text(b"same\n", EXECUTABLE)),
        (None, text(b"")),
        (text(b""), None),
    ],
)
def test_what_has_no_lines_to_choose_is_decided_whole(before: FileState | None, after: FileState | None) -> None:
    (change,) = propose([Change("p", before, after)]).changes
    assert change.hunks == ()
    assert apply_hunks(change, ()) == (before.data if before else b"")
    assert apply_hunks(change, {"p"}) == (after.data if after else b"")
    assert split_change(change, {"p"}) == (change, None)
    assert split_change(change, {"q"}) == (None, change)


def test_a_nul_byte_far_into_a_file_does_not_make_it_binary_as_in_git() -> None:
    assert edit(b"x" * 8000 + b"\0\nold\n", b"x" * 8000 + b"\0\nnew\n").hunks
    assert not edit(b"x" * 7999 + b"\0\nold\n", b"x" * 7999 + b"\0\nnew\n").hunks


def test_a_moved_file_is_one_rename_with_its_hunks() -> None:
    before = b"".join(numbered(20))
    after = before.replace(b"line 7\n", b"line seven\n")
    proposal = propose([Change("old/a.py", text(before), None, "mv"), Change("new/b.py", None, text(after), "mv")])
    (change,) = proposal.changes
    assert (change.path, change.old_path, change.by) == ("new/b.py", "old/a.py", "mv")
    assert [hunk.new_lines for hunk in change.hunks] == [(b"line seven\n",)]
    assert single_paths(proposal) == (
        Change("old/a.py", text(before), None, "mv"),
        Change("new/b.py", None, text(after), "mv"),
    )


def test_of_equal_deleted_files_the_one_of_the_same_name_is_the_source() -> None:
    data = text(b"".join(numbered(5)))
    proposal = propose(
        [
            Change("a/one.py", data, None),
            Change("a/two.py", data, None),
            Change("b/aaa.py", None, data),
            Change("b/two.py", None, data),
        ]
    )
    assert {change.path: change.old_path for change in proposal.changes} == {
        "b/aaa.py": "a/one.py",
        "b/two.py": "a/two.py",
    }


def test_files_with_little_in_common_and_empty_files_are_not_renames() -> None:
    proposal = propose(
        [
            Change("a", text(b"".join(numbered(10))), None),
            Change("b", None, text(b"other\n" * 10 + b"line 1\n")),
            Change("empty", text(b""), None),
            Change("void", None, text(b"")),
            Change("link", text(b"target", LINK), None),
            Change("plain", None, text(b"target")),
        ]
    )
    assert [change.old_path for change in proposal.changes] == [None] * 6


def test_very_many_deleted_and_new_files_do_not_take_quadratic_time() -> None:
    gone = [Change(f"old/{i}.py", text(b"%d\n" % i * 50 + b"end %d" % i), None) for i in range(1_500)]
    come = [Change(f"new/{i}.py", None, text(b"%d\n" % i * 50 + b"END %d" % i)) for i in range(1_500)]
    started = time.perf_counter()
    proposal = propose([*gone, *come])
    assert time.perf_counter() - started < 5
    assert all(change.old_path == change.path.replace("new", "old") for change in proposal.changes)


def test_counts_and_choices_run_over_all_files() -> None:
    proposal = propose(
        [
            Change("b", text(b"1\n2\n3\n"), text(b"1\nII\n3\n4\n")),
            Change("a", None, text(b"new\n")),
            Change("c", text(b"gone\ngone\n"), None),
            Change("unchanged", text(b"x"), text(b"x")),
        ]
    )
    assert [change.path for change in proposal.changes] == ["a", "b", "c"]
    assert count_lines(proposal) == (3, 3)
    assert count_lines(Proposal()) == (0, 0)
    part = choose(proposal, {proposal.changes[1].hunks[0].id, "c"})
    assert [change.path for change in part.changes] == ["b", "c"]
    assert part.changes[0].after == text(b"1\nII\n3\n")
