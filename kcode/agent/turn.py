"""The loop: steps of one reply and its tool calls, until an answer comes without calls or a limit is reached."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kcode.agent.calls import run_tool_call
from kcode.agent.costlimit import is_spent, reason_not_to_send
from kcode.agent.tally import Tally
from kcode.context.tokens import output_reserve
from kcode.errors import ProviderError
from kcode.events import (
    DraftChanged,
    ReasoningStreamed,
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
from kcode.messages import Usage, UserMessage
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, UsageDelta
from kcode.providers.failures import retry_delay
from kcode.results import Failure
from kcode.tooling import Access, View

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from kcode.agent.conversation import Conversation, OpenCalls
    from kcode.events import Event
    from kcode.messages import AssistantMessage, ToolCall
    from kcode.providers import Provider
    from kcode.tooling import Tool

OVER_LIMIT = "Not run: the limit that the user set for this turn was reached."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may take. None is no limit; the cost is in US dollars."""

    steps: int = 300
    seconds: float | None = None
    cost: float | None = None


class LiveView(View, Protocol):
    """The tools' view, with what the loop needs of it beside."""

    on_output: Callable[[str], None] | None
    """Gets a running command's output piece by piece, for the screen."""

    async def ready(self) -> None:
        """Return once the draft is open and commands can run; raises KcodeError when they never will."""

    def take_changes(self) -> tuple[str, ...]:
        """The draft's paths that changed since this was last asked."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a turn works with."""

    provider: Provider
    tools: Mapping[str, Tool]
    view: LiveView
    conversation: Conversation
    limits: Limits = Limits()


async def run_turn(desk: Desk, prompt: str) -> AsyncGenerator[Event, None]:
    """Carry out one turn and yield what happens; the last event is TurnFinished.

    Raises ProviderError when the endpoint fails for good. However the turn ends, also by cancellation or by closing
    the generator, every tool call in the conversation has exactly one answer.
    """
    seconds = desk.limits.seconds
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
    finished: TurnFinished | None = None
    tally = Tally()
    async with aclosing(_steps(desk, prompt)) as events:
        while finished is None:
            try:
                # The timeout must not span a yield: it would cancel whatever the consumer is doing then.
                async with asyncio.timeout_at(deadline):
                    event = await anext(events)
            except TimeoutError:
                event = TurnFinished(
                    TurnEnd.TIME_LIMIT, f"The time limit of {seconds:g} s was reached.", tally.usage, tally.steps
                )
            if isinstance(event, ReplyFinished):
                tally = tally.with_reply(event.usage)
            finished = event if isinstance(event, TurnFinished) else None
            yield event


async def _steps(desk: Desk, prompt: str) -> AsyncGenerator[Event, None]:
    limits, conversation = desk.limits, desk.conversation
    yield TurnStarted(prompt)
    conversation.append(UserMessage(prompt))
    tally = Tally()
    while True:
        stop = _reason_to_stop(desk, tally)
        if stop:
            yield TurnFinished(*stop, tally.usage, tally.steps)
            return
        yield StepStarted(tally.steps + 1)
        reply: ReplyFinished | None = None
        cut_off = False
        try:
            async with aclosing(_stream_reply(desk)) as events:
                async for event in events:
                    if isinstance(event, _Reply):
                        reply, cut_off = ReplyFinished(event.message, event.usage), event.cut_off
                    else:
                        yield event
        except ProviderError as error:
            if error.failure.kind != "overflow":
                raise
            yield TurnFinished(TurnEnd.WINDOW_FULL, error.failure.message, tally.usage, tally.steps)
            return
        assert reply is not None  # a stream without a reply has raised
        tally = tally.with_reply(reply.usage)
        over = is_spent(limits.cost, tally.usage, desk.provider.billing)
        with conversation.hear(reply.message, reply.usage) as calls:
            yield reply
            async with aclosing(_answer_calls(desk, calls, run=not over, cut_off=cut_off)) as answers:
                async for event in answers:
                    yield event
        if not reply.message.tool_calls:
            yield TurnFinished(TurnEnd.DONE, reply.message.text, tally.usage, tally.steps)
            return


def _reason_to_stop(desk: Desk, tally: Tally) -> tuple[TurnEnd, str] | None:
    limits, window = desk.limits, desk.provider.window
    if tally.steps >= limits.steps:
        return TurnEnd.STEP_LIMIT, f"The limit of {limits.steps} steps was reached."
    room = window - output_reserve(window)
    needed = desk.conversation.tokens(near=room)
    known = desk.conversation.known_tokens
    if reason := reason_not_to_send(limits.cost, tally.usage, desk.provider.billing, known, needed):
        return TurnEnd.COST_LIMIT, reason
    if needed > room:
        return TurnEnd.WINDOW_FULL, (
            f"The next request would have about {needed:,} tokens; the window of {window:,} also has to hold the reply. "
            "Start a new session, or ask about less at once."
        )
    return None


@dataclass(frozen=True, slots=True)
class _Reply:
    message: AssistantMessage
    usage: Usage
    cut_off: bool


async def _stream_reply(desk: Desk) -> AsyncGenerator[Event | _Reply, None]:
    """Stream one reply, starting over when the failure allows it: no call of a failed reply has run."""
    attempt = 0
    while True:
        usage = Usage()
        try:
            async with aclosing(desk.provider.stream(desk.conversation.messages, list(desk.tools.values()))) as deltas:
                async for delta in deltas:
                    match delta:
                        case ReasoningDelta(text):
                            yield ReasoningStreamed(text)
                        case TextDelta(text):
                            yield TextStreamed(text)
                        case UsageDelta(usage):
                            pass
                        case ReplyDelta(message, finish):
                            _refuse_empty(message)
                            yield _Reply(message, usage, cut_off=finish == "length")
        except ProviderError as error:
            attempt += 1
            delay = retry_delay(attempt, error.failure, random.random())  # noqa: S311  # jitter keeps no secret
            if delay is None:
                raise
            yield RetryScheduled(error.failure.message, delay, attempt)
            await asyncio.sleep(delay)
        else:
            return


def _refuse_empty(message: AssistantMessage) -> None:
    # Seen on several hosts: a reply that ends after the reasoning, or with nothing at all, and "stop".
    if not message.text.strip() and not message.tool_calls:
        raise ProviderError(Failure("retry", "The model's reply was empty."))


async def _answer_calls(desk: Desk, calls: OpenCalls, *, run: bool, cut_off: bool) -> AsyncGenerator[Event, None]:
    """Run the calls in order and answer each; past a limit they are answered without running."""
    if calls.first and run:
        await desk.view.ready()
    refused: list[str] = []
    while call := calls.first:
        if not run:
            calls.answer(OVER_LIMIT)
            continue
        yield ToolCallStarted(call)
        async with aclosing(_run_call(desk, call, cut_off=cut_off)) as events:
            async for event in events:
                if isinstance(event, ToolCallFinished):
                    calls.answer(_with_note(desk, event, refused))
                yield event


def _with_note(desk: Desk, finished: ToolCallFinished, refused: list[str]) -> str:
    """The result for the model; a command that ran after a refused edit of the same reply says so.

    Without that a model takes the failures of the half-made change for those of the whole.
    """
    tool = desk.tools.get(finished.call.name)
    access = tool.access if tool else None
    if access is Access.EDIT and finished.result.failed:
        refused.append(finished.call.name)
    if access is Access.EXECUTE and refused:
        return f"Note: {', '.join(refused)} of this reply was refused; this ran without it.\n{finished.result.text}"
    return finished.result.text


async def _run_call(desk: Desk, call: ToolCall, *, cut_off: bool) -> AsyncGenerator[Event, None]:
    started = time.monotonic()
    output: asyncio.Queue[str | None] = asyncio.Queue()
    desk.view.on_output = output.put_nowait
    task = asyncio.create_task(run_tool_call(call, desk.tools, desk.view, cut_off=cut_off))
    task.add_done_callback(lambda _: output.put_nowait(None))
    try:
        while (text := await output.get()) is not None:
            yield ToolCallOutput(call.id, text)
        result = task.result()
    finally:
        desk.view.on_output = None
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    yield ToolCallFinished(call, result, time.monotonic() - started)
    changed = desk.view.take_changes()
    if changed:
        yield DraftChanged(changed)
    if result.tests:
        yield TestsFinished(result.tests)
