"""Who did a hunk: the calls and commands whose versions of the file put its lines in or took them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.linediff import changed_ranges, split_lines
from kcode.draft.versions import BY_USER, TestRun, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kcode.draft.baseline import Digest
    from kcode.draft.files import FileChange, Proposal

    Image = Callable[[Digest], bytes | None]

# Each version costs two line diffs; of a file that was changed more often the newest tell.
_MOST_VERSIONS = 60


@dataclass(frozen=True, slots=True)
class Tested:
    """The last run of all tests since a hunk became what it is; None when there was none.

    `is_fresh` says that nothing else in the draft changed after it.
    """

    __test__ = False

    run: TestRun | None = None
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """What led to a hunk, the oldest first, and what the tests said."""

    causes: tuple[Version, ...] = ()
    tested: Tested = Tested()


def trace(
    proposal: Proposal, records: Sequence[Version | TestRun], image: Image, edited: Collection[str] = ()
) -> dict[str, Provenance]:
    """The provenance of every hunk, and of every file that is decided whole, by its key.

    `edited` are hunks that the user changed and the draft does not hold yet: nobody else did them, and no test saw
    them.
    """
    chains, restored = _chains(records)
    runs = [place for place, record in enumerate(records) if isinstance(record, TestRun) and not record.is_chosen]
    last_change = max((place for place, record in enumerate(records) if isinstance(record, Version)), default=-1)
    found = {}
    for change in proposal.changes:
        for key, places in _causes(change, records, chains, image).items():
            causes = tuple(record for place in places if isinstance(record := records[place], Version))
            if key in edited:
                found[key] = Provenance((*causes, Version(change.path, "", BY_USER, 0.0, False, None, None)))
                continue
            back = [restored.get(path, -1) for path in (change.path, change.old_path) if path]
            since = [place for place in runs if causes and place > max([*places, *back])]
            run = records[since[-1]] if since else None
            tested = Tested(run, since[-1] > last_change) if isinstance(run, TestRun) else Tested()
            found[key] = Provenance(causes, tested)
    return found


def last_run(records: Sequence[Version | TestRun]) -> TestRun | None:
    """The last run of the tests over the draft as it is, one of all tests before one of chosen ones; None without any."""
    fresh: list[TestRun] = []
    for record in reversed(records):
        if isinstance(record, Version):
            break
        fresh.append(record)
    return next((run for run in fresh if not run.is_chosen), fresh[0] if fresh else None)


def _chains(records: Sequence[Version | TestRun]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """For each path the places of the changes that made it what it is, and of the last one that brought a state back.

    A state that the user brings back, as by undoing a rejection, is still by those who made it.
    """
    chains: dict[str, list[int]] = {}
    restored: dict[str, int] = {}
    known: dict[tuple[str, Digest], list[int]] = {}
    for place, record in enumerate(records):
        if not isinstance(record, Version):
            continue
        state = (record.path, record.after)
        if record.by == BY_USER and state in known:
            chains[record.path] = known[state]
            restored[record.path] = place
            continue
        chains[record.path] = [*([] if record.starts else chains.get(record.path, ())), place]
        known[state] = chains[record.path]
    return chains, restored


def _causes(
    change: FileChange, records: Sequence[Version | TestRun], chains: Mapping[str, Sequence[int]], image: Image
) -> dict[str, list[int]]:
    """For each key of the file the places of the records that did it."""
    places = list(chains.get(change.path, ()))
    if change.old_path is not None:
        # Before a file was moved it was changed under its old name; that it went from there is the move itself.
        places = [place for place in chains.get(change.old_path, ()) if _after(records[place]) is not None] + places
    if not change.hunks:
        return {change.path: places}
    texts = [_lines(image(_after(records[place]))) for place in places]
    known = [
        text for text, place in zip(texts, places, strict=True) if text is not None or _after(records[place]) is None
    ]
    if not places or len(known) < len(places):
        # A text that was not kept: all that is known is who changed the file.
        return {hunk.id: places for hunk in change.hunks}
    versions = [_first_text(change, records[places[0]], image), *(text or [] for text in known)]
    skipped = max(len(versions) - _MOST_VERSIONS, 0)
    causes = attribute(change, versions[skipped:])
    return {key: [places[skipped + number - 1] for number in numbers] or places[-1:] for key, numbers in causes.items()}


def _first_text(change: FileChange, first: Version | TestRun, image: Image) -> list[bytes]:
    if isinstance(first, Version) and first.starts:
        kept = _lines(image(first.before))
        if kept is not None or first.before is None:
            return kept or []
    return split_lines(change.before.data) if change.before else []


def attribute(change: FileChange, versions: Sequence[Sequence[bytes]]) -> dict[str, list[int]]:
    """For each hunk the numbers of the versions that did it, rising; version 0 is what the file was at first.

    A line that is there now was put in by the version behind the last one without it; a line that is gone was taken out
    by the version behind the last one that had it.
    """
    old = split_lines(change.before.data) if change.before else []
    new = split_lines(change.after.data) if change.after else []
    put_in, taken_out = [0] * len(new), [0] * len(old)
    for number, text in enumerate(versions):
        has_new, has_old = _present(new, text), _present(old, text)
        for place, there in enumerate(has_new):
            if not there:
                put_in[place] = number + 1
        for place, there in enumerate(has_old):
            if there:
                taken_out[place] = number + 1
    found = {}
    last = len(versions) - 1
    for hunk in change.hunks:
        first_new = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        first_old = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        numbers = set(put_in[first_new : first_new + len(hunk.new_lines)])
        numbers.update(taken_out[first_old : first_old + len(hunk.old_lines)])
        # A line that is newer than the last version was changed where nobody recorded it.
        found[hunk.id] = sorted(number for number in numbers if 0 < number <= last)
    return found


def _present(lines: Sequence[bytes], text: Sequence[bytes]) -> list[bool]:
    """Which of the lines the text has too, as a line diff matches them."""
    there = [True] * len(lines)
    for range_ in changed_ranges(lines, text):
        there[range_.old_from : range_.old_to] = [False] * (range_.old_to - range_.old_from)
    return there


def _after(record: Version | TestRun) -> Digest:
    return record.after if isinstance(record, Version) else None


def _lines(data: bytes | None) -> list[bytes] | None:
    return None if data is None else split_lines(data)
