"""Every screen in the states that matter: those that other modules of this folder have told of."""

from __future__ import annotations

from tests.tui.snapshots import conversations, reviews, sheets
from tests.tui.snapshots.staging import SCENES

__all__ = ["SCENES", "conversations", "reviews", "sheets"]
