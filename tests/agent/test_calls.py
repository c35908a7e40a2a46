from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.calls import read_arguments
from kcode.errors import ToolError
from kcode.results import ToolResult
from kcode.tooling import Access, View, tool


class Part(TypedDict):
    old: Annotated[str, "before"]
    many: NotRequired[Annotated[bool, "all"]]


@tool(Access.EDIT)
async def shape(
    view: View,
    path: Annotated[str, "where"],
    parts: Annotated[list[Part], "what"],
    line: Annotated[int | None, "which"] = None,
    kind: Annotated[Literal["a", "b"], "how"] = "a",
) -> ToolResult:
    """Take all shapes of argument."""
    return ToolResult(f"{view}{path}{parts}{line}{kind}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"path": "x", "parts": []}', {"path": "x", "parts": []}),
        ('{"path": "x", "parts": [], "line": "5"}', {"path": "x", "parts": [], "line": 5}),
        ('{"path": "x", "parts": [], "line": 5.0}', {"path": "x", "parts": [], "line": 5}),
        ('{"path": "x", "parts": [], "line": null}', {"path": "x", "parts": []}),
        ('{"path": "x", "parts": "[{\\"old\\": \\"y\\"}]"}', {"path": "x", "parts": [{"old": "y"}]}),
        ('{"path": "x", "parts": {"old": "y"}}', {"path": "x", "parts": [{"old": "y"}]}),
        (
            '{"path": "x", "parts": [{"old": "y", "many": "true"}]}',
            {"path": "x", "parts": [{"old": "y", "many": True}]},
        ),
        ('{"path": "12", "parts": []}', {"path": "12", "parts": []}),
        ('{"path": "x\ny", "parts": []}', {"path": "x\ny", "parts": []}),
    ],
)
def test_arguments_are_read_as_the_schema_means_them(text: str, expected: dict[str, Any]) -> None:
    assert read_arguments(text, shape) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["'path' is a required property", "'parts' is a required property"]),
        ("null", ["'path' is a required property"]),
        ('{"path": 5, "parts": []}', ["path: 5 is not of type 'string'"]),
        ('{"path": "x", "parts": [{}]}', ["parts[0]: 'old' is a required property"]),
        ('{"path": "x", "parts": [], "kind": "c"}', ["kind: 'c' is not one of ['a', 'b']"]),
        ('{"path": "x", "parts": [], "patch": "y"}', ["'patch' was unexpected"]),
        ("{bad", ["not valid JSON"]),
    ],
)
def test_what_does_not_fit_is_named_with_what_is_expected(text: str, words: list[str]) -> None:
    with pytest.raises(ToolError) as refusal:
        read_arguments(text, shape)
    said = str(refusal.value)
    assert all(word in said for word in words)
    assert (
        'Expected: {path: string, parts: [{old: string, many?: boolean}, …], line?: integer, kind?: "a" | "b"}.' in said
    )


def test_arguments_that_the_output_limit_cut_are_not_called_misspelt() -> None:
    with pytest.raises(ToolError, match="reached the output limit"):
        read_arguments('{"path": "x", "parts": [{"old": "yy', shape, cut_off=True)


@given(st.text())
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        read_arguments(text, shape)
    except ToolError as refusal:
        assert "was not run" in str(refusal)  # noqa: PT017
