"""The endpoints and their keys as one user has them: where each key comes from, and a new one checked and stored."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kcode.errors import UsageError
from kcode.providers.choice import known_endpoints, resolve_endpoint
from kcode.providers.credentials import store_key
from kcode.providers.keycheck import check_key
from kcode.providers.keys import KEYRING_MARK, FoundKey, check_form
from kcode.settings import load_settings
from kcode.settingsfiles import read_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kcode.providers.endpoints import Endpoint
    from kcode.providers.keycheck import KeyCheck

EVERYWHERE = "KCODE_API_KEY"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """Where an endpoint's key comes from; `hint` is its end, by which its owner knows it. Never the key."""

    place: Literal["variable", "keyring", "file", "not needed", "nowhere"]
    variable: str = ""
    hint: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether a request can be sent with it."""
        return self.place != "nowhere"


def held_key(row: Endpoint, stored: Mapping[str, str], environment: Mapping[str, str]) -> HeldKey:
    """Where the row's key comes from: its own variable, or what the credentials file holds of it."""
    for variable in row.key_variables:
        if key := environment.get(variable, "").strip():
            return HeldKey("variable", variable, FoundKey(key, variable).hint)
    found = stored.get(row.key_name)
    if found is None:
        return HeldKey("not needed" if row.is_loopback else "nowhere")
    return held_in_file(found)


def held_in_file(value: str) -> HeldKey:
    """What an entry of the credentials file says of its key."""
    return HeldKey("keyring") if value == KEYRING_MARK else HeldKey("file", hint=FoundKey(value, "").hint)


class Logins:
    """Reads the settings and the credentials file anew at each call; UsageError where one of them cannot be read."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.environment = environment

    @property
    def credentials(self) -> Path:
        """The file that the keys lie in, or what says that they lie in the keyring."""
        path = load_settings({}, self.environment).credentials
        assert path is not None  # load_settings always says where
        return path

    def stored(self) -> dict[str, str]:
        """The entries of the credentials file."""
        return read_credentials(self.credentials)

    def endpoints(self) -> list[Endpoint]:
        """The endpoints that have a URL, the user's own among them."""
        return [row for row in known_endpoints(load_settings({}, self.environment)).values() if row.base_url]

    def current(self) -> Endpoint:
        """The endpoint that a run without flags takes."""
        return resolve_endpoint(load_settings({}, self.environment), self.environment)

    def at(self, url: str) -> Endpoint:
        """The custom endpoint at this URL; UsageError for one that kcode does not talk to."""
        settings = replace(load_settings({}, self.environment), endpoint=None, base_url=url.strip())
        if not settings.base_url:
            raise UsageError("A base URL is needed. It looks like https://HOST/v1.")
        return resolve_endpoint(settings, self.environment)

    async def check(self, endpoint: Endpoint, key: str, model: str | None = None) -> KeyCheck:
        """Whether the endpoint takes the key; UsageError for what can be no key, which is not sent anywhere."""
        check_form(key, endpoint)
        return await check_key(endpoint, key, model)

    def store(self, endpoint: Endpoint, key: str) -> str:
        """Store the key for this endpoint; returns in words where it lies."""
        check_form(key, endpoint)
        return store_key(self.credentials, endpoint.key_name, key)

    def variable_before(self, endpoint: Endpoint) -> str:
        """The variable whose key comes before a stored one; "" where none is set."""
        names = (EVERYWHERE, *endpoint.key_variables)
        return next((name for name in names if self.environment.get(name, "").strip()), "")
