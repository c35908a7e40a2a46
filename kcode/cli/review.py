"""The command that shows a change in the review panes, or has it reviewed in writing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kcode.cli.options import (
    Anywhere,
    BaseUrl,
    Color,
    Endpoint,
    Folder,
    Json,
    MaxCost,
    MaxSteps,
    Model,
    NoSandbox,
    Output,
    Quiet,
    Record,
    Replay,
    Test,
    Timeout,
    chosen_color,
)
from kcode.errors import RefusedError, UsageError
from kcode.options import ModelOptions, OutputOptions, PlaceOptions

if TYPE_CHECKING:
    from kcode.tui.reviewdesk import ReviewDesk

EXIT_NOTHING = 3


def review(
    what: Annotated[
        str, typer.Argument(help="A range as for git diff, a commit, or - for a patch on stdin.", metavar="[RANGE|-]")
    ] = "",
    comments: Annotated[
        bool, typer.Option("--comments", help="Open the panes also in a pipe; your comments go to stdout.")
    ] = False,
    json: Json = False,
    test: Test = None,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    max_steps: MaxSteps = None,
    max_cost: MaxCost = None,
    timeout: Timeout = None,
    record: Record = None,
    replay: Replay = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    quiet: Quiet = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Review a change hunk by hunk; in a pipe the model reviews it in writing.

    Without a range: the pending proposal. Accept, reject, edit, split, comment and test hunks, then apply
    what you accepted. Commits and patches that are in your files already can be looked through and commented on.

    \b
    kcode review                              what the last session here proposes
    kcode review main..                       what your branch changes
    git diff | kcode review -                 any patch
    git diff | kcode review - --comments | kcode fix
    kcode review HEAD > review.md             written by the model, worst findings first

    Exit: 0 done; 3 nothing to review; otherwise as for kcode ask.
    """
    options = ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay)
    place = PlaceOptions(folder, anywhere, no_sandbox, test)
    shown = OutputOptions(json=json, quiet=quiet, file=output, color=chosen_color(color))
    raise typer.Exit(_review(what, options, place, shown, comments=comments))


def _review(what: str, model: ModelOptions, place: PlaceOptions, output: OutputOptions, *, comments: bool) -> int:
    from kcode.headless.stdin import read_piped_bytes
    from kcode.headless.terminal import YELLOW, Terminal
    from kcode.tui.openreview import open_desk

    terminal = Terminal(os.environ, output.color)
    patch = read_piped_bytes(wait=True) if what == "-" else None
    if what == "-" and patch is None:
        raise UsageError("No patch comes on stdin: git diff | kcode review -")
    desk, warnings = open_desk(what, patch, place)
    for warning in warnings:
        terminal.say(f"! {warning}", YELLOW)
    if desk is None:
        terminal.say("Nothing is pending here.", YELLOW)
        return EXIT_NOTHING
    if not desk.look().proposal:
        terminal.say("There is nothing to review: no file differs.", YELLOW)
        return EXIT_NOTHING
    if comments or not (output.json or output.file or not sys.stdout.isatty()):
        return _show(desk, comments=comments)
    from kcode.draft.patch import render_patch
    from kcode.headless.writtenreview import write_review

    change = patch if patch is not None else render_patch(desk.look().proposal)
    return write_review(change, _title(what), model, place, output)


def _show(desk: ReviewDesk, *, comments: bool) -> int:
    """Show the panes; of what has no session the comments are printed at the end. The exit code."""
    from kcode.streams import take_terminal
    from kcode.tui.diff.comments import comments_as_markdown
    from kcode.tui.reviewapp import show_review
    from kcode.tui.reviewdesk import Source

    if not take_terminal():
        raise RefusedError("The panes need a terminal, and there is none. kcode diff prints what is pending.")
    code = show_review(desk)
    if comments or desk.source is not Source.PROPOSAL:
        sys.stdout.write(comments_as_markdown(desk.look()))
        sys.stdout.flush()
    return code


def _title(what: str) -> str:
    return {"": "the pending proposal", "-": "a patch"}.get(what, f"git's {what}")
