"""`kcode diff`, `apply`, `reject` and `split`: what they show and do with chosen hunks."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.draft.review import Decision, comment, decide, edit
from kcode.errors import DraftError, StaleError, UsageError
from kcode.headless.hunklist import list_hunks
from kcode.headless.review import apply_words, reject_words, show_proposal, split_hunk, take_back_rejection
from kcode.messages import AssistantMessage, ToolCall
from kcode.options import DiffOptions, OutputOptions
from kcode.results import CommandResult, TestReport
from kcode.session.store import SessionLog
from tests.headless.proposals import FILES, INVOICE, Proposed, propose_changes
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST, WHY, PATCH = DiffOptions(hunks=True), DiffOptions(why=True), DiffOptions()


@pytest.fixture
def proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proposed]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    with Path("/dev/null").open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield propose_changes(tmp_path)


def shown(
    proposed: Proposed, capfd: pytest.CaptureFixture[str], *words: str, diff: DiffOptions = PATCH, as_json: bool = False
) -> str:
    capfd.readouterr()
    assert show_proposal(proposed.place, words, diff, OutputOptions(json=as_json)) == 0
    return capfd.readouterr().out


def test_the_list_tells_of_each_hunk_what_is_known(proposed: Proposed, capfd: pytest.CaptureFixture[str]) -> None:
    ids = proposed.ids()
    review = proposed.review()
    review.keep(comment(decide(review.review, [ids[1]], Decision.REJECTED), ids[1], "no\x1b[31m\nreally"))
    lines = shown(proposed, capfd, diff=LIST).splitlines()
    names = [re.escape(identity[:4]) for identity in ids]
    expected = [
        rf"{names[0]}  invoice\.py:3   \+1 -1  in class Invoice, def total; by edit_file; tests pass: 2 passed, before later changes",
        rf"{names[1]}  invoice\.py:6   \+1 -1  rejected; in class Invoice, def tax; by edit_file; not tested",
        r"      # no␛\[31m",
        r"      # really",
        rf"{names[2]}  invoice\.py:14  \+1 -0  in def main; by edit_file; not tested",
        rf"{names[3]}  notes\.txt:2    \+2 -1  by edit_file; not tested",
        r"-     old\.bin        whole  by write_file; not tested",
    ]
    assert len(lines) == len(expected)
    assert [
        line for line, pattern in zip(lines, expected, strict=True) if not re.fullmatch(pattern, line.rstrip())
    ] == []


def test_the_list_as_json_has_the_same(proposed: Proposed, capfd: pytest.CaptureFixture[str]) -> None:
    events = [json.loads(line) for line in shown(proposed, capfd, as_json=True).splitlines()]
    assert events[0] == {
        "type": "proposal.listed", "version": 1, "session": proposed.session.id, "files": 3, "hunks": 5,
    }  # fmt: skip
    first = events[1]
    assert {
        "type": "hunk.proposed",
        "path": "invoice.py",
        "decision": "pending",
        "edited": False,
    }.items() <= first.items()
    assert first["within"] == ["class Invoice", "def total"]
    assert [(cause["call"], cause["by"]) for cause in first["causes"]] == [("functions.edit_file:0", "edit_file")]
    assert first["tests"] == {"ok": True, "passed": 2, "failed": 0, "skipped": 0, "fresh": False}
    assert events[2]["tests"] is None
    assert [(event["path"], event["id"], event["within"]) for event in events[-1:]] == [("old.bin", None, None)]


def test_why_tells_the_call_and_what_the_model_thought(proposed: Proposed, capfd: pytest.CaptureFixture[str]) -> None:
    text = shown(proposed, capfd, proposed.ids()[0], diff=WHY)
    assert text.startswith("invoice.py:3; in class Invoice, def total; tests pass: 2 passed, before later changes\n")
    assert "edit_file\n  thought:\n    Cents get lost ␛[31mhere.\n  said:\n    I round it.\n" in text
    assert "  called with:\n    path: invoice.py\n" in text
    assert "The tax too" not in text
    (_, event) = (
        json.loads(line) for line in shown(proposed, capfd, proposed.ids()[0], diff=WHY, as_json=True).splitlines()
    )
    assert event["causes"][0]["reasoning"] == "Cents get lost \x1b[31mhere."


def test_on_a_screen_a_hunk_has_one_line_and_what_all_share_is_said_once(proposed: Proposed) -> None:
    review = proposed.review()
    facts = review.facts(review.look())
    first, *rest = list_hunks(facts[1:3], 50).splitlines()
    assert first.endswith("invoice.py:6   +1 -1  in class Invoice, def…")
    assert (len(first), rest[1:]) == (50, ["All 2: not tested"])
    assert len(list_hunks(facts, 1000).splitlines()) == len(facts)


def test_why_shows_of_a_call_with_many_edits_those_of_the_hunk(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    edits = [{"old": f"line {n}\n", "new": f"  line {n}!\n"} for n in range(60)] + [
        {"old": "  two\n", "new": "zwei\n2\n"}
    ]
    call = ToolCall("functions.edit_file:2", "edit_file", json.dumps({"path": "notes.txt", "edits": edits}))
    other = ToolCall("functions.edit_file:3", "edit_file", json.dumps({"path": "old.bin", "edits": edits}))
    with SessionLog(proposed.session) as log:
        log.append_message(AssistantMessage("", "", (call, other)))
    proposed.edit("notes.txt", ("2\n", "2!\n"), call=call.id)
    text = shown(proposed, capfd, "notes.txt", diff=WHY)
    assert "    path: notes.txt\n    edit:\n    -   two\n    + zwei\n    + 2\n    and 60 other edits\n" in text
    proposed.edit("old.bin", ("b", "c"), call=other.id)
    assert "    … and 145 more lines: kcode diff --why --json has all\n" in shown(proposed, capfd, "old.bin", diff=WHY)


def test_chosen_hunks_are_a_patch_that_git_applies(proposed: Proposed, capfd: pytest.CaptureFixture[str]) -> None:
    patch = shown(proposed, capfd, proposed.ids()[1], "notes.txt")
    subprocess.run(["git", "apply"], cwd=proposed.root, input=patch.encode(), check=True)
    assert proposed.read("invoice.py") == INVOICE.replace("0.2", "0.25")
    assert proposed.read("notes.txt") == "one\nzwei\n2\nthree\nfour\n"


def test_chosen_hunks_are_written_and_the_others_stay_with_their_ids(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = proposed.ids()
    assert apply_words(proposed.place, [ids[1][:6]], pick=False) == 0
    assert proposed.read("invoice.py") == INVOICE.replace("0.2", "0.25")
    assert proposed.ids() == [ids[0], ids[2], ids[3]]
    assert "4 hunks stay pending" in capfd.readouterr().err
    assert apply_words(proposed.place, ["invoice.py", "*.bin"], pick=False) == 0
    assert proposed.read("invoice.py") == proposed.drafted("invoice.py")
    assert proposed.ids() == [ids[3]]
    assert (proposed.root / "old.bin").read_bytes() == b"\0b"


def test_a_rejected_hunk_leaves_the_draft_and_the_model_is_told_once(proposed: Proposed) -> None:
    ids = proposed.ids()
    assert reject_words(proposed.place, [ids[0], "old.bin"], "keep the cents") == 0
    assert "round(" not in proposed.drafted("invoice.py")
    assert "0.25" in proposed.drafted("invoice.py")
    assert proposed.draft.read("old.bin") == proposed.draft.before("old.bin")
    assert proposed.read("invoice.py") == INVOICE
    assert proposed.ids() == ids[1:]
    review = proposed.review()
    told = review.message()
    assert f"invoice.py:3, hunk {ids[0]}: rejected by the user.\nThe user's comment:\n> keep the cents\n" in told
    assert "old.bin, the whole file: rejected by the user." in told
    review.mark_told()
    assert proposed.review().message() == ""


def test_what_was_rejected_last_can_be_brought_back(proposed: Proposed) -> None:
    before, ids = proposed.drafted("invoice.py"), proposed.ids()
    assert take_back_rejection(proposed.place) == 3
    assert reject_words(proposed.place, [ids[1]], "") == 0
    assert reject_words(proposed.place, [ids[0], "old.bin"], "no") == 0
    assert take_back_rejection(proposed.place) == 0
    assert proposed.ids() == [ids[0], *ids[2:]]
    assert proposed.drafted("invoice.py") == before.replace("0.25", "0.2")
    assert proposed.review().message().count("rejected by the user") == 1
    assert take_back_rejection(proposed.place) == 3


def test_what_was_rejected_beside_the_users_own_changes_can_be_brought_back(proposed: Proposed) -> None:
    (proposed.root / "invoice.py").write_text(INVOICE.replace("def send", "def post"))
    (proposed.root / "notes.txt").write_text("one\nmine\nthree\nfour\n")
    before, clash = proposed.ids(), proposed.drafted("notes.txt")
    assert reject_words(proposed.place, [before[0], "notes.txt"], "") == 0
    assert proposed.drafted("notes.txt") == "one\nmine\nthree\nfour\n"
    assert take_back_rejection(proposed.place) == 0
    assert proposed.ids() == before
    assert proposed.drafted("notes.txt") == clash


def test_what_was_rejected_does_not_come_back_over_a_later_change(proposed: Proposed) -> None:
    assert reject_words(proposed.place, [proposed.ids()[0]], "") == 0
    proposed.reopened().edit("invoice.py", ("post(self)", "put(self)"))
    later = proposed.drafted("invoice.py")
    with pytest.raises(DraftError, match="changed since"):
        take_back_rejection(proposed.place)
    assert proposed.drafted("invoice.py") == later


def test_what_was_brought_back_is_still_the_models_and_untested(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    assert reject_words(proposed.place, ["invoice.py"], "") == 0
    proposed.reopened().draft.versions.note_tests(TestReport("pytest", CommandResult(0, ""), 2, 0, 0))
    assert take_back_rejection(proposed.place) == 0
    first = shown(proposed, capfd, "invoice.py", diff=LIST).splitlines()[0]
    assert first.endswith("in class Invoice, def total; by edit_file; not tested")
    assert "Cents get lost" in shown(proposed, capfd, proposed.ids()[0], diff=WHY)


def test_a_split_hunk_is_decided_in_parts_also_after_one_was_written(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = proposed.ids()
    assert split_hunk(proposed.place, ids[3], "1,1") == 0
    listed = capfd.readouterr().out.splitlines()
    assert [line.split()[1:4] for line in listed] == [["notes.txt:2", "+1", "-1"], ["notes.txt:3", "+1", "-0"]]
    first, second = proposed.ids()[3:]
    assert apply_words(proposed.place, [second], pick=False) == 0
    assert proposed.read("notes.txt") == "one\ntwo\n2\nthree\nfour\n"
    assert proposed.ids()[3:] == [first]
    assert reject_words(proposed.place, [first], "") == 0
    assert proposed.drafted("notes.txt") == "one\ntwo\n2\nthree\nfour\n"
    assert proposed.ids() == ids[:3]


@pytest.mark.parametrize(
    ("word", "where"), [("invoice.py", "1"), ("old.bin", "1"), ("notes.txt", "x"), ("notes.txt", "3")]
)
def test_what_cannot_be_split_is_said(proposed: Proposed, word: str, where: str) -> None:
    with pytest.raises(UsageError, match="split"):
        split_hunk(proposed.place, word, where)


def test_an_edited_hunk_is_written_as_edited_and_is_the_users(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = proposed.ids()
    review = proposed.review()
    change = review.look().proposal.changes[1]
    review.keep(edit(review.review, change, change.hunks[0], [b"deux\n"]))
    assert "+deux\n" in shown(proposed, capfd, "notes.txt")
    assert "edited by you; by edit_file, then you; not tested" in shown(proposed, capfd, "notes.txt", diff=LIST)
    assert apply_words(proposed.place, [ids[0]], pick=False) == 0
    assert proposed.drafted("notes.txt") == "one\ndeux\nthree\nfour\n"
    assert proposed.read("notes.txt") == "one\ntwo\nthree\nfour\n"
    assert proposed.ids() == ids[1:]
    assert "by edit_file, then you; not tested\n" in shown(proposed, capfd, "notes.txt", diff=LIST)
    assert apply_words(proposed.place, [ids[3]], pick=False) == 0
    assert proposed.read("notes.txt") == "one\ndeux\nthree\nfour\n"
    assert "The user's lines:\n| deux\n" in proposed.review().message()


def test_apply_without_words_leaves_out_what_was_rejected_and_carries_that_out(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = proposed.ids()
    review = proposed.review()
    review.keep(decide(review.review, [ids[0]], Decision.REJECTED))
    assert "round(" not in shown(proposed, capfd)
    assert apply_words(proposed.place, [], pick=False) == 0
    assert proposed.read("invoice.py") == proposed.drafted("invoice.py")
    assert "round(" not in proposed.read("invoice.py")
    assert "0.25" in proposed.read("invoice.py")
    assert proposed.ids() == []
    told = proposed.review().message()
    assert (told.count("applied to the user's files"), told.count("rejected by the user")) == (4, 1)


def test_nothing_is_done_to_hunks_that_are_not_there_as_they_were_shown(proposed: Proposed) -> None:
    review = proposed.review()
    ids = proposed.ids()
    review.carry_out(apply=set(), reject={ids[1]})
    with pytest.raises(StaleError, match="changed since they were shown"):
        review.carry_out(apply={ids[1]}, reject={ids[0]})
    assert proposed.read("invoice.py") == INVOICE
    assert proposed.ids() == [ids[0], *ids[2:]]


def test_a_word_that_names_nothing_is_an_error(proposed: Proposed) -> None:
    with pytest.raises(UsageError, match="no hunk and no file"):
        reject_words(proposed.place, ["nothing.py"], "")
    with pytest.raises(UsageError, match="no hunk and no file"):
        apply_words(proposed.place, ["ffffffff"], pick=False)
    with pytest.raises(UsageError, match="no hunk and no file"):
        show_proposal(proposed.place, ["x*"], LIST, OutputOptions())


def test_a_damaged_review_is_told_and_the_proposal_still_shown(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    (proposed.draft.folder / "review.json").write_text("{")
    assert show_proposal(proposed.place, [], PATCH, OutputOptions()) == 0
    out, err = capfd.readouterr()
    assert out.startswith("diff --git")
    assert "All hunks count as undecided" in err


def test_without_a_proposal_every_command_says_so(proposed: Proposed, capfd: pytest.CaptureFixture[str]) -> None:
    assert reject_words(proposed.place, ["all"], "") == 0
    capfd.readouterr()
    assert show_proposal(proposed.place, [], LIST, OutputOptions(json=True)) == 3
    assert reject_words(proposed.place, ["all"], "") == 3
    assert split_hunk(proposed.place, "x", "1") == 3
    assert apply_words(proposed.place, ["all"], pick=False) == 3
    out, err = capfd.readouterr()
    assert (out, err.count("Nothing is pending here.")) == ("", 4)


def test_rejecting_a_rename_and_a_deletion_brings_the_files_back(proposed: Proposed) -> None:
    proposed.draft.move("notes.txt", "moved.txt", "move_file")
    proposed.draft.remove("invoice.py", "delete_file")
    assert reject_words(proposed.place, ["all"], "") == 0
    assert proposed.drafted("invoice.py") == INVOICE
    assert proposed.drafted("notes.txt") == "one\ntwo\nthree\nfour\n"
    assert proposed.draft.read("moved.txt") is None
    assert proposed.draft.changes() == ()


def test_what_the_user_changed_meanwhile_stays_and_what_conflicts_is_told(
    proposed: Proposed, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = proposed.ids()
    mine = INVOICE.replace("post(self)", "put(self)").replace("* 0.2", "* 0.19")
    (proposed.root / "invoice.py").write_text(mine)
    listed = shown(proposed, capfd, "invoice.py", diff=LIST)
    assert [line.split()[0] for line in listed.splitlines() if "conflicts with what you changed" not in line] == [
        ids[0][:4], ids[2][:4],
    ]  # fmt: skip
    events = [json.loads(line) for line in shown(proposed, capfd, "invoice.py", as_json=True).splitlines()[1:]]
    conflict = next(event["id"] for event in events if event["conflict"])
    (proposed.root / "notes.txt").unlink()
    assert "what you changed: the file that it was made for is gone; new" in shown(
        proposed, capfd, "notes.txt", diff=LIST
    )
    (proposed.root / "notes.txt").write_text(FILES["notes.txt"])
    assert "0.25" not in shown(proposed, capfd, "invoice.py")
    with pytest.raises(StaleError, match=r"invoice\.py: what is chosen there conflicts"):
        apply_words(proposed.place, [ids[0], conflict], pick=False)
    assert proposed.read("invoice.py") == mine
    assert apply_words(proposed.place, [ids[0]], pick=False) == 0
    assert proposed.read("invoice.py") == mine.replace("sum(self.lines)", "round(sum(self.lines), 2)")
    assert reject_words(proposed.place, [conflict], "") == 0
    assert [ids[2], ids[3]] == proposed.ids()
    assert apply_words(proposed.place, ["invoice.py"], pick=False) == 0
    assert "put(self)" in proposed.read("invoice.py")
    assert "0.19" in proposed.read("invoice.py")
    assert "print('sent')" in proposed.read("invoice.py")
    assert proposed.ids() == [ids[3]]


def test_the_command_line_takes_hunks_files_and_options(proposed: Proposed, tmp_path: Path) -> None:
    program = Program(proposed.root, tmp_path / "home")
    ids = proposed.ids()

    def run(*arguments: str) -> tuple[int, str]:
        done = program.run(*arguments)
        return done.returncode, done.stdout.decode()

    code, listed = run("diff", "--hunks", "invoice.py")
    assert (code, [line.split()[0] for line in listed.splitlines()]) == (0, [identity[:4] for identity in ids[:3]])
    (proposed.root / "sub").mkdir()
    assert run("diff", "--hunks", "../invoice.py", "-C", "sub") == (code, listed)
    assert f"The patch is for {proposed.root}".encode() in program.run("diff", "-C", "sub").stderr
    assert run("reject", ids[0], "--comment", "keep it") == (0, "")
    assert run("reject") == (2, "")
    assert run("reject", "--undo") == (0, "")
    assert proposed.ids() == ids
    assert run("split", ids[3], "2")[1].count("notes.txt") == 2
    assert run("apply", "notes.txt", ids[1][:5]) == (0, "")
    assert proposed.read("notes.txt") == proposed.drafted("notes.txt")
    assert proposed.ids() == [ids[0], ids[2]]
    assert run("apply", "--pick") == (5, "")
    assert run("diff", "--json", "-o", str(tmp_path / "file"))[0] == 2
    assert run("diff", "--hunks", "-o", str(tmp_path / "file")) == (0, "")
    assert (tmp_path / "file").read_text().count("invoice.py") == 2


def test_tests_that_did_not_see_what_was_merged_since_are_not_fresh(proposed: Proposed) -> None:
    def fresh() -> set[bool]:
        review = proposed.review()
        return {one.tested.is_fresh for one in review.facts(review.look())}

    proposed.draft.versions.note_tests(TestReport("pytest", CommandResult(0, ""), 2, 0, 0))
    assert fresh() == {True}
    (proposed.root / "invoice.py").write_text(INVOICE.replace("post(self)", "put(self)"))
    assert apply_words(proposed.place, ["notes.txt"], pick=False) == 0
    assert "put(self)" in proposed.drafted("invoice.py")
    assert fresh() == {False}


def test_what_another_process_decided_meanwhile_is_not_lost(proposed: Proposed) -> None:
    first, second = proposed.review(), proposed.review()
    ids = proposed.ids()
    first.keep(comment(first.review, ids[0], "keep the cents"))
    with pytest.raises(StaleError, match="start again"):
        second.keep(decide(second.review, [ids[1]], Decision.REJECTED))
    with pytest.raises(StaleError, match="start again"):
        second.carry_out(apply=[ids[1]], reject=[])
    assert proposed.read("invoice.py") == INVOICE
    assert proposed.review().look().comments == {ids[0]: "keep the cents"}
