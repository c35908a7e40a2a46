"""Real edits by models, where the corpora lie beside the repository."""

from __future__ import annotations

import pytest

from bench.edits import BOUNDS, USUAL, Outcome, judge, score

# One case asks that two empty lines take the blanks that the model typed in them, though its edit does not change them;
# kcode leaves such lines as they are, so the bound is missed by that case.
MISSED = pytest.mark.xfail(reason="one case wants blanks in lines that its edit does not change", strict=True)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=MISSED if name == "aider-history" else ()) for name in sorted(BOUNDS)]
)
def test_real_edits_land_where_they_were_meant(name: str) -> None:
    corpus = USUAL / f"{name}.jsonl.gz"
    if not corpus.is_file():
        pytest.skip(f"there is no {corpus}")
    counts = score(corpus)
    bound, holds = BOUNDS[name]
    assert holds(counts), (bound, counts)


@pytest.mark.parametrize(
    ("before", "edits", "after", "expect", "outcome"),
    [
        ("a\nb\n", [("a", "c")], "c\nb", "after", Outcome.RIGHT),
        ("a\nb\n", [("a", "c")], "d\nb\n", "after", Outcome.DAMAGED),
        ("a\nb\n", [("a", "c")], "", "applied", Outcome.RIGHT),
        ("a\na\n", [("a", "c")], "c\na\n", "after-or-refuse", Outcome.REFUSED),
        ("a\na\n", [("a", "c")], "", "applied", Outcome.REFUSED),
        ("a\na\n", [("a", "c")], "", "refuse", Outcome.RIGHT),
        ("a\nb\n", [("a", "c")], "", "refuse", Outcome.DAMAGED),
        ("a\nb\n", [("x", "c"), ("a", "c")], "c\nb\n", "after", Outcome.RIGHT),
        ("a\nb\n", [("x", "c"), ("a", "c")], "d\nb\n", "after", Outcome.REFUSED),
        ("first line\nold\n", [("first line \nold", "first line \nnew")], "first line \nnew\n", "after", Outcome.KEPT),
    ],
)
def test_a_case_is_judged(before: str, edits: list[tuple[str, str]], after: str, expect: str, outcome: Outcome) -> None:
    told = [{"old": old, "new": new} for old, new in edits]
    assert judge({"before": before, "edits": told, "after": after, "expect": expect}) is outcome
