"""`kcode apply`: what waits, or a patch from stdin, written to the user's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.workbench import open_pending, settle_journal
from kcode.draft.disk import read_state
from kcode.draft.files import Proposal
from kcode.draft.hunks import propose, single_paths
from kcode.draft.incoming import read_patch
from kcode.draft.journal import apply_changes
from kcode.draft.rebase import all_keys, split_conflicts
from kcode.errors import RefusedError
from kcode.headless.product import describe_size, show_again, tell_broken, tell_conflicts, with_consent
from kcode.headless.stdin import is_given, read_piped_bytes
from kcode.headless.terminal import GREEN, YELLOW, Terminal
from kcode.sanitize import sanitize_names

if TYPE_CHECKING:
    from kcode.agent.place import Place
    from kcode.draft.pending import Pending
    from kcode.options import PlaceOptions

EXIT_DECLINED, EXIT_NO_CHANGE = 1, 3


def apply_pending(place: PlaceOptions) -> int:
    """Write the patch that is piped in, else the pending proposal."""
    terminal = Terminal(os.environ)
    patch = read_piped_bytes()
    if patch is None and is_given():
        # `kcode fix … | kcode apply`: what is pending while fix still works, or after it failed, is not what was meant.
        raise RefusedError(
            "No patch came on stdin, so nothing is applied. The pending proposal: kcode apply < /dev/null. "
            "A patch that takes long to make: put it in a file, then kcode apply < FILE. "
            "To fix and apply in one go: kcode fix --apply."
        )
    spot = open_place(place)
    tell_settled(spot, terminal)
    if patch:
        proposal = propose(read_patch(patch, lambda path: read_state(spot.workspace.root / path)))
        changes = single_paths(proposal)
        tell_broken(proposal, terminal)
        with_consent(
            terminal,
            lambda allowed: apply_changes(spot.workspace, spot.journal, changes, "apply a patch", allowed=allowed),
        )
    else:
        pending = open_pending(spot)
        if pending is None or not pending.proposal():
            terminal.say("Nothing is pending here, and no patch came on stdin.", YELLOW)
            return EXIT_NO_CHANGE
        proposal = _apply_rebased(pending, terminal)
        if not proposal:
            terminal.say("Nothing was written. kcode diff shows what is pending.", YELLOW)
            return EXIT_DECLINED
    terminal.say(f"Applied: {describe_size(proposal)}. kcode undo takes it back.", GREEN)
    return 0


def tell_settled(spot: Place, terminal: Terminal) -> None:
    """Settle what a crash left of an earlier write, and say so."""
    for line in settle_journal(spot):
        terminal.say(f"! {line}", YELLOW)


def _apply_rebased(pending: Pending, terminal: Terminal) -> Proposal:
    """Write what fits of the pending proposal; what was written, empty when nothing fits or the user says no.

    What the user changed since the draft did is merged. At a terminal the merged proposal is shown before it is asked
    for; elsewhere it is written only if all its hunks are line for line what was proposed.
    """
    found = pending.rebased()
    fitting, conflicting = split_conflicts(found.proposal)
    tell_broken(fitting, terminal)
    moved = found.moved.intersection(path for change in fitting.changes for path in (change.path, change.old_path))
    if moved and terminal.has_person():
        terminal.say("Your files changed since this was proposed. Merged with that, it is:", YELLOW)
        show_again(found.proposal, terminal)
        # Said once more behind a diff that may be longer than the screen.
        names = sanitize_names(sorted(moved))
        terminal.say(f"{describe_size(fitting)}; you changed {names} since it was proposed.")
        if terminal.ask("Apply?", "yn") != "y":
            return Proposal()
    else:
        if found.fresh.intersection(all_keys(fitting)):
            raise RefusedError(
                "Your files changed since this was proposed, and merged with that it has lines that nobody has seen. "
                "Nothing was written. Look at kcode diff, then: kcode diff | kcode apply"
            )
        tell_conflicts(conflicting, terminal)
    if fitting:
        with_consent(terminal, lambda allowed: pending.apply(fitting, pending.session, allowed=allowed))
    return fitting
