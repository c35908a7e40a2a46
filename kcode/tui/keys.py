"""Every key of the interface in one table: the bindings of the screens, the help and the user's own keys come from it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from kcode.errors import UsageError
from kcode.nearest import nearest_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.binding import BindingType

    from kcode.tui.texts import Texts

_MODIFIER = re.compile(r"(?:(?:ctrl|alt|shift|super|meta|hyper)\+)*")
_PRINTED = {
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
}
_FUNCTION_KEY = re.compile(r"f\d{1,2}")
# In these the user types text, so that a key without a modifier is a letter of it.
_TYPED_INTO = frozenset({"composer", "app"})


@dataclass(frozen=True, slots=True)
class Key:
    """`keys` by default, separated by commas; `action` is Textual's, in what shows the scope; the text is `keys.ID`."""

    id: str
    keys: str
    action: str
    scope: str
    priority: bool = False


KEYS: tuple[Key, ...] = (
    Key("help", "f1", "open('help')", "app"),
    Key("review", "f2", "open('review')", "app"),
    Key("find", "f3", "find", "app"),
    Key("draft-pane", "f4", "toggle_draft", "app"),
    # The text area below has uses of its own for these.
    Key("sessions", "f6", "open('sessions')", "app", priority=True),
    Key("context", "f7", "open('context')", "app", priority=True),
    Key("thoughts", "ctrl+t", "in_transcript('toggle_all', 'reasoning')", "app"),
    Key("outputs", "ctrl+o", "in_transcript('toggle_all', 'output')", "app"),
    Key("page-up", "pageup", "in_transcript('page', -1)", "app", priority=True),
    Key("page-down", "pagedown", "in_transcript('page', 1)", "app", priority=True),
    Key("top", "ctrl+home", "in_transcript('end', -1)", "app", priority=True),
    Key("bottom", "ctrl+end", "in_transcript('end', 1)", "app", priority=True),
    Key("block-up", "ctrl+up,alt+up", "in_transcript('step', -1)", "app"),
    Key("block-down", "ctrl+down,alt+down", "in_transcript('step', 1)", "app"),
    Key("leave", "ctrl+c", "leave", "app", priority=True),
    Key("palette", "ctrl+p", "palette", "app"),
    Key("composer-send", "enter", "send", "composer"),
    Key("composer-newline", "ctrl+j,shift+enter,alt+enter", "newline", "composer"),
    Key("composer-interrupt", "escape", "interrupt", "composer"),
    Key("composer-end", "ctrl+d", "delete_or_end", "composer"),
    Key("composer-complete", "tab", "complete", "composer"),
    Key("composer-older", "up", "older", "composer"),
    Key("composer-newer", "down", "newer", "composer"),
    Key("composer-search", "ctrl+r", "search_history", "composer"),
    Key("composer-editor", "ctrl+g", "edit_outside", "composer"),
    Key("composer-unfold", "alt+p", "unfold", "composer"),
    Key("composer-undo", "ctrl+z,ctrl+underscore", "undo", "composer"),
    Key("composer-redo", "alt+z,ctrl+shift+z", "redo", "composer"),
    Key("composer-left", "ctrl+b", "cursor_left", "composer"),
    Key("composer-right", "ctrl+f", "cursor_right", "composer"),
    Key("composer-word-left", "alt+b,ctrl+left,alt+left", "cursor_word_left", "composer"),
    Key("composer-word-right", "alt+f,ctrl+right,alt+right", "cursor_word_right", "composer"),
    Key("composer-kill-line", "ctrl+u", "kill_to_start", "composer"),
    Key("composer-kill-rest", "ctrl+k", "kill_to_end", "composer"),
    Key("composer-kill-word", "ctrl+w,alt+backspace,ctrl+backspace", "kill_word_left", "composer"),
    Key("composer-kill-next-word", "alt+d,alt+delete", "kill_word_right", "composer"),
    Key("composer-yank", "ctrl+y", "yank", "composer"),
    Key("sheet-close", "escape,q", "close", "sheet"),
    Key("sessions-filter", "slash", "filter", "sessions"),
    Key("sessions-fork", "f", "fork", "sessions"),
    Key("sessions-rename", "r", "rename", "sessions"),
    Key("sessions-export", "e", "export", "sessions"),
    Key("context-keep", "p", "pin", "context"),
    Key("context-drop", "d", "drop", "context"),
    Key("context-compact", "c", "compact", "context"),
    Key("help-filter", "slash", "filter", "help"),
    Key("settings-next", "right,l,space", "change(1)", "settings"),
    Key("settings-previous", "left,h", "change(-1)", "settings"),
    Key("journal-undo", "u", "reverse('undo')", "journal"),
    Key("journal-redo", "r", "reverse('redo')", "journal"),
    Key("journal-read", "tab", "read", "journal"),
    Key("first-run-key", "c", "enter_key", "first-run"),
    Key("first-run-demo", "d", "demo", "first-run"),
    Key("review-next-hunk", "j,n", "step(1)", "review"),
    Key("review-previous-hunk", "k,p", "step(-1)", "review"),
    Key("review-next-file", "J,tab", "step_file(1)", "review"),
    Key("review-previous-file", "K,shift+tab", "step_file(-1)", "review"),
    Key("review-side-by-side", "v", "toggle_split", "review"),
    Key("review-blanks", "b", "toggle_blanks", "review"),
    Key("review-wrap", "W", "toggle_wrap", "review"),
    Key("review-folds", "z", "toggle_folds(False)", "review"),
    Key("review-all-folds", "Z", "toggle_folds(True)", "review"),
    Key("review-filter", "slash", "filter", "review"),
    Key("review-files", "l", "list_files", "review"),
    Key("review-side-down", "shift+down", "scroll_side(1)", "review"),
    Key("review-side-up", "shift+up", "scroll_side(-1)", "review"),
    Key("review-help", "question_mark", "help", "review"),
    Key("review-toggle", "space", "toggle('*')", "review"),
    Key("review-accept", "a", "accept('*')", "review"),
    Key("review-reject", "x,r", "reject('*')", "review"),
    Key("review-accept-file", "A", "decide_file(True)", "review"),
    Key("review-reject-file", "R", "decide_file(False)", "review"),
    Key("review-accept-all", "ctrl+a", "accept_all", "review"),
    Key("review-undo-decision", "u", "undo_decision", "review"),
    Key("review-split", "s", "split", "review"),
    Key("review-cut-down", "j,down", "move_cut(1)", "review-cut", priority=True),
    Key("review-cut-up", "k,up", "move_cut(-1)", "review-cut", priority=True),
    Key("review-keep-cut", "enter", "keep_cut", "review-cut", priority=True),
    Key("review-leave-cut", "escape", "leave_cut", "review-cut", priority=True),
    Key("review-edit", "e", "edit", "review"),
    Key("review-edit-outside", "E", "edit_outside", "review"),
    Key("review-comment", "c", "comment", "review"),
    Key("review-why", "w", "why", "review"),
    Key("review-test", "t", "test(False)", "review"),
    Key("review-test-pending", "T", "test(True)", "review"),
    Key("review-cancel-test", "ctrl+x", "cancel_test", "review"),
    Key("review-apply", "enter,ctrl+s", "apply", "review"),
    Key("review-undo", "ctrl+z", "take_back('undo')", "review"),
    Key("review-redo", "ctrl+y", "take_back('redo')", "review"),
    Key("review-close", "escape,q", "close", "review"),
)

_BY_ID = {key.id: key for key in KEYS}


def bindings_for(scope: str, keys: Iterable[Key] = KEYS) -> list[BindingType]:
    """What a screen or widget has as BINDINGS. Ids let the user's own keys take their place."""
    return [
        Binding(key.keys, key.action, show=False, priority=key.priority, id=key.id)
        for key in keys
        if key.scope == scope
    ]


def teach_keys() -> None:
    """Make Textual tell Alt+Enter from Enter where the terminal sends ESC before it, so that it sends nothing."""
    cast("dict[str, Any]", ANSI_SEQUENCES_KEYS)["\x1b\r"] = (Keys.ControlJ,)


def read_keymap(table: Mapping[str, Any], source: str) -> dict[str, str]:
    """The user's keys by the action's id, as `App.set_keymap` takes them. UsageError for what cannot be a key."""
    keymap: dict[str, str] = {}
    for name, value in table.items():
        if name not in _BY_ID:
            near = nearest_paths(name, _BY_ID, most=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(_BY_ID)}."
            raise UsageError(f"{source}: there is no action {name}.{hint}")
        keys = [value] if isinstance(value, str) else value
        if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key.strip() for key in keys):
            raise UsageError(f'{source}: {name} must be a key such as "ctrl+g", or a list of keys, not {value!r}.')
        names = [_checked(key.strip(), name, source) for one in keys for key in _split(one)]
        keymap[name] = ",".join(names)
    return keymap


def _split(keys: str) -> list[str]:
    return [keys] if keys.strip() == "," else keys.split(",")


def _checked(key: str, name: str, source: str) -> str:
    modifiers = _MODIFIER.match(key)
    assert modifiers is not None
    last = key[modifiers.end() :]
    named = _name_of(last) if len(last) == 1 and not last.isalnum() else last
    if not (len(named) == 1 or named in _known_names()):
        near = nearest_paths(named, _known_names(), most=1)
        hint = f" Did you mean {modifiers.group()}{near[0]}?" if near else ""
        raise UsageError(
            f'{source}: {name} = "{key}" is no key. Write it as in ctrl+g, alt+enter, f2 or question_mark.{hint}'
        )
    if set(modifiers.group().split("+")) <= {"", "shift"} and _is_typed(named) and _BY_ID[name].scope in _TYPED_INTO:
        raise UsageError(f'{source}: {name} = "{key}" is a key that types text. Add ctrl+ or alt+ to it.')
    return modifiers.group() + named


def _is_typed(name: str) -> bool:
    return len(name) == 1 or name in _typed_names()


def _name_of(character: str) -> str:
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


@lru_cache(maxsize=1)
def _typed_names() -> frozenset[str]:
    return frozenset(_name_of(chr(code)) for code in range(32, 127) if not chr(code).isalnum())


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    return _typed_names() | {key.value for key in Keys if "+" not in key.value and "<" not in key.value}


@dataclass(frozen=True, slots=True)
class Clash:
    """One key for two things, of which only one can be had by it."""

    key: str
    ids: tuple[str, ...]


def find_clashes(keymap: Mapping[str, str], keys: Iterable[Key] = KEYS) -> list[Clash]:
    """Keys that mean two things at once: within a scope, and between one and the whole app."""
    taken: dict[tuple[str, str], list[str]] = {}
    keys = list(keys)
    scopes = {key.scope for key in keys}
    for key in keys:
        for name in dict.fromkeys(keymap.get(key.id, key.keys).split(",")):
            for scope in scopes if key.scope == "app" else {key.scope}:
                taken.setdefault((scope, name), []).append(key.id)
    clashes = {(name, tuple(ids)): None for (_, name), ids in taken.items() if len(ids) > 1}
    return [Clash(name, ids) for name, ids in sorted(clashes)]


def clash_warnings(keymap: Mapping[str, str], texts: Texts, file: str, keys: Iterable[Key] = KEYS) -> list[str]:
    """What the user is told of keys of their own that mean two things."""
    return [
        texts("keys.clash", pressed=printed_key(clash.key), count=len(clash.ids), ids=", ".join(clash.ids), file=file)
        for clash in find_clashes(keymap, keys)
    ]


def shown_keys(id_: str, keymap: Mapping[str, str], *, most: int = 3) -> str:
    """The keys of an action as the help shows them."""
    keys = keymap.get(id_, _BY_ID[id_].keys).split(",")
    return " ".join(printed_key(key) for key in keys[:most])


def own_key(action: str, scope: str, keymap: Mapping[str, str]) -> str:
    """The first of the user's own keys for what runs this action there; "" where they have set none."""
    own = next((keymap[key.id] for key in KEYS if (key.scope, key.action) == (scope, action) and key.id in keymap), "")
    return printed_key(own.split(",")[0]) if own else ""


def help_rows(texts: Texts, keymap: Mapping[str, str], keys: Iterable[Key] = KEYS) -> list[tuple[str, str, str]]:
    """For each action its keys, what it does and the heading that it stands under, in the table's order."""
    return [(shown_keys(key.id, keymap), texts(f"keys.{key.id}"), texts(f"keys.in-{key.scope}")) for key in keys]


def printed_key(key: str) -> str:
    """A key as it is printed on the screen: ctrl+↑, F2, esc."""
    *modifiers, last = key.split("+")
    if _FUNCTION_KEY.fullmatch(last):
        return "+".join([*modifiers, last.upper()])
    return "+".join([*modifiers, _PRINTED.get(last, last.replace("_", " ") if len(last) > 1 else last)])
