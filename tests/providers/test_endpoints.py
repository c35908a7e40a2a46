from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kcode.errors import UsageError
from kcode.providers.choice import profile_for, resolve_endpoint, resolve_model
from kcode.providers.dialects import dialect_for
from kcode.providers.endpoints import ENDPOINTS, Endpoint
from kcode.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

MOONSHOT = {"MOONSHOT_API_KEY": "sk-moon"}
OPENROUTER = {"OPENROUTER_API_KEY": "sk-or"}


def test_without_a_choice_it_is_the_endpoint_with_a_key_else_moonshot(tmp_path: Path) -> None:
    assert resolve_endpoint(Settings(), MOONSHOT | OPENROUTER).name == "moonshot"
    assert resolve_endpoint(Settings(), OPENROUTER).name == "openrouter"
    assert resolve_endpoint(Settings(), {}).name == "moonshot"
    credentials = tmp_path / "credentials"
    credentials.write_text('openrouter = "sk-or"')
    credentials.chmod(0o600)
    assert resolve_endpoint(Settings(credentials=credentials), {}).name == "openrouter"


def test_a_url_alone_is_the_custom_endpoint() -> None:
    found = resolve_endpoint(Settings(base_url="http://127.0.0.1:8000/v1/"), MOONSHOT)
    assert (found.name, found.base_url, found.host, found.is_loopback) == ("custom", "http://127.0.0.1:8000/v1", "127.0.0.1:8000", True)  # fmt: skip
    assert resolve_endpoint(Settings(base_url="https://h/v1/chat/completions"), {}).base_url == "https://h/v1"


def test_an_unknown_endpoint_names_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"moonshot, moonshot-cn, openrouter, haimaker, .*, custom"):
        resolve_endpoint(Settings(endpoint="moonshine"), {})
    with pytest.raises(UsageError, match="--base-url"):
        resolve_endpoint(Settings(endpoint="custom"), {})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "x.localhost"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert resolve_endpoint(Settings(base_url=f"http://{host}:80/v1"), {}).is_loopback


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/v1",
        "http://localhost.example.org/v1",
        "http://127.0.0.1.example.org/v1",
        "http://0.0.0.0/v1",
        "http://10.0.0.1/v1",
        "ftp://localhost/v1",
        "localhost:8000/v1",
        "/v1",
        "https://",
        "https://user:secret@example.org/v1",
        "https://example.org/v1?key=x",
        "https://example.org:port/v1",
        "https://[::1/v1",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_endpoint(Settings(base_url=url), {})
    assert "secret" not in str(caught.value)


def test_the_model_is_the_users_else_the_rows_first() -> None:
    assert resolve_model(ENDPOINTS["moonshot"], Settings()) == "kimi-k2-thinking"
    assert resolve_model(ENDPOINTS["moonshot"], Settings(model="m")) == "m"
    with pytest.raises(UsageError, match="--model"):
        resolve_model(resolve_endpoint(Settings(base_url="https://h/v1"), {}), Settings())


def test_temperature_and_ids_follow_the_model() -> None:
    moonshot, custom = ENDPOINTS["moonshot"], ENDPOINTS["custom"]
    assert dialect_for(moonshot.dialect, "kimi-k2-thinking").temperature == 1.0
    assert dialect_for(moonshot.dialect, "kimi-k2-thinking-turbo").temperature == 1.0
    assert dialect_for(moonshot.dialect, "kimi-k2.6").temperature == "omit"
    assert dialect_for(custom.dialect, "moonshotai/Kimi-K2-Thinking").tool_ids == "k2"
    assert dialect_for(custom.dialect, "qwen3-coder").tool_ids == "kept"
    assert dialect_for(custom.dialect, "our-alias", kimi=True).tool_ids == "k2"
    assert dialect_for(replace(custom.dialect, temperature=0.3), "kimi-k2-thinking").temperature == 0.3


def test_the_window_of_an_unknown_model_is_taken_carefully() -> None:
    custom = ENDPOINTS["custom"]
    assert profile_for(ENDPOINTS["moonshot"], "kimi-k2-thinking").window == 262_144
    assert profile_for(custom, "kimi-k2-thinking").window == 262_144
    assert profile_for(custom, "qwen3-coder").window == 131_072
    assert profile_for(custom, "qwen3-coder", 30_000).window == 30_000
    settings = Settings(base_url="https://h/v1", window=30_000)
    assert profile_for(resolve_endpoint(settings, {}), "kimi-k2-thinking").window == 30_000


@pytest.mark.parametrize("row", ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_every_row_is_whole(row: Endpoint) -> None:
    assert row is ENDPOINTS[row.name]
    assert row.key_name == row.name
    assert row.output_limit is not None
    assert row.output_limit >= 16_384
    if row.name == "custom":
        return
    assert not row.base_url.endswith("/")
    assert row.models
    assert all(dialect_for(row.dialect, model).tool_ids == "k2" for model in row.models)
    assert set(row.prices) <= set(row.models)
    assert all(price.date for price in row.prices.values())
    if row.is_loopback:
        assert row.prices == {}
    else:
        assert row.base_url.startswith("https://")
        assert row.key_variables
        assert row.key_page


def test_the_table_holds_every_place_that_is_promised() -> None:
    assert list(ENDPOINTS) == [
        "moonshot", "moonshot-cn", "openrouter", "haimaker", "evolink", "invoicedream",
        "vllm", "sglang", "ktransformers", "llama-cpp", "custom",
    ]  # fmt: skip
