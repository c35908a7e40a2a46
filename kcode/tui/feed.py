"""From what happens in a turn, or what a session's log tells, to the blocks that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.events import (
    MessageTaken,
    ReasoningStreamed,
    ReplyDiscarded,
    ReplyFinished,
    RetryScheduled,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    ToolCallOutput,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnStarted,
)
from kcode.tui.blocks import (
    AnswerBlock,
    NoticeBlock,
    NoticeKind,
    ReasoningBlock,
    ToolBlock,
    UserBlock,
)
from kcode.tui.blocks.amounts import write_usage
from kcode.tui.linear import linear_text
from kcode.tui.remarks import Remarks
from kcode.tui.replay import Replay
from kcode.tui.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kcode.events import Event
    from kcode.messages import AssistantMessage, Message, ToolCall, Usage
    from kcode.results import ToolResult
    from kcode.tui.texts import Texts


class Feed:
    """Takes events as they come; `stack` holds the blocks, and knows which have changed."""

    def __init__(self, texts: Texts, clock: Callable[[], float]) -> None:
        self.stack = Stack(texts)
        self._texts = texts
        self._clock = clock
        self._reasoning: ReasoningBlock | None = None
        self._answer: AnswerBlock | None = None
        self._remarks = Remarks(self.stack, texts)
        self._calls: list[ToolBlock] = []
        self._turn_began: float | None = None
        self._reasoning_began = 0.0
        self._awaited: UserBlock | None = None

    @property
    def is_streaming(self) -> bool:
        """Whether a reply or a command is coming in."""
        return self._reasoning is not None or self._answer is not None or any(call.is_running for call in self._calls)

    def add_user(self, text: str) -> UserBlock:
        """Show what the user just sent; the turn that begins with it shows it no second time."""
        self._awaited = self.stack.add_user(text)
        return self._awaited

    def queue(self, text: str, words: str | None = None) -> UserBlock:
        """Show a message that waits until a turn takes it, and tells of it as `words` where those are others."""
        return self.stack.queue(text, words)

    def unqueue(self, words: str, *, first: bool = False) -> None:
        """Take away the last waiting message that says so, or the first."""
        self.stack.unqueue(words, first=first)

    def taken(self, words: str) -> None:
        """The turn took a message that was typed while it ran."""
        self.stack.add_user(self.stack.unqueue(words, first=True) or words, begins_turn=False)

    def notice(self, text: str, kind: NoticeKind = NoticeKind.INFO) -> NoticeBlock:
        return self.stack.add_notice(text, kind)

    def take(self, event: Event) -> None:
        """Show one event of a turn that runs."""
        match event:
            case TurnStarted(prompt, words):
                self._begin_turn(words or prompt)
            case ReasoningStreamed(text):
                self._reason(text)
            case TextStreamed(text):
                self._say(text)
            case ReplyFinished(message, usage, _, thinking):
                self._finish_reply(message, usage, thinking)
            case ToolCallStarted(call):
                self._calls.append(self.stack.add_tool(call))
            case ToolCallOutput(call_id, text):
                if block := self._open_call(call_id):
                    block.add_output(text)
                    self.stack.mark_changed(block)
            case ToolCallFinished(call, result, seconds):
                self._finish_call(call, result, seconds)
            case TurnFinished(reason, text, usage, steps):
                self._finish_turn(reason, text, usage, steps)
            case StepStarted():
                self._calls = [call for call in self._calls if call.is_running]
            case TestsFinished(report) if any(block.report is report for block in self._calls):
                # The call that ran them has shown them.
                pass
            case MessageTaken(text):
                self.taken(text)
            case _:
                if isinstance(event, ReplyDiscarded | RetryScheduled):
                    self._discard()
                self._remarks.take(event)

    def stop(self) -> None:
        """The turn is over without an event that says so, as when it was cancelled; what came of it stays."""
        if self._reasoning is not None:
            self._reasoning.finish()
            self.stack.mark_changed(self._reasoning)
        if self._answer is not None:
            self._answer.finish()
            self.stack.mark_changed(self._answer)
        for call in self._calls:
            call.interrupt()
            self.stack.mark_changed(call)
        self._remarks.stop()
        self._reasoning = self._answer = self._awaited = None
        self._calls = []
        self._turn_began = None

    def load(self, history: Iterable[Message | Event]) -> None:
        """Show what a session's log tells, in order: messages, and behind them the events that tell more of them."""
        Replay(self.stack, self._remarks, self._texts).show(history)

    def as_text(self) -> str:
        """All of it as plain text, without signs and boxes."""
        return linear_text(self.stack.blocks)

    def _begin_turn(self, words: str) -> None:
        is_shown = self._awaited is not None
        self.stop()
        self._turn_began = self._clock()
        if not is_shown:
            self.stack.add_user(self.stack.unqueue(words, first=True) or words)

    def _reason(self, text: str) -> None:
        if self._reasoning is None:
            self._remarks.end_retry()
            self._reasoning_began = self._clock()
            self._reasoning = self.stack.add_reasoning(is_live=True)
        if self._answer is None:
            self._reasoning.add(text, self._clock() - self._reasoning_began)
        else:
            self._reasoning.add(text, self._reasoning.seconds or 0.0)
        self.stack.mark_changed(self._reasoning)

    def _say(self, text: str) -> None:
        if self._answer is None:
            self._remarks.end_retry()
            self._answer = self.stack.add_answer(is_live=True)
            if self._reasoning is not None:
                self._reasoning.finish()
                self.stack.mark_changed(self._reasoning)
        self._answer.add(text)
        self.stack.mark_changed(self._answer)

    def _finish_reply(self, message: AssistantMessage, usage: Usage, thinking: float) -> None:
        self._remarks.end_retry()
        if self._reasoning is None and message.reasoning and message.reasoning.strip():
            self._reasoning = self.stack.add_reasoning(message.reasoning)
        if self._reasoning is not None:
            self._reasoning.finish(message.reasoning or None, seconds=thinking or None)
            if usage.reasoning_tokens:
                self._reasoning.count(usage.reasoning_tokens)
            self.stack.mark_changed(self._reasoning)
        if self._answer is None and message.text.strip():
            self._answer = self.stack.add_answer(message.text)
        if self._answer is not None:
            self._answer.finish(message.text)
            self.stack.mark_changed(self._answer)
            if not message.text.strip():
                self.stack.remove(self._answer)
        self._reasoning = self._answer = None

    def _open_call(self, call_id: str) -> ToolBlock | None:
        """The call of that id that waits longest: some endpoints give two calls of a reply the same one."""
        return next((block for block in self._calls if block.call.id == call_id and block.is_running), None)

    def _finish_call(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        block = self._open_call(call.id)
        if block is None:
            block = self.stack.add_tool(call)
            self._calls.append(block)
        block.settle(result, seconds)
        self.stack.mark_changed(block)

    def _finish_turn(self, reason: TurnEnd, text: str, usage: Usage, steps: int) -> None:
        seconds = self._clock() - self._turn_began if self._turn_began is not None else None
        self.stop()
        self._remarks.end_turn(reason, text)
        if steps:
            self.stack.add_turn_end(write_usage(usage, steps, seconds, self._texts))

    def _discard(self) -> None:
        """Take back what was streamed of a reply that is none."""
        for block in (self._reasoning, self._answer):
            if block is not None:
                self.stack.remove(block)
        self._reasoning = self._answer = None
