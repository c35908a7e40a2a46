"""A command's output: its head and its tail for the model, all of it in a file."""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEPT = 32 << 10
_HALF = KEPT // 2


class Capture:
    """Takes the bytes as they come, in bounded memory; the file comes into being once the output is too long to keep.

    `limit` is the number of bytes after which no more is taken.
    """

    def __init__(self, limit: int, file: Path | None, on_output: Callable[[str], None] | None) -> None:
        self.total = 0
        self.file_error = ""
        self._limit = limit
        self._path = file
        self._file: int | None = None
        self._on_output = on_output
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._head = bytearray()
        self._tail = bytearray()

    @property
    def flooded(self) -> bool:
        return self.total >= self._limit

    @property
    def is_cut(self) -> bool:
        return self.total > KEPT

    def feed(self, data: bytes) -> None:
        data = data[: self._limit - self.total]
        before = self.total
        self.total += len(data)
        if self.is_cut and not self.file_error:
            self._keep_whole(bytes(self._head + self._tail) + data if before <= KEPT else data)
        room = _HALF - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        del self._tail[:-_HALF]
        if self._on_output and (text := self._decoder.decode(data)):
            self._on_output(text)

    def finish(self) -> None:
        """No more will come: close the file, and hand out what a cut character left."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._on_output and (text := self._decoder.decode(b"", final=True)):
            self._on_output(text)

    def text(self, name: str | None) -> str:
        """All output, or its head and tail around a line that says what is missing and that `name` has the whole."""
        if not self.is_cut:
            return bytes(self._head + self._tail).decode("utf-8", "replace")
        # Cut at line ends where there are any; an incremental decoder drops the character that the cut halves.
        head = bytes(self._head[: self._head.rfind(b"\n") + 1 or None])
        tail = bytes(self._tail[self._tail.find(b"\n") + 1 :]) or bytes(self._tail)
        whole = f"the whole output is in {name}" if name else "the rest was not kept"
        if self.file_error:
            whole = f"the rest could not be kept: {self.file_error}"
        start = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
        end = tail.lstrip(bytes(range(0x80, 0xC0))).decode("utf-8", "replace")
        break_before = "" if start.endswith("\n") else "\n"
        return f"{start}{break_before}[... {self.total - len(head) - len(tail):,} bytes cut; {whole} ...]\n{end}"

    def _keep_whole(self, data: bytes) -> None:
        if self._path is None:
            return
        try:
            if self._file is None:
                flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                self._file = os.open(self._path, flags, 0o600)
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            self.file_error = f"{self._path}: {error.strerror}"
