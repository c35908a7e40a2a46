"""Compaction: when a conversation grows long, the model writes a note of it, and a new epoch begins with that.

Between compactions the history is never rewritten, so that each request begins with the bytes of the one before and the
endpoint's cache holds. The request for the note is the conversation itself with one message more, for the same reason.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kcode.agent.conversation import Conversation
from kcode.agent.epoch import (
    begin_with,
    changed_first,
    fit_outlines,
    has_replies,
    list_last_calls,
    paths_at_hand,
    shares_of,
    split_waiting,
    users_words,
    write_outline,
)
from kcode.agent.pins import Pins, fit_pinned, tell_pins
from kcode.agent.reply import Reply, stream_reply
from kcode.agent.tally import Tally
from kcode.agent.transcript import shorten_transcript, write_transcript
from kcode.context.budget import budget_for, keep_start, triggers_above
from kcode.context.tokens import estimate_tokens, output_reserve
from kcode.errors import KcodeError, ProviderError
from kcode.events import (
    CompactionStarted,
    ContextCompacted,
    KeyEntered,
    ModelChosen,
    ReplyDiscarded,
    RetryScheduled,
    RetryWaiting,
)
from kcode.messages import SystemMessage, UserMessage
from kcode.prompts import render_prompt
from kcode.questions import GoOn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from kcode.agent.turn import Desk
    from kcode.context.budget import Budget
    from kcode.events import Event
    from kcode.messages import Message, Usage
    from kcode.tooling import Definition

# After this the endpoint's cache is cold, so that a new epoch costs little more than going on.
IDLE_SECONDS = 300.0
_MOST_WITHOUT_A_STEP = 3
_MOST_READ, _MOST_OUTLINED = 40, 12
_TRANSCRIPT_DIVISORS = (1, 2, 4)
_SHORTEST_TRANSCRIPT = 500
# Failures that the next step would meet as well.
_HOPELESS = frozenset({"retry", "key", "quota", "model"})


class Ground(Protocol):
    """What a new epoch is built on, read anew from the disk and the draft."""

    @property
    def own_prompts(self) -> Path | None:
        """Where the user's own prompts would be."""

    def system(self) -> SystemMessage:
        """The system message as a session would begin with it at this moment."""

    def changes(self) -> Sequence[str]:
        """A line for each file that the draft changed, the path first and then how many lines."""

    def changed_paths(self) -> Sequence[str]:
        """The paths that the draft changed and that are still there."""

    def definitions(self, path: str) -> Sequence[Definition] | None:
        """What the draft's file defines; None where nothing is to be read, whatever the path."""

    def text(self, path: str) -> str | None:
        """The draft's file as text; None for what is none, or is kept back from the model."""

    def keep_transcript(self, text: str) -> str:
        """Write the text into a new file, and return its path as the model's tools take it."""

    def forget_shown(self) -> None:
        """Count no file as known to the model: what it was shown is gone with the conversation."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The next request cannot be made to fit; `reason` tells the user why, and what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Need:
    """Why the conversation is compacted; where it `must` be, the next request cannot go out otherwise."""

    reason: str
    must: bool = False
    focus: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class _Note:
    text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class _Refused:
    """The endpoint found the request for the note too long as well."""


class Compactor:
    """The memory of one conversation's compactions."""

    def __init__(self, ground: Ground, clock: Callable[[], float] = time.monotonic) -> None:
        self.ground = ground
        self.pins = Pins()
        """What the user wants kept or dropped at the next compaction; set by whoever asks them."""
        self._clock = clock
        self._replied: float | None = None
        self._without_a_step = 0
        self._failed_at: int | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the last reply is so long ago that the endpoint will have dropped its cache."""
        return self._replied is not None and self._clock() - self._replied > IDLE_SECONDS

    @property
    def is_stuck(self) -> bool:
        """Whether compaction followed on compaction and nothing was done in between."""
        return self._without_a_step >= _MOST_WITHOUT_A_STEP

    def hear(self) -> None:
        """Take note that a reply came: up to here the endpoint has the conversation in its cache."""
        self._replied = self._clock()

    def finish_step(self) -> None:
        """Take note that a reply's calls were answered."""
        self._without_a_step = 0

    def count(self) -> None:
        """Take note of a compaction."""
        self._without_a_step += 1
        self._failed_at = None

    def forgive(self) -> None:
        """Go on counting from nothing: the user wants it to go on."""
        self._without_a_step = 0

    def fail(self, tokens: int) -> None:
        """Take note that no note could be had of a conversation of that length."""
        self._failed_at = tokens

    def may_try(self, tokens: int, growth: int) -> bool:
        """Whether a try that need not be made is worth its price after one that failed."""
        return self._failed_at is None or tokens >= self._failed_at + growth


async def make_room(desk: Desk, *, at_rest: bool, refused: str | None = None) -> AsyncGenerator[Event | NoRoom, None]:
    """Compact the conversation if the next request needs it, or if this is the time for it.

    `at_rest` is True before a turn's first request, `refused` is what the endpoint said of the last one when that was too
    long. The last item is NoRoom where the next request cannot go out; a ContextCompacted says that there is room.
    """
    budget = budget_for(desk.provider.window)
    tokens = desk.conversation.tokens(near=budget.room)
    need = _need(desk, budget, tokens, at_rest=at_rest, refused=refused)
    if need is None:
        return
    compactor = desk.compactor
    if compactor is not None and has_replies(desk.conversation.messages):
        if compactor.is_stuck and not await _may_go_on(desk, compactor):
            yield NoRoom(f"{_stuck_words()} Start a new session, or ask about less at once.")
            return
        done = False
        async with aclosing(compact(desk, need)) as events:
            async for event in events:
                done = done or isinstance(event, ContextCompacted)
                yield event
        if done:
            return
    if need.must:
        yield NoRoom(refused or _too_long(tokens, budget))


def _need(desk: Desk, budget: Budget, tokens: int, *, at_rest: bool, refused: str | None) -> Need | None:
    if refused is not None:
        return Need("the endpoint found the request too long", must=True, refused=True)
    if tokens > budget.room:
        return Need("the next request would not fit the window", must=True)
    compactor = desk.compactor
    rests = compactor is not None and (at_rest or compactor.is_idle)
    if compactor is None or tokens < (budget.soft if rests else budget.hard):
        return None
    triggers = triggers_above(shortest_epoch(desk.conversation, budget), budget)
    due = triggers.soft if rests else triggers.hard
    if tokens < due or not compactor.may_try(tokens, budget.growth):
        return None
    return Need(f"it filled {tokens / budget.window:.0%} of the window")


def shortest_epoch(conversation: Conversation, budget: Budget) -> int:
    """About how long the next request is after a compaction that keeps as little as it may, in tokens."""
    said, waiting = split_waiting(conversation.messages)
    least = shares_of(budget)[-1]
    words = users_words(said, least.users_head, least.users_tail)
    system = [message for message in said[:1] if isinstance(message, SystemMessage)]
    return conversation.tokens_with([*system, *words, *waiting]) + budget.note


def _too_long(tokens: int, budget: Budget) -> str:
    return (
        f"The next request would have about {tokens:,} tokens; the window of {budget.window:,} also has to hold the reply. "
        "Start a new session, or ask about less at once."
    )


def _stuck_words() -> str:
    return f"The conversation was compacted {_MOST_WITHOUT_A_STEP} times without a finished step in between."


async def _may_go_on(desk: Desk, compactor: Compactor) -> bool:
    if desk.ask is None or await desk.ask(GoOn(_stuck_words())) != "yes":
        return False
    compactor.forgive()
    return True


async def compact(desk: Desk, need: Need) -> AsyncGenerator[Event, None]:
    """Have the model write its note, and begin a new epoch with it; without a ContextCompacted nothing has changed.

    Does nothing where the model has said nothing yet in this epoch, and nothing that would make the conversation longer.
    Raises ProviderError where no request would get through.
    """
    compactor, budget = desk.compactor, budget_for(desk.provider.window)
    said, waiting = split_waiting(desk.conversation.messages)
    if compactor is None or not has_replies(said):
        return
    before = desk.conversation.tokens(near=budget.room)
    yield CompactionStarted(need.reason)
    note: _Note | None = None
    async with aclosing(_ask_for_note(desk, said, need, before)) as items:
        async for item in items:
            if isinstance(item, _Note):
                note = item
            else:
                yield item
    if note is None and not need.must:
        compactor.fail(before)
        return
    taken = note or _Note(list_last_calls(said), Tally().usage)
    # What the endpoint said in between may have taught that the window is smaller.
    budget = budget_for(desk.provider.window)
    transcript = compactor.ground.keep_transcript(write_transcript(said))
    # Git is asked for it, and the index may be waited for.
    system = await asyncio.to_thread(_system, compactor.ground, said)
    messages = _new_epoch(desk, system, said, waiting, keep_start(taken.text, budget.note), transcript, before)
    after = desk.conversation.tokens_with(messages)
    if after >= before or after > budget.room:
        compactor.fail(before)
        if note:
            yield ReplyDiscarded("The conversation cannot be made shorter by a note.", note.usage)
        return
    desk.conversation.begin_epoch(messages)
    compactor.ground.forget_shown()
    compactor.count()
    yield ContextCompacted(before, after, need.reason, taken.usage, transcript)


async def _ask_for_note(
    desk: Desk, said: Sequence[Message], need: Need, tokens: int
) -> AsyncGenerator[Event | _Note, None]:
    """Ask in the conversation itself while that fits, else, or if no note came of it, over a short transcript of it."""
    async with aclosing(_all_tries(desk, said, need, tokens)) as tries:
        async for asked in tries:
            refused = False
            async with aclosing(_one_try(asked)) as items:
                async for item in items:
                    refused = refused or isinstance(item, _Refused)
                    if not isinstance(item, _Refused):
                        yield item
                    if isinstance(item, _Note):
                        return
            if not refused and not asked.tools:
                return


async def _all_tries(desk: Desk, said: Sequence[Message], need: Need, tokens: int) -> AsyncGenerator[Desk, None]:
    """The requests for a note in the order in which they are tried, each made when the one before has failed."""
    assert desk.compactor is not None  # looked at by the caller
    focus = f"\n\nThe user asks that the note keep above all: {need.focus}" if need.focus else ""
    wishes = focus + tell_pins(desk.compactor.pins)
    prompt = render_prompt("compact", desk.compactor.ground.own_prompts, focus=wishes).strip()
    budget = budget_for(desk.provider.window)
    if not need.refused and tokens + estimate_tokens(prompt) + 2 * budget.note <= budget.window:
        yield _asking(desk, [*said, UserMessage(prompt)])
    system = [message for message in said[:1] if isinstance(message, SystemMessage)]
    around = desk.conversation.tokens_with(system) + estimate_tokens(prompt)
    for divisor in _TRANSCRIPT_DIVISORS:
        # A refusal may have taught that the window is smaller; or else all that is known is that it was too much.
        budget = budget_for(desk.provider.window)
        room = int((min(budget.room, tokens) * 9 // 10 // divisor - around) / desk.conversation.ratio)
        if room < _SHORTEST_TRANSCRIPT:
            return
        text = f"<transcript>\n{shorten_transcript(said, room)}\n</transcript>\n\n{prompt}"
        yield replace(_asking(desk, [*system, UserMessage(text)]), tools={})


def _asking(desk: Desk, messages: Sequence[Message]) -> Desk:
    # Thoughts count as output too; with room for the note alone the model would be cut off before it begins.
    limit = output_reserve(desk.provider.window)
    return replace(desk, conversation=Conversation(messages), output_limit=limit)


async def _one_try(asked: Desk) -> AsyncGenerator[Event | _Note | _Refused, None]:
    """One request for the note. Its text is for the model's later self, and not shown as if it were an answer."""
    reply: Reply | None = None
    try:
        async with aclosing(stream_reply(asked)) as events:
            async for event in events:
                if isinstance(event, Reply):
                    reply = event
                elif isinstance(event, RetryScheduled | RetryWaiting | ModelChosen | KeyEntered):
                    yield event
    except ProviderError as error:
        if error.failure.kind in _HOPELESS:
            raise
        if error.failure.kind == "overflow":
            yield _Refused()
        else:
            yield ReplyDiscarded(f"No note of the conversation could be had. {error.failure.message}", Tally().usage)
        return
    assert reply is not None  # a stream without a reply has raised
    text = reply.message.text.strip()
    if text:
        yield _Note(text, reply.usage)
    else:
        yield ReplyDiscarded("The model was asked for a note of the conversation and wrote none.", reply.usage)


def _system(ground: Ground, said: Sequence[Message]) -> SystemMessage:
    """The system message anew; where git or a prompt fails in the middle of the work, the old one still serves."""
    try:
        return ground.system()
    except KcodeError:
        if said and isinstance(said[0], SystemMessage):
            return said[0]
        raise


def _new_epoch(
    desk: Desk,
    system: SystemMessage,
    said: Sequence[Message],
    waiting: Sequence[UserMessage],
    note: str,
    transcript: str,
    before: int,
) -> list[Message]:
    """The new epoch with the most that keeps it within its target and well below the length that it replaces."""
    assert desk.compactor is not None  # looked at by the caller
    ground, budget = desk.compactor.ground, budget_for(desk.provider.window)
    changes = "\n".join(ground.changes()) or "Nothing is changed so far."
    paths = changed_first(paths_at_hand(said), ground.changed_paths())[:_MOST_READ]
    found = ((path, ground.definitions(path)) for path in desk.compactor.pins.others(paths))
    outlines = [write_outline(path, definitions) for path, definitions in found if definitions][:_MOST_OUTLINED]
    pinned = [(path, text) for path in desk.compactor.pins.kept if (text := ground.text(path)) is not None]
    most = min(budget.target, max(before - budget.growth, before // 2))
    messages: list[Message] = []
    for shares in shares_of(budget):
        at_hand = (fit_pinned(pinned, shares.pinned), fit_outlines(outlines, shares.outlines))
        text = render_prompt(
            "compacted",
            ground.own_prompts,
            note=note,
            changes=keep_start(changes, budget.note),
            outlines="\n\n".join(part for part in at_hand if part) or "none",
            transcript=transcript,
        )
        words = users_words(said, shares.users_head, shares.users_tail)
        messages = begin_with(system, words, text, waiting)
        if desk.conversation.tokens_with(messages) <= most:
            break
    return messages
