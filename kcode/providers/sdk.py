"""Requests over the OpenAI SDK. Importing this module does not import the SDK: that takes most of a second."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import socket
import ssl
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from kcode.errors import ProviderError
from kcode.providers.chunked import JoiningBackend
from kcode.providers.failures import cut, silent, unreachable
from kcode.providers.transport import ERROR_BODY_LIMIT, Response, WholeResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    import httpx2
    from openai import AsyncOpenAI

    from kcode.providers.endpoints import Endpoint

_CONNECT_SECONDS = 10.0
_ERROR_BODY_SECONDS = 10.0
_OBJECTS_BETWEEN_COLLECTIONS = 20_000
_LONGEST_LIST = 4 * 1024 * 1024
# To wake up for a delta costs ten times what the delta does, or a hundred times on a machine that fell asleep in between.
# Once this many reads have brought little, each is followed by a moment's rest, which no eye can see, so that the next
# brings all that came meanwhile. At 200 deltas a second: 17 % of a core, 37 % with a rest of 4 ms.
_MANY_READS, _LITTLE, _PAUSE_SECONDS = 64, 16 * 1024, 0.025


def preload() -> None:
    """Import the SDK and what its first request needs, in whatever thread this is called."""
    collecting = gc.isenabled()
    # Nothing of an import is garbage, yet the collector looks through it again and again: a tenth of the time.
    gc.disable()
    try:
        for module in ("openai", "openai.resources.chat", "httpx2", "httpcore2", "anyio._backends._asyncio"):
            importlib.import_module(module)
    finally:
        if collecting:
            gc.enable()
    # What an import made stays. And a lump of a stream becomes thousands of objects that are gone a moment later: looked
    # for every 700 objects, the garbage that is none was half of what decoding took.
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # OPENAI_LOG makes the SDK log requests to stderr as it is imported.
    for logger in ("openai", "httpx2", "httpcore2"):
        logging.getLogger(logger).setLevel(logging.WARNING)


class _StatusStop(Exception):  # noqa: N818 - carries an answer, caught by the one who sent the request
    """The answer has another status than 2xx. Raised before the SDK reads a body that may never end."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


class SdkTransport:
    """One client of the SDK, made when the first request is sent; one connection is kept open between requests.

    The SDK neither retries nor follows redirects here, and nothing in the environment but a proxy for hosts other than
    this machine changes a request: the headers that leave are exactly those made here.
    """

    def __init__(self, endpoint: Endpoint, key: str | None, idle_seconds: float, version: str) -> None:
        self._endpoint = endpoint
        self._key = key
        self._idle = idle_seconds
        self._user_agent = f"kcode/{version}"
        self._client: AsyncOpenAI | None = None

    @asynccontextmanager
    async def post(self, body: bytes) -> AsyncGenerator[Response, None]:
        """Send one chat-completion request."""
        try:
            raw = await self._send("post", "/chat/completions", body)
        except _StatusStop as stop:
            yield Response(stop.status, stop.headers, _once(stop.body))
            return
        try:
            async with aclosing(self._read(raw)) as chunks:
                yield Response(raw.status_code, _lower(raw.headers), chunks)
        finally:
            await raw.aclose()

    async def get(self, path: str) -> WholeResponse:
        """Ask for what lies at this path below the base URL."""
        try:
            raw = await self._send("get", path, None)
        except _StatusStop as stop:
            return WholeResponse(stop.status, stop.headers, stop.body)
        try:
            body = bytearray()
            async for chunk in self._read(raw):
                body += chunk
                if len(body) > _LONGEST_LIST:
                    break
            return WholeResponse(raw.status_code, _lower(raw.headers), bytes(body))
        finally:
            await raw.aclose()

    def use_key(self, key: str) -> None:
        """Send this key from the next request on."""
        self._key = key

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _send(self, method: str, path: str, body: bytes | None) -> httpx2.Response:
        if self._client is None:
            # In a thread: a preload in another thread may still hold the import's lock, and the loop must go on.
            self._client = await asyncio.to_thread(self._connect)
        import httpx2  # noqa: PLC0415 - see the module's docstring
        import openai  # noqa: PLC0415

        # The header makes the SDK return a response whose body is still unread; its `with_streaming_response` does so.
        options: Any = {"headers": {"X-Stainless-Raw-Response": "stream"}, "follow_redirects": False}
        try:
            if method == "get":
                return await self._client.get(path, cast_to=httpx2.Response, options=options)
            options["headers"]["Content-Type"] = "application/json"
            return await self._client.post(path, cast_to=httpx2.Response, content=body, options=options)
        except openai.APITimeoutError as error:
            raise ProviderError(self._timed_out(error.__cause__)) from None
        except openai.APIConnectionError as error:
            raise ProviderError(self._not_reached(error.__cause__)) from None
        except httpx2.InvalidURL as error:
            raise ProviderError(unreachable(self._endpoint, str(error), for_good=True)) from None

    def _connect(self) -> AsyncOpenAI:
        preload()
        import httpx2  # noqa: PLC0415
        import openai  # noqa: PLC0415

        loopback = self._endpoint.is_loopback
        plain = self._endpoint.base_url.startswith("http:")
        timeout = httpx2.Timeout(self._idle, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS)
        http = httpx2.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            # A tool may run for minutes between two requests.
            limits=httpx2.Limits(max_connections=8, max_keepalive_connections=2, keepalive_expiry=120),
            # The environment's proxies, and its own certificates.
            trust_env=not loopback,
            # Loading the certificates takes tens of milliseconds, for nothing where there is no TLS.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
            event_hooks={"request": [self._set_headers], "response": [_stop_at_status]},
        )
        _join_chunks(http)
        client = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._endpoint.base_url,
            max_retries=0,
            timeout=timeout,
            http_client=http,
        )
        # Left to find out for a header that is not sent, the SDK would run the first `uname` on the PATH.
        client._platform = "Unknown"  # noqa: SLF001
        return client

    async def _set_headers(self, request: httpx2.Request) -> None:
        """Leave only what is ours: OPENAI_CUSTOM_HEADERS, OPENAI_ORG_ID and others add headers otherwise."""
        kept = {name: request.headers[name] for name in ("content-length",) if name in request.headers}
        ours = {
            "host": self._endpoint.host,
            "accept": "text/event-stream, application/json",
            # A compressed stream arrives in lumps, and a small one can unpack to gigabytes.
            "accept-encoding": "identity",
            "connection": "keep-alive",
            "user-agent": self._user_agent,
        }
        if request.method == "POST":
            ours["content-type"] = "application/json"
        if self._key:
            ours["authorization"] = f"Bearer {self._key}"
        request.headers = type(request.headers)(kept | ours | dict(self._endpoint.dialect.headers))

    async def _read(self, raw: httpx2.Response) -> AsyncGenerator[bytes, None]:
        import httpx2  # noqa: PLC0415

        small = 0
        try:
            async with aclosing(raw.aiter_bytes()) as chunks:
                async for chunk in chunks:
                    yield chunk
                    if len(chunk) >= _LITTLE:
                        continue
                    small += 1
                    if small > _MANY_READS:
                        await asyncio.sleep(_PAUSE_SECONDS)
        except httpx2.TimeoutException:
            raise ProviderError(silent(self._endpoint, self._idle)) from None
        except (httpx2.RequestError, ssl.SSLError, OSError):
            raise ProviderError(cut(self._endpoint)) from None

    def _timed_out(self, cause: BaseException | None) -> Any:
        import httpx2  # noqa: PLC0415

        if isinstance(cause, httpx2.ConnectTimeout):
            return unreachable(self._endpoint, f"no connection within {_CONNECT_SECONDS:g} seconds")
        return silent(self._endpoint, self._idle)

    def _not_reached(self, cause: BaseException | None) -> Any:
        import httpx2  # noqa: PLC0415

        reason = _innermost(cause)
        certificate = isinstance(reason, ssl.SSLCertVerificationError)
        if isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.WriteError) and not certificate:
            return cut(self._endpoint)
        if isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.ProxyError):
            return unreachable(self._endpoint, str(cause), for_good=True)
        if certificate:
            return unreachable(self._endpoint, f"its certificate is not trusted ({reason})", for_good=True)
        return unreachable(self._endpoint, _words(reason))


def _words(reason: BaseException | None) -> str:
    if isinstance(reason, ssl.SSLError | socket.gaierror):
        return reason.strerror or str(reason)
    if isinstance(reason, OSError) and reason.errno:
        # asyncio puts "Connect call failed" in the place of the system's words.
        return os.strerror(reason.errno)
    return str(reason or "") or "the connection failed"


def _innermost(error: BaseException | None) -> BaseException | None:
    """The operating system's or TLS's own error, below what the libraries wrapped around it."""
    found = error
    while error is not None:
        if isinstance(error, OSError):
            found = error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
            continue
        error = error.__cause__ or error.__context__
    return found


def _join_chunks(http: httpx2.AsyncClient) -> None:
    """Put our connections in the place of the library's own, where its parts still lie where they did.

    Its public way is a transport of one's own, with which it no longer takes the environment's proxies.
    """
    for transport in (getattr(http, "_transport", None), *getattr(http, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is not None and backend is not None:
            pool._network_backend = JoiningBackend(backend)  # noqa: SLF001


async def _stop_at_status(response: httpx2.Response) -> None:
    import httpx2  # noqa: PLC0415

    if response.is_success:
        return
    body = bytearray()
    try:
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) >= ERROR_BODY_LIMIT:
                    break
    except (TimeoutError, OSError, httpx2.RequestError):
        # The status is what counts; what came of the text is enough.
        pass
    raise _StatusStop(response.status_code, _lower(response.headers), bytes(body[:ERROR_BODY_LIMIT]))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
