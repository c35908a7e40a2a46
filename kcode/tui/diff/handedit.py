"""A hunk's new lines as a text that can be edited, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.linediff import split_lines
from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from kcode.draft.files import Hunk

_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class EditableText:
    """`end` is how each line of it ends; `is_ended` says whether the last one does."""

    text: str
    end: bytes = b"\n"
    is_ended: bool = True

    def lines(self, text: str) -> tuple[bytes, ...]:
        """The lines that an edited text stands for; none for an empty one."""
        if not text:
            return ()
        body = text.encode("utf-8", "surrogatepass").replace(b"\r\n", b"\n")
        whole = body.replace(b"\n", self.end) + (self.end if self.is_ended else b"")
        return tuple(split_lines(whole))


def editable_text(hunk: Hunk) -> EditableText | None:
    """The hunk's new lines; None where showing them would change them, or they end in several ways."""
    lines = hunk.new_lines
    data = b"".join(lines)
    ended = [line for line in (lines or hunk.old_lines) if line.endswith(b"\n")]
    crlf = sum(line.endswith(b"\r\n") for line in ended)
    if len(data) > _LONGEST or 0 < crlf < len(ended):
        return None
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if sanitize(text) != text:
        return None
    return EditableText(text.removesuffix("\n"), b"\r\n" if crlf else b"\n", not lines or lines[-1].endswith(b"\n"))
