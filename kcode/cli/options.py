"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.errors import UsageError
from kcode.options import COLOR_CHOICES, ColorChoice

Endpoint = Annotated[
    str | None,
    typer.Option(
        help="Where the model is served; kcode login --list shows the names.",
        metavar="NAME",
        rich_help_panel="Model",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="An OpenAI-compatible URL; alone it means the custom endpoint.", metavar="URL")
]
Model = Annotated[str | None, typer.Option(help="The model's id at that endpoint.", metavar="ID")]
MaxSteps = Annotated[
    int | None, typer.Option(help="Stop after so many replies of the model (default 300).", metavar="N", min=1)
]
MaxCost = Annotated[float | None, typer.Option(help="Stop when the turn has cost so much.", metavar="USD", min=0)]
Timeout = Annotated[float | None, typer.Option(help="Stop after so many seconds.", metavar="S", min=0)]
WebSearch = Annotated[
    bool | None,
    typer.Option("--web-search/--no-web-search", help="Let the endpoint search the web, at its price."),
]
Record = Annotated[
    Path | None, typer.Option(help="Keep the traffic with the model in a new file (never the key).", metavar="FILE")
]
Replay = Annotated[
    Path | None,
    typer.Option(
        help="Take the replies from such a file instead of a model.", metavar="FILE", exists=True, dir_okay=False
    ),
]
Test = Annotated[str | None, typer.Option(help="How this project is tested, as a shell command.", metavar="CMD")]
Continue = Annotated[
    bool, typer.Option("-c", "--continue", help="Go on with the last session here, with its draft and all.")
]
Resume = Annotated[
    str | None,
    typer.Option(
        "-r",
        "--resume",
        help="Go on with this session: its id, the start of that, or words of its title.",
        metavar="ID",
    ),
]
Folder = Annotated[
    Path,
    typer.Option(
        "-C",
        "--folder",
        help="Work in this folder instead of the current one.",
        metavar="DIR",
        exists=True,
        file_okay=False,
    ),
]
Anywhere = Annotated[
    bool, typer.Option("--anywhere", help="Also work in the home folder, or in a folder of the system.")
]
NoSandbox = Annotated[
    bool, typer.Option("--no-sandbox", help="Where no sandbox is to be had: run commands without one.")
]
Pack = Annotated[
    bool, typer.Option("--pack", help="Send the text of the whole repository along, as far as it fits the window.")
]
PackFiles = Annotated[
    str | None,
    typer.Option(help="The same with the files that match alone, such as 'src/**/*.py'.", metavar="GLOB"),
]
AllowSecret = Annotated[
    list[str] | None,
    typer.Option(
        help="Let the model see such files too, although they look as if they held passwords or keys. Repeatable.",
        metavar="GLOB",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr; errors still show.")]
Color = Annotated[str, typer.Option(help="auto, always or never. NO_COLOR is honoured.", metavar="WHEN")]
Json = Annotated[bool, typer.Option("--json", help="One JSON event a line on stdout.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="Write the product to a file instead of stdout.", metavar="FILE", dir_okay=False
    ),
]


def chosen_color(given: str) -> ColorChoice:
    for choice in COLOR_CHOICES:
        if given == choice:
            return choice
    raise UsageError(f"--color {given}: it is auto, always or never.")


def chosen_session(go_on: bool, resume: str | None) -> str | None:
    """Which session to go on with; "" for the last one here, None for a new one."""
    if go_on and resume is not None:
        raise UsageError("--continue and --resume do not go together.")
    return "" if go_on else resume


def chosen_pack(pack: bool, files: str | None) -> str | None:
    """What is to be packed, as PlaceOptions has it."""
    return files or ("" if pack else None)


Plain = Annotated[
    bool, typer.Option("--plain", help="The line-by-line conversation, for screen readers and dumb terminals.")
]
