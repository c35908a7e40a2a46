"""A session's past as blocks: what its log tells, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.owncommands import call_of, find_command
from kcode.events import (
    MessageTaken,
    ReasoningStreamed,
    ReplyFinished,
    ReplyInterrupted,
    RetryWaiting,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnRedone,
    TurnStarted,
    TurnUndone,
)
from kcode.messages import KCODE_NOTE, AssistantMessage, SystemMessage, ToolMessage, UserMessage
from kcode.results import ToolResult
from kcode.tui.blocks.amounts import write_usage
from kcode.tui.blocks.user import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.agent.owncommands import OwnCommand
    from kcode.events import Event
    from kcode.messages import Message, ToolCall, Usage
    from kcode.tui.blocks import ReasoningBlock, ToolBlock
    from kcode.tui.remarks import Remarks
    from kcode.tui.stack import Stack
    from kcode.tui.texts import Texts


class Replay:
    """Messages come first, and behind them the events that tell more of them: cost, time, and how it went."""

    def __init__(self, stack: Stack, remarks: Remarks, texts: Texts) -> None:
        self._stack = stack
        self._remarks = remarks
        self._texts = texts
        self._calls: list[ToolBlock] = []
        self._reasoning: ReasoningBlock | None = None
        self._words: str | None = None
        self._tells_turns = False
        self._is_turn_open = False

    def show(self, history: Iterable[Message | Event]) -> None:
        for entry in history:
            self._show(entry)
        self._end_calls()
        self._end_turn()

    def _show(self, entry: Message | Event) -> None:
        match entry:
            case UserMessage(text):
                if (own := find_command(text)) is not None:
                    self._end_turn()
                    self._show_own(own)
                elif not text.startswith(KCODE_NOTE):
                    # In a log of an older kcode nothing tells of turns, and each message begins one.
                    begins_turn = self._words is not None or not self._tells_turns
                    self._stack.add_user(_with_own(text, self._words), begins_turn=begins_turn)
                    self._words = None
            case AssistantMessage():
                self._show_reply(entry)
            case ToolMessage(call_id, _, text):
                block = next((one for one in self._calls if one.call.id == call_id and one.is_running), None)
                if block:
                    block.settle(ToolResult(text))
            case ToolCallFinished(call, result, seconds):
                self._tell_of_call(call, result, seconds)
            case ReplyFinished(_, usage, _, thinking):
                self._tell_of_reply(usage, thinking)
            case ReplyInterrupted(text, reasoning):
                # What it said is a message; thoughts alone are none that an endpoint would take.
                if not text.strip() and reasoning.strip():
                    self._stack.add_reasoning(reasoning)
            case TestsFinished(report) if self._calls and self._calls[-1].call.name == "run_tests":
                self._calls[-1].set_report(report)
            case TurnStarted(prompt, words):
                self._end_turn()
                self._words, self._tells_turns, self._is_turn_open = words or prompt, True, True
            case TurnFinished(reason, text, usage, steps):
                self._end_calls()
                self._is_turn_open = False
                self._remarks.end_turn(reason, text)
                if steps:
                    self._stack.add_turn_end(write_usage(usage, steps, None, self._texts))
            case (
                SystemMessage() | StepStarted() | ReasoningStreamed() | TextStreamed() | RetryWaiting() | MessageTaken()
            ):
                pass
            case _:
                if isinstance(entry, TurnUndone | TurnRedone):
                    self._end_turn()
                self._remarks.take(entry)
                self._remarks.stop()

    def _show_own(self, own: OwnCommand) -> None:
        block = self._stack.add_tool(call_of(own.command))
        block.settle(ToolResult(own.output, "" if own.went_well else own.ending, went_well=own.went_well))

    def _show_reply(self, message: AssistantMessage) -> None:
        self._end_calls()
        self._reasoning = None
        if message.reasoning and message.reasoning.strip():
            self._reasoning = self._stack.add_reasoning(message.reasoning)
        if message.text.strip():
            self._stack.add_answer(message.text)
        self._calls = [self._stack.add_tool(call) for call in message.tool_calls]

    def _tell_of_reply(self, usage: Usage, thinking: float) -> None:
        if self._reasoning is not None:
            if usage.reasoning_tokens:
                self._reasoning.count(usage.reasoning_tokens)
            self._reasoning.seconds = thinking or None
        self._reasoning = None

    def _tell_of_call(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        known = [block for block in self._calls if block.call.id == call.id and block.seconds is None]
        if known:
            before = known[0].result
            text = result.text or (before.text if before else "")
            known[0].settle(ToolResult(text, result.summary, result.failed, result.tests, result.went_well), seconds)

    def _end_calls(self) -> None:
        for block in self._calls:
            block.interrupt()
        self._calls = []

    def _end_turn(self) -> None:
        """A turn whose end is told nowhere was interrupted; it waits for nothing."""
        if self._is_turn_open:
            self._is_turn_open = False
            self._end_calls()
            self._remarks.end_turn(TurnEnd.INTERRUPTED, "")


def _with_own(message: str, words: str | None) -> str:
    """The message, with the user's own words in the place of a prompt that was made around them."""
    if words is None or words_of(message).own == words_of(words).own:
        return message
    return words
