"""One reply of the model: asked for again where that may help, and cut off where it would repeat itself for ever."""

from __future__ import annotations

import asyncio
import math
import random
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.agent.guard import REPETITION
from kcode.agent.repetition import RepetitionWatch
from kcode.errors import ProviderError
from kcode.events import KeyEntered, ModelChosen, ReasoningStreamed, RetryScheduled, RetryWaiting, TextStreamed
from kcode.messages import AssistantMessage, Usage
from kcode.pricing import priced
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, UsageDelta
from kcode.providers.failures import retry_delay
from kcode.questions import ChooseModel, EnterKey
from kcode.results import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from kcode.agent.turn import Desk
    from kcode.events import Event
    from kcode.questions import Question

_QUESTIONS_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply and why it ended; with `finish` "repetition" what came of it is left out.

    `seconds` is how long it took, and `thinking` how long of that the model reasoned.
    """

    message: AssistantMessage
    usage: Usage
    finish: str
    seconds: float = 0.0
    thinking: float = 0.0


async def stream_reply(desk: Desk) -> AsyncGenerator[Event | Reply, None]:
    """Stream one reply; the last item is a Reply.

    When the failure allows it the request is sent again: no call of a failed reply has run. Where another model or key
    is needed the user is asked for it. Raises ProviderError when nothing helps.
    """
    failed = asked = 0
    while True:
        try:
            async with aclosing(_stream_once(desk)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            failure = error.failure
            switched = await _ask_for_help(desk, failure) if asked < _QUESTIONS_IN_A_ROW else None
            delay = retry_delay(failed + 1, failure, random.random())  # noqa: S311  # jitter keeps no secret
            if switched is None and delay is None:
                raise
        else:
            return
        if switched:
            asked, failed = asked + 1, 0
            yield switched
        elif delay is not None:
            failed += 1
            async with aclosing(_wait(failure, delay, failed)) as ticks:
                async for tick in ticks:
                    yield tick


async def _stream_once(desk: Desk) -> AsyncGenerator[Event | Reply, None]:
    heard = _Heard(time.monotonic())
    try:
        async with aclosing(_hear_once(desk, heard)) as events:
            async for event in events:
                yield event
    except (asyncio.CancelledError, GeneratorExit):
        # The turn is over, and nothing can be yielded any more.
        desk.conversation.break_off("".join(heard.text), "".join(heard.reasoning))
        raise


@dataclass(slots=True)
class _Heard:
    """What has come of a reply so far, and when the model reasoned."""

    started: float
    reasoning: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    thought_from: float | None = None
    thought_to: float = 0.0

    def note_reasoning(self, text: str) -> None:
        self.reasoning.append(text)
        self.thought_to = time.monotonic()
        if self.thought_from is None:
            self.thought_from = self.thought_to

    def times(self) -> tuple[float, float]:
        """How long the reply has taken, and how long of that the model reasoned."""
        thinking = 0.0 if self.thought_from is None else self.thought_to - self.thought_from
        return time.monotonic() - self.started, thinking


async def _hear_once(desk: Desk, heard: _Heard) -> AsyncGenerator[Event | Reply, None]:
    usage: Usage | None = None
    watch = RepetitionWatch()
    messages, tools = desk.conversation.messages, list(desk.tools.values())
    async with aclosing(desk.provider.stream(messages, tools, output_limit=desk.output_limit)) as deltas:
        async for delta in deltas:
            match delta:
                case ReasoningDelta(text):
                    heard.note_reasoning(text)
                    yield ReasoningStreamed(text)
                    if watch.hear(text):
                        # The stream is closed here, so that the endpoint stops writing; its count of the reply never
                        # comes.
                        heard.reasoning.clear()
                        yield Reply(AssistantMessage(""), usage or _estimated(desk, watch.heard), REPETITION)
                        return
                case TextDelta(text):
                    heard.text.append(text)
                    yield TextStreamed(text)
                case UsageDelta(usage):
                    pass
                case ReplyDelta(message, finish):
                    _refuse_withheld(message, finish)
                    yield Reply(message, usage or Usage(), finish, *heard.times())
                case _:
                    pass


def _refuse_withheld(message: AssistantMessage, finish: str) -> None:
    if finish == "content_filter" and not message.text.strip() and not message.tool_calls:
        raise ProviderError(
            Failure("refused", "The endpoint withheld the reply (content_filter). Put the request in other words.")
        )


def _estimated(desk: Desk, heard: int) -> Usage:
    """The usage of a reply that broke off after so many characters: its cost must count too."""
    return priced(Usage(desk.conversation.tokens(), heard // 4), desk.provider.billing)


async def _ask_for_help(desk: Desk, failure: Failure) -> ModelChosen | KeyEntered | None:
    """Go on with what the user answers, if the failure is one that an answer mends; None when it is not, or there is none."""
    question = _question(failure)
    answer = await desk.ask(question) if question and desk.ask else None
    if not answer:
        return None
    if isinstance(question, EnterKey):
        desk.provider.switch(key=answer)
        return KeyEntered()
    desk.provider.switch(model=answer)
    return ModelChosen(answer)


def _question(failure: Failure) -> Question | None:
    if failure.kind == "model" and failure.choices:
        # The message goes on with the list of choices, which the question shows in its own way.
        return ChooseModel(failure.message.partition("\n")[0], failure.choices)
    return EnterKey(failure.message) if failure.kind == "key" else None


async def _wait(failure: Failure, seconds: float, attempt: int) -> AsyncGenerator[Event, None]:
    """Wait for the next try, with an event for each second that is left."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    yield RetryScheduled(failure.message, seconds, attempt, failure.attempts)
    while (left := end - loop.time()) > 0:
        whole = math.ceil(left)
        yield RetryWaiting(whole, attempt, failure.attempts)
        await asyncio.sleep(left - whole + 1)
    yield RetryWaiting(0, attempt, failure.attempts)
