"""Kimi K2 Thinking, or another model, over the chat-completions protocol."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kcode import __version__
from kcode.errors import ProviderError
from kcode.pricing import cost_of
from kcode.providers import UsageDelta
from kcode.providers.cassette import Recorder, ReplayTransport, read_cassette
from kcode.providers.dialects import dialect_for
from kcode.providers.endpoints import ENDPOINTS, find_key, resolve_endpoint, resolve_model, window_for
from kcode.providers.failures import classify, silent
from kcode.providers.history import HistoryEncoder, encode_json, encode_tools
from kcode.providers.sdk import SdkTransport
from kcode.providers.sse import decode_body
from kcode.providers.stream import StreamDecoder
from kcode.providers.transport import read_start
from kcode.secrets import redact, remove_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
    from pathlib import Path

    from kcode.messages import Message
    from kcode.pricing import Price
    from kcode.providers import Delta
    from kcode.providers.dialects import Dialect
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.transport import Response, Transport
    from kcode.settings import Settings
    from kcode.tooling import Tool

# Comments keep a connection alive without end; a host that sends nothing else for this long does not answer.
_LONGEST_SILENCE = 600.0
# After `[DONE]` the body's end is on its way; read, it lets the connection be used again.
_END_OF_BODY_SECONDS = 0.25
_FEWEST_OUTPUT_TOKENS = 1024
_MODELS_SECONDS = 10.0


class OpenAIChat:
    """A provider: one endpoint, one model, and one conversation whose requests only grow."""

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        transport: Transport,
        *,
        key: str | None = None,
        window: int | None = None,
        session: str | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._key = key
        self._window = window or endpoint.window
        self._session = session
        self._tools: tuple[Tool, ...] = ()
        self._tools_json = b""
        self._speak_as(model)

    def _speak_as(self, model: str) -> None:
        self.model = model
        self._dialect = dialect_for(self.endpoint.dialect, model)
        self._history = HistoryEncoder(self._dialect)
        self._head = _encode_head(model, self._dialect, self._session)
        self._counted: tuple[int, int] | None = None

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        """Go on with another model or key, from the next request on."""
        if key is not None:
            self._key = key
            self._transport.use_key(key)
        if model is not None:
            self._speak_as(model)

    @property
    def window(self) -> int:
        """How many tokens prompt and reply may have together."""
        return self._window

    @property
    def price(self) -> Price | None:
        """The model's price at this endpoint, where it is known."""
        return self.endpoint.prices.get(self.model)

    async def stream(self, messages: Sequence[Message], tools: Sequence[Tool]) -> AsyncGenerator[Delta, None]:
        """Send the conversation and yield the reply as it comes; see Provider."""
        body = self.encode_request(messages, tools)
        decoder = StreamDecoder()
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
        if decoder.reasoning_key:
            self._history.learn(decoder.reasoning_key)
        if usage := decoder.last_usage():
            self._counted = (len(body), usage.prompt_tokens)
        for delta in last:
            yield self._priced(delta) if isinstance(delta, UsageDelta) else delta

    def without_key(self, text: str) -> str:
        """The text as it may be kept: with the live key taken out."""
        return remove_key(text, self._key)

    @contextmanager
    def _keyless_errors(self) -> Iterator[None]:
        """An endpoint may repeat the key in its error; the user's terminal and log must not."""
        try:
            yield
        except ProviderError as error:
            message = redact(error.failure.message, self._key)
            raise ProviderError(replace(error.failure, message=message)) from None

    def encode_request(self, messages: Sequence[Message], tools: Sequence[Tool]) -> bytes:
        """The request's body. All but what follows the last message is the beginning of the next request's body."""
        if tuple(tools) != self._tools or not self._tools_json:
            self._tools = tuple(tools)
            self._tools_json = b'"tools":' + encode_tools(tools) + b"," if tools else b""
        start = self._head + self._tools_json + b'"messages":[' + self._history.encode(messages)
        return start + b"]" + self._output_limit(len(start)) + b"}"

    def _output_limit(self, size: int) -> bytes:
        limit = self.endpoint.output_limit
        if limit is None or self._dialect.max_tokens_key is None:
            return b""
        left = max(self._window - self._estimate(size), _FEWEST_OUTPUT_TOKENS)
        return b',"%s":%d' % (self._dialect.max_tokens_key.encode(), min(limit, left))

    def _estimate(self, size: int) -> int:
        """Tokens of a body of `size` bytes: what the endpoint counted last, and the rest at 3 bytes a token."""
        bytes_before, tokens = self._counted or (0, 0)
        return tokens + (size - bytes_before) // 3 if size >= bytes_before else size // 3

    def _priced(self, delta: UsageDelta) -> UsageDelta:
        return UsageDelta(replace(delta.usage, cost=cost_of(delta.usage, self.price)))

    async def _failure(self, response: Response) -> Any:
        body = await read_start(response)
        failure = classify(response.status, response.headers, body, self.endpoint, self.model)
        if failure.kind == "model" and (served := await self._served()):
            message = f"{failure.message}\nIt serves: {', '.join(served)}."
            failure = replace(failure, message=message, choices=tuple(served))
        return failure

    async def _served(self) -> list[str]:
        try:
            return await self.list_models()
        except ProviderError:
            return []  # the first failure is the one to tell

    async def list_models(self) -> list[str]:
        """The ids that the endpoint says it serves, its own order kept; at most a hundred."""
        try:
            async with asyncio.timeout(_MODELS_SECONDS):
                decoded = decode_body(await self._transport.list_models())
        except TimeoutError:
            raise ProviderError(silent(self.endpoint, _MODELS_SECONDS)) from None
        rows = decoded.get("data") if isinstance(decoded, dict) else decoded
        ids = (
            [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []
        )
        kimi = [name for name in ids if "kimi" in name.lower()]
        return (kimi if len(ids) > 100 and kimi else ids)[:100]

    async def aclose(self) -> None:
        """Close what is still open."""
        await self._transport.aclose()


async def _drain(response: Response) -> None:
    try:
        async with asyncio.timeout(_END_OF_BODY_SECONDS):
            await read_start(response)
    except (TimeoutError, ProviderError):
        pass  # the reply is whole; the connection is closed instead of kept


def _encode_head(model: str, dialect: Dialect, session: str | None) -> bytes:
    """The start of every request: all that does not change, so that requests begin with the same bytes."""
    fields: dict[str, Any] = {"model": model, "stream": True}
    if dialect.include_usage:
        fields["stream_options"] = {"include_usage": True}
    if dialect.temperature is not None:
        fields["temperature"] = dialect.temperature
    if dialect.cache_key and session:
        fields[dialect.cache_key] = session
    return encode_json({**fields, **dialect.body})[:-1] + b","


def connect(
    endpoint: Endpoint,
    model: str,
    key: str | None,
    *,
    idle_timeout: float = 120.0,
    window: int | None = None,
    session: str | None = None,
    record: Path | None = None,
) -> OpenAIChat:
    """A provider over the network; nothing is sent and the SDK is not imported before the first request.

    With `record` all traffic is appended to that new file, without the key.
    """
    transport: Transport = SdkTransport(endpoint, key, idle_timeout, __version__)
    if record is not None:
        transport = Recorder(transport, record, key)
    return OpenAIChat(endpoint, model, transport, key=key, window=window, session=session)


def replay(cassette: Path, endpoint: Endpoint, model: str) -> OpenAIChat:
    """A provider that serves a cassette's answers as if the endpoint had sent them. It needs neither key nor SDK."""
    # Nothing is paid for a reply from a file.
    free = replace(endpoint, prices={})
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
        window=window_for(endpoint, model, settings),
        session=session,
        record=record,
    )
