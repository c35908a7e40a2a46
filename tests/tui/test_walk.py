"""A session walked through from its start to its end in a real terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.draft.journal import operations
from kcode.options import PlaceOptions
from kcode.tui.screens.reviewlooking import GRACE_SECONDS
from tests.model_server import reply
from tests.program import make_program
from tests.tui.tmux import Tmux

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory
    from tests.program import Program

MODULE = """\
def cents(amount: float) -> float:
    return int(amount * 100) / 100


def tax(amount: float) -> float:
    return amount * 0.2


def total(amount: float) -> float:
    return amount + tax(amount)


def label(amount: float) -> str:
    return f"{amount} EUR"
"""
TESTS = """\
import unittest

from calc.money import cents


class MoneyTest(unittest.TestCase):
    def test_up(self):
        self.assertEqual(cents(2.679), 2.68)
"""
FILES = {"calc/__init__.py": "", "calc/money.py": MODULE, "tests/__init__.py": "", "tests/test_money.py": TESTS}
EDITS = [
    {"old": "int(amount * 100) / 100", "new": "round(amount, 2)"},
    {"old": "amount * 0.2", "new": "cents(amount * 0.19)"},
    {"old": 'f"{amount} EUR"', "new": 'f"EUR {amount:.2f}"'},
]
AGAIN = [{"old": "amount * 0.2", "new": "cents(amount * 0.2)"}]
THOUGHTS = "It truncates, and the tax is not rounded. " * 12
SCRIPT = [
    reply(reasoning=THOUGHTS, calls=[("edit_file", {"path": "calc/money.py", "edits": EDITS})], pace=0.02),
    # Said once the test lets the server go on.
    reply("Rounded everywhere.", pace=600.0),
    reply(reasoning="The rate stays.", calls=[("edit_file", {"path": "calc/money.py", "edits": AGAIN})]),
    reply("The rate is 0.2 again."),
]
# What is left of MODULE once the first hunk and the edited third one are applied.
APPLIED = MODULE.replace("int(amount * 100) / 100", "round(amount, 2)").replace(
    'return f"{amount} EUR"', 'return f"EUR {amount:.2f}"  # shown'
)


def open_review(terminal: Tmux, decided: str) -> None:
    """Open it by its key, and wait for as long as it takes no keys that were meant for the conversation."""
    terminal.keys("F2")
    terminal.wait_for(decided)
    time.sleep(GRACE_SECONDS)


def press(terminal: Tmux, key: str, *shown: str) -> None:
    terminal.keys(key)
    terminal.wait_for(*shown)


def said_to_model(server: ModelServer, number: int) -> str:
    """All that the user said in a request, as the model reads it."""
    messages = server.requests[number].json["messages"]
    return "\n".join(message["content"] for message in messages if message["role"] == "user")


def written(program: Program) -> list[str]:
    """What the journal says was done to the user's files, in order."""
    place = open_place(PlaceOptions(program.repository))
    return [one.kind for one in operations(place.journal)]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (150, 45)])
def test_by_keys_alone(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int
) -> None:
    server = model_server(SCRIPT)
    program = make_program(tmp_path, FILES, {"KCODE_BASE_URL": server.url})
    monkeypatch.setenv("HOME", str(program.home))
    file = program.repository / "calc/money.py"
    with Tmux(program, columns=columns, rows=rows) as terminal:
        terminal.wait_for("kimi-k2-thinking")
        terminal.type("cents() rounds down")
        terminal.keys("Enter")
        terminal.wait_for("Thinking", "the tax is not rounded")
        terminal.wait_for("1 file", "3 to decide", "Waiting for the model")
        decide_three(terminal)
        server.go_on()
        terminal.wait_for("Rounded everywhere.", "2 accepted")
        terminal.type("go on")
        terminal.keys("Enter")
        terminal.wait_for("The rate is 0.2 again.", "1 to decide")
        told = said_to_model(server, 2)
        assert "<review>" in told
        assert "keep the rate" in told
        assert "| " in told
        assert file.read_text(encoding="utf-8") == MODULE
        apply_after_test(terminal)
        assert file.read_text(encoding="utf-8") == APPLIED
        press(terminal, "Escape", "Ask or tell")
        for command, text in (("/undo", MODULE), ("/redo", APPLIED)):
            terminal.type(command)
            terminal.keys("Enter")
            terminal.wait_for("Taken back" if command == "/undo" else "Applied again")
            assert file.read_text(encoding="utf-8") == text
        assert written(program) == ["apply", "undo", "redo"]
        open_review(terminal, "decided 0 of 1")
        press(terminal, "a", "decided 1 of 1")
        press(terminal, "Escape", "Ask or tell")
        press(terminal, "C-c", "once more")
        press(terminal, "C-c", "kcode -r", "has 1 hunk pending", "[left 0]")
    with Tmux(program, "-c", columns=columns, rows=rows) as terminal:
        terminal.wait_for("The rate is 0.2 again.", "1 accepted")
        open_review(terminal, "decided 1 of 1")


def decide_three(terminal: Tmux) -> None:
    """Accept the first hunk, reject the second with a comment, edit the third in place and accept it."""
    open_review(terminal, "decided 0 of 3")
    press(terminal, "a", "decided 1 of 3")
    press(terminal, "c", "Comment for the model")
    terminal.type("keep the rate")
    terminal.keys("Enter")
    terminal.wait_for("Comment for the model", gone=True)
    press(terminal, "x", "decided 2 of 3")
    press(terminal, "e", "The new lines of this hunk")
    terminal.keys("End")
    terminal.type("  # shown")
    press(terminal, "C-s", "edited by you")
    press(terminal, "a", "decided 3 of 3")
    press(terminal, "Escape", "Ask or tell")


def apply_after_test(terminal: Tmux) -> None:
    open_review(terminal, "decided 2 of 3")
    terminal.wait_for("cents(amount * 0.2)")
    press(terminal, "t", "1 passed")
    press(terminal, "Enter", "Apply what was decided?")
    press(terminal, "y", "decided 0 of 1")


def test_by_mouse_alone(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = make_program(tmp_path, FILES, {"KCODE_BASE_URL": model_server([SCRIPT[0], reply("Rounded.")]).url})
    file = program.repository / "calc/money.py"
    with Tmux(program, "cents() rounds down", columns=150, rows=45) as terminal:
        # With the draft beside it the conversation has other lines than before.
        terminal.wait_for("Rounded.", "2 steps", "/ shows the commands,")
        # The line that tells what goes on is taken away, and all moves down by one.
        terminal.wait_for("interrupts", gone=True)
        terminal.click_on("▸ Thought")
        terminal.wait_for("the tax is not rounded")
        terminal.click_on("F2 review")
        terminal.wait_for("decided 0 of 3")
        time.sleep(GRACE_SECONDS)
        terminal.click_on("accept")
        terminal.wait_for("decided 1 of 3")
        terminal.click_on("· reject")
        terminal.wait_for("decided 2 of 3")
        terminal.click_on("apply")
        terminal.click_on("do it")
        terminal.wait_for("decided 0 of 1")
        assert "round(amount, 2)" in file.read_text(encoding="utf-8")
        assert "0.19" not in file.read_text(encoding="utf-8")
        terminal.click_on("esc back")
        terminal.wait_for("Ask or tell", "1 to decide")
