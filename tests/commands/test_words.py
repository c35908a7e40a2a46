from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.commands.words import fill_in, load_word_commands, split_front

if TYPE_CHECKING:
    from pathlib import Path


def test_the_commands_that_come_with_kcode_say_what_they_do(tmp_path: Path) -> None:
    commands, warnings = load_word_commands(tmp_path)
    assert {"init", "review", "explain", "test"} <= {command.name for command in commands}
    assert all(command.description and "---" not in command.text for command in commands)
    assert all("$" not in command.message("src/a.py") for command in commands)
    assert not warnings


def test_the_users_own_command_wins_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "explain.md").write_text("---\ndescription: 'Mine'\n---\nSay it in one line: $1\n")
    (tmp_path / "plain.md").write_text("Just words")
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe")
    (tmp_path / "empty.md").write_text("---\ndescription: x\n---\n")
    (tmp_path / "No Name.md").write_text("x")
    commands, warnings = load_word_commands(tmp_path)
    by_name = {command.name: command for command in commands}
    assert by_name["explain"].description == "Mine"
    assert by_name["explain"].message("a b") == "Say it in one line: a"
    assert by_name["plain"].description == ""
    assert {"bad", "empty"}.isdisjoint(by_name)
    assert len(warnings) == 3


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("Fix $1 in $2.", "bug 'a b.py'", "Fix bug in a b.py."),
        ("Fix $ARGUMENTS!", " the bug ", "Fix the bug!"),
        ("Fix it", "please", "Fix it\n\nplease"),
        ("Fix it", "", "Fix it"),
        ("Costs $$5, $HOME, $10", "x", "Costs $5, $HOME, $10\n\nx"),
        ("Say $1", "don't", "Say don't"),
        ("Take $ARGUMENTS", "$1 and $ARGUMENTS", "Take $1 and $ARGUMENTS"),
    ],
)
def test_arguments_go_where_the_text_wants_them(text: str, arguments: str, message: str) -> None:
    assert fill_in(text, arguments) == message


@given(st.text(), st.text())
def test_no_argument_gets_lost(text: str, arguments: str) -> None:
    if "$" not in text:
        assert arguments.strip() in fill_in(text, arguments)


def test_a_rule_in_the_text_is_no_front_matter() -> None:
    assert split_front("a\n---\nb: c\n---\n") == ({}, "a\n---\nb: c\n---\n")
    assert split_front("---\nname: x\n---\nbody") == ({"name": "x"}, "body")
    assert split_front("---\nno end") == ({}, "---\nno end")
