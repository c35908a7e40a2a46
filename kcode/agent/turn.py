"""The loop: steps of one reply and its tool calls, until an answer comes without calls or a limit is reached."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kcode.agent.calls import run_tool_call
from kcode.agent.compaction import NoRoom, make_room
from kcode.agent.costlimit import is_spent, reason_not_to_send
from kcode.agent.cutoff import untold_ending
from kcode.agent.guard import Guard, find_fault
from kcode.agent.reply import Reply, stream_reply
from kcode.agent.running import HeardView, run_heard
from kcode.agent.tally import Tally
from kcode.context.budget import budget_for, fit_result
from kcode.context.tokens import output_reserve
from kcode.errors import ProviderError
from kcode.events import (
    MessageTaken,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    StepStarted,
    TestsFinished,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnStarted,
    UserWarned,
)
from kcode.messages import KCODE_NOTE, UserMessage
from kcode.questions import GoOn
from kcode.tooling import Access, View

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from kcode.agent.compaction import Compactor
    from kcode.agent.conversation import Conversation, OpenCalls
    from kcode.agent.guard import Advice, Fault
    from kcode.events import Event
    from kcode.messages import ToolCall
    from kcode.providers import Provider
    from kcode.questions import Ask
    from kcode.results import ToolResult
    from kcode.tooling import Tool

OVER_LIMIT = "Not run: the limit that the user set for this turn was reached."
GOING_IN_CIRCLES = "Not run: the same was done over and over, so the turn was stopped."
RAN_ONCE = "Note from kcode: this call stands twice in the reply; it ran once."
_STUCK = "The turn was stopped there. Try again, or put the task in other words or smaller parts."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may take. None is no limit; the cost is in US dollars."""

    steps: int = 300
    seconds: float | None = None
    cost: float | None = None


class LiveView(View, HeardView, Protocol):
    """The tools' view, with what the loop needs of it beside."""

    call: str
    """The id of the call that is under way, so that what it changes is known to be its doing; "" between calls."""

    async def ready(self) -> None:
        """Return once the draft is open and commands can run; raises KcodeError when they never will."""


class Briefing(Protocol):
    """What the model is shown unasked, beside the start of the conversation."""

    async def open_turn(self, words: str) -> str:
        """What is to be shown before the user's words: what they are about, and what changed since; "" for nothing."""

    async def follow_call(self, call: ToolCall) -> str:
        """What is to be told with the result of a call that was run; "" for nothing."""

    def take_warnings(self) -> tuple[str, ...]:
        """What the user should know of what was read for it, since this was last asked."""


class Inbox(Protocol):
    """What the user says while a turn runs."""

    def take(self) -> Sequence[str]:
        """The messages that came since this was last asked, in order; they are out of the inbox from here on."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a turn works with; `ask` is None where nobody can be asked, `compactor` where no history is ever shortened.

    `address` makes of the words of a message from the inbox what the model is to read. `output_limit` is in tokens and
    lowers the endpoint's own.
    """

    provider: Provider
    tools: Mapping[str, Tool]
    view: LiveView
    conversation: Conversation
    limits: Limits = Limits()
    ask: Ask | None = None
    compactor: Compactor | None = None
    briefing: Briefing | None = None
    inbox: Inbox | None = None
    address: Callable[[str], str] | None = None
    output_limit: int | None = None


async def run_turn(desk: Desk, prompt: str, words: str | None = None) -> AsyncGenerator[Event, None]:
    """Carry out one turn and yield what happens; the last event is TurnFinished.

    `words` is what the user said, where the prompt holds more than that. What the user says meanwhile goes in before the
    next request, and the turn goes on for it. Raises ProviderError when the endpoint fails for good. However the turn
    ends, also by cancellation or by closing the generator, every tool call in the conversation has exactly one answer,
    and what had come of a reply is kept.
    """
    seconds = desk.limits.seconds
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
    finished: TurnFinished | None = None
    tally = Tally()
    async with aclosing(_steps(desk, prompt, prompt if words is None else words)) as events:
        while finished is None:
            try:
                # The timeout must not span a yield: it would cancel whatever the consumer is doing then.
                async with asyncio.timeout_at(deadline):
                    event = await anext(events)
            except TimeoutError:
                event = TurnFinished(
                    TurnEnd.TIME_LIMIT, f"The time limit of {seconds:g} s was reached.", tally.usage, tally.steps
                )
            tally = tally.with_event(event)
            finished = event if isinstance(event, TurnFinished) else None
            yield event


async def _steps(desk: Desk, prompt: str, words: str) -> AsyncGenerator[Event, None]:
    yield TurnStarted(prompt, words)
    for warned in await _hear_user(desk, prompt, words, begins_turn=True):
        yield warned
    tally, guard = Tally(), Guard(desk.tools)
    refused: str | None = None
    while True:
        if stop := _reason_to_stop(desk, tally):
            yield TurnFinished(*stop, tally.usage, tally.steps)
            return
        for taken in await _take_messages(desk):
            yield taken
        before = tally
        async with aclosing(make_room(desk, at_rest=not tally.steps, refused=refused)) as making:
            async for made in making:
                if isinstance(made, NoRoom):
                    yield TurnFinished(TurnEnd.WINDOW_FULL, made.reason, tally.usage, tally.steps)
                    return
                tally = tally.with_event(made)
                yield made
        refused = None
        if tally != before:
            continue  # what it took may have reached a limit
        yield StepStarted(tally.steps + 1)
        reply: Reply | None = None
        try:
            async with aclosing(stream_reply(desk)) as events:
                async for event in events:
                    if isinstance(event, Reply):
                        reply = event
                    else:
                        yield event
        except ProviderError as error:
            if error.failure.kind != "overflow":
                raise
            refused = error.failure.message
            continue
        assert reply is not None  # a stream without a reply has raised
        if desk.compactor:
            desk.compactor.hear()
        tally = tally.with_reply(reply.usage)
        fault = find_fault(reply.message, reply.finish)
        over = is_spent(desk.limits.cost, tally.usage, desk.provider.billing)
        step = _drop_reply(desk, guard, reply, fault, over=over) if fault else _obey(desk, guard, reply, over=over)
        async with aclosing(step) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, _Stuck):
                    yield TurnFinished(TurnEnd.STUCK, f"{outcome.reason} {_STUCK}", tally.usage, tally.steps)
                    return
                yield outcome
        if desk.compactor and not fault:
            desk.compactor.finish_step()
        if fault or reply.message.tool_calls:
            continue
        taken_now = [] if _reason_to_stop(desk, tally) else await _take_messages(desk)
        for taken in taken_now:
            yield taken
        if not taken_now:
            yield TurnFinished(TurnEnd.DONE, reply.message.text, tally.usage, tally.steps)
            return


async def _hear_user(desk: Desk, prompt: str, words: str, *, begins_turn: bool = False) -> list[UserWarned]:
    """Let what the user said become part of the conversation, behind what they need not say; what to tell them of that."""
    for untold in untold_ending(desk.conversation.messages) if begins_turn else ():
        desk.conversation.append(untold)
    note = ""
    warnings: tuple[str, ...] = ()
    try:
        if desk.briefing is not None:
            note = await desk.briefing.open_turn(words)
            warnings = desk.briefing.take_warnings()
    finally:
        # Also where the turn is cancelled meanwhile: what the user said is not to be lost.
        if note:
            desk.conversation.append(UserMessage(f"{KCODE_NOTE} {note}"))
        desk.conversation.append(UserMessage(prompt))
    return [UserWarned(warning) for warning in warnings]


async def _take_messages(desk: Desk) -> list[MessageTaken | UserWarned]:
    """Let all that waits in the inbox become part of the conversation, also where the turn is cancelled meanwhile."""
    waiting = deque(desk.inbox.take() if desk.inbox is not None else ())
    events: list[MessageTaken | UserWarned] = [MessageTaken(words) for words in waiting]
    address = desk.address or (lambda words: words)
    try:
        while waiting:
            words = waiting.popleft()
            events += await _hear_user(desk, address(words), words)
    finally:
        for words in waiting:
            desk.conversation.append(UserMessage(address(words)))
    return events


@dataclass(frozen=True, slots=True)
class _Stuck:
    """The turn must end: the model goes in circles, and nobody wants it to go on."""

    reason: str


async def _drop_reply(
    desk: Desk, guard: Guard, reply: Reply, fault: Fault, *, over: bool
) -> AsyncGenerator[Event | _Stuck, None]:
    # It does not become part of the conversation: an assistant message without text and calls is refused by Moonshot,
    # and one with text alone makes the model's template forget all that it thought before in this turn.
    dropped = guard.drop(fault)
    yield ReplyDiscarded(fault.reason, reply.usage)
    if dropped.stop and not over and not await _may_go_on(desk, guard, dropped.stop):
        yield _Stuck(dropped.stop)
    elif dropped.message:
        desk.conversation.append(UserMessage(dropped.message))


async def _obey(desk: Desk, guard: Guard, reply: Reply, *, over: bool) -> AsyncGenerator[Event | _Stuck, None]:
    """Let the reply become part of the conversation, and run its calls unless a limit or the guard forbids it."""
    with desk.conversation.hear(reply.message, reply.usage) as calls:
        yield ReplyFinished(reply.message, reply.usage, reply.seconds, reply.thinking)
        advice = guard.hear(reply.message)
        if over:
            calls.refuse(OVER_LIMIT)
        elif advice.stop and not await _may_go_on(desk, guard, advice.stop):
            calls.refuse(GOING_IN_CIRCLES)
            yield _Stuck(advice.stop)
        async with aclosing(_answer_calls(desk, calls, advice, cut_off=reply.finish == "length")) as answers:
            async for event in answers:
                yield event


async def _may_go_on(desk: Desk, guard: Guard, stop: str) -> bool:
    if desk.ask is None or await desk.ask(GoOn(stop)) != "yes":
        return False
    guard.reset()
    return True


def _reason_to_stop(desk: Desk, tally: Tally) -> tuple[TurnEnd, str] | None:
    limits, window = desk.limits, desk.provider.window
    if tally.steps >= limits.steps:
        return TurnEnd.STEP_LIMIT, f"The limit of {limits.steps} steps was reached."
    needed = desk.conversation.tokens(near=window - output_reserve(window))
    known = desk.conversation.known_tokens
    if reason := reason_not_to_send(limits.cost, tally.usage, desk.provider.billing, known, needed):
        return TurnEnd.COST_LIMIT, reason
    return None


async def _answer_calls(desk: Desk, calls: OpenCalls, advice: Advice, *, cut_off: bool) -> AsyncGenerator[Event, None]:
    """Run the calls that are open in order and answer each; one that repeats another shares its result."""
    if calls.first:
        await desk.view.ready()
    refused: list[str] = []
    given: list[tuple[ToolResult, str]] = []
    while call := calls.first:
        place = len(given)
        yield ToolCallStarted(call)
        # The endpoint takes the answer to its own tools exactly as the arguments came, or not at all.
        tool = desk.tools.get(call.name)
        is_exact = tool is not None and tool.declaration is not None
        if place in advice.shares:
            result, text = given[advice.shares[place]]
            given.append((result, text))
            text = text if is_exact else _fitting(desk, text)
            calls.answer(text if is_exact else f"{text}\n\n{RAN_ONCE}")
            yield ToolCallFinished(call, result, 0.0)
            continue
        nudge = advice.nudge if advice.nudge and advice.nudge.place == place and not is_exact else None
        async with aclosing(_run_call(desk, call, cut_off=cut_off)) as events:
            async for event in events:
                if isinstance(event, ToolCallFinished):
                    text = event.result.text if is_exact else _fitting(desk, _with_note(desk, event, refused))
                    told = "" if is_exact or desk.briefing is None else await desk.briefing.follow_call(call)
                    text += f"\n\n{_fitting(desk, told)}" if told else ""
                    text += f"\n\n{nudge.text}" if nudge else ""
                    given.append((event.result, text))
                    calls.answer(text)
                yield event
        for warning in desk.briefing.take_warnings() if desk.briefing else ():
            yield UserWarned(warning)
        if nudge:
            yield ModelNudged(nudge.reason)


def _fitting(desk: Desk, text: str) -> str:
    """The result, cut where it would not leave room for what comes after it."""
    budget = budget_for(desk.provider.window)
    return fit_result(text, desk.conversation.tokens(), budget)


def _with_note(desk: Desk, finished: ToolCallFinished, refused: list[str]) -> str:
    """The result for the model; a command that ran after a refused edit of the same reply says so.

    Without that a model takes the failures of the half-made change for those of the whole.
    """
    tool = desk.tools.get(finished.call.name)
    access = tool.access if tool else None
    if access is Access.EDIT and finished.result.failed:
        refused.append(f"{finished.call.name} {_first_argument(finished.call)}".rstrip())
    if access is Access.EXECUTE and refused:
        were, it = ("was", "it") if len(refused) == 1 else ("were", "them")
        names = ", ".join(dict.fromkeys(refused))
        return f"Note: {names} of this reply {were} refused; this ran without {it}.\n{finished.result.text}"
    return finished.result.text


def _first_argument(call: ToolCall) -> str:
    """The file that an edit is about; "" where that cannot be read."""
    try:
        arguments = json.loads(call.arguments, strict=False)
    except ValueError:
        return ""
    first = next(iter(arguments.values()), "") if isinstance(arguments, dict) else ""
    return first[:200] if isinstance(first, str) else ""


async def _run_call(desk: Desk, call: ToolCall, *, cut_off: bool) -> AsyncGenerator[Event, None]:
    view, tests = desk.view, None
    view.call = call.id
    try:
        work = partial(run_tool_call, call, desk.tools, view, cut_off=cut_off)
        async with aclosing(run_heard(view, call, work)) as events:
            async for event in events:
                if isinstance(event, ToolCallFinished):
                    view.call, tests = "", event.result.tests
                yield event
    finally:
        view.call = ""
    if tests:
        yield TestsFinished(tests)
