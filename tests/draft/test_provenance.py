"""Each line of a hunk is laid to the version that did it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.draft.baseline import digest
from kcode.draft.files import REGULAR, Change, FileState
from kcode.draft.hunks import apply_hunks, propose
from kcode.draft.provenance import attribute, last_run, trace
from kcode.draft.versions import BY_USER, TestRun, Version
from kcode.results import CommandResult, TestReport
from tests.repositories import run_over, text_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.draft.draft import Draft
    from kcode.draft.provenance import Provenance


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[bytes]], dict[bytes, int], dict[bytes, int]]:
    """Versions of a file of lines that are all different, and for each line the version that put it in or took it out."""
    current = [b"first %d\n" % number for number in range(draw(st.integers(0, 8)))]
    versions, born, died = [list(current)], dict.fromkeys(current, 0), {}
    for version in range(1, draw(st.integers(1, 5)) + 1):
        for gone in draw(st.lists(st.sampled_from(current), unique=True, max_size=3)) if current else []:
            current.remove(gone)
            died[gone] = version
        for number in range(draw(st.integers(0, 3))):
            line = b"by %d: %d\n" % (version, number)
            current.insert(draw(st.integers(0, len(current))), line)
            born[line] = version
        versions.append(list(current))
    return versions, born, died


@given(histories(), st.data())
def test_every_line_has_the_version_that_did_it(
    history: tuple[list[list[bytes]], dict[bytes, int], dict[bytes, int]], data: st.DataObject
) -> None:
    versions, born, died = history
    before, after = (FileState(REGULAR, b"".join(lines)) for lines in (versions[0], versions[-1]))
    for change in propose([Change("f", before, after)]).changes:
        # Also once the user has applied some of it, so that the workspace is no version of the draft.
        applied = data.draw(st.sets(st.sampled_from([hunk.id for hunk in change.hunks]))) if change.hunks else set()
        middle = FileState(REGULAR, apply_hunks(change, applied))
        for left in propose([Change("f", middle, after)]).changes:
            causes = attribute(left, versions)
            for hunk in left.hunks:
                expected = {born[line] for line in hunk.new_lines} | {died[line] for line in hunk.old_lines}
                assert causes[hunk.id] == sorted(expected)


@given(st.lists(st.lists(st.sampled_from([b"a\n", b"b\n", b"\n"]), max_size=8), min_size=2, max_size=5))
def test_also_among_equal_lines_each_cause_is_a_version_that_changed_something(versions: list[list[bytes]]) -> None:
    before, after = (FileState(REGULAR, b"".join(lines)) for lines in (versions[0], versions[-1]))
    for change in propose([Change("f", before, after)]).changes:
        for numbers in attribute(change, versions).values():
            assert all(0 < number < len(versions) for number in numbers)


def written(*texts: str | None, calls: Sequence[str] = ()) -> list[Version | TestRun]:
    """The records of a file `f` that had these texts one after the other."""
    states = [None if text is None else digest(text_file(text)) for text in texts]
    return [
        Version("f", calls[place] if calls else f"call {place}", "edit_file", 1.0, place == 0, states[place], after)
        for place, after in enumerate(states[1:])
    ]


def traced(texts: Sequence[str], records: Sequence[Version | TestRun]) -> list[Provenance]:
    images = {digest(text_file(text)): text.encode() for text in texts}
    proposal = propose([Change("f", text_file(texts[0]), text_file(texts[-1]))])
    found = trace(proposal, records, images.get)
    return [found[hunk.id] for change in proposal.changes for hunk in change.hunks]


def test_a_hunk_that_several_calls_made_lists_them_in_order() -> None:
    texts = ["1\n2\n3\n4\n5\n", "1\ntwo\n3\n4\n5\n", "1\nTWO\n3\n4\nfive\n"]
    first, second = traced(texts, written(*texts))
    assert [cause.call for cause in first.causes] == ["call 0", "call 1"]
    assert [cause.call for cause in second.causes] == ["call 1"]


def test_a_text_that_was_not_kept_leaves_all_that_changed_the_file() -> None:
    texts = ["1\n2\n", "1\ntwo\n", "1\nTWO\n"]
    records = written(*texts)
    proposal = propose([Change("f", text_file(texts[0]), text_file(texts[-1]))])
    (found,) = trace(proposal, records, lambda _: None).values()
    assert [cause.call for cause in found.causes] == ["call 0", "call 1"]


def test_a_change_that_nobody_recorded_has_no_cause() -> None:
    assert [found.causes for found in traced(["a\n", "b\n"], [])] == [()]


def test_what_the_user_edits_is_theirs_and_untested() -> None:
    texts = ["a\n", "b\n"]
    proposal = propose([Change("f", text_file("a\n"), text_file("b\n"))])
    (hunk,) = proposal.changes[0].hunks
    records = [*written(*texts), TestRun(ok=True, passed=1, failed=0, skipped=0)]
    found = trace(proposal, records, lambda _: None, edited={hunk.id})[hunk.id]
    assert [cause.by for cause in found.causes] == ["edit_file", BY_USER]
    assert found.tested.run is None


def test_tests_count_for_what_they_ran_over() -> None:
    texts = ["1\n2\n3\n", "one\n2\n3\n", "one\n2\nthree\n"]
    first_call, second_call = written(*texts)
    passed = TestRun(ok=True, passed=3, failed=0, skipped=None)
    early, late = traced(texts, [first_call, passed, second_call])
    assert (early.tested.run, early.tested.is_fresh) == (passed, False)
    assert (late.tested.run, late.tested.is_fresh) == (None, False)
    both = traced(texts, [first_call, second_call, passed])
    assert [(one.tested.run, one.tested.is_fresh) for one in both] == [(passed, True)] * 2


def test_a_draft_tells_call_command_and_tests_also_to_a_later_process(
    draft: Draft, draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    draft.versions.call = "functions.edit_file:0"
    draft.write("README.md", text_file("# Other title\n"), "edit_file")
    draft.versions.call = "functions.run_command:1"
    run_over(draft, "echo 'x = 2' > src/deep/inner.py; echo 'more' >> README.md")
    draft.settle("`sed`")
    draft.versions.call = ""
    draft.versions.note_tests(TestReport("pytest", CommandResult(1, ""), 4, 1, 0))
    draft.move("src/main.py", "src/moved.py", "move_file")
    later = draft_of(repository)
    proposal = propose(later.changes())
    found = trace(proposal, later.versions.records(), later.versions.image)
    told = {
        change.path: [(cause.call, cause.by) for key in [h.id for h in change.hunks] or [change.path] for cause in found[key].causes]
        for change in proposal.changes
    }  # fmt: skip
    assert told == {
        "README.md": [("functions.edit_file:0", "edit_file"), ("functions.run_command:1", "`sed`")],
        "src/deep/inner.py": [("functions.run_command:1", "`sed`")],
        "src/moved.py": [("", "move_file")],
    }
    tested = found[proposal.changes[0].hunks[0].id].tested
    assert (tested.run, tested.is_fresh) == (TestRun(ok=False, passed=4, failed=1, skipped=0), False)


def test_what_was_changed_before_a_move_is_not_laid_to_the_move(draft: Draft, repository: Path) -> None:
    (repository / "src/main.py").write_text("a\nb\nc\nd\n")
    draft.versions.call = "edit"
    draft.write("src/main.py", text_file("a\nb\nc\nD\n"), "edit_file")
    draft.versions.call = "move"
    draft.move("src/main.py", "src/moved.py", "move_file")
    (change,) = propose(draft.changes()).changes
    assert change.old_path == "src/main.py"
    found = trace(propose(draft.changes()), draft.versions.records(), draft.versions.image)
    assert [cause.call for cause in found[change.hunks[0].id].causes] == ["edit"]


def test_a_struck_off_path_starts_anew(draft: Draft) -> None:
    draft.write("README.md", text_file("# Wrong\n"), "write_file")
    draft.write("README.md", text_file("# Title\n"), "edit_file")
    draft.versions.call = "late"
    draft.write("README.md", text_file("# Right\n"), "edit_file")
    proposal = propose(draft.changes())
    (found,) = trace(proposal, draft.versions.records(), draft.versions.image).values()
    assert found.causes[-1].call == "late"


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone"])
def test_damage_to_the_record_costs_the_account_and_nothing_else(
    draft: Draft, draft_of: Callable[[Path], Draft], repository: Path, damage: str
) -> None:
    draft.write("README.md", text_file("# Other\n"), "edit_file")
    log = draft.folder / "versions.jsonl"
    if damage == "gone":
        log.unlink()
    else:
        log.write_bytes(log.read_bytes()[:-9] if damage == "cut" else b'\n{"ok": 1}\n[3]\n\xff\n["a","b"]')
    later = draft_of(repository)
    assert [change.path for change in later.changes()] == ["README.md"]
    assert later.versions.records() == ()
    later.write("README.md", text_file("# Third\n"), "edit_file")
    assert [type(record) for record in later.versions.records()] == [Version]


def test_a_record_that_cannot_be_written_does_not_keep_the_draft_from_working(draft: Draft) -> None:
    (draft.folder / "versions.jsonl").mkdir()
    draft.write("README.md", text_file("# Other\n"), "edit_file")
    assert draft.read("README.md") == text_file("# Other\n")
    assert draft.versions.records() == ()
    assert Path(draft.folder / "versions.jsonl").is_dir()


def test_the_last_run_is_that_over_the_draft_as_it_is_and_chosen_tests_count_where_all_did_not_run() -> None:
    some = TestRun(ok=True, passed=1, failed=0, skipped=0, is_chosen=True)
    whole = TestRun(ok=False, passed=1, failed=2, skipped=0, before=2)
    change = written("a\n", "b\n")
    assert last_run([*change, some]) == some
    assert last_run([*change, whole, some]) == whole
    assert last_run([whole, *change]) is None
    assert last_run([]) is None
    assert whole.is_as_before
    assert not replace(whole, before=1).is_as_before
    assert not replace(whole, before=None).is_as_before


def test_a_run_of_chosen_tests_is_kept_and_says_nothing_of_a_hunk(draft: Draft) -> None:
    draft.write("a.py", text_file("x\n"), "write_file")
    failing = TestReport("pytest", CommandResult(1, ""), 4, 1, 0, failed_before=("test_x",))
    draft.versions.note_tests(failing, is_chosen=True)
    run = last_run(draft.versions.records())
    assert run == TestRun(ok=False, passed=4, failed=1, skipped=0, before=1, is_chosen=True)
    proposal = propose(draft.changes())
    found = trace(proposal, draft.versions.records(), draft.versions.image)
    assert [one.tested.run for one in found.values()] == [None]
