"""What takes long to find out of a file under review; for a thread."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.draft.layout import old_index
from kcode.sanitize import sanitize_line
from kcode.tui.diff.sheet import Colors, Learned
from kcode.tui.diff.sides import side_of
from kcode.tui.highlight import highlight_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kcode.agent.reviewing import HunkFacts
    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.provenance import Tested
    from kcode.draft.review import Reviewed
    from kcode.tui.diff.sides import Side
    from kcode.tui.lines import Line
    from kcode.tui.reviewdesk import ReviewDesk
    from kcode.tui.texts import Texts

_MOST_CAUSES = 3
_MANY_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was found out of a file, as it then was."""

    change: FileChange
    facts: Mapping[str, HunkFacts]
    learned: Mapping[str, Learned]


@dataclass(slots=True)
class Known:
    """What was found out of the files of a review; of a file that has changed since it is known no longer."""

    _lessons: dict[str, Lesson] = field(default_factory=dict)
    _colors: dict[str, tuple[FileChange, Colors]] = field(default_factory=dict)

    def take(self, lesson: Lesson) -> None:
        self._lessons[lesson.change.path] = lesson

    def take_colors(self, change: FileChange, colors: Colors) -> None:
        self._colors[change.path] = change, colors

    def lesson(self, path: str) -> Lesson | None:
        """What was learned of a file, also of one that has changed a little since."""
        return self._lessons.get(path)

    def is_learned(self, change: FileChange) -> bool:
        lesson = self._lessons.get(change.path)
        return lesson is not None and lesson.change == change

    def colors(self, change: FileChange) -> Colors | None:
        known = self._colors.get(change.path)
        same = known is not None and (known[0].before, known[0].after) == (change.before, change.after)
        return known[1] if known and same else None

    def facts(self, path: str, key: str) -> HunkFacts | None:
        lesson = self._lessons.get(path)
        return lesson.facts.get(key) if lesson else None


def learn(desk: ReviewDesk, view: Reviewed, change: FileChange, texts: Texts) -> Lesson:
    """Where each hunk stands, by what it was made, whether it was tested, and which signatures it changes."""
    from kcode.tui.diff.signatures import changed_signatures  # noqa: PLC0415 - parsers, which the first paint can miss

    facts = {one.key: one for one in desk.facts(view, change.path)}
    signatures = changed_signatures(change)
    learned = {
        key: Learned(
            one.within or (), describe_causes(one, texts), describe_tested(one.tested, texts), signatures.get(key, ())
        )
        for key, one in facts.items()
    }
    return Lesson(change, facts, learned)


def color(change: FileChange) -> Colors:
    """Both texts in syntax colour.

    Of a long old text only the lines that are taken out are read, one after the other: the others are seen as the new
    text has them.
    """
    olds, news = side_of(change.before), side_of(change.after)
    name = change.old_path or change.path
    new = highlight_lines(news.text, change.path) if news.lines else []
    if not olds.lines or len(olds.lines) <= _MANY_LINES or not news.lines:
        return Colors(highlight_lines(olds.text, name) if olds.lines else [], new)
    gone = "".join(f"{line}\n" for hunk in change.hunks for line in _lines_of(olds, hunk))
    taken = iter(highlight_lines(gone, name) if gone else [])
    old: list[Line] = []
    grown = 0
    for hunk in change.hunks:
        start = old_index(hunk)
        old += new[len(old) + grown : start + grown]
        old += itertools.islice(taken, len(hunk.old_lines))
        grown += len(hunk.new_lines) - len(hunk.old_lines)
    return Colors([*old, *new[len(old) + grown :]], new)


def _lines_of(olds: Side, hunk: Hunk) -> Sequence[str]:
    start = old_index(hunk)
    return olds.lines[start : start + len(hunk.old_lines)]


def describe_causes(facts: HunkFacts, texts: Texts) -> str:
    """By what a hunk was made; "" where nobody recorded it."""
    names: list[str] = []
    for cause in facts.causes:
        if cause.by and cause.by not in names[-1:]:
            names.append(cause.by)
    names = names or [facts.change.by] * bool(facts.change.by)
    shown = (
        [*map(sanitize_line, names[:1]), "…", sanitize_line(names[-1])]
        if len(names) > _MOST_CAUSES
        else [*map(sanitize_line, names)]
    )
    return texts("review.by", names=", ".join(shown)) if shown else ""


def describe_tested(tested: Tested, texts: Texts) -> str:
    """What the tests said of the draft that the hunk was part of; "" where none ran."""
    if tested.run is None:
        return ""
    state = "passed" if tested.run.ok else "as_before" if tested.run.is_as_before else "failed"
    words = texts(f"review.tests_{state}")
    return words if tested.is_fresh else texts("review.tests_before", words=words)


def tests_of(facts: Iterable[HunkFacts | None]) -> str:
    """What the tests said of all these hunks together: "+", "-", or "" where that is not known of each of them.

    Where nothing fails that did not fail before, no hunk is to blame.
    """
    runs = [one.tested.run if one is not None and one.tested.is_fresh else None for one in facts]
    if not runs or any(run is None for run in runs):
        return ""
    if all(run is not None and run.ok for run in runs):
        return "+"
    return "" if all(run is not None and (run.ok or run.is_as_before) for run in runs) else "-"
