"""The user's own editor, on a file of kcode's own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import nullcontext
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from kcode.draft.disk import read_state, remove_file, write_whole
from kcode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

_PLAIN_SUFFIX = re.compile(r"\.[A-Za-z0-9_]{1,12}")


def edit_text(folder: Path, path: str, data: bytes, environment: Mapping[str, str]) -> bytes | None:
    """What the user makes of the text in $VISUAL or $EDITOR; None when the editor failed.

    `folder` is kcode's own; `path` gives the file's ending, by which editors know the language. UsageError when there
    is no such editor.
    """
    command = environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    suffix = PurePosixPath(path).suffix
    file = folder / ("hunk" + (suffix if _PLAIN_SUFFIX.fullmatch(suffix) else ".txt"))
    write_whole(file, data)
    try:
        with _keyboard() as keyboard:
            # An editor draws on stdout, which may be a pipe that the product goes to.
            ended = subprocess.run([*shlex.split(command), str(file)], stdin=keyboard, stdout=sys.stderr, check=False)
        state = read_state(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"The editor {command!r} cannot be started: {why}. Set VISUAL or EDITOR.") from None
    finally:
        remove_file(file)
    return state.data if state is not None and ended.returncode == 0 else None


def _keyboard() -> AbstractContextManager[IO[bytes] | None]:
    """What the editor reads from: the terminal, also where stdin is the pipe that brought the issue."""
    return nullcontext() if sys.stdin.isatty() else open("/dev/tty", "rb")  # noqa: PTH123 - closed by the caller
