"""Which keys of the review count when, and what the last line says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.binding import Binding

from kcode.tui.diff.bars import Key
from kcode.tui.keys import bindings_for, own_key
from kcode.tui.lines import Line, Role, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.tui.reviewdesk import Source
    from kcode.tui.texts import Texts

Mode = Literal["look", "cut", "write", "edit", "busy"]
# What can be done while it is chosen where a hunk is split.
_CUT = frozenset({"move_cut", "keep_cut", "leave_cut"})
# What can be done while something is being written or taken back.
_BUSY = frozenset(
    {
        "step",
        "step_file",
        "go",
        "scroll_side",
        "toggle_split",
        "toggle_blanks",
        "toggle_wrap",
        "toggle_folds",
        "unfold",
        "close",
    }
)

# One table, since of two classes' bindings of one key only one would hold. What counts when is said by `is_open`.
BINDINGS = (
    *(one for scope in ("review", "review-cut") for one in bindings_for(scope) if isinstance(one, Binding)),
    # As in every text that scrolls; without a pane beside the diff they are the diff's own.
    Binding("pagedown", "page_side(1)", show=False, priority=True),
    Binding("pageup", "page_side(-1)", show=False, priority=True),
)

# For each key its name, and the name of the text that says at more length what it does.
ALL_KEYS = (
    ("j k", "hunk"),
    ("J K tab", "file"),
    ("space", "toggle"),
    ("a", "accept"),
    ("x r", "reject"),
    ("A R", "whole_file"),
    ("ctrl+a", "accept_all"),
    ("u", "undo"),
    ("s", "split"),
    ("e E", "edit"),
    ("c", "comment"),
    ("w", "why"),
    ("t T", "test"),
    ("v", "view"),
    ("b", "blanks"),
    ("W", "wrap"),
    ("z Z", "folds"),
    ("/", "filter"),
    ("l", "list"),
    ("enter ctrl+s", "apply"),
    ("ctrl+z ctrl+y", "undo_apply"),
    ("esc q", "back"),
)
# What stands beside files and hunks, and what it means.
_SIGNS = (
    ("•", Role.ACCENT, "new"),
    ("t+", Role.GOOD, "passed"),
    ("t-", Role.BAD, "failed"),
    ("!", Role.BAD, "conflict"),
    ("ƒ", Role.WARNING, "signature"),
    ("2/5", Role.DIM, "decided"),
)
# Lines of the help that are about writing.
_WRITING = frozenset({"apply", "undo_apply"})
# How the keys with names of their own are called in the bindings.
_NAMED = {"esc": "escape", "/": "slash"}
_ACTIONS = {
    key: f"screen.{binding.action}" for binding in BINDINGS if not binding.priority for key in binding.key.split(",")
}


def is_open(action: str, mode: str, source: Source | None = None) -> bool:
    """Whether an action may be taken in this mode, of what comes from there."""
    if source is not None and not _fits(action, source):
        return False
    match mode:
        case "cut":
            return action in _CUT
        case "write" | "edit":
            # The box has keys of its own; this is for clicks on them.
            return action == "in_box"
        case "busy":
            return action in _BUSY
        case _:
            return action not in _CUT


def _fits(action: str, source: Source) -> bool:
    """Whether there is anything to it: nobody recorded why a patch is as it is, and what is in the files is not tested."""
    match action:
        case "why":
            return source.value == "proposal"
        case "test":
            return source.is_written
        case _:
            return True


def keys_for(mode: str, source: Source, texts: Texts, keymap: Mapping[str, str]) -> list[Key]:
    """The keys of the last line, those that matter most first, as the user has them."""
    scope = "review-cut" if mode == "cut" else "review"

    def key(name: str, word: str, action: str) -> Key:
        return Key(own_key(action, scope, keymap) or name, texts(f"review.key_{word}"), f"screen.{action}")

    if mode == "cut":
        return [
            key("j", "down", "move_cut(1)"),
            key("k", "up", "move_cut(-1)"),
            key("enter", "cut", "keep_cut"),
            key("esc", "back", "leave_cut"),
        ]
    if mode in {"write", "edit"}:
        ways = [key("enter", "keep", "in_box('keep')"), key("ctrl+j", "new_line", "in_box('break_line')")]
        keep = ways if mode == "write" else [key("ctrl+s", "keep", "in_box('keep')")]
        return [*keep, key("esc", "leave", "in_box('leave')")]
    written = [key("t", "test", "test(False)"), key("enter", "apply", "apply")] if source.is_written else []
    why = [key("w", "why", "why")] if source.value == "proposal" else []
    return [
        key("a", "accept", "accept('*')"),
        key("x", "reject", "reject('*')"),
        key("c", "comment", "comment"),
        key("e", "edit", "edit"),
        *written,
        key("?", "help", "help"),
        key("esc", "back" if source.is_written else "back_printing", "close"),
        key("j", "hunk", "step(1)"),
        key("J", "file", "step_file(1)"),
        *why,
        key("s", "split", "split"),
        key("u", "undo", "undo_decision"),
        key("v", "view", "toggle_split"),
        key("/", "filter", "filter"),
        key("z", "folds", "toggle_folds(False)"),
        key("b", "blanks", "toggle_blanks"),
    ]


def explain_keys(source: Source, texts: Texts) -> list[Line]:
    """All keys with what they do, which a click on them does too, and what deciding means here."""
    missing: frozenset[str] = frozenset() if source.is_written else _WRITING
    keys = [(names, word) for names, word in ALL_KEYS if _fits(word, source) and word not in missing]
    widest = max(len(names) for names, _ in keys) + 2
    lines = [_explained(names, texts(f"review.help_{word}"), widest) for names, word in keys]
    means = [_meant(sign, role, texts(f"review.sign_{word}"), widest) for sign, role, word in _SIGNS]
    source_said = (Span(texts(f"review.source_{source.value}"), Role.DIM),)
    return [*lines, (), source_said, (), *means]


def _meant(sign: str, role: Role, words: str, widest: int) -> Line:
    return (Span(sign, role), Span(" " * (widest - len(sign))), Span(words))


def _explained(names: str, words: str, widest: int) -> Line:
    keys = names.split()
    actions = [_ACTIONS[_NAMED.get(key, key)] for key in keys]
    spans = [Span(f"{key} ", Role.ACCENT, action=action) for key, action in zip(keys, actions, strict=True)]
    return (*spans, Span(" " * (widest - len(names) - 1)), Span(words, action=actions[0]))
