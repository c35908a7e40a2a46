"""The probe itself: at most ten small requests, one after the other, each bounded in time and tokens."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kcode.errors import ProviderError
from kcode.messages import AssistantMessage, ToolMessage, Usage
from kcode.providers import ReplyDelta, ToolCallDelta, UsageDelta
from kcode.providers.openai_chat import OpenAIChat
from kcode.providers.probe import Check, ProbeReport
from kcode.providers.probe.judge import (
    OVERRUN,
    Observed,
    judge_cache,
    judge_calls,
    judge_ids,
    judge_leaks,
    judge_limit,
    judge_parallel,
    judge_reasoning,
    judge_return,
    judge_speed,
    judge_usage,
    judge_window,
    verdict_of,
)
from kcode.providers.probe.raw import Listener
from kcode.providers.probe.tasks import LIMIT_TOKENS, LONG, PLAIN, REPLY_TOKENS, RESULT, TOOLS, TRIES
from kcode.results import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from kcode.messages import Message, ToolCall
    from kcode.providers.dialects import Dialect
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.probe.tasks import Task
    from kcode.providers.transport import Transport
    from kcode.tooling import Tool

REQUESTS = len(TRIES) + 3
PROMPT_TOKENS, OUTPUT_TOKENS = 10_000, 2_500  # of a whole probe, as a thrifty model takes it

_SECONDS = 180.0
_LONGEST_WAIT = 60.0
# A model that thinks at length over small tasks has shown it by then.
_MOST_TOKENS = 40_000
_CHARS_A_TOKEN = 8
_LIMIT_KEYS = ("max_completion_tokens", "max_tokens")
_RATE = re.compile(r"\brpm\b\D{0,10}(\d+)")
_REFUSALS = frozenset({400, 404, 405, 422, 501})


class Probe:
    """One probe of one model at one endpoint. `tell` takes what a waiting user should know."""

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        transport: Transport,
        *,
        key: str | None,
        window: int,
        wrong_with: Callable[[Tool, str], str | None],
        tell: Callable[[str], None],
        seconds: float = _SECONDS,
    ) -> None:
        self._endpoint, self._model, self._key, self._window = endpoint, model, key, window
        self._listener = Listener(transport)
        self._wrong_with, self._tell, self._seconds = wrong_with, tell, seconds
        self._checks: list[Check] = []
        self._replies: list[Observed] = []
        self._learned: dict[str, object] = {}
        self._claimed: int | None = None
        self._requests = 0
        self._done = False
        self._failure: Failure | None = None
        self._main = self._chat(REPLY_TOKENS, _limit_key(endpoint.dialect))

    async def run(self) -> AsyncGenerator[Check, None]:
        """Yield each check as it is known. A failing endpoint ends it; `report` then tells the failure."""
        try:
            async with aclosing(self._all()) as checks:
                async for check in checks:
                    self._checks.append(check)
                    yield check
            self._done = True
        except ProviderError as error:
            self._failure = error.failure

    def report(self) -> ProbeReport:
        """What is known so far."""
        verdict, summary = verdict_of(self._checks)
        if not self._done:
            verdict, summary = (
                "unfinished",
                "the probe did not come to its end; what stands above is known, and no more",
            )
        used = [reply.usage for reply in self._replies if reply.usage]
        costs = [usage.cost for usage in used]
        total = Usage(
            sum(usage.prompt_tokens for usage in used),
            sum(usage.completion_tokens for usage in used),
            sum(usage.cached_tokens for usage in used),
            sum(cost for cost in costs if cost is not None) if used and None not in costs else None,
        )
        return ProbeReport(
            self._endpoint.name, self._model, tuple(self._checks), verdict, summary, {**self._main.learned().dialect, **self._learned},
            self._claimed, self._requests, total, self._failure,
        )  # fmt: skip

    async def _all(self) -> AsyncGenerator[Check, None]:
        chat = self._main
        yield await self._window_check(chat)
        self._say(PLAIN)
        plain = await self._send(chat, PLAIN.messages, ())
        yield judge_speed(plain)
        if plain.raw.reasoning_key or plain.raw.thinks_in_content:
            yield self._reasoning()
        tries: list[tuple[Task, Observed]] = []
        async for found in self._tries(chat):
            if isinstance(found, Check):
                yield found
            else:
                tries.append(found)
        if not (plain.raw.reasoning_key or plain.raw.thinks_in_content):
            yield self._reasoning()
        yield judge_usage(self._replies)
        if tries:
            async for check in self._tool_checks(chat, tries):
                yield check
        async for check in self._limit_checks():
            yield check
        yield judge_leaks(self._replies)

    async def _window_check(self, chat: OpenAIChat) -> Check:
        try:
            served = await chat.list_models()
        except ProviderError as error:
            if error.failure.status is None:
                raise
            return Check("window", "unknown", f"no list of models: it answered {error.failure.status}")
        check = judge_window(served, self._model, self._window)
        claimed = check.facts.get("claimed")
        if isinstance(claimed, int) and claimed < self._window:
            self._claimed = claimed
        return check

    def _reasoning(self) -> Check:
        check = judge_reasoning(self._replies, self._model)
        key = check.facts.get("key")
        set_to = self._endpoint.dialect.reasoning_out
        if key and key != ("reasoning_content" if set_to == "as_it_came" else set_to):
            self._learned["reasoning_out"] = key
        return check

    async def _tries(self, chat: OpenAIChat) -> AsyncGenerator[Check | tuple[Task, Observed], None]:
        for number, task in enumerate(TRIES):
            if sum(reply.tokens for reply in self._replies) > _MOST_TOKENS:
                self._tell(f"It has written {_MOST_TOKENS:,} tokens over small tasks; the other tries are left out.")
                return
            self._say(task)
            try:
                yield task, await self._send(chat, task.messages, task.tools)
            except ProviderError as error:
                if number or not _is_refusal(error.failure, "tool|function"):
                    raise
                yield Check("tools", "bad", f"a request with tools is refused: {error}", short="it refuses requests with tools")  # fmt: skip
                return

    async def _tool_checks(
        self, chat: OpenAIChat, tries: Sequence[tuple[Task, Observed]]
    ) -> AsyncGenerator[Check, None]:
        replies = [reply for _, reply in tries]
        yield judge_calls(replies, self._what_is_wrong)
        several = next(((task, reply) for task, reply in tries if task.calls > 1), None)
        if several:
            yield judge_parallel(*several)
        dialect = self._endpoint.dialect
        called = next(((task, reply) for task, reply in tries if reply.message.tool_calls), None)
        if called is None:
            yield judge_ids(replies, dialect, self._model, taken=None)
            yield Check("reasoning_back", "unknown", "no call, so there was nothing to follow up")
            yield Check("cache", "unknown", "no call, so no prompt was repeated")
            return
        task, before = called
        results = [ToolMessage(call.id, call.name, RESULT) for call in before.message.tool_calls]
        self._tell("Asking: a follow-up with the call, its reasoning and its result …")
        try:
            after = await self._send(chat, (*task.messages, before.message, *results), task.tools)
        except ProviderError as error:
            if not _is_refusal(error.failure, "tool|reasoning|content|message"):
                raise
            yield Check("follow_up", "bad", f"a call with its result is refused: {error}", short="it refuses results of tools")  # fmt: skip
            yield judge_ids(replies, dialect, self._model, taken=False)
            return
        yield judge_return(before, after)
        yield judge_ids(replies, dialect, self._model, taken=True)
        yield judge_cache(after)

    async def _limit_checks(self) -> AsyncGenerator[Check, None]:
        """With the other spelling too, where the first does not hold."""
        own = _limit_key(self._endpoint.dialect)
        first: Check | None = None
        for key in (own, *(key for key in _LIMIT_KEYS if key != own)):
            self._say(LONG)
            try:
                reply = await self._send(self._chat(LIMIT_TOKENS, key), LONG.messages, (), LIMIT_TOKENS)
                check = judge_limit(reply)
            except ProviderError as error:
                if not _is_refusal(error.failure, "max_"):
                    raise
                check = Check("limit", "weak", f"{key} is refused: {error}", short="an output limit that it refuses")
            check = replace(check, facts=dict(check.facts) | {"key": key})
            if check.level != "weak":
                if first is not None and check.level == "ok":
                    self._learned["max_tokens_key"] = key
                    check = replace(check, text=f"{check.text}, as {key} and not as {own}")
                yield check if first is None or check.level == "ok" else first
                return
            first = first or check
        assert first is not None  # there are two keys, and both were weak
        yield first

    def _what_is_wrong(self, call: ToolCall) -> str | None:
        tool = next((tool for tool in TOOLS if tool.name == call.name), None)
        return f"there is no tool {call.name!r}" if tool is None else self._wrong_with(tool, call.arguments)

    def _say(self, task: Task) -> None:
        self._tell(f"Asking: {task.name} …")

    def _chat(self, limit: int, key: Any) -> OpenAIChat:
        dialect = replace(self._endpoint.dialect, max_tokens_key=key)
        endpoint = replace(self._endpoint, output_limit=limit, dialect=dialect)
        return OpenAIChat(endpoint, self._model, self._listener, key=self._key, window=self._window)

    async def _send(
        self, chat: OpenAIChat, messages: Sequence[Message], tools: Sequence[Tool], limit: int = REPLY_TOKENS
    ) -> Observed:
        """One reply. Asked to wait, it waits and asks once more; a second refusal counts."""
        try:
            return await self._reply(chat, messages, tools, limit)
        except ProviderError as error:
            wait = asked_wait(error.failure)
            if wait is None:
                raise
            self._tell(f"{error} Waiting {wait:.0f} s, as it asks …")
        await asyncio.sleep(wait)
        return await self._reply(chat, messages, tools, limit)

    async def _reply(
        self, chat: OpenAIChat, messages: Sequence[Message], tools: Sequence[Tool], limit: int
    ) -> Observed:
        self._requests += 1
        usage: Usage | None = None
        last = ReplyDelta(AssistantMessage(""), OVERRUN)
        start, first, size = time.monotonic(), None, 0
        try:
            async with asyncio.timeout(self._seconds), aclosing(chat.stream(messages, tools)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, UsageDelta):
                        usage = delta.usage
                    elif isinstance(delta, ReplyDelta):
                        last = delta
                    else:
                        first = time.monotonic() - start if first is None else first
                        size += len(delta.arguments if isinstance(delta, ToolCallDelta) else delta.text)
                        if size > limit * _CHARS_A_TOKEN:
                            break
        except TimeoutError:
            message = f"{self._endpoint.host} did not end a reply within {self._seconds:g} seconds."
            raise ProviderError(Failure("retry", message)) from None
        seconds = time.monotonic() - start
        reply = Observed(last.message, last.finish, usage, self._listener.reply(), first, seconds)
        self._replies.append(reply)
        return reply


def _limit_key(dialect: Dialect) -> Any:
    """The row's own spelling; an endpoint without one gets the older, which more servers know."""
    return dialect.max_tokens_key if dialect.max_tokens_key in _LIMIT_KEYS else "max_tokens"


def _is_refusal(failure: Failure, about: str) -> bool:
    """True for a request that the endpoint does not take for its form, not for its own state."""
    if failure.kind in {"key", "quota"}:
        return False
    return failure.status in _REFUSALS or (
        failure.status == 500 and re.search(about, failure.message.lower()) is not None
    )


def asked_wait(failure: Failure) -> float | None:
    """How long to wait before the one other try; None when there should be none.

    Moonshot's lowest tier allows 3 requests a minute, and asks to wait a second.
    """
    if failure.kind != "retry":
        return None
    rate = _RATE.search(failure.message.lower())
    pause = 60.0 / int(rate[1]) if rate and int(rate[1]) else None
    wait = max((seconds for seconds in (failure.retry_after, pause) if seconds is not None), default=None)
    return wait if wait is not None and wait <= _LONGEST_WAIT else None
