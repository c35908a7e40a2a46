"""The seam between the protocol and the network: a request's bytes in, a response's bytes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

ERROR_BODY_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body is still to come. Names in `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class WholeResponse:
    """A response with its body, of which a very long one is cut. Names in `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Carries requests to one endpoint. What fails on the way is raised as ProviderError; a status is not a failure."""

    def post(self, body: bytes) -> AbstractAsyncContextManager[Response]:
        """Send one chat-completion request. Leaving the context closes the connection, unless the body came whole."""

    async def get(self, path: str) -> WholeResponse:
        """Ask for what lies at this path below the base URL, such as `/models`."""

    def use_key(self, key: str) -> None:
        """Send this key from the next request on."""

    async def aclose(self) -> None:
        """Close what is still open."""


async def read_start(response: Response, limit: int = ERROR_BODY_LIMIT) -> bytes:
    """The first bytes of the body, for an error's text."""
    body = bytearray()
    async for chunk in response.chunks:
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])
