"""The program's entry: small enough that Ctrl-C is answered well even while the rest is still being imported."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run kcode with the process's arguments and leave with its exit code."""
    try:
        from kcode.cli import run  # noqa: PLC0415

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("\nkcode: interrupted\n")
        code = 130
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Everything is closed and written. Taking down an interpreter that holds the SDK's thousand modules would add a
    # fifth of a second to every run.
    os._exit(code)


if __name__ == "__main__":
    main()
