"""Kimi K2 Thinking, or another model, over the chat-completions protocol."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kcode import __version__
from kcode.errors import ProviderError
from kcode.folders import state_folder
from kcode.messages import Usage
from kcode.pricing import Billing, find_price, priced
from kcode.providers import ReplyDelta, UsageDelta
from kcode.providers.adaptation import said_window
from kcode.providers.cassette import Recorder, ReplayTransport, read_cassette
from kcode.providers.choice import resolve_endpoint, resolve_model
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.failures import classify, silent
from kcode.providers.keys import find_key
from kcode.providers.learned import EndpointMemory, Learned
from kcode.providers.requests import RequestWriter
from kcode.providers.sdk import SdkTransport
from kcode.providers.served import read_models, shortened
from kcode.providers.sse import decode_body
from kcode.providers.stream import StreamDecoder
from kcode.providers.transport import read_start
from kcode.secrets import redact, remove_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
    from pathlib import Path

    from kcode.messages import Message
    from kcode.providers import Delta
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.served import ServedModel
    from kcode.providers.transport import Response, Transport, WholeResponse
    from kcode.results import Failure
    from kcode.settings import Settings
    from kcode.tooling import Tool

# Comments keep a connection alive without end; a host that sends nothing else for this long does not answer.
_LONGEST_SILENCE = 600.0
# After `[DONE]` the body's end is on its way; read, it lets the connection be used again.
_END_OF_BODY_SECONDS = 0.25
_MODELS_SECONDS, _WINDOW_SECONDS = 10.0, 3.0


class OpenAIChat:
    """A provider: one endpoint, one model, and one conversation whose requests only grow.

    A request that the endpoint refuses for its form is sent again in the form that it may take, each form once.
    What an endpoint taught is kept in `memory`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        transport: Transport,
        *,
        key: str | None = None,
        window: int | None = None,
        session: str | None = None,
        memory: EndpointMemory | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._key = key
        self._window = window
        self._session = session
        self._memory = memory
        self._speak_as(model)

    def _speak_as(self, model: str) -> None:
        learned = self._memory.recall(model) if self._memory else Learned()
        self._writer = RequestWriter(self.endpoint, model, session=self._session, window=self._window, learned=learned)
        self._known = self._writer.learned()
        self._window_is_asked = self.endpoint.is_loopback and self._window is None

    @property
    def model(self) -> str:
        """The model's id."""
        return self._writer.model

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        """Go on with another model or key, from the next request on."""
        if key is not None:
            self._key = key
            self._transport.use_key(key)
        if model is not None:
            self._keep_learned()
            self._speak_as(model)

    @property
    def window(self) -> int:
        """How many tokens prompt and reply may have together."""
        return self._writer.profile.window

    @property
    def billing(self) -> Billing:
        """How the model's replies are paid at this endpoint."""
        endpoint = self.endpoint
        is_billed = endpoint.is_live and not endpoint.is_loopback
        return Billing(find_price(self.model, endpoint.prices), endpoint.reports_cost, is_billed)

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, output_limit: int | None = None
    ) -> AsyncGenerator[Delta, None]:
        """Send the conversation and yield the reply as it comes; see Provider."""
        await self._measure_window()
        while True:
            begun = False
            try:
                async with aclosing(self._stream_once(messages, tools, output_limit)) as deltas:
                    async for delta in deltas:
                        begun = True
                        yield delta
            except ProviderError as error:
                if begun or not self._writer.adapt(error.failure):
                    if error.failure.kind == "overflow" and said_window(error.failure.said) is None:
                        self._writer.shrink_window()
                    raise
            else:
                return

    async def _measure_window(self) -> None:
        """Ask a server on this machine once how large a window it was started with; the model's own may be larger."""
        if not self._window_is_asked:
            return
        self._window_is_asked = False
        try:
            async with asyncio.timeout(_WINDOW_SECONDS):
                served = await self.list_models()
        except (ProviderError, TimeoutError):
            return
        rows = [row for row in served if row.id == self.model] or (served if len(served) == 1 else [])
        if rows and rows[0].window:
            self._writer.limit_window(rows[0].window)

    async def _stream_once(
        self, messages: Sequence[Message], tools: Sequence[Tool], output_limit: int | None
    ) -> AsyncGenerator[Delta, None]:
        body = self._writer.encode(messages, tools, output_limit)
        decoder = StreamDecoder(tools)
        with self._keyless_errors():
            async with self._transport.post(body) as response:
                if response.status != 200:
                    raise ProviderError(await self._failure(response))
                heard = time.monotonic()
                async for chunk in response.chunks:
                    deltas = decoder.feed(chunk)
                    if deltas:
                        heard = time.monotonic()
                    elif time.monotonic() - heard > _LONGEST_SILENCE:
                        raise ProviderError(silent(self.endpoint, _LONGEST_SILENCE))
                    for delta in deltas:
                        yield self._priced(delta) if isinstance(delta, UsageDelta) else delta
                    if decoder.done:
                        await _drain(response)
                        break
            last = decoder.finish()
        self._writer.hear(decoder.reasoning_key, decoder.last_usage())
        *before, reply = [self._priced(delta) if isinstance(delta, UsageDelta) else delta for delta in last]
        assert isinstance(reply, ReplyDelta)  # a stream that is not whole has raised
        for delta in (*before, *self._with_searches(reply, decoder.last_usage() or Usage())):
            yield delta

    def without_key(self, text: str) -> str:
        """The text as it may be kept: with the live key taken out."""
        return remove_key(text, self._key)

    @contextmanager
    def _keyless_errors(self) -> Iterator[None]:
        """An endpoint may repeat the key in its error; the user's terminal and log must not."""
        try:
            yield
        except ProviderError as error:
            failure = error.failure
            clean = replace(failure, message=redact(failure.message, self._key), said=redact(failure.said, self._key))
            raise ProviderError(clean) from None

    def _with_searches(self, reply: ReplyDelta, usage: Usage) -> list[Delta]:
        """The reply, behind a usage that holds the price of its web searches, if it made any."""
        search = self.endpoint.web_search
        count = sum(call.name == search.name for call in reply.message.tool_calls) if search else 0
        if search is None or not count or usage.cost is not None:
            return [reply]
        whole = priced(usage, self.billing)
        cost = None if whole.cost is None or search.price is None else whole.cost + count * search.price
        return [UsageDelta(replace(whole, cost=cost)), reply]

    def _priced(self, delta: UsageDelta) -> UsageDelta:
        return UsageDelta(priced(delta.usage, self.billing))

    async def _failure(self, response: Response) -> Any:
        body = await read_start(response)
        failure = classify(response.status, response.headers, body, self.endpoint, self.model)
        if failure.kind == "model" and (served := await self._served()):
            message = f"{failure.message}\nIt serves: {', '.join(served)}."
            failure = replace(failure, message=message, choices=tuple(served))
        return failure

    async def _served(self) -> list[str]:
        try:
            return [model.id for model in shortened(await self.list_models())]
        except ProviderError:
            return []  # the first failure is the one to tell

    async def list_models(self) -> list[ServedModel]:
        """What the endpoint says it serves, in its own order; ProviderError where it has no such list."""
        with self._keyless_errors():
            try:
                async with asyncio.timeout(_MODELS_SECONDS):
                    response = await self._transport.get("/models")
            except TimeoutError:
                raise ProviderError(silent(self.endpoint, _MODELS_SECONDS)) from None
            if response.status != 200:
                raise ProviderError(self._no_list(response))
        return read_models(decode_body(response.body))

    def _no_list(self, response: WholeResponse) -> Failure:
        failure = classify(response.status, response.headers, response.body, self.endpoint, self.model)
        if failure.kind in {"key", "quota", "retry"} or response.status not in {404, 405}:
            return failure
        message = f"{self.endpoint.host} has no list of models: it answered {response.status} at /models. "
        return replace(failure, kind="broken", message=message + "Its own pages name them; choose with --model ID.")

    def learned(self) -> Learned:
        """What the endpoint has taught so far, beyond what the table says of it."""
        return self._writer.learned()

    def _keep_learned(self) -> None:
        learned = self.learned()
        if self.endpoint.is_loopback:
            # Tomorrow's server may be started with another one.
            learned = replace(learned, window=None)
        if self._memory is not None and learned != self._known:
            self._known = learned
            self._memory.keep(self.model, learned)

    async def aclose(self) -> None:
        """Close what is still open, and keep what was learned."""
        self._keep_learned()
        await self._transport.aclose()


async def _drain(response: Response) -> None:
    try:
        async with asyncio.timeout(_END_OF_BODY_SECONDS):
            await read_start(response)
    except (TimeoutError, ProviderError):
        pass  # the reply is whole; the connection is closed instead of kept


def connect(
    endpoint: Endpoint,
    model: str,
    key: str | None,
    *,
    idle_timeout: float = 120.0,
    window: int | None = None,
    session: str | None = None,
    record: Path | None = None,
    memory: EndpointMemory | None = None,
) -> OpenAIChat:
    """A provider over the network; nothing is sent and the SDK is not imported before the first request.

    With `record` all traffic is appended to that new file, without the key.
    """
    transport: Transport = SdkTransport(endpoint, key, idle_timeout, __version__)
    if record is not None:
        transport = Recorder(transport, record, key)
    return OpenAIChat(endpoint, model, transport, key=key, window=window, session=session, memory=memory)


def replay(cassette: Path, endpoint: Endpoint, model: str) -> OpenAIChat:
    """A provider that serves a cassette's answers as if the endpoint had sent them. It needs neither key nor SDK."""
    # Nothing is paid for a reply from a file.
    free = replace(endpoint, prices={}, is_live=False)
    return OpenAIChat(free, model, ReplayTransport(read_cassette(cassette), cassette.name, free))


def open_provider(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    session: str | None = None,
    record: Path | None = None,
    cassette: Path | None = None,
) -> OpenAIChat:
    """The provider that the settings mean, or the cassette's; UsageError where the settings are not enough."""
    if cassette is not None:
        named = settings.endpoint or settings.base_url
        endpoint = resolve_endpoint(settings, environment) if named else ENDPOINTS["moonshot"]
        return replay(cassette, endpoint, settings.model or next(iter(endpoint.models), "scripted"))
    endpoint = resolve_endpoint(settings, environment)
    model = resolve_model(endpoint, settings)
    return connect(
        endpoint,
        model,
        find_key(endpoint, settings, environment),
        idle_timeout=settings.idle_timeout,
        window=settings.window,
        session=session,
        record=record,
        memory=open_memory(endpoint, settings, environment),
    )


def open_memory(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> EndpointMemory:
    """What earlier runs learned of the endpoint; the fields of its dialect that the user set are not overruled."""
    own = settings.endpoints.get(endpoint.name)
    dialect = own.get("dialect") if isinstance(own, dict) else None
    explicit = frozenset(dialect) if isinstance(dialect, dict) else frozenset()
    path = state_folder(environment) / "endpoints.json"
    return EndpointMemory(path, endpoint.base_url, datetime.now(UTC).date(), explicit)
