"""One reply, put together while it streams: deltas for the screen, and at last the message."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from kcode.messages import AssistantMessage, ToolCall
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, ToolCallDelta
from kcode.providers.calls import CallAssembler, with_own_ids
from kcode.providers.deltas import join_deltas
from kcode.providers.gate import Gate
from kcode.providers.reasoning import ReasoningDetails
from kcode.providers.salvage import ARGUMENTS, CLOSE_THOUGHT
from kcode.providers.surrogates import PairJoiner, mend_surrogates
from kcode.providers.toolnames import ToolNames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.providers import Delta
    from kcode.tooling import Tool

_OPEN_THOUGHT = "<think>"


class _Stage(Enum):
    """Where in the content we are. TEXT may yet prove a thought, when a `</think>` ends it; ANSWER cannot."""

    START = auto()
    THOUGHT = auto()
    TEXT = auto()
    ANSWER = auto()


class ReplyAssembler:
    """Takes a reply's reasoning, content and calls piece by piece.

    What `take_deltas` gives out, joined, is the message's reasoning and text. One shape cannot keep to that: a thought in
    the content without its opening tag was shown as text before its closing tag came.
    """

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.calls = CallAssembler()
        self.details = ReasoningDetails()
        self.size = 0
        self.has_tagged_reasoning = False
        self._names = ToolNames(tools)
        self._reasoning_gate, self._text_gate = Gate(self._names), Gate(self._names)
        self._reasoning_pairs, self._content_pairs = PairJoiner(), PairJoiner()
        self._deltas: list[Delta] = []
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._has_reasoning = self._has_own_reasoning = self._has_calls = False
        self._stage = _Stage.START
        self._wait = ""
        self._lead: list[str] = []
        self._blank: list[str] = []

    def take_deltas(self) -> list[Delta]:
        """What there is to show since this was last asked; neighbours of one kind are one."""
        deltas, self._deltas = self._deltas, []
        return deltas if len(deltas) < 2 else join_deltas(deltas)

    def take_reasoning(self, text: str) -> None:
        """Take reasoning that the endpoint sends as such; an empty one is a sign of its own."""
        self._has_reasoning = True
        if text:
            self._has_own_reasoning = True
            self.size += len(text)
            self._think(self._reasoning_pairs.join(text))

    def take_content(self, content: str) -> None:
        """Take content, in which a thought may stand between tags."""
        self.size += len(content)
        content = self._content_pairs.join(content)
        if self._stage is _Stage.ANSWER or (self._stage is _Stage.TEXT and not self._wait and "<" not in content):
            self._write(content)
        else:
            content, self._wait = self._wait + content, ""
            if self._stage is _Stage.START:
                self._begin(content)
            else:
                self._seek_end_of_thought(content)

    def take_call(self, entry: Any) -> int | None:
        """Take one entry of `delta.tool_calls` and return its call's place, None when there was nothing in it."""
        place = self.calls.add(entry)
        if place is None:
            return None
        call = self.calls.calls[place]
        if call.name or call.pieces:
            # With calls of its own the reply's tokens are text.
            self._let_out(self._reasoning_gate)
            self._let_out(self._text_gate)
            self._has_calls = True
        # Arguments that come before their name wait for it.
        if call.name:
            fresh = "".join(call.pieces[call.shown :])
            call.shown = len(call.pieces)
            name = self._names.find(call.name) or call.name
            self._deltas.append(ToolCallDelta(place, name, mend_surrogates(fresh)))
        return place

    def finish(self, finish: str | None) -> ReplyDelta:
        """The whole reply. What still waited is among the deltas then."""
        self._end_content()
        calls = tuple(self._mended(call) for call in self.calls.finished())
        if finish == "length" and calls and not calls[-1].arguments:
            # Cut before its first argument: run, it would be a call without arguments, which nobody made.
            calls = calls[:-1]
        elif not calls and (self._reasoning_gate.holds or self._text_gate.holds):
            calls, finish = self._salvage(finish)
        self._let_out(self._reasoning_gate)
        self._let_out(self._text_gate)
        if not self._has_calls:
            for place, call in enumerate(calls):
                self._deltas.append(ToolCallDelta(place, call.name, call.arguments))
        if calls and finish not in {"length", "content_filter"}:
            finish = "tool_calls"
        elif not finish or finish in {"tool_calls", "function_call"}:
            finish = "tool_calls" if calls else "stop"
        message = AssistantMessage(
            text="".join(self._text),
            reasoning="".join(self._reasoning) if self._has_reasoning else None,
            tool_calls=calls,
            reasoning_details=self.details.as_json(),
        )
        return ReplyDelta(message, finish)

    def _think(self, text: str) -> None:
        shown = self._reasoning_gate.take(text)
        if shown:
            self._show_reasoning(shown)

    def _show_reasoning(self, text: str) -> None:
        self._reasoning.append(text)
        self._deltas.append(ReasoningDelta(text))

    def _write(self, text: str) -> None:
        shown = self._text_gate.take(text)
        if shown:
            self._show_text(shown)

    def _show_text(self, text: str) -> None:
        later = ""
        if not self._text or self._has_calls:
            # Whitespace is held until text follows: one host sends " " between two calls.
            words = text.rstrip()
            if not words:
                self._blank.append(text)
                return
            if self._has_calls:
                text, later = words, text[len(words) :]
            # With a text of its own the reply's reasoning is no call.
            self._let_out(self._reasoning_gate)
        if self._blank:
            text = "".join([*self._blank, text])
            self._blank.clear()
        if later:
            self._blank.append(later)
        self._text.append(text)
        self._deltas.append(TextDelta(text))

    def _let_out(self, gate: Gate) -> None:
        if not gate.is_open:
            self._show(gate, gate.open())

    def _show(self, gate: Gate, text: str) -> None:
        if text:
            (self._show_reasoning if gate is self._reasoning_gate else self._show_text)(text)

    def _begin(self, content: str) -> None:
        if content.isspace():
            self._lead.append(content)
            return
        bare = content.lstrip()
        if bare.startswith(_OPEN_THOUGHT) and not self._has_own_reasoning:
            self._stage = _Stage.THOUGHT
            self._has_reasoning = self.has_tagged_reasoning = True
            self._seek_end_of_thought(bare.removeprefix(_OPEN_THOUGHT))
        elif _OPEN_THOUGHT.startswith(bare):
            self._wait = content
        else:
            self._stage = _Stage.TEXT
            self._seek_end_of_thought("".join([*self._lead, content]))

    def _seek_end_of_thought(self, content: str) -> None:
        is_thought = self._stage is _Stage.THOUGHT
        gate, take = (self._reasoning_gate, self._think) if is_thought else (self._text_gate, self._write)
        while not gate.holds:
            thought, tag, rest = content.partition(CLOSE_THOUGHT)
            if not tag:
                self._wait = _beginning_of(CLOSE_THOUGHT, content)
                take(content.removesuffix(self._wait))
                return
            take(thought)
            if gate.holds:
                content = tag + rest
            elif not is_thought and gate.is_quoted():
                take(tag)
                content = rest
            else:
                self._stage = _Stage.ANSWER
                if is_thought:
                    self._show(self._reasoning_gate, self._reasoning_gate.flush())
                elif self._has_own_reasoning or _OPEN_THOUGHT in "".join(self._text):
                    rest = tag + rest
                else:
                    self._take_text_for_thought()
                self._write(rest)
                return
        # Whether the thought ends in what is held is seen when all of it is there.
        take(content)

    def _take_text_for_thought(self) -> None:
        """What was text so far was a thought whose opening tag the host, or the model, left out."""
        self._show(self._text_gate, self._text_gate.flush())
        self._has_reasoning = self.has_tagged_reasoning = True
        self._reasoning = self._text + self._blank
        self._text, self._blank = [], []
        self._reasoning_gate, self._text_gate = self._text_gate, Gate(self._names)

    def _end_content(self) -> None:
        self._think(self._reasoning_pairs.flush())
        wait, self._wait = self._wait + self._content_pairs.flush(), ""
        if self._stage is _Stage.START:
            wait = "".join([*self._lead, wait])
        if self._stage is _Stage.THOUGHT:
            self._think(wait)
        else:
            self._write(wait)
        if not self._has_own_reasoning:
            self._end_thought_in_leak()
        self._show(self._reasoning_gate, self._reasoning_gate.flush())
        self._show(self._text_gate, self._text_gate.flush())

    def _end_thought_in_leak(self) -> None:
        """A thought in the content that runs into a leaked call ends behind it, where its tag is, else before it."""
        if self._stage is _Stage.TEXT and (leak := self._text_gate.read_leak()) and leak.calls:
            if leak.thought_end is None:
                return
            self._take_text_for_thought()
        elif self._stage is not _Stage.THOUGHT or not (leak := self._reasoning_gate.read_leak()):
            return
        held = self._reasoning_gate.held
        end = leak.thought_end
        if end is not None:
            self._reasoning_gate.hold_only(held[:end])
            self._write(held[end + len(CLOSE_THOUGHT) :])
        elif not held.startswith(ARGUMENTS):
            self._reasoning_gate.hold_only("")
            self._write(held)

    def _salvage(self, finish: str | None) -> tuple[tuple[ToolCall, ...], str | None]:
        """The calls that were leaked, out of the text or else out of the reasoning, and the reply's finish."""
        in_text, in_reasoning = self._text_gate.read_leak(), self._reasoning_gate.read_leak()
        if in_text and in_text.calls:
            self._text_gate.hold_only(in_text.text)
            return with_own_ids(in_text.calls), finish
        if in_reasoning and in_reasoning.calls and not self._text and (not in_text or in_text.is_bare):
            self._reasoning_gate.hold_only(in_reasoning.text)
            self._text_gate.hold_only("")
            # The array holds the leaked tokens too; without it the reasoning goes back as plain text.
            self.details = ReasoningDetails()
            return with_own_ids(in_reasoning.calls), finish
        if in_text:
            self._text_gate.hold_only(in_text.text)
        is_all = not self._text and not (in_text and in_text.has_prose)
        keeps_finish = finish == "content_filter" or (finish == "length" and not in_text)
        return (), "malformed" if is_all and not keeps_finish else finish

    def _mended(self, call: ToolCall) -> ToolCall:
        call = ToolCall(mend_surrogates(call.id), mend_surrogates(call.name), mend_surrogates(call.arguments))
        return replace(call, name=self._names.mend(call))


def _beginning_of(tag: str, text: str) -> str:
    """The end of the text that may be the tag's beginning."""
    start = text.rfind("<", max(0, len(text) - len(tag)))
    return text[start:] if start >= 0 and tag.startswith(text[start:]) else ""
