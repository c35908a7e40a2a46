from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.providers.gate import Gate
from kcode.providers.toolnames import ToolNames
from tests.providers.streams import TOOLS

NAMES = ToolNames(TOOLS)
BEGIN, ARGUMENTS = "<|tool_call_begin|>", "<|tool_call_argument_begin|>"


def let_through(*pieces: str) -> list[str]:
    gate = Gate(NAMES)
    return [gate.take(piece) for piece in pieces]


@pytest.mark.parametrize(
    "pieces",
    [
        ("The", " user", " asks", " for\n", "\nThis", " and", " that", ".\n\n- ", "item"),
        ("a < b", " and", " c<d>", "</b>", "<|", "im_end|>", "<tool"),
        ("grep", ":12: found"),
        ("你好", "\n世界"),
    ],
)
def test_ordinary_text_is_shown_at_once(pieces: tuple[str, ...]) -> None:
    gate = Gate(NAMES)
    late = 0
    for piece in pieces:
        late = max(late, len(piece) - len(gate.take(piece)))
    assert late <= len("<|")
    assert not gate.holds


def test_what_may_become_a_token_is_held_back_and_let_out_when_it_does_not() -> None:
    assert let_through("See ", "<|to", "ol_ca", "ble|>") == ["See ", "", "", "<|tool_cable|>"]
    assert let_through("See ", "<|tool_call_be", "gin|>") == ["See ", "", ""]


def test_a_lines_first_word_is_held_back_while_it_may_be_an_id() -> None:
    assert let_through("read", "_file", " it", " is") == ["", "", "read_file it", " is"]
    assert let_through("read_file:", "1", "2", "x") == ["", "", "", "read_file:12x"]
    assert let_through("Text\nread_file", ":0", ARGUMENTS) == ["Text\n", "", ""]
    assert let_through("Text read_file", ":0", ARGUMENTS) == ["Text read_file", ":0", ""]
    assert let_through("read_files", ":0") == ["read_files", ":0"]


def test_a_leak_and_all_behind_it_are_held() -> None:
    gate = Gate(NAMES)
    assert [gate.take(piece) for piece in ("Now ", f"so {BEGIN}", "text", " and on")] == ["Now ", "so ", "", ""]
    assert gate.holds
    assert gate.held == f"{BEGIN}text and on"
    assert gate.open() == f"{BEGIN}text and on"
    assert gate.take("<|tool_call") == "<|tool_call"


def test_quoted_tokens_are_shown_as_they_come() -> None:
    assert let_through("The `", BEGIN, "` token", f" or `{BEGIN}`") == ["The `", BEGIN, "` token", f" or `{BEGIN}`"]
    assert let_through("```\n", BEGIN, "\n```\n", BEGIN) == ["```\n", BEGIN, "\n```\n", ""]


@given(
    st.lists(st.sampled_from([BEGIN, ARGUMENTS, "read_file", ":0", " ", "\n", "`", "```", "'", '"', "x", "<|t", "> "])),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_what_is_let_through_does_not_depend_on_the_cuts(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    gate, whole = Gate(NAMES), Gate(NAMES)
    seen, at, number = "", 0, 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        seen += gate.take(text[at : at + size])
        at, number = at + size, number + 1
    assert (whole.take(text), whole.held) == (seen, gate.held)
    assert seen + gate.open() == text
