"""The commands about kcode itself: how it stands here, and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, BaseUrl, Color, Endpoint, Folder, Model, chosen_color
from kcode.options import ModelOptions, PlaceOptions


def doctor(
    probe: Annotated[bool, typer.Option("--probe", help="Also ask the endpoint for its models.")] = False,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Say how kcode stands here, and why.

    Key, endpoint, draft, sandbox, git and search.
    """
    from kcode.headless.doctor import examine

    raise typer.Exit(examine(ModelOptions(endpoint, base_url, model), PlaceOptions(folder, anywhere), probe=probe))


def demo(color: Color = "auto") -> None:
    """See a fix of a bundled project; needs no key.

    The replies are scripted; the draft, the sandbox, the tests and the diff are real.
    """
    from kcode.headless.demo import run_demo

    raise typer.Exit(run_demo(chosen_color(color)))
