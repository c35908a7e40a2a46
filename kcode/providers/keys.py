"""Which key goes to an endpoint, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.errors import NoKeyError, UsageError
from kcode.providers.system_keyring import read_secret
from kcode.settingsfiles import read_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.providers.endpoints import Endpoint
    from kcode.settings import Settings

# What the credentials file holds for a key that lies in the keyring. With its blanks it can be no key.
KEYRING_MARK = "in the keyring"
_KEY_VARIABLE = "KCODE_API_KEY"
_SHORTEST_SHOWN, _SHOWN = 12, 4


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key, and in words where it was found."""

    text: str = field(repr=False)
    source: str

    @property
    def hint(self) -> str:
        """The key's last four characters, by which its owner knows it; "" for a key too short to show any of it."""
        return f"…{self.text[-_SHOWN:]}" if len(self.text) >= _SHORTEST_SHOWN else ""


def find_key(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> str | None:
    """The key for this endpoint, and for no other: `KCODE_API_KEY`, the endpoint's own variable, what login stored.

    None for an endpoint on this machine that has none. NoKeyError says where to get a key and where to put it.
    """
    if found := locate_key(endpoint, settings, environment):
        return found.text
    if endpoint.is_loopback:
        return None
    raise NoKeyError(missing_key(endpoint))


def locate_key(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> FoundKey | None:
    """As `find_key`, with the key's source; None also where the endpoint wants a key and there is none."""
    found = _locate(endpoint, settings, environment)
    if found is not None:
        check_form(found.text, endpoint)
    return found


def _locate(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> FoundKey | None:
    if settings.key:
        return FoundKey(settings.key, _KEY_VARIABLE)
    for variable in endpoint.key_variables:
        if key := environment.get(variable, "").strip():
            return FoundKey(key, variable)
    if settings.credentials is None:
        return None
    name = endpoint.key_name
    stored = read_credentials(settings.credentials).get(name)
    if stored == KEYRING_MARK:
        return FoundKey(_from_keyring(name, endpoint), "the keyring")
    return FoundKey(stored, str(settings.credentials)) if stored else None


def known_keys(endpoints: Iterable[Endpoint], settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """The keys that can be seen without asking the keyring, for texts in which none of them may stand."""
    stored = read_credentials(settings.credentials).values() if settings.credentials is not None else ()
    variables = {variable for endpoint in endpoints for variable in endpoint.key_variables}
    found = {settings.key or "", *stored, *(environment.get(variable, "").strip() for variable in variables)}
    return sorted(found - {"", KEYRING_MARK})


def _from_keyring(name: str, endpoint: Endpoint) -> str:
    try:
        key = read_secret(name)
    except UsageError as error:
        raise UsageError(f"The key for {endpoint.title} lies in the keyring. {error}") from None
    if not key:
        raise UsageError(
            f"The keyring no longer holds the key for {endpoint.title}. Store it again: {login_command(endpoint)}"
        )
    return key


def missing_key(endpoint: Endpoint) -> str:
    """What to tell a user who has no key for the endpoint: where one is had, and where to put it."""
    lines = [f"There is no key for {endpoint.title} ({endpoint.host})."]
    if endpoint.key_page:
        lines.append(f"Get one at {endpoint.key_page}.")
    variable = next(iter(endpoint.key_variables), _KEY_VARIABLE)
    lines.append(f"Then store it: {login_command(endpoint)}")
    lines.append(f"Or set it in the environment: export {variable}=…")
    return "\n".join(lines)


def login_command(endpoint: Endpoint) -> str:
    """What the user types to store a key for the endpoint."""
    return f"kcode login {endpoint.name if endpoint.keeps_its_host else f'--base-url {endpoint.base_url}'}"


def check_form(key: str, endpoint: Endpoint) -> None:
    """Raise UsageError for what can be no key. The HTTP library's error for it would show the key."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"The key for {endpoint.title} ({endpoint.host}) holds a blank, a line break or a letter that is not "
            "ASCII, as no key does. Copy it again, whole and alone."
        )
