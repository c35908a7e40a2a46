"""The product of a run: the patch on stdout or in a file, or the changes written to the user's files."""

from __future__ import annotations

import sys
from functools import partial
from typing import IO, TYPE_CHECKING, TypeVar

from kcode.draft.hunks import count_lines
from kcode.draft.patch import render_patch
from kcode.draft.rebase import is_part_of, split_conflicts
from kcode.errors import ReadOnlyError, StaleError, UsageError
from kcode.headless.terminal import GREEN, YELLOW, color_patch
from kcode.sanitize import sanitize_line, sanitize_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Proposal
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions
    from kcode.workspace import Workspace

Result = TypeVar("Result")
# How often a proposal is looked at anew because a file changed in the very moment of writing.
_MOST_TRIES = 50


def print_patch(proposal: Proposal, terminal: Terminal, output: OutputOptions) -> None:
    """The patch: for people at a terminal, else byte for byte as `git apply` takes it.

    What conflicts with the user's own changes is no part of it, and is told of instead.
    """
    fitting, conflicting = split_conflicts(proposal)
    if output.file is not None:
        write_file(output.file, render_patch(fitting))
        if not output.quiet:
            terminal.say(f"The patch is in {output.file}.")
    elif sys.stdout.isatty() or output.color == "always":
        show_patch(fitting, terminal, sys.stdout)
    else:
        sys.stdout.buffer.write(render_patch(fitting))
        sys.stdout.buffer.flush()
    tell_conflicts(conflicting, terminal)


def show_again(proposal: Proposal, terminal: Terminal) -> None:
    """The patch for the person who is about to be asked, on the stream of the question."""
    fitting, conflicting = split_conflicts(proposal)
    show_patch(fitting, terminal, sys.stderr)
    tell_conflicts(conflicting, terminal)


def tell_conflicts(conflicting: Proposal, terminal: Terminal) -> None:
    """Show the person which part of a proposal is left out for what they changed themselves."""
    if conflicting:
        names = sanitize_names([change.path for change in conflicting.changes])
        terminal.say(
            f"! What follows conflicts with what you changed in {names} meanwhile, so it is not written over your lines. "
            "Take over by hand what you want of it; kcode reject drops it:",
            YELLOW,
        )
        show_patch(conflicting, terminal, sys.stderr)


def tell_broken(proposal: Proposal, terminal: Terminal) -> None:
    """Say which files do not parse any more once this is written."""
    from kcode.context.parsing import stop_parsing  # noqa: PLC0415 - not needed before the first request has left

    for path in stop_parsing(proposal):
        terminal.say(f"! {sanitize_line(path)} does not parse any more after this.", YELLOW)


def tell_root(proposal: Proposal, workspace: Workspace, terminal: Terminal) -> None:
    """Say where a patch belongs: in a sub-folder git apply passes over the files outside it without a word."""
    start = f"{workspace.start}/"
    outside = any(not change.path.startswith(start) for change in proposal.changes)
    if start != "/" and outside and not sys.stdout.isatty():
        terminal.say(f"The patch is for {workspace.root}: apply it there, or with kcode apply.", YELLOW)


def show_patch(proposal: Proposal, terminal: Terminal, stream: IO[str]) -> None:
    """The patch as people read it; git does not take it."""
    patch = render_patch(proposal, for_people=True).decode("utf-8", "surrogateescape")
    stream.write(color_patch(patch, terminal, stream))
    stream.flush()


def print_text(text: str, terminal: Terminal, output: OutputOptions | None = None) -> None:
    """A listing that was made safe to show: on stdout, or in the file that the user named."""
    data = text.encode()
    if output is not None and output.file is not None:
        write_file(output.file, data)
        terminal.say(f"The list is in {output.file}.")
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def describe_size(proposal: Proposal) -> str:
    """How much a proposal changes, in a few words."""
    added, removed = count_lines(proposal)
    files = len(proposal.changes)
    return f"{files} {'file' if files == 1 else 'files'}, +{added} -{removed}"


def decide_and_apply(bench: Workbench, proposal: Proposal, terminal: Terminal, *, ask: bool) -> bool:
    """Write what fits of the proposal through the journal, once the user agrees; say what became of it.

    What the user saved since it was shown is merged. At a question the merged proposal is shown before it is asked for
    once more; without one it is written only if it is line for line what was proposed before.
    """
    shown, told = proposal, None
    for _ in range(_MOST_TRIES):
        fitting = split_conflicts(shown)[0]
        if not fitting:
            why = (
                "all of it conflicts with what you changed meanwhile" if shown else "all of it is in your files by now"
            )
            terminal.say(f"Nothing was written: {why}.", YELLOW)
            return False
        if fitting != told:
            tell_broken(fitting, terminal)
            told = fitting
        if ask and terminal.ask("Apply?", "yn") != "y":
            terminal.say("Nothing was written. kcode diff shows the proposal, kcode apply writes it.", YELLOW)
            return False
        present = bench.propose()
        if present != shown:
            if ask and present:
                terminal.say("! Your files changed since this was shown. Merged with that, it is:", YELLOW)
                show_again(present, terminal)
            elif not is_part_of(present, shown):
                break
            shown = present
            continue
        try:
            with_consent(terminal, partial(bench.apply, fitting))
        except StaleError:
            if bench.propose() == shown:
                raise
            continue
        terminal.say(f"Applied: {describe_size(fitting)}. kcode undo takes it back.", GREEN)
        return True
    raise StaleError("Your files changed since this was proposed. Nothing was written. kcode diff shows it anew.")


def with_consent(terminal: Terminal, act: Callable[[Collection[str]], Result]) -> Result:
    """Do it, and once more with the read-only files that are in the way, if the person at the terminal agrees."""
    try:
        return act(())
    except ReadOnlyError as error:
        terminal.say(f"! {sanitize_names(error.paths)}: read-only.", YELLOW)
        if terminal.ask("Write it all the same? It stays read-only.", "yn") != "y":
            raise
        return act(error.paths)


def write_file(path: Path, data: bytes) -> None:
    """Write the file that the user named with `--output`."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"The output file {path} cannot be written: {error.strerror}.") from None
