"""Endpoints of the user's own, in config.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import UsageError
from kcode.pricing import Price
from kcode.providers.choice import known_endpoints, profile_for, resolve_endpoint, resolve_model
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.keys import find_key
from kcode.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.settings import Settings

CORP = """
[endpoints.corp]
title = "Corp"
base_url = "https://llm.corp.example/v1/"
key_variable = "CORP_KEY"
models = ["k2-thinking"]
window = 100000
output_limit = 20000
kimi = true

[endpoints.corp.dialect]
reasoning_out = "reasoning"
temperature = 1
empty_content = "null"
headers = { X-Team = "tools" }

[endpoints.corp.prices."k2-thinking"]
input = 0.5
output = 2
cached = 0.1
"""


def settings_of(folder: Path, text: str, **flags: object) -> Settings:
    config = folder / "config.toml"
    config.write_text(text, encoding="utf-8")
    return load_settings(flags, {}, config=config)


def test_a_row_of_the_users_own_has_all_that_a_row_of_the_table_has(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, CORP, endpoint="corp")
    corp = resolve_endpoint(settings, {})
    assert (corp.title, corp.base_url, corp.host) == ("Corp", "https://llm.corp.example/v1", "llm.corp.example")
    assert find_key(corp, settings, {"CORP_KEY": "own", "MOONSHOT_API_KEY": "vendor"}) == "own"
    profile = profile_for(corp, resolve_model(corp, settings))
    assert (profile.window, profile.output_limit) == (100_000, 20_000)
    dialect = profile.dialect
    assert (dialect.reasoning_out, dialect.temperature, dialect.empty_content) == ("reasoning", 1.0, "null")
    assert (dialect.tool_ids, dict(dialect.headers)) == ("k2", {"X-Team": "tools"})
    assert corp.prices == {"k2-thinking": Price(0.5, 2.0, 0.1)}


def test_its_key_is_stored_under_its_name(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, CORP, endpoint="corp")
    (tmp_path / "credentials").write_text('corp = "stored"\nmoonshot = "vendor"')
    (tmp_path / "credentials").chmod(0o600)
    assert find_key(resolve_endpoint(settings, {}), settings, {}) == "stored"


def test_the_endpoint_with_a_key_is_found_among_the_users_own_first(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, CORP)
    assert resolve_endpoint(settings, {"CORP_KEY": "k", "MOONSHOT_API_KEY": "m"}).name == "corp"
    assert resolve_endpoint(settings, {"MOONSHOT_API_KEY": "m"}).name == "moonshot"


def test_a_row_of_the_table_is_changed_in_place_and_keeps_the_rest(tmp_path: Path) -> None:
    text = """
    [endpoints.openrouter.dialect.body.provider]
    only = ["novita"]
    [endpoints.openrouter.prices."moonshotai/kimi-k2-thinking"]
    input = 1
    output = 3
    """
    row = known_endpoints(settings_of(tmp_path, text))["openrouter"]
    table = ENDPOINTS["openrouter"]
    assert row.dialect.body == {**table.dialect.body, "provider": {"only": ["novita"]}}
    assert row.dialect.headers == table.dialect.headers
    assert row.prices["moonshotai/kimi-k2-thinking"] == Price(1.0, 3.0)
    assert (row.base_url, row.key_variables) == (table.base_url, table.key_variables)
    assert list(known_endpoints(settings_of(tmp_path, text))) == list(ENDPOINTS)


def test_a_vendors_key_does_not_follow_its_row_to_another_host(tmp_path: Path) -> None:
    text = '[endpoints.moonshot]\nbase_url = "https://elsewhere.example/v1"'
    settings = settings_of(tmp_path, text, endpoint="moonshot")
    (tmp_path / "credentials").write_text('moonshot = "vendor"')
    (tmp_path / "credentials").chmod(0o600)
    with pytest.raises(UsageError, match=r"elsewhere\.example"):
        find_key(resolve_endpoint(settings, {}), settings, {"MOONSHOT_API_KEY": "vendor"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("endpoints = 1", "must be tables"),
        ("[endpoints]\ncorp = 1", "holds a table"),
        ('[endpoints."Corp"]\nbase_url = "https://h/v1"', "small letters"),
        ("[endpoints.corp]", "needs a base_url"),
        ('[endpoints.corp]\nbase_url = "http://h.example/v1"', "not encrypted"),
        ('[endpoints.corp]\nbase_url = "https://h/v1"\nkey = "sk-secret"', "there is no key"),
        ('[endpoints.corp]\nbase_url = "https://h/v1"\nmodels = "m"', "a list of ids"),
        ('[endpoints.corp]\nbase_url = "https://h/v1"\nwindow = 10', "at least 1024"),
        ("[endpoints.moonshot.dialect]\nreasoning = 1", "there is no reasoning. Known: reasoning_out"),
        ('[endpoints.moonshot.dialect]\nreasoning_out = "loud"', "one of as_it_came, reasoning_content"),
        ("[endpoints.moonshot.dialect]\ntemperature = true", "a number from 0 to 2"),
        ("[endpoints.moonshot.dialect]\ntemperature = 3", "a number from 0 to 2"),
        ('[endpoints.moonshot.dialect.headers]\nAuthorization = "x"', "without Authorization"),
        ('[endpoints.moonshot.dialect.headers]\nX = "a\\nHost: b"', "without Authorization"),
        ('[endpoints.moonshot.dialect.body]\ntool_choice = "required"', "without model"),
        ('[endpoints.moonshot.dialect]\nmax_tokens_key = "max"', "one of max_completion_tokens"),
        ("[endpoints.moonshot]\nweb_search = true", "must be false or a table"),
        ("[endpoints.moonshot.web_search]\ndeclaration = {}", "a table with a type"),
        ("[endpoints.moonshot.prices.m]\ninput = 1", "needs input and output"),
        ("[endpoints.moonshot.prices.m]\ninput = -1\noutput = 1", "US dollars"),
        ("[endpoints.moonshot.prices.m]\ninput = 1\noutput = 1\nreads = 1", "there is no reads"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_endpoint(settings_of(tmp_path, text), {})
    assert said in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_only_the_users_own_file_holds_endpoints() -> None:
    tables: dict[str, Any] = {"corp": {"base_url": "https://evil.example/v1"}}
    with pytest.raises(UsageError, match="no setting endpoints"):
        load_settings({"endpoints": tables}, {})
    assert load_settings({}, {"KCODE_ENDPOINTS": "corp"}).endpoints == {}
