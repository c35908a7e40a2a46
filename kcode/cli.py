"""The command line: commands, options, and the only place that turns errors into exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from kcode import __version__
from kcode.errors import KcodeError, OutputError, ProviderError, RefusedError, UsageError, WorkspaceError
from kcode.options import COLOR_CHOICES, ColorChoice, ModelOptions, OutputOptions, PlaceOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_ERROR, EXIT_USAGE, EXIT_REFUSED, EXIT_RETRY, EXIT_INTERRUPTED = 1, 2, 5, 75, 130


class CommandGroup(TyperGroup):
    """A group whose first word may also be a prompt: `kcode "what does this do?"`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # A single word is more likely a mistyped command than a question; `kcode chat WORD` asks it all the same.
        if args and " " in args[0].strip() and not args[0].startswith("-"):
            args = ["chat", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Left to itself the library would print "Aborted!" and exit with 1.
            sys.stderr.write("\nkcode: interrupted\n")
            raise SystemExit(EXIT_INTERRUPTED) from None


app = typer.Typer(
    cls=CommandGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Endpoint = Annotated[
    str | None,
    typer.Option(
        help="Where the model is served: moonshot, moonshot-cn, openrouter, custom.",
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
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr; errors still show.")]
Color = Annotated[str, typer.Option(help="auto, always or never. NO_COLOR is honoured.", metavar="WHEN")]
Json = Annotated[bool, typer.Option("--json", help="One JSON event a line on stdout.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="Write the product to a file instead of stdout.", metavar="FILE", dir_okay=False
    ),
]


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"kcode {__version__}\n")
        raise typer.Exit


@app.callback()
def start(
    ctx: typer.Context,
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="The line-by-line conversation, for screen readers and dumb terminals.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A coding assistant for the terminal, built around Kimi K2 Thinking.

    It works in a draft; your files change only by what you apply.

    \b
    kcode                                     talk about this repository
    kcode fix "the parser drops blank lines"  find, change, test; gives a patch
    git diff | kcode ask "what could break?"  in pipes: data in, answer out
    """
    del plain, version
    if ctx.invoked_subcommand is None:
        _chat("", ModelOptions(endpoint, base_url, model), PlaceOptions(folder, anywhere, no_sandbox), "auto")


@app.command()
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
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    quiet: Quiet = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Fix an issue in a draft and test it; gives a patch.

    At a terminal the diff is shown and you are asked. In a pipe the patch alone goes to stdout.

    \b
    kcode fix "cents() rounds down"
    kcode fix "…" | git apply
    gh issue view 12 | kcode fix --apply
    kcode fix "…" --test "make check" --max-cost 0.50

    Exit: 0 done, tests pass or there are none; 3 no change proposed; 4 changed, tests fail; 6 a limit was reached;
    2 usage; 5 refused; 75 the endpoint failed, try again later; 1 any other error.
    """
    if sum((apply, patch, json)) > 1 and not (apply and json):
        raise UsageError("--apply, --patch and --json do not go together, but for --apply --json.")
    from kcode.headless.fix import fix_issue

    raise typer.Exit(
        fix_issue(
            issue,
            ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay),
            PlaceOptions(folder, anywhere, no_sandbox, test),
            OutputOptions(apply, patch, json, quiet, output, _color(color)),
        ),
    )


@app.command()
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
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    quiet: Quiet = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Answer a question about this repository.

    The tools only read; the answer goes to stdout.

    \b
    kcode ask "where are sessions stored?"
    git diff | kcode ask "what could this break?" > review.md
    """
    from kcode.headless.ask import answer_question

    raise typer.Exit(
        answer_question(
            question,
            ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay),
            PlaceOptions(folder, anywhere),
            OutputOptions(json=json, quiet=quiet, file=output, color=_color(color)),
        ),
    )


@app.command(hidden=True)
def chat(
    prompt: Annotated[str, typer.Argument()] = "",
    endpoint: Endpoint = None,
    base_url: BaseUrl = None,
    model: Model = None,
    max_steps: MaxSteps = None,
    max_cost: MaxCost = None,
    timeout: Timeout = None,
    record: Record = None,
    replay: Replay = None,
    test: Test = None,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    color: Color = "auto",
) -> None:
    """Talk line by line, starting with a prompt."""
    options = ModelOptions(endpoint, base_url, model, max_steps, max_cost, timeout, record, replay)
    _chat(prompt, options, PlaceOptions(folder, anywhere, no_sandbox, test), _color(color))


def _chat(prompt: str, model: ModelOptions, place: PlaceOptions, color: ColorChoice) -> NoReturn:
    from kcode.headless.plain import converse

    raise typer.Exit(converse(prompt, model, place, color))


@app.command()
def diff(folder: Folder = Path(), anywhere: Anywhere = False, output: Output = None, color: Color = "auto") -> None:
    """Show what the last session here proposes.

    In a pipe it is a patch for git apply.
    """
    from kcode.headless.pending import show_pending

    raise typer.Exit(show_pending(PlaceOptions(folder, anywhere), OutputOptions(file=output, color=_color(color))))


@app.command()
def apply(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Write the pending proposal, or a patch from stdin.

    It goes to your files through the journal; kcode undo takes it back.

    \b
    kcode apply
    kcode apply < fix.patch
    """
    from kcode.headless.pending import apply_pending

    raise typer.Exit(apply_pending(PlaceOptions(folder, anywhere)))


@app.command()
def undo(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Take back what was last applied here.

    The exact bytes from before come back; what you changed since is never overwritten.
    """
    from kcode.headless.pending import undo_last

    raise typer.Exit(undo_last(PlaceOptions(folder, anywhere)))


@app.command()
def redo(folder: Folder = Path(), anywhere: Anywhere = False) -> None:
    """Apply again what was last undone."""
    from kcode.headless.pending import redo_last

    raise typer.Exit(redo_last(PlaceOptions(folder, anywhere)))


@app.command()
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


@app.command()
def demo(color: Color = "auto") -> None:
    """See a fix of a bundled project; needs no key.

    The replies are scripted; the draft, the sandbox, the tests and the diff are real.
    """
    from kcode.headless.demo import run_demo

    raise typer.Exit(run_demo(_color(color)))


def _color(given: str) -> ColorChoice:
    for choice in COLOR_CHOICES:
        if given == choice:
            return choice
    raise UsageError(f"--color {given}: it is auto, always or never.")


def exit_code(error: KcodeError) -> int:
    """The exit code for an error that reaches the command line."""
    if isinstance(error, ProviderError):
        return {"retry": EXIT_RETRY, "key": EXIT_USAGE, "model": EXIT_USAGE}.get(error.failure.kind, EXIT_ERROR)
    if isinstance(error, RefusedError):
        return EXIT_REFUSED
    return EXIT_USAGE if isinstance(error, UsageError | WorkspaceError) else EXIT_ERROR


def run(arguments: Sequence[str]) -> int:
    """Obey the arguments and return the exit code; every error becomes one message on stderr. Ctrl-C is raised."""
    try:
        code = _obey(arguments)
        sys.stdout.flush()
    except KcodeError as error:
        return _tell(error, json="--json" in arguments)
    except BrokenPipeError:
        # A reader that has left, as `| head` does, is no reason for a traceback.
        return EXIT_ERROR
    return code


def _obey(arguments: Sequence[str]) -> int:
    try:
        app(args=list(arguments), prog_name="kcode")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _tell(error: KcodeError, *, json: bool) -> int:
    from kcode.sanitize import sanitize

    code = exit_code(error)
    sys.stderr.write(f"kcode: {sanitize(str(error))}\n")
    if json and not isinstance(error, OutputError):
        from kcode.headless.jsonlines import write_line

        write_line("error", message=str(error), exit_code=code)
    return code
