from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.providers.chunked import ChunkJoiner, JoiningBackend
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.sdk import SdkTransport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"

bodies = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
cuts = st.lists(st.integers(0, 400), max_size=12)


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%X%b\r\n%b\r\n" % (len(data), extension, data)


def cut_at(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place for place in places if place < len(data))})
    return [data[start:end] for start, end in pairwise(edges)]


def joined(pieces: Sequence[bytes]) -> list[bytes]:
    joiner = ChunkJoiner()
    return [out for piece in pieces if (out := joiner.join(piece))]


def read(pieces: Sequence[bytes]) -> tuple[bytes, str, list[int]]:
    """What the HTTP library makes of these reads: the body, how it ended, and the length of each piece of it."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    waiting = [*pieces, b""]
    found: list[bytes] = []
    while True:
        try:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(waiting.pop(0))
                continue
        except h11.RemoteProtocolError:
            return b"".join(found), "refused", list(map(len, found))
        if isinstance(event, h11.Data):
            found.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            return b"".join(found), f"whole, {len(event.headers)} trailers", list(map(len, found))


@given(bodies, st.sampled_from([b"", b" ", b";name=value"]), st.sampled_from([b"", b"x-sum: 1\r\n"]), cuts)
def test_the_body_is_the_same_however_it_is_cut(
    body: list[bytes], extension: bytes, trailer: bytes, places: list[int]
) -> None:
    sent = HEAD + b"".join(chunk(data, extension) for data in body) + b"0\r\n" + trailer + b"\r\n"
    found, end, _ = read(joined(cut_at(sent, places)))
    assert (found, end) == (b"".join(body), f"whole, {1 if trailer else 0} trailers")


@given(bodies, st.integers(0, 200), st.binary(max_size=3), st.integers(0, 3), cuts)
def test_what_is_damaged_is_refused_as_it_would_have_been(
    body: list[bytes], place: int, put: bytes, taken: int, places: list[int]
) -> None:
    rest = b"".join(map(chunk, body)) + b"0\r\n\r\n"
    sent = HEAD + rest[:place] + put + rest[place + taken :]
    pieces = cut_at(sent, places)
    assert read(joined(pieces))[:2] == read(pieces)[:2]


def test_chunks_that_came_together_are_handed_on_as_one() -> None:
    body = [b"data: %d\n\n" % number for number in range(100)]
    sent = HEAD + b"".join(map(chunk, body)) + b"0\r\n\r\n"
    assert read(joined([sent]))[2] == [len(b"".join(body))]
    assert read(joined(cut_at(sent, [500, 900])))[2:] != read([sent])[2:]
    assert len(read(joined(cut_at(sent, [500, 900])))[2]) == 3


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n" * 10_000,
    ],
)
def test_what_is_no_chunked_answer_passes_as_it_is(sent: bytes) -> None:
    assert b"".join(joined(cut_at(sent, range(0, 400, 7)))) == sent


def test_an_interim_answer_comes_before_the_real_one() -> None:
    sent = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + HEAD + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n"
    assert joined([sent])[0].endswith(b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


def test_each_request_of_a_connection_has_an_answer_of_its_own() -> None:
    joiner = ChunkJoiner()
    plain = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n1\r\na\r\n1\r\nb\r\n"
    whole = HEAD + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n"
    for sent, expected in (
        (whole, HEAD + b"2\r\nab\r\n0\r\n\r\n"),
        (plain, plain),
        (whole, HEAD + b"2\r\nab\r\n0\r\n\r\n"),
    ):
        joiner.expect_response()
        assert joiner.join(sent) == expected


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "https://api.moonshot.ai/v1"])
def test_the_http_library_still_lets_its_connections_be_replaced(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    endpoint = replace(ENDPOINTS["custom"], base_url=base_url)
    client: Any = SdkTransport(endpoint, "key", 1.0, "0")._connect()._client
    transports = [client._transport, *client._mounts.values()]
    assert len(transports) == (1 if endpoint.is_loopback else 2)
    assert all(isinstance(transport._pool._network_backend, JoiningBackend) for transport in transports)
