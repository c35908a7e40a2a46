"""The lines above and below the diff: how the review stands, which file is shown, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kcode.draft.review import Decision
from kcode.sanitize import sanitize_line
from kcode.tui.diff.filelines import draw_entry
from kcode.tui.lines import Line, Role, Span, pad, shorten, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.reviewstate import ReviewState
    from kcode.tui.texts import Texts


class Key(NamedTuple):
    """A key of the last line: what it is called, what it does in a word, and the action of a click on it."""

    name: str
    word: str
    action: str


def draw_title(state: ReviewState, title: str, texts: Texts, width: int, *, is_confined: bool) -> Line:
    """What is under review and how far: files, lines, decided hunks, tests, and whether those run in a sandbox."""
    view = state.view
    entries = [state.entry(change) for change in view.proposal.changes]
    added, removed = sum(entry.added for entry in entries), sum(entry.removed for entry in entries)
    decided = len(view.decisions) - len(view.keys(Decision.PENDING))
    named = f"{texts('review.title')} {sanitize_line(title)}".rstrip()
    spans = [Span(f" {named}  ", Role.HEADING)]
    spans += [Span(texts("review.files", count=len(entries))), Span(f"  +{added:,}", Role.ADDED)]
    spans += [Span(f" -{removed:,}", Role.REMOVED), Span("  ")]
    spans.append(Span(texts("review.decided", decided=decided, count=len(view.decisions)), Role.STRONG))
    if not is_confined:
        spans.append(Span(f"  {texts('status.no_sandbox')}", Role.WARNING))
    tests = {entry.tests for entry in entries}
    if tests == {"+"}:
        spans.append(Span(f"  {texts('review.tests_passed')}", Role.GOOD))
    elif "-" in tests:
        spans.append(Span(f"  {texts('review.tests_failed')}", Role.BAD))
    if view.proposal.conflicts:
        spans.append(Span(f"  {texts('review.conflicts', count=len(view.proposal.conflicts))}", Role.BAD))
    if state.filter:
        spans.append(Span(f"  /{sanitize_line(state.filter)}", Role.WARNING))
    return shorten(tuple(spans), width)


def draw_file_bar(state: ReviewState, texts: Texts, width: int) -> Line:
    """The file that is shown, and where the cursor is in it."""
    change = state.change
    if change is None:
        return (Span(f" {texts('review.nothing')}", Role.DIM),)
    paths = [one.path for one in state.changes]
    keys = [hunk.id for hunk in change.hunks] or [change.path]
    number = paths.index(change.path) + 1 if change.path in paths else 0
    where = texts("review.where", file=number, files=len(paths), hunk=keys.index(state.key) + 1, hunks=len(keys))
    right = (Span(f"  {where} ", Role.DIM, action="screen.list_files"),)
    return (*draw_entry(state.entry(change), change.path, width - width_of(right), is_here=False), *right)


def draw_side_bar(title: str, keys: Sequence[Key], width: int) -> Line:
    """What stands beside the diff, and how to move in it and to leave it."""
    spans: list[Span] = []
    for key in keys:
        spans += [
            Span(f"{key.name} ", Role.ACCENT, action=key.action),
            *([Span(f"{key.word}  ", Role.DIM, action=key.action)] if key.word else []),
        ]
    left = (Span(f" {title}  ", Role.HEADING),)
    return pad(shorten((*left, *spans), width), width)


def draw_keys(keys: Sequence[Key], width: int) -> Line:
    """As many of the keys as there is room for, the first ones before all."""
    spans: list[Span] = [Span(" ")]
    for key in keys:
        pair = (Span(key.name, Role.ACCENT, action=key.action), Span(f" {key.word}  ", Role.DIM, action=key.action))
        if width_of((*spans, *pair)) <= width:
            spans += pair
    return pad(tuple(spans), width)
