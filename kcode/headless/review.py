"""`kcode diff`, `apply` of chosen hunks, `reject` and `split`: reading and deciding what is proposed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.reviewing import open_review, review_of
from kcode.draft.files import Proposal
from kcode.draft.hunks import choose
from kcode.draft.rebase import split_conflicts
from kcode.draft.review import Decision, comment, cut_behind, divide
from kcode.draft.selection import select_hunks
from kcode.errors import RefusedError, UsageError
from kcode.headless.hunklist import explain_hunk, list_hunks, proposed_fields, step_fields
from kcode.headless.jsonlines import VERSION, write_line
from kcode.headless.pending import apply_pending, tell_settled
from kcode.headless.picking import Picker, read_cut, summarize
from kcode.headless.product import (
    decide_and_apply,
    describe_size,
    print_patch,
    print_text,
    show_again,
    tell_broken,
    tell_conflicts,
    tell_root,
    with_consent,
)
from kcode.headless.stdin import is_given
from kcode.headless.terminal import GREEN, YELLOW, Terminal
from kcode.sanitize import sanitize_line, sanitize_names

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kcode.agent.reviewing import HunkFacts, PendingReview
    from kcode.agent.workbench import Workbench
    from kcode.draft.review import Reviewed
    from kcode.options import DiffOptions, OutputOptions, PlaceOptions

EXIT_NO_CHANGE = 3
_QUESTION = "Apply? [y]es, [n]o, [p]ick hunks, or type what should be different: "
_NOT_WRITTEN = "Nothing was written. kcode diff shows the proposal, kcode apply writes it."
_DECISIONS_KEPT = "Nothing was written. Your decisions are kept: kcode apply --pick goes on with them."


def show_proposal(place: PlaceOptions, words: Sequence[str], diff: DiffOptions, output: OutputOptions) -> int:
    """Print what is proposed, or the part that the words name: as a patch, as a list, or as JSON."""
    terminal = Terminal(os.environ, output.color)
    review = _open(place, terminal)
    view = review.look() if review else None
    if review is None or view is None or not view.proposal:
        terminal.say("Nothing is pending here.", YELLOW)
        return EXIT_NO_CHANGE
    chosen = select_hunks(view.proposal, words, review.workspace.start) if words else frozenset(view.decisions)
    if not (diff.hunks or diff.why or output.json):
        kept = chosen if words else chosen - view.keys(Decision.REJECTED)
        if not kept:
            terminal.say("Nothing is pending here but what you rejected: kcode diff --hunks lists it.", YELLOW)
            return EXIT_NO_CHANGE
        printed = choose(view.proposal, kept)
        print_patch(printed, terminal, output)
        tell_root(printed, review.workspace, terminal)
        return 0
    facts = [one for one in review.facts(view) if one.key in chosen]
    if output.json:
        _write_json(review, view, facts, why=diff.why)
    elif diff.why:
        print_text("\n".join(explain_hunk(one, review.steps(one)) for one in facts), terminal, output)
    else:
        print_text(list_hunks(facts, None if output.file else terminal.columns(sys.stdout)), terminal, output)
    return 0


def apply_words(place: PlaceOptions, words: Sequence[str], *, pick: bool) -> int:
    """Write the chosen hunks and files; the rest stays pending. Without words: a patch from stdin, or all."""
    terminal = Terminal(os.environ)
    if list(words) == ["-"] and not is_given():
        raise UsageError("No patch comes on stdin: kcode apply - < FILE.")
    if list(words) == ["-"] or (not words and not pick and is_given()):
        return apply_pending(place)
    tell_settled(open_place(place), terminal)
    review = _open(place, terminal)
    if not words and not pick:
        return _apply_rest(place, review)
    view = review.look() if review else None
    if review is None or view is None or not view.proposal:
        terminal.say("Nothing is pending here.", YELLOW)
        return EXIT_NO_CHANGE
    if pick:
        return _pick(review, select_hunks(view.proposal, words, review.workspace.start) if words else None, terminal)
    chosen = select_hunks(view.proposal, words, review.workspace.start)
    tell_broken(choose(view.proposal, chosen), terminal)
    _carry_out(review, chosen, frozenset(), terminal)
    _tell_rest(review, terminal)
    return 0


def _apply_rest(place: PlaceOptions, review: PendingReview | None) -> int:
    """Write all that was not rejected; what nobody has seen of it, for the user's own changes, is asked for or refused."""
    if review is None:
        return apply_pending(place)
    rejected = review.look().keys(Decision.REJECTED)
    if rejected or review.look().edited:
        review.carry_out(apply=frozenset(), reject=rejected)
    view = review.look(anew=True)
    code = apply_pending(place)
    review.note_applied(view, is_logged=False)
    return code


def apply_all(review: PendingReview, terminal: Terminal) -> bool:
    """Write all that was seen, and neither rejected nor in conflict with the user's own changes; True if that is any."""
    view = review.look()
    rejected = view.keys(Decision.REJECTED)
    fitting = view.decisions.keys() - rejected - view.proposal.conflicts
    _, conflicting = split_conflicts(choose(view.proposal, view.decisions.keys() - rejected))
    tell_conflicts(conflicting, terminal)
    tell_broken(choose(view.proposal, fitting), terminal)
    return bool(_carry_out(review, fitting, rejected, terminal))


def _carry_out(review: PendingReview, apply: Collection[str], reject: Collection[str], terminal: Terminal) -> Proposal:
    """Carry the decisions out, say what was written, and ask before a read-only file is."""
    if reject:
        review.carry_out(apply=frozenset(), reject=reject)
    if not apply:
        return Proposal()
    written = with_consent(terminal, lambda allowed: review.carry_out(apply=apply, reject=frozenset(), allowed=allowed))
    terminal.say(f"Applied: {describe_size(written)}. kcode undo takes it back.", GREEN)
    return written


def ask_what_to_do(bench: Workbench, proposal: Proposal, terminal: Terminal) -> bool | str:
    """Ask whether to write the proposal that was just shown, and do it.

    True when something was written; words are what the user wants to have different: for the model.
    """
    review = review_of(bench)
    if review.warning:
        terminal.say(f"! {review.warning}", YELLOW)
    # What is there before the answer is what the answer is about.
    review.look()
    shown, again = proposal, False
    while True:
        try:
            answer = terminal.ask_line(_QUESTION, again=again)
        except KeyboardInterrupt:
            terminal.say(f"\n{_NOT_WRITTEN}", YELLOW)
            raise
        again = False
        match "n" if answer is None else answer.lower():
            case "y" | "yes":
                present = bench.propose()
                if present == shown:
                    return write_all(bench, review, shown, terminal)
                if present:
                    terminal.say("! Your files changed since this was shown. Merged with that, it is:", YELLOW)
                    show_again(present, terminal)
                if not split_conflicts(present)[0]:
                    # It says why: all conflicts, or all is in the user's files by now.
                    return decide_and_apply(bench, present, terminal, ask=False)
                shown = present
                review.look(anew=True)
            case "n" | "no":
                terminal.say(_NOT_WRITTEN, YELLOW)
                return False
            case "p" | "pick":
                written = pick_and_apply(review, terminal)
                if written is not None:
                    return written
            case words if " " in words:
                return answer or ""
            case _:
                # A single word is more likely a slip than a wish, and a turn costs time and money.
                terminal.say("Type y, n or p, or say in a few words what should be different.")
                again = True


def write_all(bench: Workbench, review: PendingReview, proposal: Proposal, terminal: Terminal) -> bool:
    """Write what is proposed, but for what was rejected, without a question; True when something was written."""
    if review.review.acts:
        return apply_all(review, terminal)
    view = review.look()
    applied = decide_and_apply(bench, proposal, terminal, ask=False)
    if applied:
        review.note_applied(view)
    return applied


def take_back_rejection(place: PlaceOptions) -> int:
    """Put what was rejected last back into the draft."""
    terminal = Terminal(os.environ)
    review = _open(place, terminal)
    paths = review.take_back_rejection() if review else []
    if not paths:
        terminal.say("Nothing was rejected here that could be brought back.", YELLOW)
        return EXIT_NO_CHANGE
    terminal.say(f"Back in the proposal: {sanitize_names(paths)}.", GREEN)
    return 0


def reject_words(place: PlaceOptions, words: Sequence[str], words_for_model: str) -> int:
    """Take the chosen hunks and files out of the draft; the model is told with the user's next message."""
    terminal = Terminal(os.environ)
    review, view = _pending(place, terminal)
    if review is None or view is None:
        return EXIT_NO_CHANGE
    chosen = select_hunks(view.proposal, words, review.workspace.start)
    commented = review.review
    for key in sorted(chosen) if words_for_model else ():
        commented = comment(commented, key, words_for_model)
    review.keep(commented)
    size = describe_size(choose(view.proposal, chosen))
    review.carry_out(apply=frozenset(), reject=chosen)
    terminal.say(f"Rejected: {size}. Your files were not touched. kcode reject --undo brings it back.", GREEN)
    _tell_rest(review, terminal)
    return 0


def split_hunk(place: PlaceOptions, word: str, where: str) -> int:
    """Make two hunks of one and list them."""
    terminal = Terminal(os.environ)
    review, view = _pending(place, terminal)
    if review is None or view is None:
        return EXIT_NO_CHANGE
    chosen = select_hunks(view.proposal, [word], review.workspace.start)
    found = [(change, hunk) for change in view.proposal.changes for hunk in change.hunks if hunk.id in chosen]
    if len(found) != 1 or len(chosen) != 1:
        raise UsageError(f"{word!r} names {len(chosen)} hunks; one can be split. kcode diff --hunks lists them.")
    change, hunk = found[0]
    if change.after is None:
        raise UsageError(f"{sanitize_line(change.path)} is to be deleted, which is decided as a whole.")
    cut = read_cut(where)
    if cut is None:
        raise UsageError(f"{where!r} is no place to split: give a line of the hunk, or how many - and + lines, as 1,2.")
    review.keep(divide(review.review, hunk, cut_behind(hunk, cut) if isinstance(cut, int) else cut))
    view = review.look()
    parts = view.leaves(hunk.id)
    listed = [one for one in review.facts(view, {change.path}) if one.key in parts]
    print_text(list_hunks(listed, terminal.columns(sys.stdout)), terminal)
    return 0


def pick_and_apply(review: PendingReview, terminal: Terminal, chosen: Collection[str] | None = None) -> bool | None:
    """Ask hunk by hunk, or only for the chosen ones, say what will be done, ask once more and do it.

    True when something was written, False when something was only rejected, None when nothing was done.
    """
    try:
        Picker(review, terminal, chosen).run()
    except KeyboardInterrupt:
        terminal.say(f"\n{_DECISIONS_KEPT}", YELLOW)
        raise
    view = review.look()
    accepted, rejected = view.keys(Decision.ACCEPTED), view.keys(Decision.REJECTED)
    if not accepted and not rejected:
        kept = " What you edited, split or said is kept." if review.review.acts else ""
        terminal.say(f"Nothing was decided, so nothing is done.{kept}", YELLOW)
        return None
    terminal.say(summarize(view))
    if accepted:
        tell_broken(choose(view.proposal, accepted), terminal)
        tested = review.tested(view, accepted)
        if not tested:
            said = "The tests were not run over just this." if tested is None else "Tests fail with this."
            terminal.say(said, YELLOW)
    if terminal.ask("Do that?", "yn") != "y":
        terminal.say(_DECISIONS_KEPT, YELLOW)
        return None
    written = _carry_out(review, accepted, rejected, terminal)
    if not written:
        terminal.say("Taken out of the draft. Your files were not touched.", GREEN)
    return bool(written)


def _pick(review: PendingReview, chosen: Collection[str] | None, terminal: Terminal) -> int:
    if not terminal.has_person():
        raise RefusedError("--pick asks at a terminal, and there is none. kcode apply HUNK… takes what you name.")
    pick_and_apply(review, terminal, chosen)
    return 0


def _tell_rest(review: PendingReview, terminal: Terminal) -> None:
    left = len(review.look(anew=True).decisions)
    if left:
        terminal.say(f"{left} {'hunk stays' if left == 1 else 'hunks stay'} pending: kcode diff --hunks lists them.")


def _open(place: PlaceOptions, terminal: Terminal) -> PendingReview | None:
    review = open_review(open_place(place))
    if review and review.warning:
        terminal.say(f"! {review.warning}", YELLOW)
    return review


def _pending(place: PlaceOptions, terminal: Terminal) -> tuple[PendingReview | None, Reviewed | None]:
    review = _open(place, terminal)
    view = review.look() if review else None
    if view is None or not view.proposal:
        terminal.say("Nothing is pending here.", YELLOW)
        return None, None
    return review, view


def _write_json(review: PendingReview, view: Reviewed, facts: Sequence[HunkFacts], *, why: bool) -> None:
    files = len(view.proposal.changes)
    write_line("proposal.listed", version=VERSION, session=review.session_id, files=files, hunks=len(view.decisions))
    for one in facts:
        fields = proposed_fields(one)
        if why:
            fields["causes"] = [step_fields(cause, step) for cause, step in review.steps(one)]
        write_line("hunk.proposed", **fields)
    sys.stdout.flush()
