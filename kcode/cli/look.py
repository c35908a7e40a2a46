"""The commands that show what kcode sees of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, Folder
from kcode.options import PlaceOptions

MAP_TOKENS = 4_000


def map(  # noqa: A001  # the command's name
    request: Annotated[str, typer.Option("--for", help="What is to be done, in words.", metavar="TEXT")] = "",
    tokens: Annotated[
        int, typer.Option(help="The most tokens that the map may have.", metavar="N", min=1)
    ] = MAP_TOKENS,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the whole repository is indexed.")] = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show the files that a request is about.

    The likeliest comes first, each with its definitions that fit best. Without --for: what changes often.

    \b
    kcode map --for "the session cookie is not renewed"
    """
    from kcode.headless.map import show_map

    raise typer.Exit(show_map(PlaceOptions(folder, anywhere), request, tokens, wait=wait, json=json))
