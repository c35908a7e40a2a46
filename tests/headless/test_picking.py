"""Hunk by hunk at a terminal, and a second turn with what the user wants to have different."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from kcode.draft.review import Cut
from kcode.headless.picking import read_cut
from tests.headless.proposals import INVOICE, Proposed, propose_changes
from tests.model_server import reply
from tests.program import MODULE, RIGHT, RUN_TESTS, WRONG, Program, make_program
from tests.repositories import text_file
from tests.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

ASK, MORE = "Apply this? [", "Do that? [y/n]"
QUESTION = "or type what should be different: "


@pytest.fixture
def proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proposed:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return propose_changes(tmp_path)


def pick(proposed: Proposed, tmp_path: Path, *words: str, **more: str) -> Screen:
    program = Program(proposed.root, tmp_path / "home", {"TERM": "xterm-256color"} | more)
    return Screen(program, "apply", "--pick", *words)


def answer(screen: Screen, *answers: tuple[str, str | None]) -> None:
    """Wait for words, then type the answer, if there is one, and so on."""
    for question, typed in answers:
        screen.wait_for(question)
        if typed is not None:
            screen.type(f"{typed}\n")


def test_each_hunk_is_asked_for_and_what_was_chosen_is_written(proposed: Proposed, tmp_path: Path) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nprintf "deux\\n" > "$1"\n')
    editor.chmod(0o755)
    screen = pick(proposed, tmp_path, EDITOR=str(editor))
    screen.wait_for(ASK)
    assert "1/5 invoice.py" in screen.text
    assert "in class Invoice, def total; by edit_file; tests pass: 2 passed, before later changes" in screen.text
    answer(screen, (ASK, "w"))
    screen.wait_for(ASK)
    assert "Cents get lost ␛[31mhere." in screen.text
    answer(screen, (ASK, "c"), ("Comment: ", "cents matter"), (ASK, "n"), (ASK, "u"), (ASK, "n"))
    answer(screen, (ASK, "a"), ("4/5 notes.txt", None), (ASK, "s"), ("Split behind", "1,1"))
    answer(screen, (ASK, "e"), ("+deux", None), (ASK, "y"), ("5/6 notes.txt", None), (ASK, "n"), ("6/6 old.bin", None))
    answer(screen, (ASK, "y"))
    screen.wait_for(MORE)
    assert "To be written to your files: 4 hunks in 3 files, +3 -2." in screen.text
    assert "To be taken out of the draft: 2 hunks." in screen.text
    screen.type("y\n")
    assert screen.end() == 0
    written = INVOICE.replace("0.2", "0.25").replace("Invoice().send()", "Invoice().send()\n    print('sent')")
    assert proposed.read("invoice.py") == written
    assert proposed.read("notes.txt") == "one\ndeux\nthree\nfour\n"
    assert (proposed.root / "old.bin").read_bytes() == b"\0b"
    assert proposed.ids() == []
    assert "> cents matter\n" in proposed.review().message()


def test_what_becomes_of_the_whole_file_is_told_beside_its_lines(proposed: Proposed, tmp_path: Path) -> None:
    proposed.draft.remove("old.bin", "delete_file")
    proposed.draft.move("notes.txt", "words.txt", "move_file")
    proposed.draft.write("sub/new.txt", text_file("new\n"), "write_file")
    screen = pick(proposed, tmp_path, NO_COLOR="1")
    answer(screen, (ASK, "d"), ("4/6 old.bin  file deleted; ", None), ("Binary file: 2 bytes\r\n", None), (ASK, "n"))
    answer(screen, ("5/6 sub/new.txt  new file; ", None), (ASK, "n"))
    answer(screen, ("6/6 words.txt  moved from notes.txt; ", None), (ASK, "q"))
    screen.wait_for(MORE)
    screen.type("n\n")
    assert screen.end() == 0


def test_an_editor_that_is_not_there_is_named_and_what_was_said_is_kept(proposed: Proposed, tmp_path: Path) -> None:
    screen = pick(proposed, tmp_path, EDITOR="nosuch", NO_COLOR="1")
    answer(screen, (ASK, "c"), ("Comment: ", "hm"), (ASK, "e"))
    answer(screen, ("'nosuch' cannot be started: No such file or directory. Set", None), (ASK, "q"))
    screen.wait_for("so nothing is done. What you edited, split or said is kept.")
    assert screen.end() == 0
    assert proposed.review().look().comments == {proposed.ids()[0]: "hm"}


def test_what_conflicts_is_left_open_where_the_rest_of_a_file_is_applied(proposed: Proposed, tmp_path: Path) -> None:
    (proposed.root / "notes.txt").write_text("one\ndeux\nthree\nfour\n")
    screen = pick(proposed, tmp_path, NO_COLOR="1")
    answer(screen, (ASK, "d"), ("4/5 notes.txt  conflicts with", None), (ASK, "a"))
    answer(screen, ("What conflicts with your changes is not applied; it stays pending.", None), (ASK, "q"))
    answer(screen, ("Left as pending: 2 hunks.", None), (MORE, "n"))
    assert screen.end() == 0


def test_only_the_named_hunks_are_asked_for_also_when_one_is_split(proposed: Proposed, tmp_path: Path) -> None:
    screen = pick(proposed, tmp_path, "notes.txt", NO_COLOR="1")
    answer(screen, ("4/5 notes.txt", None), (ASK, "s"), ("Split behind", "1,1"), ("4/6 notes.txt", None), (ASK, "n"))
    answer(screen, ("5/6 notes.txt", None), (ASK, "n"), ("Left as pending: 4 hunks.", None), (MORE, "y"))
    assert screen.end() == 0
    first, *rest = proposed.ids()
    screen = pick(proposed, tmp_path, first, NO_COLOR="1")
    answer(screen, (ASK, "d"), ("Left as pending: 3 hunks.", None), (MORE, "y"))
    assert screen.end() == 0
    assert proposed.ids() == rest


def test_decisions_outlive_the_process_that_asked_for_them(proposed: Proposed, tmp_path: Path) -> None:
    first = proposed.ids()[0]
    screen = pick(proposed, tmp_path)
    answer(screen, (ASK, "y"), ("2/5", None))
    screen.wait_for(ASK)
    screen.process.kill()
    assert screen.end() == -signal.SIGKILL
    assert proposed.read("invoice.py") == INVOICE
    screen = pick(proposed, tmp_path)
    answer(screen, ("2/5 invoice.py", None), (ASK, "q"))
    screen.wait_for(MORE)
    assert "To be written to your files: 1 hunk in 1 file, +1 -1." in screen.text
    assert "Left as pending: 4 hunks." in screen.text
    screen.type("y\n")
    assert screen.end() == 0
    assert proposed.read("invoice.py") == INVOICE.replace("sum(self.lines)", "round(sum(self.lines), 2)")
    assert first not in proposed.ids()


def test_what_should_be_different_goes_to_the_model_as_another_turn(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    again = (
        "edit_file",
        {"path": "calc/money.py", "edits": [{"old": "return amount", "new": "return round(amount, 2)"}]},
    )
    script = [reply(calls=[WRONG, RUN_TESTS]), reply("Done."), reply(calls=[again, RUN_TESTS]), reply("Rounded.")]
    server = model_server(script)
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"})
    screen = Screen(program, "fix", "cents() rounds down")
    answer(screen, (QUESTION, "p"), (ASK, "c"), ("Comment: ", "it must round"), (ASK, "q"), (QUESTION, "x"))
    answer(screen, (QUESTION, "round to two digits"))
    screen.wait_for(QUESTION)
    assert "+    return round(amount, 2)" in screen.text
    screen.type("y\n")
    assert screen.end() == 0
    assert (program.repository / "calc/money.py").read_text() == MODULE.replace(
        "int(amount * 100) / 100", "round(amount, 2)"
    )
    messages = server.requests[2].json["messages"]
    assert messages[: len(server.requests[1].json["messages"])] == server.requests[1].json["messages"]
    assert messages[-1]["role"] == "user"
    assert messages[-1]["content"].startswith("round to two digits\n\n<review>\n")
    assert "commented on, not yet decided.\nThe user's comment:\n> it must round\n" in messages[-1]["content"]


def test_a_fix_is_decided_hunk_by_hunk(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply(reasoning="It truncates.", calls=[RIGHT, RUN_TESTS]), reply("Done.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"})
    screen = Screen(program, "fix", "cents() rounds down")
    answer(screen, (QUESTION, "p"), ("in def cents; by edit_file; tests pass: 2 passed", None), (ASK, "w"))
    screen.wait_for(ASK)
    assert "thought:\r\n    It truncates.\r\n" in screen.text
    answer(screen, (ASK, "n"), (MORE, "y"))
    screen.wait_for("Taken out of the draft. Your files were not touched.")
    assert screen.end() == 0
    assert (program.repository / "calc/money.py").read_text() == MODULE
    assert program.run("diff").returncode == 3


def test_in_a_conversation_the_next_message_tells_what_was_rejected(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply(calls=[WRONG]), reply("Done."), reply("I see.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"})
    screen = Screen(program, "chat", "--plain")
    answer(screen, ("> ", "fix it"), (QUESTION, "p"), (ASK, "n"), (MORE, "y"), ("> ", "go on"), ("I see.", None))
    answer(screen, ("> ", "/quit"))
    assert screen.end() == 0
    content = server.requests[2].json["messages"][-1]["content"]
    assert content.startswith("go on\n\n<review>\n")
    assert (
        "rejected by the user.\nYou had proposed:\n|     return amount\nThe file keeps:\n|     return int(" in content
    )


@pytest.mark.parametrize(
    ("typed", "cut"), [("3", 3), (" 1,2 ", Cut(1, 2)), ("1 , 0", Cut(1, 0)), ("", None), ("-1", None), ("1,2,3", None)]
)
def test_where_to_split_is_one_number_or_two(typed: str, cut: int | Cut | None) -> None:
    assert read_cut(typed) == cut
