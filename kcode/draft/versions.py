"""What each path of the draft was after each change, and by which call or command: a record that may be lost.

Nothing but the account of who did what rests on it, so it is written without waiting for the disk, and what cannot be
written or read is left out.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.baseline import digest
from kcode.draft.files import FileState

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.baseline import Digest
    from kcode.results import TestReport

# What the user changes in the draft, by editing or rejecting hunks or by saving a file that is merged into it, is by them.
BY_USER = "you"
# The texts of larger files are not kept; who changed them is.
_LARGEST_IMAGE = 4 << 20


@dataclass(frozen=True, slots=True)
class Version:
    """A path after one change. `call` is the id of the model's tool call, or ""; `by` names the tool or command.

    `starts` says that the path was as in the workspace until then: `before` is what that was. `seconds` is the time.
    """

    path: str
    call: str
    by: str
    seconds: float
    starts: bool
    before: Digest
    after: Digest


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of the tests over the draft as it then was; counts are None where the runner does not tell them.

    `before` is how many of the failing ones fail without the draft's changes too, None where that is not known;
    `is_chosen` is a run of chosen tests, which proves nothing about the others.
    """

    __test__ = False

    ok: bool
    passed: int | None
    failed: int | None
    skipped: int | None
    before: int | None = None
    is_chosen: bool = False

    @property
    def is_as_before(self) -> bool:
        """Whether it failed, and no test fails that did not fail before."""
        return not self.ok and bool(self.failed) and self.before == self.failed


class Versions:
    """The record in a draft's folder. `call` is the id of the tool call that is under way, or ""."""

    def __init__(self, folder: Path) -> None:
        self.call = ""
        self._log = folder / "versions.jsonl"
        self._images = folder / "base"

    def note_change(
        self, path: str, before: FileState | None, after: FileState | None, by: str, *, starts: bool
    ) -> None:
        """Note a change of a path. What it was before is wanted only where it `starts`."""
        times = [round(time.time(), 3), starts, digest(before) if starts else None, self.keep(after)]
        with suppress(OSError):
            self._append([path, self.call, by, *times])

    def keep(self, state: FileState | None) -> Digest:
        """Keep the bytes of a state, if they are not too many; returns its name, which gives them back."""
        name = digest(state)
        with suppress(OSError):
            if state is not None and name is not None and len(state.data) <= _LARGEST_IMAGE:
                image = self._images / name[1]
                if not image.exists():
                    disk.write_whole(image, state.data)
        return name

    def note_tests(self, report: TestReport, *, is_chosen: bool = False) -> None:
        """Note a run of all tests over the draft as it is, or of such as were chosen."""
        before = None if report.failed_before is None else len(report.failed_before)
        counts = [report.passed, report.failed, report.skipped]
        with suppress(OSError):
            self._append({"ok": report.ok, "counts": counts, "before": before, "chosen": is_chosen})

    def _append(self, record: Any) -> None:
        # The line break comes first: a line that a crash cut short costs no other.
        disk.append_line(self._log, b"\n" + json.dumps(record, separators=(",", ":")).encode("ascii"))

    def records(self) -> tuple[Version | TestRun, ...]:
        """All that can be read, in order."""
        try:
            lines = self._log.read_bytes().split(b"\n")
        except OSError:
            return ()
        return tuple(record for line in lines if line and (record := _decode(line)) is not None)

    def state(self, name: Digest) -> FileState | None:
        """The file of a digest; None when there is none, or when its bytes were not kept."""
        data = self.image(name)
        return FileState(name[0], data) if name is not None and data is not None else None

    def image(self, name: Digest) -> bytes | None:
        """The bytes of a state; None when there is no file in it, or when they were not kept."""
        if name is None:
            return None
        try:
            return (self._images / name[1]).read_bytes()
        except OSError:
            return None


def _decode(line: bytes) -> Version | TestRun | None:
    try:
        match json.loads(line):
            case [str(path), str(call), str(by), float() | int() as seconds, bool(starts), before, after]:
                return Version(path, call, by, seconds, starts, digest_of(before), digest_of(after))
            case {"ok": bool(ok), "counts": [passed, failed, skipped], **more}:
                before, is_chosen = _count(more.get("before")), more.get("chosen") is True
                return TestRun(ok, _count(passed), _count(failed), _count(skipped), before, is_chosen)
    except (ValueError, TypeError):
        return None
    return None


def digest_of(value: object) -> Digest:
    """A digest that was written as JSON; TypeError for anything else."""
    match value:
        case None:
            return None
        case [int(mode), str(name)] if len(name) == 64 and name.isalnum():
            return mode, name
        case _:
            raise TypeError(f"{value!r} is no digest")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
