"""The program's entry: small enough that Ctrl-C is answered well even while the rest is still being imported."""

from __future__ import annotations

import gc
import os
import signal
import sys

TYPE_CHECKING = False  # as the typing module has it, which must not be imported before the path is clean
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn


def main() -> NoReturn:
    """Run kcode with the process's arguments and leave with its exit code."""
    _leave_workspace_out(sys.path)
    # Nothing of an import is garbage, yet by default the collector looks through it every 700 objects.
    gc.set_threshold(400_000)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    try:
        from kcode.streams import open_streams  # noqa: PLC0415

        open_streams()
        from kcode.cli import run  # noqa: PLC0415

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("\nkcode: interrupted\n")
        code = 130
    if sys.stderr is not None:
        sys.stderr.flush()
    # Everything is closed and written. Taking down an interpreter that holds the SDK's thousand modules would add a
    # fifth of a second to every run.
    os._exit(code)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Leave as Ctrl-C does, so that files that are half written are put back on the way out."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _leave_workspace_out(path: list[str]) -> None:
    """Import nothing from the current folder, which `python -m` and an empty name in PYTHONPATH put on the path."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    try:
        here = os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        here = ""
    path[:] = [entry for entry in path if entry == own or entry not in {"", ".", here}]


if __name__ == "__main__":
    main()
