from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect
from tests.model_server import fault, raw, reply
from tests.providers.conversations import KEY, collected, failure_of, provider_of

if TYPE_CHECKING:
    from tests.model_server import ModelServerFactory

ROOT = Path(__file__).parent.parent.parent

FAULTS: list[tuple[str, Any, str, str]] = [
    ("stream cut", reply("A long enough answer", cut_after=300), "retry", "broke in the middle"),
    ("cut before the first byte", raw(cut_after=0), "retry", "broke in the middle"),
    ("ended without finish", raw(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'), "retry", "before the reply was whole"),
    ("silence", raw(b": waiting\n\n", stall=30.0), "retry", "sent nothing for 0.3 seconds"),
    ("empty", raw(), "retry", "empty"),
    ("web page", raw(b"<html><title>Login</title>", content_type="text/html"), "retry", "web page"),
    ("json error with 200", raw(b'{"error":{"message":"boom","code":503}}', content_type="application/json"), "retry", "boom"),
    ("error in the stream", raw(b'data: {"choices":[],"error":{"code":502,"message":"gone"}}\n\n', stall=30.0), "retry", "gone"),
    ("endless line", raw(*[b"x" * 1_000_000] * 10, stall=30.0), "retry", "longer than 8 MiB"),
    ("400", fault(400, {"error": {"message": "bad"}}), "broken", "bad"),
    ("401", fault(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}), "key", "KCODE_API_KEY"),
    ("402", fault(402, {"error": {"message": "Insufficient credits"}}), "quota", "Insufficient credits"),
    ("403", fault(403, {"error": {"message": "no"}}), "refused", "no"),
    ("413", fault(413, "too large"), "overflow", "longer than the model takes"),
    ("429", fault(429, {"error": {"message": "slow down"}}, {"Retry-After": "7"}), "retry", "slow down"),
    ("500", fault(500, "<html><title>500 Oops</title></html>"), "retry", "500 Oops"),
    ("503", fault(503), "retry", "503"),
    ("529", fault(529, "overloaded"), "retry", "overloaded"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "said"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_every_fault_ends_in_a_failure_that_says_what_happened(
    model_server: ModelServerFactory, answer: Any, kind: str, said: str
) -> None:
    server = model_server([answer, reply("Again")])
    provider = provider_of(server, idle_timeout=0.3)

    async def go() -> None:
        with pytest.raises(ProviderError) as caught:
            await collected(provider)
        assert (caught.value.failure.kind, KEY in str(caught.value)) == (kind, False)
        assert said in str(caught.value)
        again = await collected(provider)
        assert again[-1].message.text == "Again"
        await provider.aclose()

    asyncio.run(go())
    assert len(server.requests) == 2


def test_a_wait_that_the_endpoint_asks_for_is_handed_on(model_server: ModelServerFactory) -> None:
    assert failure_of(provider_of(model_server([fault(429, "x", {"Retry-After": "7"})]))).retry_after == 7


def test_an_error_whose_text_never_ends_is_cut_off(model_server: ModelServerFactory) -> None:
    failure = failure_of(provider_of(model_server([fault(500, "x" * 5_000_000)])))
    assert failure.kind == "retry"
    assert len(failure.message) < 600


def test_an_unknown_model_lists_those_that_are_served(model_server: ModelServerFactory) -> None:
    answer = fault(404, {"error": {"message": "Not found the model kimi-k1", "type": "resource_not_found_error"}})
    server = model_server([answer], models=["kimi-k3", "kimi-k2.6"])
    failure = failure_of(provider_of(server, "kimi-k1"))
    assert failure.kind == "model"
    assert "It serves: kimi-k3, kimi-k2.6." in failure.message
    assert server.other_requests[0].path == "/v1/models"


def test_a_redirect_is_not_followed(model_server: ModelServerFactory) -> None:
    other = model_server([reply("Stolen")])
    server = model_server([fault(307, "", {"Location": other.url + "/chat/completions"})])
    failure = failure_of(provider_of(server))
    assert failure.kind == "broken"
    assert other.url in failure.message
    assert not other.requests


def test_a_refused_connection_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        failure = failure_of(connect(replace(ENDPOINTS["custom"], base_url=url), "m", KEY))
    assert failure.kind == "retry"
    assert failure.message.startswith(f"Could not reach {url[7:-3]}: ")
    assert "refused" in failure.message.lower()


def test_a_name_that_is_not_known_says_so() -> None:
    failure = failure_of(connect(replace(ENDPOINTS["custom"], base_url="https://nowhere.invalid/v1"), "m", KEY))
    assert failure.message.startswith("Could not reach nowhere.invalid: ")


def test_tls_with_something_that_speaks_none_says_so(model_server: ModelServerFactory) -> None:
    url = model_server([]).url.replace("http:", "https:")
    failure = failure_of(connect(replace(ENDPOINTS["custom"], base_url=url), "m", KEY))
    assert "Could not reach 127.0.0.1" in failure.message


def test_a_server_that_hangs_up_at_once_is_worth_a_retry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            for _ in range(2):  # the question for its window, and the request
                connection, _ = listening.accept()
                connection.recv(10_000)
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        assert failure_of(connect(replace(ENDPOINTS["custom"], base_url=url), "m", KEY)).kind == "retry"
        thread.join()


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    argv = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(
        argv, env=kept | environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )


def test_neither_importing_nor_connecting_imports_the_sdk() -> None:
    code = """
import sys
from kcode.providers.openai_chat import open_provider
from kcode.settings import load_settings
environment = {"MOONSHOT_API_KEY": "x", "HOME": "/nonexistent", "XDG_STATE_HOME": "/dev/null"}
open_provider(load_settings({}, environment), environment)
print([name for name in ("openai", "httpx2", "pydantic", "ssl_context") if name in sys.modules])
"""
    assert python(code).stdout == "[]\n"


def test_the_sdks_own_log_stays_silent(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi")])
    code = f"""
import asyncio
from dataclasses import replace
from kcode.messages import UserMessage
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect
provider = connect(replace(ENDPOINTS["custom"], base_url={server.url!r}), "m", "k")
async def go():
    async for delta in provider.stream([UserMessage("Hello")], []):
        pass
    await provider.aclose()
asyncio.run(go())
"""
    done = python(code, OPENAI_LOG="debug")
    assert (done.stdout, done.stderr) == ("", "")
