"""What is about to be written, taken out and left, before it is done, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.parsing import stop_parsing
from kcode.draft.hunks import choose, count_lines
from kcode.draft.review import Decision
from kcode.sanitize import sanitize_line, sanitize_names
from kcode.tui.diff.filelines import mark_of
from kcode.tui.lines import Line, Role, Span

if TYPE_CHECKING:
    from collections.abc import Collection

    from kcode.draft.files import Proposal
    from kcode.draft.reversal import Reversal
    from kcode.draft.review import Reviewed
    from kcode.tui.texts import Texts

_MOST_FILES = 40


def summarize(view: Reviewed, texts: Texts, *, is_draft: bool) -> list[Line]:
    """What carrying out the decisions does. Without a draft nothing is taken out of one."""
    accepted, rejected = view.keys(Decision.ACCEPTED), view.keys(Decision.REJECTED)
    lines: list[Line] = []
    if accepted:
        lines += _part(
            texts("review.to_write", **_amounts(view, accepted, texts)),
            Role.GOOD,
            choose(view.proposal, accepted),
            texts,
        )
    if rejected:
        words = "review.to_drop" if is_draft else "review.to_leave_out"
        lines += _part(
            texts(words, **_amounts(view, rejected, texts)), Role.BAD, choose(view.proposal, rejected), texts
        )
    edited = view.edited.keys() - accepted - rejected
    if edited and is_draft:
        lines.append((Span(texts("review.to_edit", hunks=count_hunks(len(edited), texts)), Role.WARNING),))
    left = len(view.decisions) - len(accepted) - len(rejected)
    lines.append(
        (
            Span(
                texts("review.to_leave", hunks=count_hunks(left, texts)) if left else texts("review.nothing_left"),
                Role.DIM,
            ),
        )
    )
    return lines


def caution(view: Reviewed, tested: bool | None, texts: Texts) -> list[Line]:
    """What speaks against writing what is accepted; `tested` says whether the tests passed with it, None: not known."""
    accepted = view.keys(Decision.ACCEPTED)
    if not accepted:
        return []
    broken = stop_parsing(choose(view.proposal, accepted))
    lines: list[Line] = [
        (Span(texts("review.parses_no_more", path=sanitize_line(path)), Role.BAD),) for path in broken[:_MOST_FILES]
    ]
    if tested is None:
        lines.append((Span(texts("review.untested"), Role.DIM),))
    elif not tested:
        lines.append((Span(texts("review.fails_with_this"), Role.BAD),))
    return lines


def describe_reversal(reversal: Reversal, texts: Texts) -> list[Line]:
    """What an undo or a redo writes, and what it is merged with."""
    proposal = reversal.proposal
    head = texts(f"review.to_{reversal.kind}", size=describe_size(proposal, texts))
    lines = _part(head, Role.WARNING, proposal, texts)
    if reversal.merged:
        names = sanitize_names(sorted(reversal.merged))
        lines.append((Span(texts("review.merged", names=names), Role.WARNING),))
    return lines


def describe_size(proposal: Proposal, texts: Texts) -> str:
    """How much a proposal changes, in a few words."""
    added, removed = count_lines(proposal)
    return texts("review.size", count=len(proposal.changes), added=f"{added:,}", removed=f"{removed:,}")


def count_hunks(count: int, texts: Texts) -> str:
    return texts("review.hunks", count=count)


def _amounts(view: Reviewed, keys: Collection[str], texts: Texts) -> dict[str, str]:
    size = describe_size(choose(view.proposal, keys), texts)
    return {"hunks": count_hunks(len(keys), texts), "size": size}


def _part(head: str, role: Role, proposal: Proposal, texts: Texts) -> list[Line]:
    lines: list[Line] = [(Span(head, role),)]
    for change in proposal.changes[:_MOST_FILES]:
        added = sum(len(hunk.new_lines) for hunk in change.hunks)
        removed = sum(len(hunk.old_lines) for hunk in change.hunks)
        size = (Span(f"  +{added}", Role.ADDED), Span(f" -{removed}", Role.REMOVED)) if change.hunks else ()
        lines.append((Span(f"  {mark_of(change)} ", Role.DIM), Span(sanitize_line(change.path)), *size))
    if (more := len(proposal.changes) - _MOST_FILES) > 0:
        lines.append((Span(f"  {texts('review.more_files', count=more)}", Role.DIM),))
    return [*lines, ()]
