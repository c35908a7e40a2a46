"""The product of a run: the patch on stdout or in a file, or the changes written to the user's files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kcode.draft.hunks import count_lines
from kcode.draft.patch import render_patch
from kcode.errors import UsageError
from kcode.headless.terminal import GREEN, YELLOW, color_patch

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Proposal
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions


def print_patch(proposal: Proposal, terminal: Terminal, output: OutputOptions) -> None:
    """The patch: for people at a terminal, else byte for byte as `git apply` takes it."""
    patch = render_patch(proposal)
    if output.file is not None:
        write_file(output.file, patch)
        if not output.quiet:
            terminal.say(f"The patch is in {output.file}.")
    elif sys.stdout.isatty() or output.color == "always":
        sys.stdout.write(color_patch(patch.decode("utf-8", "surrogateescape"), terminal, sys.stdout))
        sys.stdout.flush()
    else:
        sys.stdout.buffer.write(patch)
        sys.stdout.buffer.flush()


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
    """Write the proposal through the journal, once the user agrees; say what became of it."""
    if ask:
        answer = terminal.ask("Apply?", "yn")
        if answer != "y":
            terminal.say("Nothing was written. kcode diff shows the proposal, kcode apply writes it.", YELLOW)
            return False
    bench.apply(proposal)
    terminal.say(f"Applied: {describe_size(proposal)}. kcode undo takes it back.", GREEN)
    return True


def write_file(path: Path, data: bytes) -> None:
    """Write the file that the user named with `--output`."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"The output file {path} cannot be written: {error.strerror}.") from None
