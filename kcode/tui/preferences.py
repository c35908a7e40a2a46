"""What the user sets for the interface: the table `[interface]` of `config.toml`, read and changed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kcode.errors import UsageError
from kcode.nearest import nearest_paths
from kcode.settingsfiles import read_config, read_config_text
from kcode.tui.keys import read_keymap
from kcode.tui.texts import LANGUAGES
from kcode.tui.themes import DEFAULT_THEME, theme_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.tui.blocks.reasoning import Reasoning

Notifications = Literal["off", "bell", "osc9"]
SideBySide = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """`keys` are the user's own by the action's id. `reasoning` says how it stands once the answer begins.

    `wrap` and `side_by_side` are about diffs; `linear` draws no boxes and no marks that a screen reader stumbles over.
    """

    theme: str = DEFAULT_THEME
    language: str = "auto"
    vim: bool = False
    mouse: bool = True
    notifications: Notifications = "bell"
    reasoning: Reasoning = "collapsed"
    wrap: bool = False
    side_by_side: SideBySide = "auto"
    linear: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


def choices_of(name: str) -> tuple[str, ...] | None:
    """What a preference may be; None for one that is on or off, and for the keys."""
    return {
        "theme": tuple(theme_names()),
        "language": ("auto", *LANGUAGES),
        "notifications": ("off", "bell", "osc9"),
        "reasoning": ("open", "collapsed", "hidden"),
        "side_by_side": ("auto", "always", "never"),
    }.get(name)


def load_preferences(path: Path) -> Preferences:
    """Read them from the settings file. UsageError that names the file, the preference and what it may be."""
    return read_preferences(read_config(path).get("interface", {}), f"{path}: [interface]")


def read_preferences(table: object, source: str) -> Preferences:
    if not isinstance(table, dict):
        raise UsageError(f"{source} must be a table, not {table!r}.")
    known = [one.name for one in fields(Preferences)]
    for name in table:
        if name not in known:
            near = nearest_paths(name, known, most=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(known)}."
            raise UsageError(f"{source}: there is no preference {name}.{hint}")
    return Preferences(**{name: _checked(name, value, source) for name, value in table.items()})


def _checked(name: str, value: Any, source: str) -> Any:
    if name == "keys":
        if not isinstance(value, dict):
            raise UsageError(f'{source}: keys must be a table, [interface.keys], with lines such as name = "ctrl+g".')
        return read_keymap(value, f"{source.removesuffix(']')}.keys]")
    choices = choices_of(name)
    if choices is None:
        if not isinstance(value, bool):
            raise UsageError(f"{source}: {name} must be true or false, not {value!r}.")
        return value
    if value not in choices:
        near = nearest_paths(value, choices, most=1) if isinstance(value, str) else []
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"{source}: {name} must be one of {', '.join(choices)}, not {value!r}.{hint}")
    return value


def save_preference(path: Path, name: str, value: str | bool | Mapping[str, str]) -> Preferences:
    """Change one preference in the file and nothing else there: comments, order and other tables stay.

    Returns what then holds. UsageError for a value that cannot be, and for a file that cannot be written; it is then
    unchanged.
    """
    import tomlkit  # noqa: PLC0415 - only where something is changed
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    from kcode.draft.disk import write_whole  # noqa: PLC0415

    load_preferences(path)
    read_preferences({name: value}, f"{path}: [interface]")
    text = read_config_text(path)
    try:
        document = tomlkit.parse(text)
        table: Any = document.setdefault("interface", tomlkit.table())
        if name == "keys" and isinstance(value, dict):
            own: Any = table.setdefault("keys", tomlkit.table())
            for gone in set(own) - set(value):
                del own[gone]
            own.update(value)
        else:
            table[name] = value
        changed = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise UsageError(f"{path} cannot be changed by kcode: {error}. Set {name} there by hand.") from None
    preferences = _preferences_in(changed, path)
    try:
        # Where the file is a link into a folder of the user's settings, what it leads to is changed.
        write_whole(Path(os.path.realpath(path)), changed.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. {name} was not kept.") from None
    return preferences


def _preferences_in(text: str, path: Path) -> Preferences:
    """What the changed text means, before it takes the file's place."""
    import tomllib  # noqa: PLC0415

    return read_preferences(tomllib.loads(text)["interface"], f"{path}: [interface]")
