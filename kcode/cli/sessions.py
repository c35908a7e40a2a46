"""The commands about sessions as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, Folder, Output
from kcode.errors import UsageError
from kcode.options import OutputOptions, PlaceOptions

Words = Annotated[
    list[str] | None,
    typer.Argument(help="Words to look for; or rename ID NAME, or fork ID.", metavar="WORDS"),
]
At = Annotated[
    int | None,
    typer.Option("--at", help="Fork before this turn; kcode export shows their numbers.", metavar="N", min=1),
]


def sessions(
    words: Words = None,
    at: At = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """List the sessions here, the last one first.

    Words are looked for in titles and in what you said. A session is named by its id, the start of that, or words of its
    title. A fork is a copy to go on with: of the conversation, and of the draft as it was then.

    \b
    kcode sessions parser                  those about the parser
    kcode sessions rename 20261127 "Rounding"
    kcode sessions fork 20261127 --at 3    with all from before the third turn
    kcode -r 20261127                      go on with it
    """
    from kcode.headless.sessions import name_session, print_fork, print_sessions

    place = PlaceOptions(folder, anywhere)
    given = words or []
    if at is not None and given[:1] != ["fork"]:
        raise UsageError("--at is for a fork: kcode sessions fork ID --at N.")
    match given:
        case ["rename", wanted, *name] if name:
            raise typer.Exit(name_session(place, wanted, " ".join(name)))
        case ["fork", wanted]:
            raise typer.Exit(print_fork(place, wanted, at))
        case ["rename" | "fork", *_]:
            raise UsageError("It is kcode sessions rename ID NAME, or kcode sessions fork ID [--at N].")
    raise typer.Exit(print_sessions(place, given, json=json))


def export(
    session: Annotated[str, typer.Argument(help="Which session; left out, the last one here.", metavar="ID")] = "",
    form: Annotated[
        str | None, typer.Option("--format", help="md, json or html; else by the file's name, or md.", metavar="FORM")
    ] = None,
    output: Output = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Write a session as a document.

    With the reasoning folded, the calls, the diffs and what you decided. Never with a key in it.

    \b
    kcode export > session.md
    kcode export 20261127 -o session.html
    """
    from kcode.headless.sessions import export_session

    raise typer.Exit(export_session(PlaceOptions(folder, anywhere), session, form, OutputOptions(file=output)))
