"""What the user set: flags, then the environment, then `~/.config/kcode/config.toml`. Never the repository."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from kcode.errors import UsageError
from kcode.folders import config_folder
from kcode.settingsfiles import read_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Color = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Plain values; `kcode.providers.endpoints` makes an endpoint and its key of them.

    `endpoint`, `base_url` and `model` are None where the user named none. `key` is `KCODE_API_KEY`, and only where it
    belongs to the endpoint chosen. Times are in seconds, `max_cost` in US dollars, `window` in tokens. `endpoints` are the
    tables `[endpoints.NAME]` of the file as they stand there.
    """

    endpoint: str | None = None
    base_url: str | None = None
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    window: int | None = None
    max_steps: int = 300
    max_cost: float | None = None
    timeout: float | None = None
    idle_timeout: float = 120.0
    color: Color = "auto"
    credentials: Path | None = None
    web_search: bool = False
    endpoints: Mapping[str, Any] = field(default_factory=dict)


_TEXTS = ("endpoint", "base_url", "model")
_COUNTS = ("max_steps", "window")
_AMOUNTS = ("max_cost", "timeout", "idle_timeout")
_COLORS = ("auto", "always", "never")
_NAMES = (*_TEXTS, *_COUNTS, *_AMOUNTS, "color", "web_search")
_KEY_VARIABLE = "KCODE_API_KEY"


def load_settings(
    flags: Mapping[str, object], environment: Mapping[str, str], *, config: Path | None = None
) -> Settings:
    """Put the three sources together; a value of None in `flags` means that the flag was not given.

    The endpoint, its base URL and its model are one choice: what a lower source says of another endpoint does not mix
    with it. Raises UsageError that names the source and the value.
    """
    path = config or config_folder(environment) / "config.toml"
    in_file, endpoints = _from_file(path)
    sources = [
        (_flag, _only_known(flags, "The program's flags")),
        (_variable, _from_environment(environment)),
        (lambda name: f"{path}: {name}", in_file),
    ]
    values: dict[str, Any] = {}
    chosen = next((i for i, (_, found) in enumerate(sources) if {"endpoint", "base_url"} & found.keys()), len(sources))
    for i, (spell, found) in enumerate(sources):
        for name, value in found.items():
            if name in values or (i > chosen and name in {"endpoint", "base_url", "model", "window"}):
                continue
            values[name] = _checked(name, value, spell(name))
    # A key set for one endpoint in the environment is not sent to another that a flag names.
    key_belongs = chosen != 0 or not {"endpoint", "base_url"} & sources[1][1].keys()
    key = environment.get(_KEY_VARIABLE, "").strip() if key_belongs else ""
    return Settings(key=key or None, credentials=path.parent / "credentials", endpoints=endpoints, **values)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return "KCODE_" + name.upper()


def _only_known(found: Mapping[str, object], source: str) -> dict[str, object]:
    if unknown := sorted(set(found) - set(_NAMES)):
        secret = any("key" in name or "token" in name for name in unknown)
        advice = (
            " Keys of endpoints stand in the file `credentials` beside it, or in the environment." if secret else ""
        )
        raise UsageError(
            f"{source}: there is no setting {', '.join(unknown)}. Known settings: {', '.join(_NAMES)}.{advice}"
        )
    return {name: value for name, value in found.items() if value is not None}


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        name: environment[_variable(name)] for name in _NAMES if environment.get(_variable(name), "").strip()
    }
    # https://no-color.org: any value but the empty one.
    if environment.get("NO_COLOR") and "color" not in found:
        found["color"] = "never"
    return found


def _from_file(path: Path) -> tuple[dict[str, object], dict[str, Any]]:
    """The plain settings, and the tables of endpoints, which only the file can hold."""
    found = read_config(path)
    found.pop("interface", None)  # read by the interface alone, so that a mistake in it stops nothing else
    endpoints = found.pop("endpoints", {})
    if not isinstance(endpoints, dict):
        raise UsageError(f"{path}: endpoints must be tables, [endpoints.NAME], not {endpoints!r}.")
    return _only_known(found, str(path)), endpoints


def _checked(name: str, value: object, source: str) -> object:
    if name in _COUNTS:
        return _count(value, source)
    if name in _AMOUNTS:
        return _amount(value, source)
    if name == "web_search":
        return _switch(value, source)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{source} must be text, not {value!r}.")
    if name == "color" and value not in _COLORS:
        raise UsageError(f"{source} must be one of {', '.join(_COLORS)}, not {value!r}.")
    return value.strip()


def _switch(value: object, source: str) -> bool:
    switch = {"1": True, "true": True, "0": False, "false": False}.get(str(value).strip().lower())
    if switch is None:
        raise UsageError(f"{source} must be true or false, not {value!r}.")
    return switch


def _count(value: object, source: str) -> int:
    try:
        count = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else 0
    except ValueError:
        count = 0
    if count < 1:
        raise UsageError(f"{source} must be a whole number above 0, not {value!r}.")
    return count


def _amount(value: object, source: str) -> float:
    try:
        amount = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount) or amount <= 0:
        raise UsageError(f"{source} must be a number above 0, not {value!r}.")
    return amount
