"""The commands that show, write and take back what was proposed."""

from __future__ import annotations

from pathlib import Path

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

    It goes to your files through the journal; kcode undo takes it back.

    \b
    kcode apply
    kcode apply < fix.patch
    """
    from kcode.headless.pending import apply_pending

    raise typer.Exit(apply_pending(PlaceOptions(folder, anywhere)))


def undo(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Take back what was last applied here.

    The exact bytes from before come back; what you changed since is never overwritten.
    """
    from kcode.headless.pending import undo_last

    raise typer.Exit(undo_last(PlaceOptions(folder, anywhere)))


def redo(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Apply again what was last undone."""
    from kcode.headless.pending import redo_last

    raise typer.Exit(redo_last(PlaceOptions(folder, anywhere)))
