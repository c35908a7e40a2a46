"""Where a review stands on the screen: the proposal, the cursor, what is filtered, and what was found out so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.review import Decision
from kcode.draft.selection import keys_of
from kcode.tui.diff.filelines import FileEntry, mark_of
from kcode.tui.diff.learning import Known, tests_of
from kcode.tui.diff.moved import Moved
from kcode.tui.diff.sheet import Sheet, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.reviewing import HunkFacts
    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.review import Reviewed
    from kcode.tui.texts import Texts


class ReviewState:
    """Changes by what the user does and by what comes from threads; draws nothing."""

    def __init__(self, view: Reviewed, texts: Texts, *, is_excerpt: bool = False) -> None:
        self.view = view
        self.moved = Moved()
        self.known = Known()
        self.filter = ""
        self._texts, self._is_excerpt = texts, is_excerpt
        self._new: frozenset[str] = frozenset()
        self._sheets: dict[str, Sheet] = {}
        self.key = next(iter(self.order()), "")

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """The files that the filter leaves."""
        words = self.filter.casefold()
        changes = self.view.proposal.changes
        return tuple(one for one in changes if any(_holds(one, key, words) for key in ordered_keys(one)))

    @property
    def change(self) -> FileChange | None:
        """The file that the cursor is in."""
        path = self.view.paths.get(self.key)
        return next((change for change in self.view.proposal.changes if change.path == path), None)

    @property
    def hunk(self) -> Hunk | None:
        change = self.change
        return next((hunk for hunk in change.hunks if hunk.id == self.key), None) if change else None

    @property
    def facts(self) -> HunkFacts | None:
        """What was found out of the cursor's hunk."""
        return self._facts(self.key)

    def order(self) -> list[str]:
        """The keys that the filter leaves, as they are shown."""
        words = self.filter.casefold()
        return [key for one in self.view.proposal.changes for key in ordered_keys(one) if _holds(one, key, words)]

    def update(self, view: Reviewed, *, from_outside: bool = False) -> None:
        """Take the proposal as it is by now; the cursor stays at its hunk, or goes to the next one that is left."""
        former, place = self.order(), self._place()
        if from_outside:
            self._new = (self._new & view.decisions.keys()) | (view.decisions.keys() - self.view.decisions.keys())
        self.view = view
        if self.key not in view.decisions:
            leaves = [leaf for leaf in view.leaves(self.key) if leaf in view.decisions]
            left = [key for key in [*former[place:], *former[place::-1]] if key in view.decisions]
            self.key = next(iter([*leaves, *left, *self.order()]), "")

    def go(self, key: str) -> None:
        """Put the cursor there; what it leaves is no longer new."""
        if key in self.view.decisions and key != self.key:
            self._new -= {self.key}
            self.key = key

    def step(self, by: int) -> None:
        """Go so many hunks on or back, over the ends of files."""
        order = self.order()
        if order:
            self.go(order[max(0, min(self._place() + by, len(order) - 1))])

    def step_file(self, by: int) -> None:
        """Go to the first hunk of another file, from the last one to the first."""
        paths = [change.path for change in self.changes]
        change = self.change
        if paths:
            at = paths.index(change.path) if change and change.path in paths else 0
            self.go_to_file(paths[(at + by) % len(paths)])

    def go_to_file(self, path: str) -> None:
        self.go(next((key for key in self.order() if self.view.paths[key] == path), self.key))

    def next_pending(self) -> str:
        """The next hunk that is not decided, from the cursor on and round; the cursor's where all are."""
        order, place = self.order(), self._place()
        pending = self.view.keys(Decision.PENDING)
        return next((key for key in [*order[place + 1 :], *order[:place]] if key in pending), self.key)

    def set_filter(self, text: str) -> None:
        self.filter = text
        order = self.order()
        if order and self.key not in order:
            self.go(order[0])

    def sheet(self) -> Sheet | None:
        """The file of the cursor with all that is known of it."""
        change = self.change
        if change is None:
            return None
        known = self._sheets.get(change.path)
        standings = {key: self._standing(key) for key in ordered_keys(change)}
        if known is None or known.change != change:
            known = Sheet(change, self._texts, standings, is_excerpt=self._is_excerpt)
            self._sheets[change.path] = known
        known.standings, known.moved = standings, self.moved
        lesson = self.known.lesson(change.path)
        known.learned = lesson.learned if lesson else {}
        if colors := self.known.colors(change):
            known.color(colors)
        return known

    def entries(self) -> tuple[FileEntry, ...]:
        return tuple(self.entry(change) for change in self.changes)

    def entry(self, change: FileChange) -> FileEntry:
        keys = ordered_keys(change)
        made = [self.view.decisions.get(key) for key in keys]
        return FileEntry(
            change.path,
            mark_of(change),
            sum(len(hunk.new_lines) for hunk in change.hunks),
            sum(len(hunk.old_lines) for hunk in change.hunks),
            len(keys),
            made.count(Decision.ACCEPTED),
            made.count(Decision.REJECTED),
            not self.view.proposal.conflicts.isdisjoint(keys),
            not self._new.isdisjoint(keys),
            tests_of(self._facts(key) for key in keys),
        )

    def _standing(self, key: str) -> Standing:
        view = self.view
        return Standing(
            view.decisions.get(key, Decision.PENDING),
            view.comments.get(key, ""),
            key in view.edited,
            key in view.proposal.conflicts,
            key in self._new,
        )

    def _facts(self, key: str) -> HunkFacts | None:
        return self.known.facts(self.view.paths.get(key, ""), key)

    def _place(self) -> int:
        order = self.order()
        return order.index(self.key) if self.key in order else 0


def _holds(change: FileChange, key: str, words: str) -> bool:
    """Whether a text is in the file's name or in a line of the hunk, however its letters are written."""
    if not words or words in change.path.casefold():
        return True
    lines = next(((*hunk.old_lines, *hunk.new_lines) for hunk in change.hunks if hunk.id == key), ())
    return any(words in line.decode("utf-8", "replace").casefold() for line in lines)


def ordered_keys(change: FileChange) -> Sequence[str]:
    """The keys of a file in the order of its hunks."""
    return [hunk.id for hunk in change.hunks] or sorted(keys_of(change))
