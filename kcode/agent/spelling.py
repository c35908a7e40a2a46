"""The arguments of a tool call as a person reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.files import Hunk


def spell_arguments(text: str, hunk: Hunk | None = None) -> str:
    """The arguments of a call with texts as they read and edits as lines out and in, of a hunk's call those near it.

    What is no JSON object comes back as it is. Nothing is made safe to show.
    """
    try:
        given = json.loads(text, strict=False)
    except ValueError:
        return text
    if not isinstance(given, dict):
        return text
    parts = []
    for name, value in given.items():
        if isinstance(value, list) and value and all(map(_is_edit, value)):
            parts += _edits(value, hunk)
        else:
            parts.append(
                f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)}"
            )
    return "\n".join(parts)


def _is_edit(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("old"), str) and isinstance(value.get("new"), str)


def _edits(edits: Sequence[dict[str, str]], hunk: Hunk | None) -> list[str]:
    """The edits of a call that share a line with the hunk; all where none does."""
    changed = {line.strip() for line in (*hunk.old_lines, *hunk.new_lines)} - {b""} if hunk else set()
    near = [edit for edit in edits if changed.intersection(map(bytes.strip, _lines_of(edit)))] or edits
    parts = []
    for edit in near:
        parts += ["edit:", *(f"- {line}" for line in edit["old"].splitlines())]
        parts += [f"+ {line}" for line in edit["new"].splitlines()]
    others = len(edits) - len(near)
    return [*parts, f"and {others} other {'edit' if others == 1 else 'edits'}"] if others else parts


def _lines_of(edit: dict[str, str]) -> list[bytes]:
    return f"{edit['old']}\n{edit['new']}".encode("utf-8", "surrogatepass").splitlines()
