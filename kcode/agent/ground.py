"""What a conversation is built on at its start and after each compaction: the disk and the draft as they are."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from kcode.agent.files import OUTPUTS
from kcode.context.gather import gather_context
from kcode.context.instructions import find_instructions
from kcode.context.listing import without_ignored
from kcode.draft.disk import read_state
from kcode.draft.hunks import propose
from kcode.errors import KcodeError
from kcode.sanitize import sanitize_line
from kcode.snapshot import start_snapshot
from kcode.testing.project import Project
from kcode.testing.run import python_interpreters
from kcode.testing.runners import find_runner
from kcode.textfile import decode_text, show_unknown_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kcode.agent.briefing import WorkspaceBriefing
    from kcode.agent.view import DraftView
    from kcode.messages import SystemMessage
    from kcode.safegit import SafeGit
    from kcode.session.store import SessionLog
    from kcode.snapshot import Snapshot
    from kcode.tooling import Definition
    from kcode.workspace import Workspace


def first_message(
    workspace: Workspace,
    seen: Snapshot,
    test_command: str | None,
    config: Path,
    repository: str = "",
    *,
    only_reads: bool = False,
) -> tuple[SystemMessage, list[str]]:
    """The system message of a conversation that begins now, and warnings for the user about what is not in it."""
    instructions, warnings = find_instructions(workspace.root, workspace.start, config)
    tests = test_command or _describe_tests(workspace.root, seen.files)
    day = datetime.now().astimezone().date()
    shown = replace(seen, files=without_ignored(workspace.root, seen.files))
    own = config / "prompts"
    message = gather_context(workspace, shown, instructions, tests, day, own, repository, only_reads=only_reads)
    return message, warnings


def _describe_tests(root: Path, files: Sequence[str]) -> str:
    """How run_tests will run all tests, as far as the user's own files tell."""

    def read(path: str) -> bytes | None:
        state = read_state(root / path)
        return None if state is None else state.data

    try:
        return find_runner(Project(files, read), "", python_interpreters(os.environ)).shown
    except KcodeError:
        return "no way to run them was found"


class SessionGround:
    """Implements kcode.agent.compaction.Ground for one session."""

    def __init__(
        self,
        workspace: Workspace,
        git: SafeGit,
        view: DraftView,
        log: SessionLog,
        test_command: str | None,
        config: Path,
        briefing: WorkspaceBriefing | None = None,
    ) -> None:
        self._workspace, self._git, self._view, self._log = workspace, git, view, log
        self._test_command, self._config, self._briefing = test_command, config, briefing

    @property
    def own_prompts(self) -> Path | None:
        return self._config / "prompts"

    def first(self, seen: Snapshot, repository: str) -> tuple[SystemMessage, list[str]]:
        """The system message for what is there, and warnings for the user about what is not in it."""
        return first_message(
            self._workspace,
            seen,
            self._test_command,
            self._config,
            repository,
            only_reads=self._view.shell is None,
        )

    def system(self) -> SystemMessage:
        # Beside the note of the work only what the repository defines has room, and not all of its text.
        repository = self._briefing.skeleton() if self._briefing else ""
        return self.first(start_snapshot(self._git).finish(), repository)[0]

    def changes(self) -> Sequence[str]:
        if not self._view.is_open:
            return ()
        lines = []
        for change in propose(self._view.draft.changes()).changes:
            added = sum(len(hunk.new_lines) for hunk in change.hunks)
            removed = sum(len(hunk.old_lines) for hunk in change.hunks)
            what = "new" if change.before is None else "deleted" if change.after is None else ""
            moved = f"{sanitize_line(change.old_path)} -> " if change.old_path else ""
            about = " ".join(part for part in (what, f"+{added} -{removed}" if change.hunks else "") if part)
            lines.append(f"{moved}{sanitize_line(change.path)} | {about or 'changed'}")
        return lines

    def changed_paths(self) -> Sequence[str]:
        if not self._view.is_open:
            return ()
        return [change.path for change in self._view.draft.changes() if change.after is not None]

    def definitions(self, path: str) -> Sequence[Definition] | None:
        try:
            return self._view.definitions(path) if self._view.is_open else None
        except KcodeError:
            return None

    def text(self, path: str) -> str | None:
        try:
            data = self._view.read(path) if self._view.is_open else None
            return None if data is None else show_unknown_bytes(decode_text(data).text)
        except KcodeError:
            return None

    def keep_transcript(self, text: str) -> str:
        return OUTPUTS + self._log.keep_transcript(text)

    def forget_shown(self) -> None:
        self._view.seen.forget_all()
        if self._briefing is not None:
            self._briefing.forget_given()
