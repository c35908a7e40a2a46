"""The commands that show, write and take back what was proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, Color, Folder, Output, chosen_color
from kcode.options import OutputOptions, PlaceOptions


def diff(folder: Folder = Path(), anywhere: Anywhere = False, output: Output = None, color: Color = "auto") -> None:
    """Show what the last session here proposes.

    In a pipe it is a patch for git apply.
    """
    from kcode.headless.pending import show_pending

    raise typer.Exit(
        show_pending(PlaceOptions(folder, anywhere), OutputOptions(file=output, color=chosen_color(color)))
    )


def apply(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Write the pending proposal, or a patch from stdin.

    It goes to your files through the journal; kcode undo takes it back. Files that you changed since are merged: at a
    terminal the merged diff is shown and you are asked, elsewhere it is refused if any of its hunks is not line for line
    what was proposed. What conflicts with your changes stays pending. A read-only file is asked for, or refused.

    \b
    kcode apply
    kcode apply < fix.patch
    """
    from kcode.headless.pending import apply_pending

    raise typer.Exit(apply_pending(PlaceOptions(folder, anywhere)))


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
    """Take back what was applied here: the last operation, another one, or a part.

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
    """List what kcode wrote to your files here, when, and by which session."""
    from kcode.headless.undoing import list_operations

    raise typer.Exit(list_operations(PlaceOptions(folder, anywhere), number or ()))
