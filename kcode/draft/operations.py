"""What the journal keeps of an apply, an undo or a redo, as data and as lines of its log."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["apply", "undo", "redo"]
_LINE = re.compile(rb'\{"crc":(\d{1,10}),"record":(\{.*\})\}\n')


@dataclass(frozen=True, slots=True)
class Image:
    """A file at one moment. `mode` is git's, `permissions` are the real ones (None: what the umask gives).

    `digest` is the SHA-256 of its bytes, under which the journal keeps them.
    """

    mode: int
    permissions: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of an operation. `real` is `path` with links resolved, both relative to the workspace.

    `in_place`: the file keeps its inode (it has hard links, or another owner), so a crash may leave it half written.
    """

    path: str
    real: str
    before: Image | None
    after: Image | None
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that an operation makes or removes; `permissions` None means what the umask gives."""

    path: str
    permissions: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One apply, undo or redo. `token` is in the names of its temporary files; `of` is the operation it takes back.

    `part` are the hunks and whole files that it took back of that one, when not all.
    `made` holds the folders it makes, outermost first; `emptied` those that it removes if they are empty, innermost
    first. `left` names the files that were found in a third state after a crash and therefore left alone.
    """

    number: int
    kind: Kind
    label: str
    when: float
    root: str
    token: str
    files: tuple[FileRecord, ...]
    made: tuple[Folder, ...] = ()
    emptied: tuple[Folder, ...] = ()
    of: int | None = None
    state: Literal["pending", "done", "rolled back"] = "pending"
    left: tuple[str, ...] = ()
    part: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    def digests(self) -> set[str]:
        return {image.digest for file in self.files for image in (file.before, file.after) if image}


def encode_intent(operation: Operation) -> bytes:
    return _encode({"intent": asdict(operation)})


def encode_end(operation: Operation) -> bytes:
    """How it ended: its state, the folders that it did remove, and what it left alone."""
    emptied = [asdict(folder) for folder in operation.emptied]
    number, state, left = operation.number, operation.state, list(operation.left)
    return _encode({"end": {"number": number, "state": state, "emptied": emptied, "left": left}})


def decode(log: bytes) -> list[Operation]:
    """The operations in a log, in order. Lines that are torn or fail their checksum are passed over."""
    found: dict[int, Operation] = {}
    for line in log.splitlines(keepends=True):
        match = _LINE.fullmatch(line)
        if not match or zlib.crc32(match[2]) != int(match[1]):
            continue
        record: dict[str, Any] = json.loads(match[2])
        if "intent" in record:
            operation = _operation(record["intent"])
            found[operation.number] = operation
        elif record["end"]["number"] in found:
            end = record["end"]
            operation = found[end["number"]]
            emptied, left = tuple(Folder(**folder) for folder in end["emptied"]), tuple(end["left"])
            found[operation.number] = replace(operation, state=end["state"], emptied=emptied, left=left)
    return [found[number] for number in sorted(found)]


def in_force(operations: Iterable[Operation]) -> list[Operation]:
    """The applies and redos that undo can take back, oldest first; one that was taken back in part is among them."""
    return _Stacks.of(operations).in_force


def undone(operations: Iterable[Operation]) -> list[Operation]:
    """The undos that a plain redo takes back, oldest first: as in an editor, those since the last apply."""
    return _Stacks.of(operations).undone


def all_undone(operations: Iterable[Operation]) -> list[Operation]:
    """Every undo that was not taken back itself, oldest first."""
    return _Stacks.of(operations).every_undone


def roots(operations: Iterable[Operation]) -> dict[int, int]:
    """For each operation the number of the apply that it belongs to."""
    found: dict[int, int] = {}
    for operation in operations:
        of = operation.number if operation.of is None else operation.of
        found[operation.number] = found.get(of, of)
    return found


@dataclass(slots=True)
class _Stacks:
    in_force: list[Operation]
    undone: list[Operation]
    every_undone: list[Operation]

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> _Stacks:
        stacks = cls([], [], [])
        done = [operation for operation in operations if operation.state == "done"]
        root = roots(done)
        for operation in done:
            match operation.kind:
                case "apply":
                    stacks.undone = []
                case "undo":
                    stacks._take_back(operation, root)
                case "redo":
                    stacks.undone = [other for other in stacks.undone if other.number != operation.of]
                    stacks.every_undone = [other for other in stacks.every_undone if other.number != operation.of]
            if operation.kind != "undo":
                stacks.in_force.append(operation)
        return stacks

    def _take_back(self, undo: Operation, root: dict[int, int]) -> None:
        if not undo.part:
            # Taking back an apply takes all of it back, also what was undone and done again of it since.
            whole = undo.of == root[undo.number]
            self.in_force = [
                other
                for other in self.in_force
                if other.number != undo.of and not (whole and root[other.number] == undo.of)
            ]
        self.undone.append(undo)
        self.every_undone.append(undo)


def _encode(record: dict[str, Any]) -> bytes:
    body = json.dumps(record, separators=(",", ":")).encode()
    return b'{"crc":%d,"record":%s}\n' % (zlib.crc32(body), body)


def _operation(record: dict[str, Any]) -> Operation:
    files = tuple(
        FileRecord(**(file | {side: Image(**file[side]) if file[side] else None for side in ("before", "after")}))
        for file in record["files"]
    )
    made = tuple(Folder(**folder) for folder in record["made"])
    emptied = tuple(Folder(**folder) for folder in record["emptied"])
    names = {"left": tuple(record["left"]), "part": tuple(record.get("part", ()))}
    return Operation(**(record | {"files": files, "made": made, "emptied": emptied} | names))
