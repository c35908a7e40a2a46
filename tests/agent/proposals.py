"""A project whose tests are a shell script, a session's draft over it, and the door to tests over parts of that."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from kcode.agent.partial import PartialTests
from kcode.agent.shell import choose_sandbox
from kcode.draft.draft import open_draft
from kcode.draft.files import EXECUTABLE, REGULAR, FileState
from kcode.draft.pending import Pending
from kcode.errors import NoSandboxError
from kcode.safegit import open_git
from kcode.sandbox import Rung
from kcode.session.store import create_session
from kcode.workspace import open_workspace
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kcode.draft.draft import Draft
    from kcode.draft.files import Proposal

# A test for each folder: it fails where a file says `bad`, and cannot even start where one says `half` alone.
CHECK = """\
#!/bin/sh
if [ "$(cat */*.txt | grep -c half)" = 1 ]; then echo "cannot start"; exit 3; fi
echo "TAP version 13"
failed=0 number=0
for folder in */; do
  number=$((number + 1)) name=${folder%/}
  if grep -q bad "$folder"*.txt; then echo "not ok $number - $name"; failed=1; else echo "ok $number - $name"; fi
done
echo "1..$number"
exit $failed
"""
LINES = "".join(f"line {number}\n" for number in range(12))
FILES = {"one/a.txt": LINES, "one/b.txt": LINES, "two/c.txt": LINES, "three/d.txt": LINES, "check.sh": CHECK}


@dataclass(frozen=True)
class Bench:
    """`tests` run parts of what `draft` proposes."""

    root: Path
    draft: Draft
    tests: PartialTests

    def propose(self) -> Proposal:
        return Pending(self.draft.workspace, self.draft, self.tests.folder / "journal").proposal()

    def key(self, path: str, number: int = 0) -> str:
        """The id of a hunk of this file."""
        change = next(change for change in self.propose().changes if change.path == path)
        return change.hunks[number].id


def edit(draft: Draft, path: str, *edits: tuple[str, str]) -> None:
    """Replace texts of a file of the draft, as the model would."""
    state = draft.read(path)
    assert state is not None
    data = state.data
    for old, new in edits:
        assert old.encode() in data
        data = data.replace(old.encode(), new.encode(), 1)
    draft.write(path, FileState(state.mode, data), "edit_file")


def open_session_draft(root: Path, state: Path, backend: Literal["overlay", "copy"]) -> tuple[Draft, Path]:
    """The draft of a new session over the workspace, and the session's folder."""
    workspace = open_workspace(root, {"HOME": str(state)})
    session = create_session(state, workspace.root, datetime.now(UTC), version="0", command="fix")
    return open_draft(workspace, open_git(workspace, state / "git"), session.draft_folder, backend), session.folder


def make_bench(
    folder: Path, backend: Literal["overlay", "copy"], files: Mapping[str, str] = FILES, command: str = "sh check.sh"
) -> Bench | None:
    """None where this machine cannot isolate commands over such a draft."""
    root = new_repository(folder / "work", files)
    draft, session = open_session_draft(root, folder / "state", backend)
    try:
        sandbox = asyncio.run(choose_sandbox(session, draft.workspace.root, os.environ, isolate=True))
    except NoSandboxError:
        return None
    if backend == "copy":
        rungs = {
            Rung.OVERLAY_BWRAP: Rung.BWRAP,
            Rung.BWRAP_OVERLAY: Rung.BWRAP,
            Rung.OVERLAY_NAMESPACES: Rung.NAMESPACES,
        }
        sandbox = replace(sandbox, rung=rungs.get(sandbox.rung, sandbox.rung))
    elif not sandbox.overlay:
        return None
    git = open_git(draft.workspace, folder / "git")
    return Bench(draft.workspace.root, draft, PartialTests(draft.workspace, git, session, sandbox, command))


def text_state(text: str, *, executable: bool = False) -> FileState:
    return FileState(EXECUTABLE if executable else REGULAR, text.encode())
