"""A thought between tags in the content, as servers without a reasoning parser send it."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcode.messages import AssistantMessage
from kcode.providers import ReasoningDelta, TextDelta
from kcode.providers.dialects import Dialect
from kcode.providers.history import HistoryEncoder
from kcode.providers.stream import StreamDecoder
from tests.providers.streams import DONE, TOOLS, call, calls, chunk, decode, reply_of, shown

SECTION, END_SECTION = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
CALL = '<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "a"}<|tool_call_end|>'
WHOLE = f"{SECTION}{CALL}{END_SECTION}"


def answered(text: str, finish: str = "stop") -> AssistantMessage:
    """The message, the same whether the content comes in one delta or each character in its own."""
    message = reply_of(chunk({"content": text}), chunk(finish=finish), DONE).message
    apart, deltas = decode([*(chunk({"content": character}) for character in text), chunk(finish=finish)])
    assert apart.message == message
    assert shown(deltas) == (message.reasoning or "", message.text)
    return message


@pytest.mark.parametrize(
    ("content", "reasoning", "text"),
    [
        ("<think>Hm.</think>Hello", "Hm.", "Hello"),
        (" <think> Hm. \n</think> Hello!", " Hm. \n", " Hello!"),
        ("\n\n<think>Hm.</think>\n\nHello", "Hm.", "\n\nHello"),
        ("<think></think>Hello", "", "Hello"),
        ("<think>a < b </thin> `</b>`</think>Hello", "a < b </thin> `</b>`", "Hello"),
        ("<think>Hm.</think>", "Hm.", ""),
        ("<think>Hm.</think>\n", "Hm.", ""),
        ("<think>Hm.", "Hm.", ""),
        ("<think>Hm.</thi", "Hm.</thi", ""),
        ("<think>a</think>b<think>c</think>d", "a", "b<think>c</think>d"),
        ("<think><think>a</think>b", "<think>a", "b"),
        ("<thin", None, "<thin"),
        ("<thinking>x</thinking>", None, "<thinking>x</thinking>"),
        ("Text <think>x</think> y", None, "Text <think>x</think> y"),
        ("`<think>x</think>` is a thought", None, "`<think>x</think>` is a thought"),
        ("```\n<think>x</think>\n```", None, "```\n<think>x</think>\n```"),
        ("The `</think>` tag", None, "The `</think>` tag"),
        ('The "</think>" tag', None, 'The "</think>" tag'),
    ],
)
def test_a_thought_at_the_start_of_the_content_is_reasoning(content: str, reasoning: str | None, text: str) -> None:
    message = answered(content)
    assert (message.reasoning, message.text) == (reasoning, text)


@pytest.mark.parametrize(
    ("content", "reasoning", "text"),
    [
        ("Hm.</think>Hello", "Hm.", "Hello"),
        ("\n Hm.\n</think>\n\nHello", "\n Hm.\n", "\n\nHello"),
        ("</think>Hello", "", "Hello"),
        ("The `</think>` tag.</think>Hello</think>", "The `</think>` tag.", "Hello</think>"),
    ],
)
def test_what_stands_before_a_closing_tag_alone_was_a_thought(content: str, reasoning: str, text: str) -> None:
    data = chunk({"content": content}) + chunk(finish="stop")
    apart = [*(chunk({"content": character}) for character in content), chunk(finish="stop")]
    for pieces in ([data], apart):
        reply, deltas = decode(pieces)
        assert (reply.message.reasoning, reply.message.text) == (reasoning, text)
        # It was shown before the tag came; the tag itself never is.
        assert "".join(shown(deltas)).strip() == (reasoning + text).strip()


def test_a_thought_streams_as_reasoning_while_it_comes() -> None:
    decoder = StreamDecoder(TOOLS)
    pieces = ["\n<thi", "nk>I", " see", ".</th", "ink>", "So", "."]
    seen = [decoder.feed(chunk({"content": piece})) for piece in pieces]
    assert seen == [
        [], [ReasoningDelta("I")], [ReasoningDelta(" see")], [ReasoningDelta(".")], [], [TextDelta("So")], [TextDelta(".")],
    ]  # fmt: skip
    assert decoder.reasoning_key == "think"


def test_with_reasoning_of_its_own_the_tags_are_text() -> None:
    for content in ("<think>x</think>y", "x</think>y"):
        reply = reply_of(chunk({"reasoning_content": "Hm."}), chunk({"content": content}), chunk(finish="stop"))
        assert (reply.message.reasoning, reply.message.text) == ("Hm.", content)


def test_an_empty_reasoning_field_beside_a_thought_is_no_reasoning_of_its_own() -> None:
    parts = [chunk({"reasoning_content": "", "content": "<think>Hm."}), chunk({"content": "</think>Hello"})]
    reply = reply_of(*parts, chunk(finish="stop"))
    assert (reply.message.reasoning, reply.message.text) == ("Hm.", "Hello")
    decoder = StreamDecoder()
    decoder.feed(parts[0])
    assert decoder.reasoning_key == "think"


def test_a_thought_before_structured_calls_is_reasoning() -> None:
    reply = reply_of(chunk({"content": "<think>Hm.</think>\n"}), calls(call(0, "x", "run_tests", "{}")), DONE)
    assert (reply.message.reasoning, reply.message.text) == ("Hm.", "")
    assert [c.name for c in reply.message.tool_calls] == ["run_tests"]


@pytest.mark.parametrize(
    ("content", "reasoning", "text", "ran"),
    [
        (f"<think>Hm.</think>{WHOLE}", "Hm.", "", 1),
        (f"<think>Hm.</think>Now.{WHOLE}", "Hm.", "Now.", 1),
        # K2 leaves out the closing tag.
        (f"<think>Hm. {WHOLE}", "Hm. ", "", 1),
        (f"<think>Hm. {CALL}", "Hm. ", "", 1),
        (f"<think>Hm. {WHOLE} Later.", "Hm. ", " Later.", 1),
        # The call is part of the thought.
        (f"<think>Hm. {WHOLE}</think>", "Hm. ", "", 1),
        (f"<think>Hm. {WHOLE} So.</think>", "Hm.  So.", "", 1),
        (f"<think>Hm. {WHOLE}</think>The answer.", f"Hm. {WHOLE}", "The answer.", 0),
        (f"<think>Hm. {WHOLE}</think>{WHOLE}", f"Hm. {WHOLE}", "", 1),
        (f"<think>Hm. `{WHOLE}`</think>The answer.", f"Hm. `{WHOLE}`", "The answer.", 0),
        (f"<think>Hm. {WHOLE.replace('read_file', 'x')}", "Hm. ", WHOLE.replace("read_file", "x"), 0),
    ],
)
def test_a_call_behind_or_in_a_thought_runs_unless_an_answer_follows(
    content: str, reasoning: str, text: str, ran: int
) -> None:
    message = answered(content)
    assert (message.reasoning, message.text, len(message.tool_calls)) == (reasoning, text, ran)


def test_a_closing_tag_inside_a_calls_arguments_ends_no_thought() -> None:
    message = answered("<think>Hm. " + CALL.replace('"a"', '"</think>"'))
    assert (message.reasoning, message.text) == ("Hm. ", "")
    assert message.tool_calls[0].arguments == '{"path": "</think>"}'


def test_a_thought_whose_opening_tag_is_missing_may_run_into_a_call_too() -> None:
    content = f"Hm. {WHOLE}</think>"
    for pieces in ([content], list(content)):
        reply, _ = decode([*(chunk({"content": piece}) for piece in pieces), chunk(finish="stop")])
        assert (reply.message.reasoning, reply.message.text, len(reply.message.tool_calls)) == ("Hm. ", "", 1)


TEXT = st.text(max_size=30) | st.lists(st.sampled_from(["<", "think>", "</", "`", "\n", " ", "a", "<think>"])).map(
    "".join
)


@given(TEXT, TEXT, st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(deadline=None)
def test_a_thought_goes_back_as_it_came(reasoning: str, text: str, sizes: list[int]) -> None:
    assume("</think>" not in reasoning and not text.isspace())
    message = AssistantMessage(text, reasoning)
    sent = json.loads(HistoryEncoder(Dialect(), "think").encode([message]))
    assert sent == {"role": "assistant", "content": f"<think>{reasoning}</think>{text}"}
    decoder, at, number = StreamDecoder(TOOLS), 0, 0
    while at < len(sent["content"]):
        size = sizes[number % len(sizes)]
        decoder.feed(chunk({"content": sent["content"][at : at + size]}))
        at, number = at + size, number + 1
    decoder.feed(DONE)
    reply = decoder.finish()[-1]
    assert getattr(reply, "message", None) == message
    assert decoder.reasoning_key == "think"
