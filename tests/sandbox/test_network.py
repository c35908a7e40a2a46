from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.place import Place

CONNECT = """
import ast, socket, sys
family, address = int(sys.argv[1]), ast.literal_eval(sys.argv[2])
with socket.socket(family, int(sys.argv[3])) as client:
    client.settimeout(2)
    try:
        client.connect(address)
        client.send(b"hello")
    except OSError as error:
        print("refused", error)
    else:
        print("sent")
"""


@contextlib.contextmanager
def listener(family: int, kind: int, address: str | tuple[str, int]) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as server:
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        server.settimeout(0.05)
        yield server


def connect(place: Place, server: socket.socket) -> str:
    return place.python(CONNECT, str(int(server.family)), repr(server.getsockname()), str(int(server.type))).output


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def test_a_server_of_this_machine_is_not_reached(place: Place, kind: int) -> None:
    with listener(socket.AF_INET, kind, ("127.0.0.1", 0)) as server:
        connect(place, server)
        with pytest.raises(TimeoutError):
            server.accept() if kind == socket.SOCK_STREAM else server.recv(10)


def test_there_is_no_way_out(place: Place) -> None:
    result = place.python(CONNECT, str(int(socket.AF_INET)), "('192.0.2.1', 80)", str(int(socket.SOCK_STREAM)))
    assert "Network is unreachable" in result.output


def test_an_abstract_unix_socket_is_not_reached(place: Place, mark: str) -> None:
    with listener(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{mark}") as server:
        assert "refused" in connect(place, server)


def test_a_unix_socket_that_someone_listens_on_is_not_reached(place: Place) -> None:
    # Such as docker's, or that of an ssh agent in an unusual place; a read-only mount alone does not protect it.
    place_of_agent = place.home / "agent"
    place_of_agent.mkdir()
    with listener(socket.AF_UNIX, socket.SOCK_STREAM, str(place_of_agent / "s")) as server:
        assert "refused" in connect(place, server)


def test_a_datagram_unix_socket_is_not_reached(place: Place) -> None:
    with listener(socket.AF_UNIX, socket.SOCK_DGRAM, str(place.home / "log")) as server:
        assert "refused" in connect(place, server)


def test_a_socket_that_the_environment_names_is_not_reached(place: Place) -> None:
    with tempfile.TemporaryDirectory(prefix="agent ", dir="/tmp") as folder:
        path = str(Path(folder, "agent.1"))
        with listener(socket.AF_UNIX, socket.SOCK_STREAM, path) as server:
            named = place.with_environment(SSH_AUTH_SOCK=path, DOCKER_HOST=f"unix://{path}")
            assert "refused" in connect(named, server)
            assert path not in named.sh("env").output


def test_families_that_no_namespace_confines_cannot_be_used(place: Place) -> None:
    # vsock reaches the host of a virtual machine, alg the kernel's ciphers.
    script = (
        "import socket, sys\nfor f in (38, 40, 17):\n try: socket.socket(f, 1)\n except OSError as e: print(e.errno)"
    )
    assert place.python(script).output == "97\n97\n97\n"
