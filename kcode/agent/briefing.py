"""What the model is shown unasked: the repository at the start, what each request is about, and what changed since."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from typing import TYPE_CHECKING

from kcode.agent.giveninstructions import GivenInstructions
from kcode.agent.openfiles import OpenFiles
from kcode.agent.overview import Overview
from kcode.context.budget import layer_sizes, pack_room
from kcode.context.changes import Situation, changed_paths, describe_changes, how_it_changed, states_of, texts_of
from kcode.context.instructions import find_instructions
from kcode.context.listing import without_ignored
from kcode.context.repository import RepositoryLayer, packed_text, whole_text
from kcode.context.secretfiles import NONE_ALLOWED
from kcode.errors import KcodeError, UsageError
from kcode.snapshot import start_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from kcode.agent.view import DraftView
    from kcode.context.secretfiles import Allowed
    from kcode.messages import ToolCall
    from kcode.safegit import SafeGit
    from kcode.snapshot import Snapshot
    from kcode.workspace import Workspace

# So long what the start told counts as what is there: a request that is typed at a terminal may come much later.
_FRESH_SECONDS = 5.0
# Words without any of these name no file.
_IN_PATHS = frozenset("@./\\")
_PATH_ARGUMENTS = ("path", "source", "target")


class WorkspaceBriefing:
    """Implements kcode.agent.turn.Briefing for one session in a workspace. Closed by `close`.

    `begin` is called first, then `layer`; `cache` is where the index lies. Nothing here writes or runs anything but git
    and the indexing process.
    """

    def __init__(
        self,
        workspace: Workspace,
        git: SafeGit,
        config: Path,
        cache: Path,
        window: int,
        allowed: Allowed = NONE_ALLOWED,
    ) -> None:
        self._workspace, self._git, self._config = workspace, git, config
        self._prompts = config / "prompts"
        self._window, self._sizes = window, layer_sizes(window)
        self._shown, self._allowed = OpenFiles(workspace, allowed), allowed
        self.overview = Overview(workspace, git, cache, self._prompts, self._sizes, self._shown.size)
        self.files: tuple[str, ...] = ()
        self._given = GivenInstructions(workspace)
        self._layer: RepositoryLayer | None = None
        self.situation: Situation | None = None
        self._is_first = True
        self._told: dict[str, bytes] = {}
        self._looked = 0.0
        self._untold: asyncio.Task[str] | None = None

    def begin(self, files: Sequence[str], pack: str | None = None) -> None:
        """Look at the repository; where not all its text is shown, have it indexed meanwhile.

        `pack` has more of it shown, as PlaceOptions says. Raises UsageError where it names nothing that can be.
        """
        self._list(files)
        read = self._shown.read_disk
        if pack is None:
            # The instructions have a place of their own.
            found, _ = find_instructions(self._workspace.root, self._workspace.start, self._config)
            given = {one.origin for one in found}
            shown = [path for path in self.files if path not in given]
            self._layer = whole_text(shown, self._shown.size, read, self._sizes.text, self._prompts)
        else:
            self._layer = self._packed(pack)
        if self._layer is None or not self._layer.is_whole:
            self.overview.index()

    def _packed(self, pack: str) -> RepositoryLayer:
        try:
            layer = packed_text(self.files, self._shown.read_disk, pack_room(self._window), pack, self._prompts)
        except ValueError as error:
            raise UsageError(f"--pack-files: {error}.") from None
        if not layer.files:
            what = f"that matches {pack}" if pack else "of text"
            why = "; what is there has no room in the window" if layer.left_out else ""
            raise UsageError(f"There is no file {what} to be packed{why}. Leave --pack out, or give another pattern.")
        return layer

    def layer(self) -> RepositoryLayer:
        """What the system message shows of the repository; this may wait for the index."""
        if self._layer is None:
            self._layer = RepositoryLayer(self.skeleton())
        return self._layer

    def skeleton(self) -> str:
        """All that the repository defines, where that is little enough; "" else."""
        return self.overview.skeleton(self.files)

    def watch(self, seen: Snapshot, view: DraftView) -> None:
        """From here on tell what is otherwise than in the snapshot, and read files as the view has them."""
        self.situation, self._shown.view = self._look(seen), view
        self.take_warnings()  # these were told when the system message was written
        for path, data in self.layer().files.items():
            self._shown.note_shown(path, data, 1, data.count(b"\n") + 1)

    def go_on(self, seen: Snapshot, view: DraftView, before: Situation | None) -> None:
        """Take the place of `begin`, `layer` and `watch` for a conversation that has begun: tell what is not as `before`.

        What the model was shown then is not known any more.
        """
        self._list(seen.files)
        self._layer, self._is_first = RepositoryLayer(), False
        self.situation, self._shown.view = before or self._look(seen), view

    async def open_turn(self, words: str) -> str:
        # What a turn was to be told that was interrupted meanwhile is told with this one.
        task = self._untold = asyncio.create_task(self._tell(self._untold, words))
        try:
            return await asyncio.shield(task)
        finally:
            if task.done():
                self._untold = None

    async def _tell(self, before: asyncio.Task[str] | None, words: str) -> str:
        told = await before if before else ""
        # The index may be waited for, and git be slow: not in the loop, in which keys are answered.
        note = await asyncio.to_thread(self.find_note, words)
        return "\n\n".join(part for part in (told, note) if part)

    def find_note(self, words: str) -> str:
        """What `open_turn` tells."""
        is_first, self._is_first = self._is_first, False
        is_late = self.situation is not None and time.monotonic() - self._looked > _FRESH_SECONDS
        # First, since what is shown in full is not to be outlined beside it.
        named, given = self._named(words)
        parts = [self._changes() if is_late or not is_first else "", self.overview.late_skeleton(self.files)]
        if self._layer is None or not self._layer.is_whole:
            parts.append(self._map(words, given, is_first=is_first))
        parts.append(named)
        found = [part for part in parts if part]
        return "\n\n".join(["this is what kcode found for the user's next message.", *found]) if found else ""

    async def follow_call(self, call: ToolCall) -> str:
        found = self._given.nested(call)
        if self.overview.is_due and (late := await asyncio.to_thread(self.overview.late_skeleton, self.files)):
            found.append(f"Note from kcode: the repository is indexed by now.\n\n{late.rstrip()}")
        return "\n\n".join(found)

    def take_warnings(self) -> tuple[str, ...]:
        return self._given.take_warnings()

    def forget_given(self) -> None:
        """Count as given only what stands in the system message: the rest of the conversation is gone."""
        self._given.forget()
        self.overview.forget_shown()
        self._layer = RepositoryLayer()

    def close(self) -> None:
        """End the indexing process if it still runs; the next session goes on from there."""
        self.overview.close()

    def _map(self, words: str, given: Collection[str], *, is_first: bool) -> str:
        if is_first:
            return self.overview.first_map(words, self.files, given)
        whole = self._layer.files if self._layer else ()
        return self.overview.later_map(words, {*whole, *given, *self._shown.seen_paths()})

    def _named(self, words: str) -> tuple[str, Collection[str]]:
        """The files that the words name as a text, and which of them stand there in full."""
        if _IN_PATHS.isdisjoint(words):
            return "", ()
        from kcode.context.requested import find_requested, show_requested  # noqa: PLC0415 - parsers, for a path alone

        wanted = find_requested(words, self.files, self._workspace.start, self._shown.kind)
        if not wanted.places:
            return "", ()
        whole = self._layer.files if self._layer else {}
        known = {
            one.path for one in wanted.places if one.path in whole and self._shown.read(one.path) == whole[one.path]
        }
        files, most = self.files, self._sizes
        shown = show_requested(wanted, files, self._shown.read, most.files, most.file, known, self._allowed)
        for one in shown:
            for low, high in one.lines:
                self._shown.note_shown(one.path, one.data, low, high)
        texts = [one.text for one in shown]
        text = "\n\n".join(["# Files that it names, as they are now", *texts]) if texts else ""
        return text, [one.path for one in shown if one.lines]

    def _changes(self) -> str:
        before = self.situation
        if before is None:
            return ""
        try:
            after = self._look(start_snapshot(self._git).finish())
        except KcodeError:
            return ""  # git refuses in the middle of the work; what it has to tell is not worth a turn
        self.situation = after
        files = {}
        for path in sorted({*changed_paths(before, after), *self._shown.outdated()}):
            data = self._shown.read(path)
            digest = hashlib.sha256(data or b"").digest()
            if (data is not None and self._shown.is_known(path, data)) or self._told.get(path) == digest:
                continue
            self._told[path] = digest
            there = os.path.lexists(self._workspace.root / path)
            files[path] = how_it_changed(before.states.get(path), after.states.get(path), is_there=there)
        text = describe_changes(before, after, files, self._sizes.changes)
        what = "# What changed in the workspace meanwhile\n\nThe user, or what the user applied, did this; read again what you need."
        return f"{what}\n{text}" if text else ""

    def _list(self, files: Sequence[str]) -> None:
        self.files = without_ignored(self._workspace.root, files)
        self._given.look_at(self.files)

    def _look(self, seen: Snapshot) -> Situation:
        workspace = self._workspace
        self._looked = time.monotonic()
        self._list(seen.files)
        states = states_of(seen)
        instructions, warnings = find_instructions(workspace.root, workspace.start, self._config)
        self._given.warn(warnings)
        stamps = {path: self._shown.stamp(path) for path in states}
        return Situation(seen.branch, seen.commits, states, stamps, texts_of(instructions))
