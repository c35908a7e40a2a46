"""The commands that show, write and take back what was proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, Color, Folder, Output, chosen_color
from kcode.errors import UsageError
from kcode.options import DiffOptions, OutputOptions, PlaceOptions

Chosen = Annotated[
    list[str] | None,
    typer.Argument(help="Hunks by their ids or as file:line, files, folders, patterns, or all.", metavar="HUNK|FILE"),
]


def diff(
    words: Chosen = None,
    hunks: Annotated[bool, typer.Option("--hunks", help="List the hunks instead, with what is known of each.")] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Tell what led to each hunk: the calls, the reasoning, the commands.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The list as JSON, one hunk a line.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Show what the last session here proposes, or some of it.

    In a pipe it is a patch for git apply.

    \b
    kcode diff                        all, as a patch
    kcode diff --hunks                a line for each hunk, with its id
    kcode diff 3fa2 calc/money.py     one hunk, and all of one file
    kcode diff --why 3fa2             what the model thought when it made the hunk
    """
    from kcode.headless.review import show_proposal

    if hunks and why:
        raise UsageError("--hunks and --why do not go together.")
    if json and output is not None:
        raise UsageError("--json goes to stdout: kcode diff --json > FILE.")
    shown = OutputOptions(json=json, file=output, color=chosen_color(color))
    raise typer.Exit(show_proposal(PlaceOptions(folder, anywhere), words or [], DiffOptions(hunks, why), shown))


def apply(
    words: Chosen = None,
    pick: Annotated[bool, typer.Option("--pick", help="Ask hunk by hunk, of those that are named or of all.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Write the pending proposal, some of it, or a patch from stdin.

    It goes to your files through the journal; kcode undo takes it back. What is not chosen stays
    pending. Files that you changed since are merged: at a
    terminal the merged diff is shown and you are asked, elsewhere it is refused if any of its hunks is not line for line
    what was proposed. What conflicts with your changes stays pending. A read-only file is asked for, or refused.

    \b
    kcode apply
    kcode apply 3fa2 calc/money.py
    kcode apply --pick                hunk by hunk, also: --pick calc/
    kcode apply < fix.patch           or kcode apply - < fix.patch
    """
    from kcode.headless.review import apply_words

    raise typer.Exit(apply_words(PlaceOptions(folder, anywhere), words or [], pick=pick))


def reject(
    words: Chosen = None,
    comment: Annotated[
        str, typer.Option("--comment", help="Why, for the model to read with your next message.", metavar="TEXT")
    ] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring back what was rejected last.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Take hunks or files out of the proposal.

    Your files are not touched. The model is told what was rejected with your next message in the same session.

    \b
    kcode reject 3fa2 --comment "the cache is needed"
    kcode reject tests/ 'docs/*.md'
    kcode reject all
    """
    from kcode.headless.review import reject_words, take_back_rejection

    if bool(words) == undo:
        raise UsageError("Name the hunks or files to reject, or all; --undo alone brings back what was rejected last.")
    place = PlaceOptions(folder, anywhere)
    raise typer.Exit(take_back_rejection(place) if undo else reject_words(place, words or [], comment))


def split(
    hunk: Annotated[str, typer.Argument(help="The hunk's id.", metavar="HUNK")],
    where: Annotated[
        str,
        typer.Argument(help="Behind which of its lines, as shown; or how many - and + lines, as 1,2.", metavar="LINE"),
    ],
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Make two hunks of one, each to be decided alone.

    \b
    kcode split 3fa2 4        behind the fourth - or + line of the hunk
    kcode split 3fa2 1,2      one - line and two + lines, and the rest
    """
    from kcode.headless.review import split_hunk

    raise typer.Exit(split_hunk(PlaceOptions(folder, anywhere), hunk, where))


Words = Annotated[
    list[str] | None,
    typer.Argument(help="An operation's number, and the files or hunks of it to take.", metavar="[N] [FILE|HUNK]"),
]
Merge = Annotated[
    bool, typer.Option("--merge", help="Do not ask where it has to be merged with what you changed since.")
]


def undo(
    what: Words = None,
    merge: Merge = False,
    list_: Annotated[bool, typer.Option("--list", help="Only list what was written here: kcode journal.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Take back what was applied here, or a part of it.

    The exact bytes from before come back. What you changed since stays: it is merged, shown and asked for, or the undo
    is refused where it would be lost.

    \b
    kcode undo                 the last operation that is in force
    kcode undo 3               operation 3 of kcode journal; later ones stay
    kcode undo calc/money.py   this file, in the last operation that changed it
    kcode undo 3 4be1a2        the hunk with this id; kcode journal 3 lists them
    """
    from kcode.headless.undoing import list_operations, undo_changes

    place = PlaceOptions(folder, anywhere)
    raise typer.Exit(list_operations(place, what or ()) if list_ else undo_changes(place, what or (), merge=merge))


def redo(what: Words = None, merge: Merge = False, folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Apply again what was last undone, or another undo.

    What you changed since stays, as with kcode undo.
    """
    from kcode.headless.undoing import redo_changes

    raise typer.Exit(redo_changes(PlaceOptions(folder, anywhere), what or (), merge=merge))


def journal(
    number: Annotated[
        list[str] | None, typer.Argument(help="List the hunks of these operations.", metavar="[N]")
    ] = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """List what kcode wrote to your files here."""
    from kcode.headless.undoing import list_operations

    raise typer.Exit(list_operations(PlaceOptions(folder, anywhere), number or ()))
