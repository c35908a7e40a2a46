"""`kcode apply`, `undo` and `redo`: what waits, and what was written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.agent.workbench import open_pending, open_place, settle_journal
from kcode.draft.disk import read_state
from kcode.draft.files import Proposal
from kcode.draft.hunks import propose, single_paths
from kcode.draft.incoming import read_patch
from kcode.draft.journal import apply_changes, redo, undo
from kcode.errors import RefusedError
from kcode.headless.product import describe_size
from kcode.headless.stdin import is_given, read_piped_bytes
from kcode.headless.terminal import GREEN, YELLOW, Terminal
from kcode.sanitize import sanitize_names

if TYPE_CHECKING:
    from kcode.agent.workbench import Place
    from kcode.draft.operations import Operation
    from kcode.options import PlaceOptions

EXIT_NO_CHANGE = 3


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
    _settle(spot, terminal)
    if patch:
        proposal = propose(read_patch(patch, lambda path: read_state(spot.workspace.root / path)))
        apply_changes(spot.workspace, spot.journal, single_paths(proposal), "apply a patch")
    else:
        pending = open_pending(spot)
        proposal = pending.proposal() if pending else Proposal()
        if not proposal or pending is None:
            terminal.say("Nothing is pending here, and no patch came on stdin.", YELLOW)
            return EXIT_NO_CHANGE
        pending.apply(proposal, "apply")
    terminal.say(f"Applied: {describe_size(proposal)}. kcode undo takes it back.", GREEN)
    return 0


def undo_last(place: PlaceOptions) -> int:
    """Take back the last operation of this workspace's journal."""
    spot = open_place(place)
    _settle(spot, Terminal(os.environ))
    _tell("Undone", undo(spot.workspace, spot.journal), " kcode redo brings it back.")
    return 0


def redo_last(place: PlaceOptions) -> int:
    """Apply again what was last undone."""
    spot = open_place(place)
    _settle(spot, Terminal(os.environ))
    _tell("Redone", redo(spot.workspace, spot.journal))
    return 0


def _settle(spot: Place, terminal: Terminal) -> None:
    for line in settle_journal(spot):
        terminal.say(f"! {line}", YELLOW)


def _tell(word: str, operation: Operation, more: str = "") -> None:
    Terminal(os.environ).say(f"{word}: {sanitize_names(operation.paths)}.{more}", GREEN)
