from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import ToolCall
from kcode.tui.calls import argument_lines, arguments_of, count_changes, diff_of, subject_of
from kcode.tui.lines import plain


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ({"path": "a.py", "edits": []}, "a.py"),
        ({"path": "a.py", "start": 3, "end": 9}, "a.py:3-9"),
        ({"source": "a", "target": "b"}, "a → b"),
        ({"pattern": "def x", "path": "src"}, "def x in src"),
        ({"command": "a \\\n  b"}, "a \\ b"),
        ({"seconds": 5}, "5"),
        ({}, ""),
        ({"path": "\x1b[2J"}, "␛[2J"),
    ],
)
def test_a_call_says_what_it_is_about(arguments: dict[str, object], subject: str) -> None:
    assert subject_of(arguments) == subject


def test_an_edit_reads_as_a_diff() -> None:
    edits = [{"old": "a\nb\nc", "new": "a\nx\nc"}, {"old": "k", "new": ""}]
    call = ToolCall("1", "edit_file", json.dumps({"path": "m.py", "edits": edits}))
    assert [plain(line) for line in argument_lines(call)] == ["path: m.py", " a", "-b", "+x", " c", "···", "-k"]
    assert count_changes([("a\nb\nc", "a\nx\nc"), ("k", "")]) == (1, 2)


def test_a_command_stands_behind_a_prompt_and_a_long_text_below_its_name() -> None:
    call = ToolCall("1", "t", json.dumps({"command": "ls\npwd", "content": "a\n\tb\n", "n": [1, None]}))
    shown = [plain(line) for line in argument_lines(call)]
    assert shown == ["$ ls", "$ pwd", "content: ", "  a", "      b", "n: [1, null]"]


@given(st.text(max_size=40))
def test_arguments_that_are_no_object_are_shown_as_they_came(text: str) -> None:
    call = ToolCall("1", "t", text)
    lines = argument_lines(call)
    if arguments_of(call) is None:
        assert len(lines) == text.count("\n") + 1
    assert not any(sign in plain(line) for line in lines for sign in "\n\t\x1b")


@given(st.text(st.sampled_from("ab\n"), max_size=12), st.text(st.sampled_from("ab\n"), max_size=12))
def test_a_diff_holds_both_texts(old: str, new: str) -> None:
    lines = diff_of(old, new)
    before = [line[1:] for line in lines if line[0] in " -"]
    after = [line[1:] for line in lines if line[0] in " +"]
    assert "\n".join(before) == old.removesuffix("\n")
    assert "\n".join(after) == new.removesuffix("\n")
