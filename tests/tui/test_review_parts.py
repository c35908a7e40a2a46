from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.reviewing import HunkFacts
from kcode.draft.files import Hunk
from kcode.draft.provenance import Tested
from kcode.draft.review import Decision, Review, comment, decide, may_cut, reviewed
from kcode.draft.versions import TestRun
from kcode.results import CommandResult, TestFailure, TestReport
from kcode.tui.diff import learning
from kcode.tui.diff.bars import draw_keys
from kcode.tui.diff.comments import comments_as_markdown
from kcode.tui.diff.cuts import cuts_of
from kcode.tui.diff.filelines import FileEntry, draw_files
from kcode.tui.diff.handedit import editable_text
from kcode.tui.diff.testlines import describe_report
from kcode.tui.lines import Role, join, plain, width_of
from kcode.tui.reviewdesk import Source
from kcode.tui.reviewstate import ReviewState
from kcode.tui.screens.reviewkeys import ALL_KEYS, explain_keys, is_open, keys_for
from kcode.tui.texts import LANGUAGES, load_texts
from tests.draft.reviews import LINES, proposal_of, ten_lines

TEXTS = load_texts()
bodies = st.lists(st.sampled_from([b"%s\n" % line for line in LINES]), max_size=6).map(tuple)
hunks = st.builds(
    lambda old, new, end: Hunk("h", 1, old, 1, (*new, *([end] if end else []))),
    bodies,
    bodies,
    st.sampled_from([b"", b"open"]),
).filter(lambda hunk: hunk.old_lines or hunk.new_lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", Source)
def test_the_smallest_screen_has_the_keys_that_a_mouse_cannot_do_without(language: str, source: Source) -> None:
    texts = load_texts(language)
    shown = {
        mode: {span.action for span in draw_keys(keys_for(mode, source, texts, {}), 80)}
        for mode in ("look", "cut", "write", "edit")
    }
    assert {"screen.accept('*')", "screen.comment", "screen.edit", "screen.help", "screen.close"} <= shown["look"]
    assert {"screen.test(False)", "screen.apply"} <= shown["look"] or not source.is_written
    assert {"screen.keep_cut", "screen.leave_cut"} <= shown["cut"]
    assert {"screen.in_box('keep')", "screen.in_box('leave')"} <= shown["write"] & shown["edit"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_the_help_of_a_review_tells_of_does_something_at_a_click(language: str) -> None:
    told = explain_keys(Source.PROPOSAL, load_texts(language))[: len(ALL_KEYS)]
    for line, (names, _) in zip(told, ALL_KEYS, strict=True):
        keys = [span for span in line if span.role is Role.ACCENT]
        assert [span.text for span in keys] == [f"{name} " for name in names.split()]
        assert all(is_open(span.action.removeprefix("screen.").partition("(")[0], "look") for span in (*keys, line[-1]))
    assert len({width_of(line[:-1]) for line in told}) == 1


@given(hunks)
def test_a_text_that_is_not_edited_is_the_same_lines(hunk: Hunk) -> None:
    text = editable_text(hunk)
    if text is not None and text.text:
        assert text.lines(text.text) == hunk.new_lines


@given(hunks)
def test_every_cut_that_is_offered_can_be_made(hunk: Hunk) -> None:
    cuts = cuts_of(hunk)
    assert len(set(cuts)) == len(cuts)
    assert all(may_cut(hunk, cut) for cut in cuts)
    assert (
        bool(cuts)
        or len(hunk.old_lines) + len(hunk.new_lines) == 1
        or not all(line.endswith(b"\n") for line in (*hunk.old_lines, *hunk.new_lines))
    )


def test_lines_with_windows_ends_keep_them() -> None:
    text = editable_text(Hunk("h", 1, (b"a\r\n",), 1, (b"b\r\n",)))
    assert text is not None
    assert text.lines("b\nc") == (b"b\r\n", b"c\r\n")
    assert editable_text(Hunk("h", 1, (), 1, (b"b\r\n", b"c\n"))) is None
    assert editable_text(Hunk("h", 1, (), 1, (b"\x1b[31m\n",))) is None


def test_many_files_stand_below_their_folders() -> None:
    entries = [FileEntry(f"src/{part}/module_{number}.py", "M", 1, 2, 3, 3) for part in "ab" for number in range(5)]
    lines = draw_files(entries, 34, "src/a/module_0.py")
    assert all(width_of(line) == 34 for _, line in lines)
    shown = join(line for _, line in lines)
    assert "src/a/" in shown
    assert "▎M module_0.py" in shown
    assert shown.count("✓") == 10
    assert [path for path, line in lines if "src/b/" in plain(line)] == [""]


def test_a_long_name_shows_its_end() -> None:
    ((_, line),) = draw_files([FileEntry("a/very/long/way/to/漢字/file.py", "A", 10, 0, 1)], 30, "")
    assert width_of(line) == 30
    assert "…" in plain(line)
    assert "/file.py" in plain(line)


def test_a_report_is_told_with_counts_and_names() -> None:
    failures = tuple(TestFailure(f"test_{name}\x1b") for name in "abcd")
    report = TestReport("pytest", CommandResult(1, ""), 3, 4, 1, failures)
    assert describe_report(report, TEXTS) == "4 failed, 3 passed, 1 skipped: test_a␛, test_b␛, test_c␛ and 1 more"
    known = replace(report, failed_before=("test_a", "test_b"))
    assert describe_report(known, TEXTS).startswith("4 failed (2 of them before too), 3 passed, 1 skipped: ")
    assert describe_report(TestReport("make", CommandResult(0, "")), TEXTS) == "tests passed"


def test_no_hunk_is_blamed_for_what_failed_before() -> None:
    change = proposal_of(f=(b"a\n", b"b\n")).changes[0]
    facts = HunkFacts(change, change.hunks[0], Decision.PENDING, "", False, False, (), (), Tested())
    run = TestRun(ok=False, passed=3, failed=2, skipped=0)
    said = {}
    for before in (None, 1, 2):
        tested = Tested(replace(run, before=before), True)
        said[before] = learning.describe_tested(tested, TEXTS), learning.tests_of([replace(facts, tested=tested)])
    assert said == {None: ("tests failed", "-"), 1: ("tests failed", "-"), 2: ("tests fail as before", "")}


def test_comments_come_with_the_lines_that_they_are_about() -> None:
    proposal = proposal_of(f=(b"a\n", b"````x\n"))
    key = proposal.changes[0].hunks[0].id
    text = comments_as_markdown(reviewed(proposal, comment(Review(), key, "no")))
    assert text == "## f:1\n\nno\n\n```diff\n-a\n+````x\n```\n"
    assert comments_as_markdown(reviewed(proposal, decide(Review(), [key], Decision.ACCEPTED))) == ""


def test_the_cursor_goes_to_the_nearest_hunk_when_its_own_is_gone() -> None:
    proposal, keys = ten_lines()
    state = ReviewState(reviewed(proposal, Review()), TEXTS)
    state.go(keys[1])
    before = b"".join(b"line %d\n" % i for i in range(40))
    assert proposal.changes[0].before is not None
    rest = proposal_of(f=(before, before.replace(b"line 5\nline 6\n", b"new 5\nnew 6\n")))
    state.update(reviewed(rest, Review()), from_outside=True)
    assert state.key == keys[0]
    state.update(reviewed(proposal_of(g=(b"a\n", b"b\n")), Review()), from_outside=True)
    assert state.entries()[0].is_new
    assert state.view.paths[state.key] == "g"
