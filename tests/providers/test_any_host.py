"""A reply in the shape of any host, cut anywhere, is that reply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.errors import ProviderError
from kcode.providers.stream import StreamDecoder
from tests.providers.streams import DONE, TOOLS, call, chunk, decode, shown, sse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kcode.providers import ReplyDelta

BITS = [
    "<",
    "|",
    "`",
    "```\n",
    "<think>",
    "</thin",
    "<|tool_call",
    "<|tool_calls_sec",
    "\n",
    " ",
    '"',
    "word ",
    "é",
    "😀",
    ":0",
]
TEXT = st.lists(st.sampled_from(BITS) | st.text(max_size=3), max_size=10).map("".join)
PLAIN = st.lists(st.sampled_from(["Now ", "to it.", "\n", "a < b ", "<b>", "|"]), max_size=5).map("".join)
ARGUMENTS = st.dictionaries(st.sampled_from(["path", "text", "</think>"]), TEXT | st.integers(), max_size=2)
CALLS = st.lists(st.tuples(st.sampled_from([tool.name for tool in TOOLS]), ARGUMENTS), max_size=3)

HEADERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # What a call's header has beside index and name, and what its later deltas have beside their arguments.
    "moonshot": ({"arguments": ""}, {}),
    "novita": ({}, {}),
    "baseten": ({"arguments": ""}, {"id": "same", "name": ""}),
    "fireworks": ({}, {"id": None}),
    "chutes": ({"arguments": ""}, {"id": None, "name": None}),
}
SHAPES = [*HEADERS, "whole", "one index", "no index", "arguments first", "leaked"]


@dataclass(frozen=True)
class Host:
    reasoning: str
    shape: str
    ending: str
    size: int
    noise: bytes


HOSTS = st.builds(
    Host,
    st.sampled_from(["reasoning_content", "reasoning", "both", "details", "think"]),
    st.sampled_from(SHAPES),
    st.sampled_from(["finish", "finish twice", "no [DONE]", "no finish"]),
    st.integers(1, 9),
    st.sampled_from([b"", b": OPENROUTER PROCESSING\n\n", b"data: null\n\n", sse({"choices": None}), chunk({"content": ""})]),
)  # fmt: skip


def in_pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def spell_reasoning(host: Host, reasoning: str) -> Iterator[dict[str, Any]]:
    for piece in in_pieces(reasoning, host.size) or [""]:
        details = [{"type": "reasoning.text", "text": piece, "index": 0}]
        match host.reasoning:
            case "both":
                yield {"content": "", "reasoning": piece, "reasoning_details": details}
            case "details":
                yield {"reasoning_details": details, "reasoning_content": None}
            case key:
                yield {key: piece, "content": None}


def spell_call(host: Host, number: int, name: str, arguments: str) -> Iterator[dict[str, Any]]:
    call_id = f"functions.{name}:{number}"
    pieces = in_pieces(arguments, host.size)
    match host.shape:
        case "whole":
            yield call(number, call_id, name, arguments)
        case "one index":
            yield call(0, call_id, name, "")
            yield from (call(0, arguments=piece) for piece in pieces)
        case "no index":
            yield call(None, call_id, name, "")
            yield from (call(None, arguments=piece) for piece in pieces)
        case "arguments first":
            yield from (call(number, arguments=piece) for piece in pieces)
            yield call(number, call_id, name)
        case shape:
            header, later = HEADERS[shape]
            yield call(number, call_id, name, **header)
            repeated = {"call_id": call_id if later.get("id") == "same" else later["id"]} if "id" in later else {}
            named = {"name": later["name"]} if "name" in later else {}
            yield from (call(number, **repeated, **named, arguments=piece) for piece in pieces)


def spell(host: Host, reasoning: str, text: str, wanted: list[tuple[str, str]]) -> bytes:
    content = f"<think>{reasoning}</think>{text}" if host.reasoning == "think" else text
    if host.shape == "leaked" and wanted:
        leaks = (
            f"<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
            for number, (name, arguments) in enumerate(wanted)
        )
        content += f"<|tool_calls_section_begin|>{''.join(leaks)}<|tool_calls_section_end|>"
    deltas = [] if host.reasoning == "think" else list(spell_reasoning(host, reasoning))
    deltas += [{"content": piece} for piece in in_pieces(content, host.size)]
    if host.shape != "leaked":
        for number, (name, arguments) in enumerate(wanted):
            deltas += [{"tool_calls": [entry]} for entry in spell_call(host, number, name, arguments)]
    finish = "tool_calls" if wanted else "stop"
    ends = {
        "finish": [chunk(finish=finish), DONE],
        "finish twice": [chunk(finish=finish), chunk({"content": ""}, finish), DONE],
        "no [DONE]": [chunk(finish=finish)],
        "no finish": [DONE],
    }[host.ending]
    return b"".join(host.noise + part for part in [*map(chunk, deltas), *ends])


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at, number = 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield data[at : at + size]
        at, number = at + size, number + 1


def expected(reply: ReplyDelta) -> tuple[str | None, str, list[tuple[str, str]]]:
    message = reply.message
    return message.reasoning, message.text, [(c.name, c.arguments) for c in message.tool_calls]


@given(HOSTS, TEXT, TEXT, PLAIN, CALLS, st.lists(st.integers(1, 400), min_size=1, max_size=10))
@settings(deadline=None)
def test_a_reply_in_any_hosts_shape_cut_anywhere_is_that_reply(
    host: Host, reasoning: str, text: str, plain: str, wanted: list[tuple[str, dict[str, Any]]], sizes: list[int]
) -> None:
    if host.shape == "leaked":
        text = plain  # in quotation marks or code a leaked call would not run
    if text.isspace() or (not reasoning and text.lstrip().startswith("<think>")):
        text = ""
    calls = [(name, json.dumps(arguments, ensure_ascii=False)) for name, arguments in wanted]
    reply, deltas = decode(cut(spell(host, reasoning, text, calls), sizes))
    assert expected(reply) == (reasoning, text, calls)
    assert shown(deltas) == (reasoning, text)
    assert reply.finish == ("tool_calls" if calls else "stop")


@given(HOSTS, TEXT, PLAIN, CALLS.filter(bool), st.floats(0, 1))
@settings(deadline=None)
def test_no_call_of_a_cut_reply_runs_that_the_whole_one_does_not_hold(
    host: Host, reasoning: str, text: str, wanted: list[tuple[str, dict[str, Any]]], part: float
) -> None:
    calls = [(name, json.dumps(arguments)) for name, arguments in wanted]
    data = spell(host, reasoning, text.strip(), calls)
    decoder = StreamDecoder(TOOLS)
    decoder.feed(data[: int(len(data) * part)])
    try:
        reply: Any = decoder.finish()[-1]
    except ProviderError as error:
        assert error.failure.kind == "retry"  # noqa: PT017 - whether it is raised depends on the cut
        return
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == calls
