"""Whether real edits by models land where they were meant: `python -m bench.edits FOLDER`, with `-v` case by case.

FOLDER holds `*.jsonl.gz`, one case a line: `before`, `edits`, `after`, and in `expect` what must become of it. The edits
of a case are made in one call. If that is refused, they are tried one by one, as they once came: a refused one was told
to the model, which sent another.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcode.draft.edit import apply_edits
from kcode.errors import EditRefusedError
from kcode.tooling import Edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

USUAL = Path(__file__).parent.parent.parent / "shared" / "corpora" / "edits"
LONGEST_ID = 70


class Outcome(Enum):
    """What became of a case. KEPT: as wanted, but where the case's text has blanks retyped, the file's line stays."""

    RIGHT = "right"
    KEPT = "kept"
    REFUSED = "refused"
    DAMAGED = "damaged"


Counts = Counter[tuple[str, Outcome]]


def refused(counts: Counts, expect: str) -> int:
    return counts[expect, Outcome.REFUSED]


def total(counts: Counts, *outcomes: Outcome) -> int:
    return sum(count for (_, outcome), count in counts.items() if outcome in outcomes)


# What is promised of each corpus; of others nothing is.
BOUNDS: Mapping[str, tuple[str, Callable[[Counts], bool]]] = {
    "aider-history": (
        "all but 2 in 121 right, none kept or damaged",
        lambda counts: (
            121 * total(counts, Outcome.RIGHT) >= 119 * counts.total()
            and total(counts, Outcome.KEPT, Outcome.DAMAGED) == 0
        ),
    ),
    "react-edits": (
        "what is to be refused is, what is unique is applied",
        lambda counts: counts["refuse", Outcome.DAMAGED] == 0 and refused(counts, "applied") == 0,
    ),
    "harnesskit": ("at most 1 damaged", lambda counts: total(counts, Outcome.DAMAGED) <= 1),
}


def read_cases(corpus: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(corpus, "rt", encoding="utf-8", newline="") as lines:
        yield from map(json.loads, lines)


def judge(case: Mapping[str, Any]) -> Outcome:
    """Make the case's edits and compare with what it expects; a last line end more or less makes no difference."""
    before = case["before"]
    edits = [Edit(edit["old"], edit["new"], edit.get("replace_all", False)) for edit in case["edits"]]
    result, complete = _replay(before, edits)
    if case["expect"] == "refuse":
        return Outcome.RIGHT if result == before else Outcome.DAMAGED
    if case["expect"] == "applied":
        return Outcome.RIGHT if complete else Outcome.REFUSED
    wanted = case["after"]
    if result.rstrip("\n") == wanted.rstrip("\n"):
        return Outcome.RIGHT
    if not complete:
        return Outcome.REFUSED
    return Outcome.KEPT if _keeps_own_blanks(before, result, wanted) else Outcome.DAMAGED


def _replay(before: str, edits: Sequence[Edit]) -> tuple[str, bool]:
    """What becomes of the text, and whether every edit was made."""
    calls = [edits] if len(edits) == 1 else [edits, *([edit] for edit in edits)]
    data, complete = before.encode(), True
    for call in calls:
        try:
            data = apply_edits(data, call).after
        except EditRefusedError:
            complete = call is edits and len(edits) > 1 and complete
            continue
        if call is edits:
            break
    return data.decode(), complete


def _keeps_own_blanks(before: str, result: str, wanted: str) -> bool:
    """Whether the texts differ only in blanks at the ends of lines, where `result` has lines of the file."""
    own = set(before.split("\n"))
    ours, theirs = result.rstrip("\n").split("\n"), wanted.rstrip("\n").split("\n")
    return len(ours) == len(theirs) and all(
        one == other or (one in own and one.rstrip() == other.rstrip()) for one, other in zip(ours, theirs, strict=True)
    )


def score(corpus: Path, *, verbose: bool = False) -> Counts:
    counts: Counts = Counter()
    for case in read_cases(corpus):
        outcome = judge(case)
        counts[case["expect"], outcome] += 1
        if verbose and outcome is not Outcome.RIGHT:
            print(f"  {outcome.value:<8} {case['expect']:<16} {case['id'][-LONGEST_ID:]}")
    return counts


def main(arguments: Sequence[str]) -> bool:
    """Print the table; True when every bound is kept."""
    verbose = "-v" in arguments
    folders = [Path(argument) for argument in arguments if argument != "-v"] or [USUAL]
    corpora = sorted(corpus for folder in folders for corpus in folder.glob("*.jsonl.gz"))
    if not corpora:
        print(f"no corpora of edits in {', '.join(map(str, folders))}: nothing measured")
        return True
    print(f"{'edits by models':<18}" + "".join(f"{outcome.value:>9}" for outcome in Outcome) + "   bound")
    all_kept = True
    for corpus in corpora:
        name = corpus.name.removesuffix(".jsonl.gz")
        counts = score(corpus, verbose=verbose)
        bound, holds = BOUNDS.get(name, ("", lambda _: True))
        kept = holds(counts)
        all_kept = all_kept and kept
        figures = "".join(f"{total(counts, outcome):>9}" for outcome in Outcome)
        print(f"{name:<18}{figures}   {bound}{'' if kept else '   MISSED'}")
    return all_kept


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
