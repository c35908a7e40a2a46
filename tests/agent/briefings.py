"""A briefing over a real repository, with a draft whose files it reads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kcode.agent.briefing import WorkspaceBriefing
from kcode.agent.view import DraftView
from kcode.safegit import open_git
from kcode.session.store import create_session
from kcode.snapshot import start_snapshot
from kcode.workspace import open_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.context.repository import RepositoryLayer

WINDOW = 262_144


@dataclass(frozen=True)
class Briefed:
    """A session's briefing, the view of its draft, and what the system message shows of the repository."""

    briefing: WorkspaceBriefing
    view: DraftView
    layer: RepositoryLayer


def brief(root: Path, window: int = WINDOW) -> Briefed:
    """A session that only reads, begun in the repository; what kcode keeps of it lies beside that."""
    beside = root.parent / "kcode"
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    git = open_git(workspace, beside / "private")
    session = create_session(
        beside / "state", root, datetime.now(UTC), version="1", command="ask", model="m", endpoint="e"
    )
    view = DraftView(workspace, git, session, None, {})
    briefing = WorkspaceBriefing(workspace, git, beside / "config", beside / "cache", window)
    snapshot = start_snapshot(git)
    briefing.begin(snapshot.files())
    layer = briefing.layer()
    briefing.watch(snapshot.finish(), view)
    return Briefed(briefing, view, layer)


def open_draft_of(briefed: Briefed) -> None:
    asyncio.run(briefed.view.ready())
