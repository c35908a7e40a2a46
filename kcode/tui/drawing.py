"""Where the interface is drawn."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def drawn_on_stdout() -> Iterator[None]:
    """Draw on the terminal that stdout is, also where stderr goes elsewhere: Textual itself draws on stderr."""
    former = sys.__stderr__
    raw = io.BufferedWriter(io.FileIO(os.dup(1), "wb"))
    screen = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace")
    sys.__stderr__ = screen  # type: ignore[misc]  # it is no constant, whatever its stub says
    try:
        yield
    finally:
        sys.__stderr__ = former  # type: ignore[misc]
        with suppress(OSError):  # the terminal may be gone
            screen.close()
