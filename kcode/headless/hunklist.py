"""The hunks of a proposal with what is known of each: for people as lines, for programs as fields."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kcode.agent.spelling import spell_arguments
from kcode.draft.review import Decision
from kcode.headless.jsonlines import hunk_fields, place_fields
from kcode.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.agent.reviewing import HunkFacts
    from kcode.draft.files import Hunk
    from kcode.draft.provenance import Tested
    from kcode.draft.versions import TestRun, Version
    from kcode.session.steps import Step

_SHORTEST_ID = 4
_MOST_CAUSES = 3
_MOST_LINES = 40


def list_hunks(facts: Sequence[HunkFacts], columns: int | None = None) -> str:
    """A line for each hunk, safe to show: id, place, size, decision, where it stands, by what, what the tests said.

    On a screen of so many `columns` no line is longer, and what the tests said of all hunks alike is said once.
    """
    if not facts:
        return ""
    tested = {describe_tested(one.tested) for one in facts}
    at_once = columns is not None and len(facts) > 1 and len(tested) == 1
    names = short_ids(facts)
    places = [_place(one) for one in facts]
    sizes = [_size(one) for one in facts]
    wide = [max(map(len, column)) for column in ([names[one.key] for one in facts], places, sizes)]
    text = ""
    for one, place, size in zip(facts, places, sizes, strict=True):
        head = f"{names[one.key]:{wide[0]}}  {place:{wide[1]}}  {size:{wide[2]}}"
        words = [*_words(one), *([] if at_once else [describe_tested(one.tested)])]
        text += fitted(f"{head}  {'; '.join(words)}", columns) + "\n"
        for line in sanitize(one.comment).splitlines():
            text += f"{'':{wide[0]}}  # {line}\n"
    return f"{text}All {len(facts)}: {tested.pop()}\n" if at_once else text


def short_ids(facts: Iterable[HunkFacts]) -> dict[str, str]:
    """For each key the shortest beginning of its id that no other hunk has; a file that is decided whole has a dash."""
    ids = sorted(one.hunk.id for one in facts if one.hunk)
    length = max((_shared(one, other) + 1 for one, other in pairwise(ids)), default=0)
    shortest = max(length, _SHORTEST_ID)
    return {one.key: one.hunk.id[:shortest] if one.hunk else "-" for one in facts}


def describe_place(facts: HunkFacts) -> str:
    """Where a hunk stands, in words for a person, such as `in class Invoice, def total`; "" where that is not known."""
    return f"in {', '.join(map(sanitize_line, facts.within))}" if facts.within else ""


def describe_conflict(facts: HunkFacts) -> str:
    """That a hunk would undo what the user did, and what that was where it is the file itself that is gone; or ""."""
    if not facts.conflicts:
        return ""
    gone = facts.change.before is None
    return "conflicts with what you changed" + (": the file that it was made for is gone" if gone else "")


def describe_causes(facts: HunkFacts) -> str:
    """By what a hunk was made, such as `by edit_file, then ruff format`; "" where nobody recorded it."""
    names: list[str] = []
    for cause in facts.causes:
        if cause.by and cause.by not in names[-1:]:
            names.append(cause.by)
    if not names:
        return f"by {sanitize_line(facts.change.by)}" if facts.change.by else ""
    if len(names) > _MOST_CAUSES:
        names = [names[0], f"{len(names) - 2} more", names[-1]]
    return f"by {', then '.join(map(sanitize_line, names))}"


def describe_tested(tested: Tested) -> str:
    """What the tests said of the draft that the hunk was part of."""
    if tested.run is None:
        return "not tested"
    verdict = "pass" if tested.run.ok else "fail as before" if tested.run.is_as_before else "fail"
    words = f"tests {verdict}{_counts(tested.run)}"
    return words if tested.is_fresh else f"{words}, before later changes"


def explain_hunk(facts: HunkFacts, steps: Sequence[tuple[Version, Step | None]]) -> str:
    """Why a hunk is as it is: each call or command with the reasoning and words that led to it, safe to show."""
    parts = []
    for cause, step in steps:
        if step is None:
            parts.append(f"{sanitize_line(cause.by)}\n")
            continue
        text = f"{sanitize_line(step.call.name)}\n"
        text += _indented("thought", step.reasoning or "") + _indented("said", step.text)
        text += _indented("called with", _arguments(step.call.arguments, facts.hunk))
        parts.append(text)
    head = "; ".join(filter(None, [_place(facts), describe_place(facts), describe_tested(facts.tested)]))
    return f"{head}\n\n" + ("\n".join(parts) if parts else "It is not known what made this change.\n")


def proposed_fields(facts: HunkFacts) -> dict[str, Any]:
    """The fields of a `hunk.proposed` event."""
    run = facts.tested.run
    tests = None
    if run is not None:
        counts = {"passed": run.passed, "failed": run.failed, "skipped": run.skipped}
        tests = {"ok": run.ok, **counts, "fresh": facts.tested.is_fresh}
    return {
        **place_fields(facts.change),
        **(hunk_fields(facts.hunk) if facts.hunk else {"id": None}),
        "decision": facts.decision.value,
        "edited": facts.is_edited,
        "conflict": facts.conflicts,
        "comment": facts.comment or None,
        "within": None if facts.within is None else list(facts.within),
        "causes": [_cause_fields(cause) for cause in facts.causes],
        "tests": tests,
    }


def step_fields(cause: Version, step: Step | None) -> dict[str, Any]:
    """A cause with what the model thought and said, and the call as it wrote it."""
    fields = _cause_fields(cause)
    if step is not None:
        fields |= {"name": step.call.name, "arguments": step.call.arguments}
        fields |= {"reasoning": step.reasoning, "text": step.text}
    return fields


def _cause_fields(cause: Version) -> dict[str, Any]:
    time = datetime.fromtimestamp(cause.seconds, UTC).isoformat(timespec="milliseconds") if cause.seconds else None
    return {"call": cause.call or None, "by": cause.by, "time": time}


def _words(facts: HunkFacts) -> list[str]:
    words = ["" if facts.decision is Decision.PENDING else facts.decision.value]
    words.append(describe_conflict(facts))
    words.append("edited by you" if facts.is_edited else "")
    words += [describe_kind(facts), describe_place(facts), describe_causes(facts)]
    return [word for word in words if word]


def fitted(line: str, columns: int | None) -> str:
    """The line, cut short where a screen of so many columns would break it."""
    return line if columns is None or len(line) <= columns else f"{line[: columns - 1]}…"


def _place(facts: HunkFacts) -> str:
    path = sanitize_line(facts.change.path)
    return path if facts.hunk is None else f"{path}:{max(facts.hunk.new_start, 1)}"


def _size(facts: HunkFacts) -> str:
    return "whole" if facts.hunk is None else f"+{len(facts.hunk.new_lines)} -{len(facts.hunk.old_lines)}"


def describe_kind(facts: HunkFacts) -> str:
    """What happens to the file as a whole, such as `file deleted`; "" where only its lines change."""
    change = facts.change
    if change.before is None:
        return "new file"
    if change.after is None:
        return "file deleted"
    if change.old_path is not None:
        return f"moved from {sanitize_line(change.old_path)}"
    return f"mode {change.before.mode:o} to {change.after.mode:o}" if change.before.mode != change.after.mode else ""


def _counts(run: TestRun) -> str:
    counts = [f"{count} {word}" for count, word in ((run.passed, "passed"), (run.failed, "failed")) if count]
    return f": {', '.join(counts)}" if counts else ""


def _shared(one: str, other: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))


def _indented(title: str, text: str) -> str:
    if not text.strip():
        return ""
    lines = sanitize(text.strip("\n")).split("\n")
    return f"  {title}:\n" + "".join(f"    {line}".rstrip() + "\n" for line in lines)


def _arguments(text: str, hunk: Hunk | None) -> str:
    """The arguments as a person reads them: texts with their line breaks, edits as lines out and in, not too many."""
    lines = spell_arguments(text, hunk).splitlines()
    more = len(lines) - _MOST_LINES
    rest = [f"… and {more} more lines: kcode diff --why --json has all"] if more > 0 else []
    return "\n".join([*lines[:_MOST_LINES], *rest])
