from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kcode.errors import UsageError
from kcode.providers.choice import resolve_endpoint
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.keys import KEYRING_MARK, FoundKey, find_key, known_keys, locate_key
from kcode.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

MOONSHOT = {"MOONSHOT_API_KEY": "sk-moon"}
OPENROUTER = {"OPENROUTER_API_KEY": "sk-or"}


def test_the_key_is_that_of_the_settings_else_the_endpoints_own(tmp_path: Path) -> None:
    moonshot = ENDPOINTS["moonshot"]
    assert find_key(moonshot, Settings(key="own"), MOONSHOT) == "own"
    assert find_key(moonshot, Settings(), MOONSHOT | OPENROUTER) == "sk-moon"
    credentials = tmp_path / "credentials"
    credentials.write_text('moonshot = "stored"\n"corp.example:8443" = "corp"')
    credentials.chmod(0o600)
    settings = Settings(credentials=credentials)
    assert find_key(moonshot, settings, MOONSHOT) == "sk-moon"
    assert find_key(moonshot, settings, {}) == "stored"
    corp = resolve_endpoint(replace(settings, base_url="https://corp.example:8443/v1"), {})
    assert find_key(corp, settings, MOONSHOT) == "corp"


@pytest.mark.parametrize("name", ["moonshot", "openrouter", None])
def test_a_vendors_key_never_goes_to_another_host(tmp_path: Path, name: str | None) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text('moonshot = "stored"\nopenrouter = "stored"\ncustom = "stored"')
    credentials.chmod(0o600)
    settings = Settings(endpoint=name, base_url="https://elsewhere.example/v1", credentials=credentials)
    with pytest.raises(UsageError, match="KCODE_API_KEY"):
        find_key(resolve_endpoint(settings, MOONSHOT), settings, MOONSHOT | OPENROUTER)


def test_an_endpoint_on_this_machine_needs_no_key() -> None:
    local = resolve_endpoint(Settings(base_url="http://localhost:8000/v1"), {})
    assert find_key(local, Settings(), MOONSHOT) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("moonshot", ["export MOONSHOT_API_KEY=", "platform.moonshot.ai", "kcode login moonshot"]),
        ("openrouter", ["export OPENROUTER_API_KEY=", "openrouter.ai/keys", "kcode login openrouter"]),
    ],
)
def test_no_key_says_which_where_to_get_one_and_where_to_put_it(tmp_path: Path, name: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        find_key(ENDPOINTS[name], Settings(credentials=tmp_path / "credentials"), {})
    assert all(part in str(caught.value) for part in said)


def test_a_key_is_found_together_with_its_source(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text('moonshot = "sk-stored-0123456789"')
    credentials.chmod(0o600)
    settings = Settings(credentials=credentials)
    moonshot = ENDPOINTS["moonshot"]

    def source(settings: Settings, environment: dict[str, str]) -> str:
        found = locate_key(moonshot, settings, environment)
        assert found is not None
        return found.source

    assert source(replace(settings, key="sk-own"), MOONSHOT) == "KCODE_API_KEY"
    assert source(settings, MOONSHOT) == "MOONSHOT_API_KEY"
    assert source(settings, {}) == str(credentials)
    assert locate_key(ENDPOINTS["openrouter"], settings, MOONSHOT) is None


def test_of_a_key_no_more_than_four_characters_are_shown() -> None:
    assert FoundKey("sk-0123456789abcdef", "x").hint == "…cdef"
    assert FoundKey("sk-01234", "x").hint == ""
    assert "0123" not in repr(FoundKey("sk-0123456789abcdef", "x"))


@pytest.mark.parametrize("key", ["sk-a b", "sk-a\nb", "sk-ä", "sk-\x1b[A", KEYRING_MARK])
def test_what_can_be_no_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_key(ENDPOINTS["moonshot"], Settings(key=key), {})
    assert key not in str(caught.value)


def test_all_keys_that_can_be_seen_are_known(tmp_path: Path) -> None:
    stored = tmp_path / "credentials"
    stored.write_text(f'moonshot = "sk-stored"\nopenrouter = "{KEYRING_MARK}"\n')
    stored.chmod(0o600)
    environment = {"OPENROUTER_API_KEY": " sk-variable ", "HOME": "/nonexistent", "XDG_STATE_HOME": "/dev/null"}
    found = known_keys(ENDPOINTS.values(), Settings(key="sk-own", credentials=stored), environment)
    assert found == ["sk-own", "sk-stored", "sk-variable"]
