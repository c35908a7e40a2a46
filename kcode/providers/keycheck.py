"""Whether an endpoint takes a key, found out as cheaply as it can be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode import __version__
from kcode.errors import ProviderError
from kcode.providers.failures import classify, silent
from kcode.providers.history import encode_json
from kcode.providers.sdk import SdkTransport
from kcode.providers.served import kimi_first, read_models
from kcode.providers.sse import decode_body
from kcode.providers.stream import StreamDecoder
from kcode.providers.transport import WholeResponse, read_start
from kcode.secrets import redact

if TYPE_CHECKING:
    from kcode.providers.endpoints import Endpoint
    from kcode.results import Failure

_SECONDS = 30.0
_KEY_STATUSES = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What came out: `accepted` is None where the answer tells nothing about the key, and `text` says why."""

    accepted: bool | None
    text: str


async def check_key(endpoint: Endpoint, key: str, model: str | None = None) -> KeyCheck:
    """Ask the endpoint for something that it gives to good keys alone: at the worst the smallest of replies.

    An endpoint that cannot be reached is an answer too: `accepted` is then None.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            check = await _check(endpoint, key, model)
    except ProviderError as error:
        check = KeyCheck(None, str(error))
    except TimeoutError:
        check = KeyCheck(None, silent(endpoint, _SECONDS).message)
    return KeyCheck(check.accepted, redact(check.text, key))


async def _check(endpoint: Endpoint, key: str, model: str | None) -> KeyCheck:
    path = endpoint.key_check if endpoint.keeps_its_host else None
    if path is None:
        open_list = await _get(endpoint, None, "/models")
        if open_list.status not in _KEY_STATUSES:
            # It answers to anybody, or not at all.
            served = [row.id for row in kimi_first(read_models(decode_body(open_list.body)))]
            known = [name for name in endpoint.models if name in served]
            return await _ask_model(endpoint, key, model or next(iter([*known, *served, *endpoint.models]), None))
        path = "/models"
    return _judged(await _get(endpoint, key, path), endpoint, model, f"it was let in at {path}")


async def _get(endpoint: Endpoint, key: str | None, path: str) -> WholeResponse:
    transport = SdkTransport(endpoint, key, _SECONDS, __version__)
    try:
        return await transport.get(path)
    finally:
        await transport.aclose()


async def _ask_model(endpoint: Endpoint, key: str, model: str | None) -> KeyCheck:
    if model is None:
        return KeyCheck(None, f"{endpoint.host} names no model to try the key with; name one with --model ID.")
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, "stream": True}
    transport = SdkTransport(endpoint, key, _SECONDS, __version__)
    try:
        async with transport.post(encode_json(body)) as response:
            whole = WholeResponse(response.status, response.headers, await read_start(response))
    finally:
        await transport.aclose()
    if whole.status == 200 and (failure := _error_inside(whole.body)):
        return _verdict(failure)
    return _judged(whole, endpoint, model, f"{model} answered")


def _error_inside(body: bytes) -> Failure | None:
    """An endpoint may say 200 and tell of its error in the body. Another fault of a reply is none of the key's."""
    decoder = StreamDecoder()
    try:
        decoder.feed(body)
        decoder.finish()
    except ProviderError as error:
        return error.failure if error.failure.kind in {"key", "quota"} else None
    return None


def _judged(response: WholeResponse, endpoint: Endpoint, model: str | None, good: str) -> KeyCheck:
    if response.status == 200:
        return KeyCheck(True, good)
    return _verdict(classify(response.status, response.headers, response.body, endpoint, model or ""))


def _verdict(failure: Failure) -> KeyCheck:
    """Whoever is told that the money has run out was let in."""
    if failure.kind == "quota":
        return KeyCheck(True, failure.message)
    return KeyCheck(False if failure.kind == "key" or failure.status in _KEY_STATUSES else None, failure.message)
