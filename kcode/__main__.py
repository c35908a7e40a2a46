"""The program's entry: small enough that Ctrl-C is answered well even while the rest is still being imported."""

from __future__ import annotations

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
    sys.exit(code)


if __name__ == "__main__":
    main()
