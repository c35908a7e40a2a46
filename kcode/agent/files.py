"""The draft's files as tools see them: read, searched, outlined and changed."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from kcode.agent.retries import Retries
from kcode.agent.secrecy import Secrecy
from kcode.agent.seen import Seen, shown_whole
from kcode.context.listing import own_rules
from kcode.context.search import Query, Searched, find_ripgrep, search_files
from kcode.context.secretfiles import NONE_ALLOWED, why_not_shown
from kcode.context.symbols import outline
from kcode.draft.files import REGULAR, Change, FileState
from kcode.draft.forbidden import find_placeholder
from kcode.errors import DraftError, EditRefusedError, ToolError
from kcode.textfile import decode_text
from kcode.workspace import relative_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kcode.context.ignorefiles import IgnoreRules
    from kcode.context.secretfiles import Allowed
    from kcode.draft.draft import Draft
    from kcode.safegit import SafeGit
    from kcode.tooling import Applied, Definition, Edit, Entry, Match
    from kcode.workspace import Workspace

OUTPUTS = "/tmp/kcode-output/"  # noqa: S108  # where a command in the sandbox sees the outputs, and so the model
BIGGEST_FILE = 10_000_000
ENVIRONMENTS = (".venv", "venv", "env")


class DraftFiles:
    """The half of kcode.tooling.View that is about files. The draft may be opened later than this is made."""

    def __init__(
        self,
        workspace: Workspace,
        git: SafeGit,
        outputs: Path,
        environment: Mapping[str, str],
        allowed: Allowed = NONE_ALLOWED,
    ) -> None:
        self._workspace, self._outputs, self._environment = workspace, outputs, environment
        self._secrecy = Secrecy(workspace.root, git, allowed)
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
            output = _read_output(self._outputs, path.removeprefix(OUTPUTS))
            text = output.decode("utf-8", "replace")
            masked = self._secrecy.mask(text)
            return output if masked == text else masked.encode()
        inside = self._target(path)
        data = _file_at(self.draft, path, inside).data
        self._secrecy.check(path, inside, data)
        return data

    def note_shown(self, path: str, data: bytes, first: int, last: int) -> None:
        if not path.startswith(OUTPUTS):
            self.seen.note_shown(self._target(path), data, shown_whole(data, first, last))

    def entries(self, path: str) -> list[Entry]:
        return self.draft.entries(self.relative(path))

    def files(self, path: str = "") -> list[str]:
        inside = self.relative(path)
        found = self.draft.files(inside)
        listed = self.draft.files() if inside else found
        rules = _ignored_below(self._workspace.root, listed, inside)
        return [file for file in found if not rules.ignores(file)] if rules else found

    def write(self, path: str, data: bytes) -> None:
        inside = self._target(path)
        before = self.draft.read(inside)
        if before is not None:
            self._secrecy.check(path, inside, before.data)
            self.seen.check_write(inside, before.data)
            _refuse_left_out(path, before.data, data)
        after = FileState(before.mode if before else REGULAR, data)
        self.draft.change([Change(inside, before, after)], "write_file")
        self.seen.note_written(inside, data)
        self._note(inside)

    def edit(self, path: str, edits: Sequence[Edit]) -> Applied:
        from kcode.draft.edit import apply_edits  # noqa: PLC0415 - not needed before the first request has left

        inside = self._target(path)
        before = _file_at(self.draft, path, inside)
        data = before.data
        self._secrecy.check(path, inside, data)
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
        self._secrecy.check_move(first)
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
        return outline(self.relative(path), self.read(path))

    @cached_property
    def _ripgrep(self) -> str | None:
        return find_ripgrep(self._environment, self._workspace.root)

    async def search(
        self, pattern: str, path: str, glob: str, *, ignore_case: bool, context: int, limit: int
    ) -> tuple[list[Match], bool]:
        query = Query(pattern, self.relative(path), glob, ignore_case, context, limit)
        entry = self.entry(path)
        if entry is not None and entry.kind in {"file", "link"} and self._secrecy.keeps(self.draft, query.path):
            raise ToolError(why_not_shown(path))
        return await search_files(query, self._searched(query.path), self._ripgrep)

    def _searched(self, path: str) -> Searched:
        rules = _ignored_below(self._workspace.root, self.draft.files(), path)
        judged: dict[str, bool] = {}

        def leaves_out(file: str) -> bool:
            if file not in judged:
                judged[file] = (rules is not None and rules.ignores(file)) or self._secrecy.keeps(self.draft, file)
            return judged[file]

        places = self.draft.search_places()
        changed: dict[str, Path | None] = dict.fromkeys(places.leave_out)
        environments = tuple(name for name in ENVIRONMENTS if os.path.lexists(places.root / name / "pyvenv.cfg"))
        return Searched(places.root, self.draft.files, changed | dict(places.added), environments, leaves_out)


def _ignored_below(root: Path, files: Sequence[str], path: str) -> IgnoreRules | None:
    """What `.ignore` and `.kcodeignore` among the files say; None where they leave out the path itself, or nothing."""
    rules = own_rules(root, files)
    if rules is None or (path and (rules.ignores(path) or rules.ignores(path, is_folder=True))):
        return None
    return rules


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
