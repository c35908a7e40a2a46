"""What a model reads that makes the same refused edit again: not the same words, but what it needs to do better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import EditRefusedError, ToolError
from kcode.textfile import decode_text, number_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

_AROUND = 20


class Retries:
    """How often the last refusal of each file was given in a row, without any change to the file between."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, int]] = {}

    def answer(self, path: str, data: bytes, refused: EditRefusedError) -> EditRefusedError:
        """The refusal itself the first time; then the lines around the place; then that it is time to stop."""
        reason = str(refused)
        last, times = self._last.get(path, ("", 0))
        times = times + 1 if reason == last else 1
        self._last[path] = (reason, times)
        if times == 1:
            return refused
        first_line = reason.partition("\n")[0].removesuffix(":")
        if times == 2:
            around = _lines_around(data, refused.line)
            text = f"Refused for the same reason as before: {first_line}\n{around}No file was changed. "
            return EditRefusedError(f"{text}Copy `old` from these lines exactly, or take a smaller part of them.")
        return EditRefusedError(
            f"Refused for the same reason {times} times: {first_line}\nNo file was changed. Do not send this edit again. "
            "Make the change another way: read the place with read_file and replace less of it, or write the file anew "
            "with write_file once you have read all of it. If you cannot tell what should change, stop, and say in your "
            "answer what you wanted to change and what stands in the way."
        )

    def forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._last.pop(path, None)


def _lines_around(data: bytes, line: int | None) -> str:
    """About 40 numbered lines with the place among them; of a file where it is not known, the first ones."""
    try:
        lines = decode_text(data).lines
    except ToolError:
        return ""
    low = max(1, min((line or 1) - _AROUND, len(lines) - 2 * _AROUND + 1))
    high = min(len(lines), low + 2 * _AROUND - 1)
    what = "The file" if line else "The place is not known; the file"
    shown = "\n".join(number_lines(lines[low - 1 : high], low))
    return f"{what} reads, lines {low}-{high} of {len(lines)}:\n{shown}\n" if lines else "The file is empty. "
