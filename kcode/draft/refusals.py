"""What a model reads when an edit is refused: what happened, the evidence, that nothing was changed, the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.ladder import read_retyped
from kcode.draft.nearmiss import describe_near_miss
from kcode.errors import EditRefusedError
from kcode.textfile import cut_line, show_unknown_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.original import Original, Place
    from kcode.tooling import Edit, Tier

_MOST_MATCHES_SHOWN, _MOST_NUMBERS = 6, 40
_LONG_ENOUGH, _MOST_REFUSALS = 8, 3
_NOTHING_MADE = "No file was changed, and no other edit of this call was made."


@dataclass(frozen=True, slots=True)
class Refusals:
    """Words the refusals of one call's edits, whose line ends are LF."""

    base: Original
    edits: Sequence[Edit]

    def because(self, number: int, reason: str, step: str, line: int | None = None) -> EditRefusedError:
        """`reason` and `step` come without their last full stop; `line` is where the edit was probably meant."""
        count = len(self.edits)
        which = f"Edit {number + 1} of {count}: " if count > 1 else ""
        state = _NOTHING_MADE if count > 1 else "No file was changed."
        text = f"{which}{reason}. {state} {step}."
        return EditRefusedError(show_unknown_bytes(text), line)

    def together(self, refused: Sequence[EditRefusedError]) -> EditRefusedError:
        """All refusals of the call in one, and that the other edits fit, so that one answer can mend everything."""
        first, *more = refused
        texts = [str(first), *(str(other).replace(f" {_NOTHING_MADE}", "") for other in more[: _MOST_REFUSALS - 1])]
        left_out = len(more) - len(texts) + 1
        if left_out > 0:
            texts.append(f"{left_out} more {'edit does' if left_out == 1 else 'edits do'} not fit either.")
        if fit := len(self.edits) - len(refused):
            texts.append(f"The other {'edit fits' if fit == 1 else f'{fit} edits fit'} as given.")
        return EditRefusedError("\n".join(texts), first.line)

    def overlap(self, one: Place, other: Place) -> EditRefusedError:
        line = self.base.line_of(other.start)
        return EditRefusedError(
            f"Edits {one.number + 1} and {other.number + 1} of {len(self.edits)} change the same text, at line {line}. "
            "No file was changed. Put them into one edit.",
            line,
        )

    def ambiguous(self, number: int, lines: Sequence[int], tier: Tier, *, at_least: bool = False) -> EditRefusedError:
        """For an `old` that begins at several lines; with `at_least` there may be more."""
        count = f"at least {len(lines):,}" if at_least else str(len(lines))
        spread = 1 if len(set(lines)) > 1 else 0
        shown = [self._with_neighbours(line, spread) for line in list(dict.fromkeys(lines))[:_MOST_MATCHES_SHOWN]]
        if rest := list(dict.fromkeys(lines))[_MOST_MATCHES_SHOWN:]:
            more = " …" if at_least or len(rest) > _MOST_NUMBERS else ""
            shown.append(f"  and lines {', '.join(map(str, rest[:_MOST_NUMBERS]))}{more}")
        where = "\n".join(["", *shown, ""])
        if tier.value:
            reason = f"`old` is not in the file as it is; passing over {tier.value} it is there {count} times"
            step = "Copy the text from there exactly, with the lines above or below the place that you mean"
            return self.because(number, f"{reason}:{where}So it is not clear which is meant", step, lines[0])
        return self.because(
            number,
            f"`old` stands in the file {count} times:{where}So it is not clear which is meant",
            "Add the lines above or below the one that you mean to both `old` and `new`, or name its line in near_line, "
            "or set replace_all to change each",
            lines[0],
        )

    def _with_neighbours(self, line: int, around: int) -> str:
        low, high = max(1, line - around), min(len(self.base.lines), line + around)
        width = len(str(high))
        return "\n".join(
            f"{'  line' if at == line else '      '} {at:>{width}}: {cut_line(self.base.lines[at - 1], 120)}"
            for at in range(low, high + 1)
        )

    def not_found(self, number: int) -> EditRefusedError:
        old, new = self.edits[number].old, self.edits[number].new
        if (at := _stands_once(self.base.text, new)) is not None:
            line = self.base.line_of(at)
            reason = f"`old` is not in the file, but `new` is, at line {line}: it seems to be already applied"
            return self.because(number, reason, "If so, leave it out", line)
        for other, edit in enumerate(self.edits):
            if other != number and old in edit.new:
                reason = (
                    f"`old` is not in the file, only in the `new` of edit {other + 1}. "
                    "All edits are matched against the file as it is before the call"
                )
                return self.because(number, reason, "Put both into one edit")
        retyped = read_retyped(old, new)
        plain = "\n".join(retyped.old) if retyped.numbered else old
        numbers = ": its lines begin with line numbers, which are no part of it" if retyped.numbered else ""
        if retyped.numbered and plain in self.base.text:
            line = self.base.line_of(self.base.text.index(plain))
            step = "Leave out the numbers and what stands between them and the text"
            return self.because(number, f"`old` is not in the file{numbers}", step, line)
        near = describe_near_miss(self.base.lines, plain)
        if near is None:
            step = "Find the place with search, or read the file again, and copy the text exactly"
            return self.because(number, f"`old` is not in the file, nor anything like it{numbers}", step)
        return self.because(number, f"`old` is not in the file{numbers}. {near.told}", near.step, near.line)


def _stands_once(text: str, new: str) -> int | None:
    """Where `new` stands as whole lines, once, and is long enough that this is no chance."""
    words = new.strip()
    at = text.find(words)
    if len(words) < _LONG_ENOUGH or text.find(words, at + 1) >= 0:
        return None
    before, after = text[:at].rpartition("\n")[2], text[at + len(words) :].partition("\n")[0]
    return None if at < 0 or before.strip() or after.strip() else at
