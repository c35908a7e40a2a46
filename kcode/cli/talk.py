"""The commands that talk to the model: fix, ask, and kcode alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kcode import __version__
from kcode.cli.conversation import open_conversation
from kcode.cli.options import (
    AllowSecret,
    Anywhere,
    BaseUrl,
    Color,
    Continue,
    Endpoint,
    Folder,
    Json,
    MaxCost,
    MaxSteps,
    Model,
    NoSandbox,
    Output,
    Pack,
    PackFiles,
    Plain,
    Quiet,
    Record,
    Replay,
    Resume,
    Test,
    Timeout,
    WebSearch,
    chosen_color,
    chosen_pack,
    chosen_session,
)
from kcode.errors import UsageError
from kcode.options import ModelOptions, OutputOptions, PlaceOptions


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"kcode {__version__}\n")
        raise typer.Exit


def start(
    ctx: typer.Context,
    go_on: Continue = False,
    resume: Resume = None,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    plain: Plain = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A coding assistant for the terminal, built around Kimi K2 Thinking.

    It works in a draft; your files change only by what you apply.

    \b
    kcode                                     talk about this repository
    kcode -c                                  go on with the last session here
    kcode fix "the parser drops blank lines"  find, change, test; gives a patch
    git diff | kcode ask "what could break?"  in pipes: data in, answer out
    """
    del version
    if ctx.invoked_subcommand is None:
        place = PlaceOptions(folder, anywhere, no_sandbox)
        raise typer.Exit(
            open_conversation(
                "",
                ModelOptions(endpoint, base_url, model),
                place,
                "auto",
                chosen_session(go_on, resume),
                plain=plain,
            )
        )


def fix(
    issue: Annotated[str, typer.Argument(help="What is wrong, in your words. Left out, it is read from stdin.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Write the changes to your files without asking.")] = False,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print the patch and touch nothing, also at a terminal.")
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
    web_search: WebSearch = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    pack: Pack = False,
    pack_files: PackFiles = None,
    allow_secret: AllowSecret = None,
    quiet: Quiet = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Fix an issue in a draft and test it; gives a patch.

    At a terminal the diff is shown and you are asked: yes, no, hunk by hunk, or what should be different. In a pipe the patch alone goes to stdout.

    \b
    kcode fix "cents() rounds down"
    kcode fix "…" | git apply
    gh issue view 12 | kcode fix --apply
    kcode fix "…" --test "make check" --max-cost 0.50

    Exit: 0 done, tests pass or there are none; 3 no change proposed; 4 changed, tests fail; 6 a limit was reached or
    the model went in circles; 2 usage; 5 refused; 75 the endpoint failed, try again later; 1 any other error.
    """
    if sum((apply, patch, json)) > 1 and not (apply and json):
        raise UsageError("--apply, --patch and --json do not go together, but for --apply --json.")
    from kcode.headless.fix import fix_issue

    raise typer.Exit(
        fix_issue(
            issue,
            ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay, web_search),
            PlaceOptions(folder, anywhere, no_sandbox, test, chosen_pack(pack, pack_files), tuple(allow_secret or ())),
            OutputOptions(apply, patch, json, quiet, output, chosen_color(color)),
        ),
    )


def ask(
    question: Annotated[str, typer.Argument(help="The question. Left out, it is read from stdin.")] = "",
    json: Json = False,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    max_steps: MaxSteps = None,
    max_cost: MaxCost = None,
    timeout: Timeout = None,
    record: Record = None,
    replay: Replay = None,
    web_search: WebSearch = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    pack: Pack = False,
    pack_files: PackFiles = None,
    allow_secret: AllowSecret = None,
    quiet: Quiet = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Answer a question about this repository.

    The tools only read; the answer goes to stdout.

    \b
    kcode ask "where are sessions stored?"
    git diff | kcode ask "what could this break?" > review.md
    kcode ask --pack "what would a new maintainer have to know?"
    """
    from kcode.headless.ask import answer_question

    raise typer.Exit(
        answer_question(
            question,
            ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay, web_search),
            PlaceOptions(folder, anywhere, pack=chosen_pack(pack, pack_files), allow_secrets=tuple(allow_secret or ())),
            OutputOptions(json=json, quiet=quiet, file=output, color=chosen_color(color)),
        ),
    )


def chat(
    prompt: Annotated[str, typer.Argument()] = "",
    go_on: Continue = False,
    resume: Resume = None,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    max_steps: MaxSteps = None,
    max_cost: MaxCost = None,
    timeout: Timeout = None,
    record: Record = None,
    replay: Replay = None,
    web_search: WebSearch = None,
    test: Test = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    pack: Pack = False,
    pack_files: PackFiles = None,
    allow_secret: AllowSecret = None,
    color: Color = "auto",
    plain: Plain = False,
) -> None:
    """Talk, starting with a prompt."""
    options = ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay, web_search)
    place = PlaceOptions(folder, anywhere, no_sandbox, test, chosen_pack(pack, pack_files), tuple(allow_secret or ()))
    session = chosen_session(go_on, resume)
    raise typer.Exit(open_conversation(prompt, options, place, chosen_color(color), session, plain=plain))
