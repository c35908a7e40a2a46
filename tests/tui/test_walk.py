"""A session walked through from its start to its end in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.model_server import reply
from tests.program import make_program
from tests.tui.tmux import Tmux

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory
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
SCRIPT = [
    reply(
        reasoning="It truncates, and the tax is not rounded.",
        calls=[("edit_file", {"path": "calc/money.py", "edits": EDITS})],
    ),
    reply("Rounded everywhere."),
    reply(reasoning="The rate stays.", calls=[("edit_file", {"path": "calc/money.py", "edits": AGAIN})]),
    reply("The rate is 0.2 again."),
]


def open_program(folder: Path, model_server: ModelServerFactory, script: list[dict[str, object]]) -> Program:
    return make_program(folder, FILES, {"KCODE_BASE_URL": model_server(script).url})


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (150, 45)])
def test_by_keys_alone(tmp_path: Path, model_server: ModelServerFactory, columns: int, rows: int) -> None:
    program = open_program(tmp_path, model_server, SCRIPT)
    file = program.repository / "calc/money.py"
    with Tmux(program, columns=columns, rows=rows) as terminal:
        terminal.wait_for("kimi-k2-thinking")
        terminal.type("cents() rounds down")
        terminal.keys("Enter")
        terminal.wait_for("Rounded everywhere.", "1 file", "3 to decide")
        terminal.keys("F2")
        terminal.wait_for("decided 0 of 3")
