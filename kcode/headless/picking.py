"""Asking hunk by hunk: what to apply and what not, with splitting, editing and comments on the way."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from kcode.draft.hunks import choose, count_lines
from kcode.draft.linediff import split_lines
from kcode.draft.patch import render_patch
from kcode.draft.review import (
    Cut,
    Decision,
    comment,
    cut_behind,
    decide,
    divide,
    edit,
    subjects,
    undo_last,
)
from kcode.draft.selection import keys_of
from kcode.editor import edit_text
from kcode.errors import UsageError
from kcode.headless.hunklist import (
    describe_causes,
    describe_conflict,
    describe_kind,
    describe_place,
    describe_tested,
    explain_hunk,
)
from kcode.headless.terminal import BOLD, DIM, YELLOW, color_patch
from kcode.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Collection

    from kcode.agent.reviewing import HunkFacts, PendingReview
    from kcode.draft.review import Reviewed
    from kcode.headless.terminal import Terminal

HELP = """\
y  apply this hunk                        n  do not; it is taken out of the draft
a  apply it and the rest of this file     d  neither it nor the rest of this file
s  split it in two                        e  edit its new lines in your editor
c  comment on it, for the model           w  why: what led to it
u  undo the last decision                 q  stop; what was not asked stays pending"""
_LETTERS = "yandsecwuq?"


class Picker:
    """Goes through the hunks that are not decided. Each answer is kept at once, so that a later run goes on there.

    It asks only for hunks and whole files that are among the `chosen` keys; None: all.
    """

    def __init__(self, review: PendingReview, terminal: Terminal, chosen: Collection[str] | None = None) -> None:
        self._review, self._terminal, self._chosen = review, terminal, chosen
        self._at: str | None = None

    def run(self) -> None:
        """Ask until every hunk is decided, or the person stops."""
        self._review.look(anew=True)
        self._at = self._next_open(None)
        shown: str | None = None
        while self._at is not None:
            facts = self._facts(self._at)
            if shown != self._at:
                self._show(facts)
            shown = self._at
            line = self._terminal.ask_line(f"Apply this? [{','.join(_LETTERS)}] ")
            if line is None or line[:1].lower() == "q":
                return
            try:
                # What was changed is shown again, also where the person stays at the same hunk.
                shown = None if self._obey(line[:1].lower(), facts) else shown
            except UsageError as error:
                self._terminal.say(str(error), YELLOW)

    def _obey(self, answer: str, facts: HunkFacts) -> bool:
        """Carry out one answer; True when the hunk that is asked for next has to be shown."""
        match answer:
            case "y" if facts.conflicts:
                raise UsageError(
                    "You changed something there since, so it is not written as it is. Say e to edit it, or n."
                )
            case "y" | "n":
                self._decide([facts.key], answer == "y")
            case "a" | "d":
                view = self._review.look()
                rest = keys_of(facts.change) & self._open(view)
                fitting = [key for key in rest if answer == "d" or key not in view.proposal.conflicts]
                if len(fitting) < len(rest):
                    self._terminal.say("What conflicts with your changes is not applied; it stays pending.", YELLOW)
                self._decide(fitting, answer == "a")
            case "s":
                return self._split(facts)
            case "e":
                return self._edit(facts)
            case "c":
                words = self._terminal.ask_line("Comment: ")
                if words is not None:
                    self._review.keep(comment(self._review.review, facts.key, words))
            case "w":
                self._terminal.say(explain_hunk(facts, self._review.steps(facts)), end="")
            case "u":
                return self._undo()
            case _:
                self._terminal.say(HELP)
        return False

    def _decide(self, keys: list[str], apply: bool) -> None:
        decision = Decision.ACCEPTED if apply else Decision.REJECTED
        self._review.keep(decide(self._review.review, keys, decision))
        self._at = self._next_open(self._at)

    def _split(self, facts: HunkFacts) -> bool:
        hunk = facts.hunk
        if hunk is None or facts.change.after is None:
            raise UsageError("This is decided as a whole.")
        marked = [(b"-", line) for line in hunk.old_lines] + [(b"+", line) for line in hunk.new_lines]
        for number, (mark, line) in enumerate(marked, 1):
            shown = (mark + line).decode("utf-8", "surrogateescape").rstrip("\n")
            self._terminal.say(f"{number:>5} {shown}")
        answer = self._terminal.ask_line("Split behind which line, or behind how many - and + lines, as in 1,2? ")
        cut = read_cut(answer or "")
        if cut is None:
            raise UsageError("It stays as it is: a number, or two with a comma between, would have split it.")
        self._review.keep(divide(self._review.review, hunk, cut_behind(hunk, cut) if isinstance(cut, int) else cut))
        self._at = self._review.look().leaves(hunk.id)[0]
        return True

    def _edit(self, facts: HunkFacts) -> bool:
        hunk = facts.hunk
        if hunk is None or facts.change.after is None:
            raise UsageError("This is decided as a whole.")
        before = b"".join(hunk.new_lines)
        after = edit_text(self._review.folder, facts.change.path, before, self._terminal.environment)
        if after is not None and before and not before.endswith(b"\n"):
            after = after.removesuffix(b"\n")  # which editors add
        if after is None or after == before:
            self._terminal.say("It stays as it was.")
            return False
        self._review.keep(edit(self._review.review, facts.change, hunk, split_lines(after)))
        if self._review.look().decisions.get(hunk.id) is not Decision.PENDING:
            self._terminal.say("Nothing of the change is left, so it counts as not wanted.")
            self._at = self._next_open(hunk.id)
        return True

    def _undo(self) -> bool:
        acts = self._review.review.acts
        if not acts:
            raise UsageError("There is nothing to undo.")
        self._review.keep(undo_last(self._review.review))
        view = self._review.look()
        leaves = [leaf for key in subjects(acts[-1]) for leaf in view.leaves(key) if leaf in view.decisions]
        order = _order(view)
        self._at = min(leaves, key=order.index) if leaves else self._next_open(None)
        return True

    def _next_open(self, after: str | None) -> str | None:
        view = self._review.look()
        order = _order(view)
        start = order.index(after) + 1 if after in order else 0
        open_ones = self._open(view)
        return next((key for key in order[start:] if key in open_ones), None)

    def _open(self, view: Reviewed) -> frozenset[str]:
        """What is not decided of what is asked for."""
        pending = view.keys(Decision.PENDING)
        if self._chosen is None:
            return pending
        return pending.intersection(leaf for key in self._chosen for leaf in view.leaves(key))

    def _facts(self, key: str) -> HunkFacts:
        view = self._review.look()
        return next(facts for facts in self._review.facts(view, {view.paths[key]}) if facts.key == key)

    def _show(self, facts: HunkFacts) -> None:
        view = self._review.look()
        order = _order(view)
        words = [describe_conflict(facts), describe_kind(facts), describe_place(facts), describe_causes(facts)]
        words.append(describe_tested(facts.tested))
        number = f"{order.index(facts.key) + 1}/{len(order)}"
        self._terminal.say(f"\n{number} {sanitize_line(facts.change.path)}", BOLD, end="")
        self._terminal.say(f"  {'; '.join(filter(None, words))}", DIM)
        patch = render_patch(choose(view.proposal, {facts.key}), for_people=True).decode("utf-8", "surrogateescape")
        body = patch[patch.find("\n@@") + 1 :] if facts.hunk and "\n@@" in patch else patch
        sys.stderr.write(color_patch(body, self._terminal, sys.stderr))
        sys.stderr.flush()
        for line in sanitize(facts.comment).splitlines():
            self._terminal.say(f"# {line}", DIM)


def read_cut(answer: str) -> int | Cut | None:
    """Where to split: behind a line as they are numbered, or behind so many of each side; None for other words."""
    found = re.fullmatch(r"(\d{1,7})(?:\s*,\s*(\d{1,7}))?", answer.strip())
    if not found:
        return None
    return int(found[1]) if found[2] is None else Cut(int(found[1]), int(found[2]))


def summarize(view: Reviewed) -> str:
    """What carrying out the decisions will do, in a few lines."""
    accepted, rejected = view.keys(Decision.ACCEPTED), view.keys(Decision.REJECTED)
    written = choose(view.proposal, accepted)
    added, removed = count_lines(written)
    lines = []
    if accepted:
        files = len(written.changes)
        size = f"{files} {'file' if files == 1 else 'files'}, +{added} -{removed}"
        lines.append(f"To be written to your files: {_hunks(len(accepted))} in {size}.")
    if rejected:
        lines.append(f"To be taken out of the draft: {_hunks(len(rejected))}.")
    left = len(view.decisions) - len(accepted) - len(rejected)
    if left:
        lines.append(f"Left as pending: {_hunks(left)}.")
    return "\n".join(lines)


def _hunks(count: int) -> str:
    return f"{count} {'hunk' if count == 1 else 'hunks'}"


def _order(view: Reviewed) -> list[str]:
    return [key for change in view.proposal.changes for key in ([hunk.id for hunk in change.hunks] or [change.path])]
