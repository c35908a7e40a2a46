"""What the walks through a session are about: the files, what the model does, what is asked of it and what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.draft.journal import operations
from kcode.options import PlaceOptions
from tests.model_server import reply

if TYPE_CHECKING:
    from tests.model_server import ModelServer
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


def assert_told(server: ModelServer) -> None:
    """That the request after the review says what was rejected, and why."""
    messages = server.requests[2].json["messages"]
    told = "\n".join(message["content"] for message in messages if message["role"] == "user")
    assert "<review>" in told
    assert "keep the rate" in told
    assert "return cents(amount * 0.19)" in told


def written(program: Program) -> list[str]:
    """What the journal says was done to the user's files, in order."""
    place = open_place(PlaceOptions(program.repository))
    return [one.kind for one in operations(place.journal)]
