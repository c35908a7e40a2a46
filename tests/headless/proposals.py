"""A repository with a session whose draft holds a proposal, as a run of kcode leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.reviewing import PendingReview, open_review
from kcode.draft.draft import open_draft
from kcode.messages import AssistantMessage, ToolCall
from kcode.options import PlaceOptions
from kcode.results import CommandResult, TestReport
from kcode.safegit import open_git
from kcode.session.store import Session, SessionLog, create_session
from tests.repositories import new_repository, text_file

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.draft import Draft

INVOICE = """\
class Invoice:
    def total(self):
        return sum(self.lines)

    def tax(self):
        return self.total() * 0.2

    def send(self):
        post(self)


def main():
    Invoice().send()
"""
FILES = {"invoice.py": INVOICE, "notes.txt": "one\ntwo\nthree\nfour\n", "old.bin": "\0a"}


@dataclass(frozen=True)
class Proposed:
    """`place` is for the commands; the draft is the one that the model worked in."""

    root: Path
    place: PlaceOptions
    session: Session
    draft: Draft

    def edit(self, path: str, *replacements: tuple[str, str], call: str = "") -> None:
        """What a tool call does to a file of the draft."""
        state = self.draft.read(path)
        text = state.data.decode() if state else ""
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        self.draft.versions.call = call
        self.draft.write(path, text_file(text), "edit_file")
        self.draft.versions.call = ""

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def drafted(self, path: str) -> str:
        state = self.draft.read(path)
        return state.data.decode() if state else ""

    def reopened(self) -> Proposed:
        """The same as a later process sees it."""
        place = open_place(self.place)
        draft = open_draft(place.workspace, open_git(place.workspace, place.git_folder), self.session.draft_folder)
        return replace(self, draft=draft)

    def review(self) -> PendingReview:
        """The review as a later process opens it."""
        found = open_review(open_place(self.place))
        assert found is not None
        return found

    def ids(self) -> list[str]:
        return [hunk.id for change in self.review().look().proposal.changes for hunk in change.hunks]


def propose_changes(folder: Path) -> Proposed:
    """Three hunks in one file by two calls, tested between them, one hunk in another file, and a binary file."""
    root = new_repository(folder / "work", FILES)
    options = PlaceOptions(root)
    place = open_place(options)
    session = create_session(place.state, place.workspace.root, datetime.now(UTC), version="0", command="fix")
    git = open_git(place.workspace, place.git_folder)
    proposed = Proposed(root, options, session, open_draft(place.workspace, git, session.draft_folder, "copy"))
    calls = [ToolCall(f"functions.edit_file:{number}", "edit_file", '{"path": "invoice.py"}') for number in range(2)]
    with SessionLog(session) as log:
        log.append_message(AssistantMessage("I round it.", "Cents get lost \x1b[31mhere.", (calls[0],)))
        log.append_message(AssistantMessage("", "The tax too.", (calls[1],)))
    proposed.edit("invoice.py", ("sum(self.lines)", "round(sum(self.lines), 2)"), call=calls[0].id)
    proposed.draft.versions.note_tests(TestReport("pytest", CommandResult(0, ""), 2, 0, 0))
    changes = (("* 0.2", "* 0.25"), ("Invoice().send()", "Invoice().send()\n    print('sent')"))
    proposed.edit("invoice.py", *changes, call=calls[1].id)
    proposed.edit("notes.txt", ("two\n", "zwei\n2\n"))
    proposed.draft.write("old.bin", text_file("\0b"), "write_file")
    return proposed
