"""Which keys of the review count when, and what the last line says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.binding import Binding

from kcode.tui.diff.bars import Key
from kcode.tui.lines import Line, Role, Span

if TYPE_CHECKING:
    from kcode.tui.reviewdesk import Source
    from kcode.tui.texts import Texts

Mode = Literal["look", "cut", "write", "edit", "busy"]
# What can be done while it is chosen where a hunk is split.
_CUT = frozenset({"move_cut", "keep_cut", "leave_cut", "toggle_split", "toggle_blanks"})
_ONLY_CUT = frozenset({"move_cut", "keep_cut", "leave_cut"})
# What can be done while something is being written or taken back.
_BUSY = frozenset({"step", "step_file", "go", "toggle_split", "toggle_blanks", "toggle_wrap", "toggle_folds", "unfold"})

# One table, since of two classes' bindings of one key only one would hold. What counts when is said by `is_open`.
BINDINGS = (
    Binding("j,n", "step(1)", id="review.next_hunk"),
    Binding("k,p", "step(-1)", id="review.previous_hunk"),
    Binding("J,tab", "step_file(1)", id="review.next_file"),
    Binding("K,shift+tab", "step_file(-1)", id="review.previous_file"),
    Binding("v", "toggle_split", id="review.side_by_side"),
    Binding("b", "toggle_blanks", id="review.blanks"),
    Binding("W", "toggle_wrap", id="review.wrap"),
    Binding("z", "toggle_folds(False)", id="review.folds"),
    Binding("Z", "toggle_folds(True)", id="review.all_folds"),
    Binding("slash", "filter", id="review.filter"),
    Binding("l", "list_files", id="review.files"),
    Binding("shift+down", "scroll_side(1)", id="review.side_down"),
    Binding("shift+up", "scroll_side(-1)", id="review.side_up"),
    Binding("question_mark", "help", id="review.help"),
    Binding("space", "toggle('*')", id="review.toggle"),
    Binding("a", "accept('*')", id="review.accept"),
    Binding("x,r", "reject('*')", id="review.reject"),
    Binding("A", "decide_file(True)", id="review.accept_file"),
    Binding("R", "decide_file(False)", id="review.reject_file"),
    Binding("ctrl+a", "accept_all", id="review.accept_all"),
    Binding("u", "undo_decision", id="review.undo_decision"),
    Binding("s", "split", id="review.split"),
    Binding("j,down", "move_cut(1)", priority=True, id="review.cut_down"),
    Binding("k,up", "move_cut(-1)", priority=True, id="review.cut_up"),
    Binding("enter", "keep_cut", priority=True, id="review.keep_cut"),
    Binding("escape", "leave_cut", priority=True, id="review.leave_cut"),
    Binding("e", "edit", id="review.edit"),
    Binding("E", "edit_outside", id="review.edit_outside"),
    Binding("c", "comment", id="review.comment"),
    Binding("w", "why", id="review.why"),
    Binding("t", "test(False)", id="review.test"),
    Binding("T", "test(True)", id="review.test_pending"),
    Binding("ctrl+x", "cancel_test", id="review.cancel_test"),
    Binding("enter,ctrl+s", "apply", id="review.apply"),
    Binding("ctrl+z", "take_back('undo')", id="review.undo"),
    Binding("ctrl+y", "take_back('redo')", id="review.redo"),
    Binding("escape,q", "close", id="review.close"),
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
# How the keys with names of their own are called in the bindings.
_NAMED = {"esc": "escape", "/": "slash"}
_ACTIONS = {
    key: f"screen.{binding.action}" for binding in BINDINGS if not binding.priority for key in binding.key.split(",")
}


def is_open(action: str, mode: str) -> bool:
    """Whether an action may be taken in this mode."""
    match mode:
        case "cut":
            return action in _CUT
        case "write" | "edit":
            # The box has keys of its own; this is for clicks on them.
            return action == "in_box"
        case "busy":
            return action in _BUSY
        case _:
            return action not in _ONLY_CUT


def keys_for(mode: str, source: Source, texts: Texts) -> list[Key]:
    """The keys of the last line, those that matter most first."""

    def key(name: str, word: str, action: str) -> Key:
        return Key(name, texts(f"review.key_{word}"), f"screen.{action}")

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
        key("esc", "back", "close"),
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
    widest = max(len(name) for name, _ in ALL_KEYS) + 2
    lines = [_explained(name, texts(f"review.help_{word}"), widest) for name, word in ALL_KEYS]
    return [*lines, (), (Span(texts(f"review.source_{source.value}"), Role.DIM),)]


def _explained(names: str, words: str, widest: int) -> Line:
    keys = names.split()
    actions = [_ACTIONS[_NAMED.get(key, key)] for key in keys]
    spans = [Span(f"{key} ", Role.ACCENT, action=action) for key, action in zip(keys, actions, strict=True)]
    return (*spans, Span(" " * (widest - len(names) - 1)), Span(words, action=actions[0]))
