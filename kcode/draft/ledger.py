"""The account of what the draft changed: each path's base image, and what tools and commands made of it."""

from __future__ import annotations

import posixpath
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from kcode.draft import disk
from kcode.draft.baseline import digest
from kcode.draft.files import Change
from kcode.draft.layers import Stamp, stamp
from kcode.draft.versions import BY_USER
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kcode.draft.baseline import Baseline
    from kcode.draft.files import FileState
    from kcode.draft.ignore import IgnoreRules
    from kcode.draft.layers import Layers
    from kcode.draft.rebase import Move
    from kcode.draft.versions import Versions

# No file has these: of a path that a scan does not find, which is as the workspace has it, and of one never looked at.
_AS_WORKSPACE = Stamp(0, 0, 0, 0, 0)
_UNSEEN = Stamp(-1, 0, 0, 0, 0)


class Ledger:
    """Keeps `baseline` true to `layers`. `root` is the workspace's; `started` is a file touched before each command."""

    def __init__(
        self,
        layers: Layers,
        baseline: Baseline,
        rules: IgnoreRules,
        root: Path,
        started: Path,
        versions: Versions,
    ) -> None:
        self._layers, self._baseline, self._rules, self._versions = layers, baseline, rules, versions
        self._root, self._started = root, started
        self._seen: dict[str, Stamp | None] = {}
        self._left_out: set[str] = set()

    @property
    def changed(self) -> dict[str, bool]:
        """Every path in the account, and whether there is a file in the draft now."""
        return {path: origin.after is not None for path, origin in self._baseline.origins.items()}

    @property
    def left_out(self) -> tuple[str, ...]:
        """Changed files that cannot be proposed, being too large or not readable, sorted."""
        return tuple(sorted(self._left_out))

    @property
    def left_by_tests(self) -> tuple[str, ...]:
        """Files that are there since a run of the tests made them, and that nothing else touched, sorted."""
        origins = self._baseline.origins
        return tuple(sorted(path for path, one in origins.items() if one.after is not None and one.is_left_by_tests))

    def state(self, path: str) -> FileState | None:
        """The file or link at a path of the draft that leads through no link."""
        place = self._layers.real(path)
        return disk.read_state(place) if place is not None else None

    def before(self, path: str) -> FileState | None:
        if path in self._baseline.origins:
            return self._baseline.before(path)
        return disk.read_beneath(self._root, path)

    def change(self, changes: Sequence[Change], by: str) -> None:
        """Make a tool's changes of different paths, each all of it or none; after an error the rest is not made."""
        known = {change.path: self._baseline.origins.get(change.path) for change in changes}
        before = {path: self._base(change) for change in changes if known[path := change.path] is None}
        waiting = list(changes)
        try:
            # The base images are safe before the first byte changes.
            for change in changes:
                if known[change.path] is not None and by != BY_USER:
                    self._start_from_workspace(change.path)
                self._baseline.record(change.path, before.get(change.path), change.after, by)
            self._baseline.save()
            while waiting:
                path, after = waiting[0].path, waiting[0].after
                if after is None:
                    self._layers.delete(path)
                else:
                    self._layers.put(path, after)
                self._versions.note_change(path, before.get(path), after, by, starts=known[path] is None)
                del waiting[0]
        except (OSError, DraftError):
            for change in waiting:
                self._baseline.put_back(change.path, known[change.path])
            with suppress(OSError):
                self._baseline.save()
            raise
        self._note([change.path for change in changes])

    def _start_from_workspace(self, path: str) -> None:
        """Have the user's file for a base where the draft shows just that, whatever it was at first.

        What is made of it from here on is made of the user's text, and conflicts with nothing in it.
        """
        below = disk.read_beneath(self._root, path)
        if digest(below) != self._baseline.origins[path].before and below == self.state(path):
            self._baseline.rebase(path, below)

    def _base(self, change: Change) -> FileState | None:
        """What a path that is not in the account was: as the change says, where the user saved something since."""
        # In this order no save can fall between the two looks.
        below = disk.read_beneath(self._root, change.path)
        return below if self.state(change.path) == change.before else change.before

    def _note(self, paths: Sequence[str]) -> None:
        """Remember how the paths look that a tool changed, so that no command seems to have done it."""
        undone = [path for path in paths if self._is_undone(path)] if disk.lstat(self._started) is None else []
        shown = [path for path in undone if self._show_workspace(path)]
        if shown:
            self._save()
        for path in paths:
            found = self._layers.lstat(path)
            self._seen[path] = stamp(found) if found is not None else None
        if any(map(_is_rule, paths)):
            self._forget_rules()

    def _save(self) -> None:
        self._layers.flush()
        self._baseline.save()

    def settle(self, by: str) -> tuple[str, ...]:
        """Find what a command changed since the last look and enter it; the paths, sorted."""
        found, fresh = self._scan()
        if any(_is_rule(path) for path in fresh):
            self._forget_rules()
            found, fresh = self._scan()
        self._left_out &= found.keys()
        known = self._baseline.origins.keys()
        ignored = self._rules.ignored(path for path in fresh if path not in known)
        changed = []
        try:
            for path in sorted(set(fresh) - ignored):
                self._left_out.discard(path)
                try:
                    entered = self._settle_path(path, by)
                except DraftError:
                    self._left_out.add(path)
                    continue
                if entered:
                    changed.append(path)
            undone = [path for path in known if path not in fresh and self._is_undone(path)]
            # Only now: the workspace's file is older than what was built of the draft's other version, so a build that
            # has not yet seen this one would take that for up to date.
            shown = [path for path in undone if self._show_workspace(path)]
            if shown or set(fresh) - ignored:
                self._save()
        except OSError:
            self._baseline.reload()
            raise
        self._seen = found | {path: _AS_WORKSPACE for path in known if path not in found}
        return tuple(changed)

    def changes(self) -> tuple[Change, ...]:
        """What git would not ignore of the difference, but for files that only the tests left, sorted by path."""
        origins = self._baseline.origins
        ignored = self._rules.ignored(origins)
        found = []
        for path in sorted(origins.keys() - ignored):
            if origins[path].is_left_by_tests:
                continue
            try:
                after = self.state(path)
            except DraftError:
                self._left_out.add(path)
                continue
            if digest(after) != origins[path].before:
                before = self._baseline.before(path)
                found.append(Change(path, before, after, ", ".join(origins[path].by)))
        return tuple(found)

    def rebase(self, moves: Iterable[Move]) -> None:
        """Have the merged files in the draft, with the user's as their base; a path that changed since stays as it is.

        The draft's file comes first: where this is cut short, merging once more gives the same.
        """
        try:
            for move in moves:
                path = move.path
                if path not in self._baseline.origins or self.state(path) != move.drafted:
                    continue
                if move.merged is not None and move.merged != move.drafted:
                    self._layers.put(path, move.merged)
                elif move.merged is None and move.drafted is not None:
                    self._layers.delete(path)
                if move.merged != move.drafted:
                    self._versions.note_change(path, None, move.merged, BY_USER, starts=False)
                self._baseline.record(path, None, move.merged)
                self._baseline.rebase(path, move.base)
                if self._is_undone(path):
                    self._show_workspace(path)
                found = self._layers.lstat(path)
                self._seen[path] = stamp(found) if found is not None else None
            self._save()
        except OSError:
            self._baseline.reload()
            raise

    def _scan(self) -> tuple[dict[str, Stamp | None], list[str]]:
        """What may differ from the workspace, and what of it is not as it was at the last look."""
        found = self._layers.scan(self._rules.ignored_folders)
        known = dict.fromkeys(self._baseline.origins, _AS_WORKSPACE)
        return found, [path for path, now in (known | found).items() if self._seen.get(path, _UNSEEN) != now]

    def _settle_path(self, path: str, by: str) -> bool:
        """Enter one path as it is now; True when it is a change to what was known."""
        known = self._baseline.origins.get(path)
        if known is None and self._was_saved_meanwhile(path) and self._layers.restore(path):
            return False
        after = self.state(path)
        if known is not None:
            if known.after == digest(after):
                return False
            self._baseline.record(path, None, after, by)
            self._versions.note_change(path, None, after, by, starts=False)
            return True
        before = disk.read_beneath(self._root, path)
        # What is rewritten as it was is entered too: the workspace may change, and that would look like a change here.
        self._baseline.record(path, before, after, by)
        if before != after:
            self._versions.note_change(path, before, after, by, starts=True)
            return True
        self._show_workspace(path)
        return False

    def _is_undone(self, path: str) -> bool:
        origin = self._baseline.origins[path]
        return origin.before == origin.after

    def _show_workspace(self, path: str) -> bool:
        """Strike a path off where the workspace's file is just the draft's, so that the user's later edits show."""
        theirs, ours = disk.stat_beneath(self._root, path), self._layers.lstat(path)
        same = (theirs.st_mode if theirs else None) == (ours.st_mode if ours else None)
        if same and disk.read_beneath(self._root, path) == self.state(path) and self._layers.restore(path):
            self._baseline.drop(path)
            return True
        return False

    def _was_saved_meanwhile(self, path: str) -> bool:
        theirs, started = disk.stat_beneath(self._root, path), disk.lstat(self._started)
        # A time in the future is another machine's clock (a network file system), which tells nothing.
        return theirs is not None and started is not None and started.st_mtime_ns < theirs.st_ctime_ns <= time.time_ns()

    def _forget_rules(self) -> None:
        self._rules.forget()
        self._seen.clear()


def _is_rule(path: str) -> bool:
    return posixpath.basename(path) == ".gitignore"
