"""Isolation on macOS, by a profile for `sandbox-exec`.

Written from the profiles of other programs and not run by any test of this project, which has no macOS machine. Weaker
than Linux's ways: no folder is private, /tmp is shared, and the copy is seen at its own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.sandbox.surroundings import git_folders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PROGRAM = "/usr/bin/sandbox-exec"

# A later rule wins. What processes need beyond files is allowed, the network and writing are not.
_START = """(version 1)
(allow default)
(deny network*)
(deny file-write*)
(allow file-write* (subpath "/private/tmp") (subpath "/private/var/tmp") (subpath "/private/var/folders"))
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (regex #"^/dev/ttys"))
(allow network* (local ip "localhost:*") (remote ip "localhost:*"))
"""


def seatbelt_profile(source: Path, masks: Iterable[str], reports: Path | None = None) -> str:
    """The profile for commands that may write the folders `source` and `reports`, and not read `masks`."""
    lines = [f"(deny file-read* file-write* (subpath {_quoted(path)}))" for path in masks]
    writable = [source.resolve(), *([reports.resolve()] if reports else [])]
    lines += [f"(allow file-read* file-write* (subpath {_quoted(str(path))}))" for path in writable]
    lines += [f"(deny file-write* (subpath {_quoted(str(path))}))" for path in git_folders(source.resolve())]
    return _START + "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
