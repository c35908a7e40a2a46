"""The commands about kcode itself: keys, models, how it stands here, and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, BaseUrl, Color, Endpoint, Folder, Model, chosen_color
from kcode.options import ModelOptions, PlaceOptions


def login(
    endpoint: Annotated[
        str | None, typer.Argument(help="Which endpoint. Left out, you are asked.", metavar="NAME")
    ] = None,
    base_url: BaseUrl = None,
    model: Annotated[str | None, typer.Option(help="A model there to try the key with.", metavar="ID")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Store the key without trying it.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Show which endpoints have a key, and from where.")] = False,
) -> None:
    """Store the key for an endpoint.

    It is asked for without being shown, tried, and kept in the system's keyring or in a file that only you can read.

    \b
    kcode login
    kcode login openrouter < key.txt
    kcode login --base-url https://llm.example/v1
    kcode login --list

    Exit: 0 stored; 2 the key was refused; 5 nobody to ask, or untried.
    """
    from kcode.headless.login import list_logins, log_in

    if show:
        raise typer.Exit(list_logins())
    raise typer.Exit(log_in(ModelOptions(endpoint, base_url, model), check=not no_check))


def logout(
    endpoint: Annotated[str | None, typer.Argument(help="Which endpoint.", metavar="NAME")] = None,
    base_url: BaseUrl = None,
) -> None:
    """Take the stored key of an endpoint away."""
    from kcode.headless.login import log_out

    raise typer.Exit(log_out(ModelOptions(endpoint, base_url)))


def models(
    everything: Annotated[bool, typer.Option("--all", help="All of them, also where there are hundreds.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
) -> None:
    """List the models that the endpoint offers.

    With what is known of their context, prices and abilities; * is the one in use. Of hundreds the Kimi models are shown.
    """
    from kcode.headless.models import list_models

    raise typer.Exit(list_models(ModelOptions(endpoint, base_url, model), json=json, everything=everything))


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe", help="Also try the endpoint with a few small requests, for about a cent.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Say how kcode stands here, and why.

    Key, endpoint, draft, sandbox, git and search. With --probe also what the endpoint does: reasoning, tool calls, usage,
    limits, speed, and settings that fit it.

    Exit: 0 kcode can work here; 1 it cannot, or the endpoint is not fit for tools; 2 the key was refused; 75 the endpoint
    failed, try again later.
    """
    from kcode.headless.doctor import examine

    raise typer.Exit(
        examine(ModelOptions(endpoint, base_url, model), PlaceOptions(folder, anywhere), probe=probe, json=json)
    )


def context(
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
) -> None:
    """Say what the next request would hold, in tokens and money.

    Of the last session here, or of a first request: each layer, what the last call had from the cache, the cost so far,
    what the next call will cost, and how far it is to a compaction. Nothing is sent.
    """
    from kcode.headless.context import show_context

    raise typer.Exit(show_context(ModelOptions(endpoint, base_url, model), PlaceOptions(folder, anywhere), json=json))


def demo(color: Color = "auto") -> None:
    """See a fix of a bundled project; needs no key.

    The replies are scripted; the draft, the sandbox, the tests and the diff are real.
    """
    from kcode.headless.demo import run_demo

    raise typer.Exit(run_demo(chosen_color(color)))
