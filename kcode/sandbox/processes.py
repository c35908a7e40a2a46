"""The processes below one of ours, found and ended without mistaking another's for them."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def descendants(process: int, enough: int | None = None) -> list[int]:
    """The processes below this one, nearest first; empty where there is no /proc.

    With `enough` the search ends once it has found more than so many: a tree can grow faster than it is walked.
    """
    children = _children if Path(f"/proc/self/task/{threading.get_native_id()}/children").exists() else _parents_scan()
    found = children(process)
    for child in found:
        if enough is not None and len(found) > enough:
            break
        found += children(child)
    return found


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            text = Path(f"/proc/{process}/task/{thread}/children").read_text("ascii")
            found += [int(number) for number in text.split()]
    except (OSError, ValueError):
        pass
    return found


def _parents_scan() -> Callable[[int], list[int]]:
    """For a kernel without lists of children: every process's parent, read once."""
    below: dict[int, list[int]] = {}
    for entry in os.scandir("/proc") if Path("/proc").is_dir() else ():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # The name, in brackets, may itself hold blanks and brackets; state and parent follow it.
                fields = Path(entry.path, "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
                below.setdefault(int(fields[1]), []).append(int(entry.name))
    return lambda process: list(below.get(process, ()))


def ask_to_end(processes: list[int]) -> None:
    """Send TERM to each."""
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)


def kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


class Handle:
    """A process that keeps its meaning after the process has ended and its number went to another."""

    def __init__(self, process: int) -> None:
        self.process = process
        try:
            self._descriptor = os.pidfd_open(process) if hasattr(os, "pidfd_open") else -1
        except OSError:
            self._descriptor = -1

    def kill(self) -> bool:
        """Send KILL; False where the system has no such handles, and nothing was sent."""
        if self._descriptor < 0:
            return False
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        return True

    def fileno(self) -> int:
        """Readable once the process has ended; -1 when it had ended before, or the system cannot tell."""
        return self._descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
