"""The start of every request: system prompt, instructions, environment. The same bytes for a whole epoch."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from kcode.context.instructions import render_instructions
from kcode.context.tree import render_tree
from kcode.messages import SystemMessage
from kcode.prompts import render_prompt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from kcode.context.instructions import Instructions
    from kcode.snapshot import Snapshot
    from kcode.workspace import Workspace

STATUS_LINES = 20


def gather_context(
    workspace: Workspace,
    snapshot: Snapshot,
    instructions: Iterable[Instructions],
    tests: str,
    day: date,
    own_prompts: Path | None = None,
    repository: str = "",
    *,
    only_reads: bool = False,
) -> SystemMessage:
    """Write the system message of a session: what the model is told, and what it should know of this place.

    `tests` says how the project's tests are run, `repository` is what is shown of its text. A session that `only_reads` is
    told nothing of edits and runs, unless the user's own prompt is all that they have written.
    """
    root = printable(str(workspace.root))
    status = [printable(line) for line in snapshot.status]
    if len(status) > STATUS_LINES:
        status = [*status[:STATUS_LINES], f"and {len(status) - STATUS_LINES} more"]
    environment = render_prompt(
        "environment",
        own_prompts,
        root=root,
        start=f" (the user stands in {printable(workspace.start)}/)" if workspace.start else "",
        system=f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        day=day.isoformat(),
        branch=printable(snapshot.branch) or "none, a plain folder",
        tests=printable(tests),
        tree=render_tree([printable(path) for path in snapshot.files]),
        status="\n".join(status) or "clean",
        commits="\n".join(printable(line) for line in snapshot.commits) or "none",
    )
    system = render_prompt(_prompt_name(own_prompts, only_reads=only_reads), own_prompts, root=root)
    parts = [system, render_instructions(instructions), environment, repository]
    return SystemMessage("\n".join(part for part in parts if part))


def _prompt_name(own: Path | None, *, only_reads: bool) -> str:
    """The user's own system prompt stands for both kinds of session where they have written no other."""
    has_one = own is not None and (own / "system.md").is_file() and not (own / "reading.md").is_file()
    return "reading" if only_reads and not has_one else "system"


def printable(text: str) -> str:
    """The text as valid Unicode: bytes of a name that are not UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
