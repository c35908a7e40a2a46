"""What a tool call is about, in words: what the model wrote as JSON, said better."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kcode.draft.linediff import changed_ranges
from kcode.sanitize import sanitize, sanitize_line
from kcode.tui.lines import Ground, Line, Role, Span, expand_tabs, on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.messages import ToolCall

# The arguments that say what a call is about, first come first.
_SUBJECTS = ("command", "path", "source", "pattern", "query", "target", "url", "name")


class Counts(NamedTuple):
    added: int
    removed: int


def arguments_of(call: ToolCall) -> Mapping[str, Any] | None:
    """The call's arguments; None where the model wrote something else than a JSON object."""
    try:
        arguments = json.loads(call.arguments or "{}", strict=False)
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def subject_of(arguments: Mapping[str, Any] | None) -> str:
    """What the call is about, in one line."""
    if not arguments:
        return ""
    if isinstance(arguments.get("source"), str) and isinstance(arguments.get("target"), str):
        return sanitize_line(f"{arguments['source']} → {arguments['target']}")
    known = [arguments[name] for name in _SUBJECTS if isinstance(arguments.get(name), str) and arguments[name]]
    others = [value for value in arguments.values() if isinstance(value, str | int) and value != ""]
    first = (known or others or [""])[0]
    shown = " ".join(str(first).split())
    if isinstance(arguments.get("pattern"), str) and isinstance(arguments.get("path"), str) and arguments["path"]:
        shown = f"{arguments['pattern']} in {arguments['path']}"
    # Without an end the result says how far it went.
    if all(isinstance(arguments.get(name), int) for name in ("start", "end")) and isinstance(
        arguments.get("path"), str
    ):
        shown = f"{arguments['path']}:{arguments['start']}-{arguments['end']}"
    return sanitize_line(shown)


def edits_of(arguments: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The texts that an edit replaces, each with what takes its place."""
    edits = arguments.get("edits") if arguments else None
    found = [edit for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else []
    return [(str(edit.get("old", "")), str(edit.get("new", ""))) for edit in found]


def count_changes(edits: list[tuple[str, str]]) -> Counts:
    """How many lines an edit adds and takes away."""
    added = removed = 0
    for old, new in edits:
        for line in diff_of(old, new):
            added += line.startswith("+")
            removed += line.startswith("-")
    return Counts(added, removed)


def diff_of(old: str, new: str) -> list[str]:
    """Two texts as the lines of a diff, each behind its sign."""
    before, after = _split(old), _split(new)
    lines: list[str] = []
    at = 0
    for changed in changed_ranges(_encoded(before), _encoded(after)):
        lines += [f" {line}" for line in before[at : changed.old_from]]
        lines += [f"-{line}" for line in before[changed.old_from : changed.old_to]]
        lines += [f"+{line}" for line in after[changed.new_from : changed.new_to]]
        at = changed.old_to
    return lines + [f" {line}" for line in before[at:]]


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _encoded(lines: list[str]) -> list[bytes]:
    return [line.encode("utf-8", "surrogatepass") for line in lines]


def argument_lines(call: ToolCall) -> list[Line]:
    """The call's arguments for a reader: an edit as a diff, a command behind a prompt, others by their names."""
    arguments = arguments_of(call)
    if arguments is None:
        return _lines(call.arguments, Role.DIM)
    lines: list[Line] = []
    for name, value in arguments.items():
        if name == "command" and isinstance(value, str):
            lines += [(Span("$ ", Role.ACCENT), *line) for line in _lines(value, Role.CODE)]
        elif name == "edits" and (edits := edits_of(arguments)):
            for place, (old, new) in enumerate(edits):
                lines += [(Span("···", Role.GUTTER),)] if place else []
                lines += [_change(line) for line in diff_of(old, new)]
        else:
            lines += _named(name, value)
    return lines


def _change(line: str) -> Line:
    text = expand_tabs(sanitize(line))
    if line.startswith("+"):
        return on(Ground.ADDED, (Span(text, Role.ADDED),))
    if line.startswith("-"):
        return on(Ground.REMOVED, (Span(text, Role.REMOVED),))
    return (Span(text, Role.DIM),)


def _named(name: str, value: object) -> list[Line]:
    label = Span(f"{sanitize_line(str(name))}: ", Role.DIM)
    if isinstance(value, str) and "\n" in value:
        return [(label,), *((Span("  "), *line) for line in _lines(value.removesuffix("\n"), Role.TEXT))]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(label, *line) for line in _lines(text, Role.TEXT)]


def _lines(text: str, role: Role) -> list[Line]:
    return [(Span(expand_tabs(line), role),) if line else () for line in sanitize(text).split("\n")]
