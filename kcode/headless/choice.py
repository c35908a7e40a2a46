"""The chosen part of a proposal, as it is told to people and to programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.draft.files import Proposal


@dataclass(frozen=True, slots=True)
class Choice:
    """Some hunks of a proposal, and by their path the files that are decided whole, in its order."""

    proposal: Proposal
    keys: tuple[str, ...]


def keys_in_order(proposal: Proposal) -> list[str]:
    """Everything that can be chosen of a proposal."""
    return [key for change in proposal.changes for key in ([hunk.id for hunk in change.hunks] or [change.path])]


def describe_choice(keys: Collection[str], total: int) -> str:
    """How many of so many hunks are chosen, in a few words."""
    if not keys:
        return "no hunk"
    if len(keys) == total > 1:
        return f"all {total} hunks"
    return f"{len(keys)} of {total} {'hunk' if total == 1 else 'hunks'}"


def choice_fields(choice: Choice, root: Path) -> dict[str, Any]:
    """A choice as JSON fields."""
    total = len(keys_in_order(choice.proposal))
    return {"workspace": str(root), "hunks": list(choice.keys), "total": total}
