"""The draft's files as tools see them: read, searched, outlined and changed."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from kcode.agent.retries import Retries
from kcode.agent.seen import Seen, shown_whole
from kcode.context.search import Query, Searched, find_ripgrep, search_files
from kcode.context.symbols import definitions
from kcode.draft.edit import apply_edits
from kcode.draft.files import REGULAR, Change, FileState
from kcode.draft.forbidden import find_placeholder
from kcode.errors import DraftError, EditRefusedError, ToolError
from kcode.textfile import decode_text
from kcode.workspace import relative_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kcode.draft.draft import Draft
    from kcode.tooling import Applied, Definition, Edit, Entry, Match
    from kcode.workspace import Workspace

OUTPUTS = "/tmp/kcode-output/"  # noqa: S108  # where a command in the sandbox sees the outputs, and so the model
BIGGEST_FILE = 10_000_000
ENVIRONMENTS = (".venv", "venv", "env")


class DraftFiles:
    """The half of kcode.tooling.View that is about files. The draft may be opened later than this is made."""

    def __init__(self, workspace: Workspace, outputs: Path, environment: Mapping[str, str]) -> None:
        self._workspace, self._outputs, self._environment = workspace, outputs, environment
        self._draft: Draft | None = None
        self._changed: dict[str, None] = {}
        self._touched: set[str] = set()
        self.seen, self._retries = Seen(), Retries()

    @property
    def draft(self) -> Draft:
        if self._draft is None:
            raise DraftError("The draft is not open yet.")
        return self._draft

    def take_changes(self) -> tuple[str, ...]:
        """The draft's paths that changed since this was last asked."""
        changed, self._changed = tuple(self._changed), {}
        return changed

    @property
    def root(self) -> str:
        return str(self._workspace.root)

    def relative(self, path: str) -> str:
        return relative_path(self._workspace, path)

    def entry(self, path: str) -> Entry | None:
        return self.draft.entry(self.relative(path))

    def read(self, path: str) -> bytes:
        if path.startswith(OUTPUTS):
            return _read_output(self._outputs, path.removeprefix(OUTPUTS))
        return _file_at(self.draft, path, self._target(path)).data

    def note_shown(self, path: str, data: bytes, first: int, last: int) -> None:
        if not path.startswith(OUTPUTS):
            self.seen.note_shown(self._target(path), data, shown_whole(data, first, last))

    def entries(self, path: str) -> list[Entry]:
        return self.draft.entries(self.relative(path))

    def files(self, path: str = "") -> list[str]:
        return list(self.draft.files(self.relative(path)))

    def write(self, path: str, data: bytes) -> None:
        inside = self._target(path)
        before = self.draft.read(inside)
        if before is not None:
            self.seen.check_write(inside, before.data)
            _refuse_left_out(path, before.data, data)
        after = FileState(before.mode if before else REGULAR, data)
        self.draft.change([Change(inside, before, after)], "write_file")
        self.seen.note_written(inside, data)
        self._note(inside)

    def edit(self, path: str, edits: Sequence[Edit]) -> Applied:
        inside = self._target(path)
        before = _file_at(self.draft, path, inside)
        data = before.data
        try:
            applied = self.seen.check_edit(inside, data, apply_edits(data, edits))
        except EditRefusedError as refused:
            raise self._retries.answer(inside, data, refused) from None
        self.draft.change([Change(inside, before, FileState(before.mode, applied.after))], "edit_file")
        self.seen.note_edited(inside, data, applied)
        self._note(inside)
        return applied

    def move(self, source: str, target: str) -> None:
        first, second = self.relative(source), self.relative(target)
        self.draft.move(first, second, "move_file")
        self.seen.move(first, second)
        self._note(first, second)

    def delete(self, path: str) -> None:
        inside = self.relative(path)
        self.draft.remove(inside, "delete_file")
        self.seen.forget(inside)
        self._note(inside)

    def _target(self, path: str) -> str:
        """Where writing to the path ends up: behind a link, in the file that it leads to."""
        return self.draft.resolve(self.relative(path), follow=True)

    def _note(self, *paths: str) -> None:
        self._changed.update(dict.fromkeys(paths))
        self._touched.update(paths)
        self._retries.forget(paths)

    def definitions(self, path: str) -> list[Definition] | None:
        return definitions(self.relative(path), self.read(path))

    @cached_property
    def _ripgrep(self) -> str | None:
        return find_ripgrep(self._environment, self._workspace.root)

    async def search(
        self, pattern: str, path: str, glob: str, *, ignore_case: bool, context: int, limit: int
    ) -> tuple[list[Match], bool]:
        query = Query(pattern, self.relative(path), glob, ignore_case, context, limit)
        return await search_files(query, self._searched(), self._ripgrep)

    def _searched(self) -> Searched:
        places = self.draft.search_places()
        changed: dict[str, Path | None] = dict.fromkeys(places.leave_out)
        environments = tuple(name for name in ENVIRONMENTS if os.path.lexists(places.root / name / "pyvenv.cfg"))
        return Searched(places.root, self.draft.files, changed | dict(places.added), environments)


def _file_at(draft: Draft, path: str, inside: str) -> FileState:
    """The draft's file at `inside`, which the model calls `path`."""
    entry = draft.entry(inside)
    if entry is not None and entry.size is not None and entry.size > BIGGEST_FILE:
        raise ToolError(f"{path} has {entry.size:,} bytes, too much to read whole. Use search or run_command.")
    state = draft.read(inside)
    if state is None:
        raise ToolError(f"There is no file {path}. Look with list_files.")
    return state


def _refuse_left_out(path: str, before: bytes, after: bytes) -> None:
    """Refuse a whole file with a line in it that only says that text was left out."""
    try:
        line = find_placeholder(decode_text(after).text, decode_text(before).text)
    except ToolError:
        return
    if line:
        raise ToolError(
            f"The content leaves text of {path} out: the line `{line[:80]}` would stand there as it is. No file was "
            "changed. Write all lines, or change a part of the file with edit_file."
        )


def _read_output(outputs: Path, name: str) -> bytes:
    file = outputs / name
    if "/" in name or not file.is_file():
        kept = sorted(entry.name for entry in outputs.glob("*.txt"))
        raise ToolError(f"There is no output {OUTPUTS}{name}. There are: {', '.join(kept) or 'none'}.")
    return file.read_bytes()
