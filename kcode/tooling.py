"""What a tool is: one function in one file, its schema read from its signature, and the view it works through."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import types
import typing
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_origin, get_type_hints, is_typeddict

from kcode.errors import EditRefusedError, KcodeError, ToolError
from kcode.globs import compile_glob
from kcode.nearest import nearest_paths
from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport, ToolResult
from kcode.textfile import TextFile, cut_line, decode_text, number_lines, show_ranges, without_colors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Access",
    "Applied",
    "CommandEnd",
    "CommandResult",
    "Definition",
    "Edit",
    "EditRefusedError",
    "Entry",
    "Match",
    "Matched",
    "TestFailure",
    "TestReport",
    "TextFile",
    "Tier",
    "Tool",
    "ToolError",
    "ToolResult",
    "View",
    "compile_glob",
    "cut_line",
    "decode_text",
    "load_tools",
    "nearest_paths",
    "number_lines",
    "show_ranges",
    "tool",
    "which_file",
    "without_colors",
]


class Access(Enum):
    """What a tool does to the draft or the machine."""

    READ = "read"
    EDIT = "edit"
    EXECUTE = "execute"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder of the draft; `size` in bytes, None for anything but a file."""

    path: str
    kind: typing.Literal["file", "folder", "link", "other"]
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One line found by a search, or a line of context beside one."""

    path: str
    line: int
    text: str
    is_context: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition in a source file: its lines (from 1, both included), its nesting and its head in one line."""

    start: int
    end: int
    depth: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text `old`, which stands in the file exactly once, or everywhere with `replace_all`.

    `near_line` chooses among several places: the one that it is within 3 lines of, if no other is within 20.
    """

    old: str
    new: str
    replace_all: bool = False
    near_line: int | None = None


class Tier(Enum):
    """How an edit's `old` was found: as it is, or as whole lines that are the same but for what the value says.

    Each of them also passes over what those before it do.
    """

    EXACT = ""
    NUMBERS = "the line numbers before its lines"
    TRAILING = "blanks at the ends of lines"
    LOOKALIKES = "quotes, dashes or blanks that look alike"
    INDENT = "the indentation"
    BLANKS = "blanks within lines"


@dataclass(frozen=True, slots=True)
class Matched:
    """Where an edit's `old` was found: from which line to which (from 1, as the file was), and how many `times`."""

    tier: Tier
    first: int
    last: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Applied:
    """What edits made of a file: its bytes, and for every run of lines that changed, in file order, its new lines.

    A place is (first, last), counted from 1; where lines were only taken out, last is first - 1. `remarks` are sentences
    for the model on what was done otherwise than it wrote, or on what it may not have meant.
    """

    after: bytes
    places: tuple[tuple[int, int], ...]
    matches: tuple[Matched, ...] = ()
    remarks: tuple[str, ...] = ()


class View(Protocol):
    """All that a tool can see and do: the draft, and commands over it in the sandbox. Never the user's files.

    A path is given as the model wrote it, relative to the workspace or absolute inside it. Every method raises
    ToolError, worded for the model, for a path outside the workspace or inside `.git`.
    """

    @property
    def root(self) -> str:
        """The workspace's absolute path, as the model knows it."""

    def relative(self, path: str) -> str:
        """The path inside the workspace with `/` between names; "" is the workspace itself."""

    def entry(self, path: str) -> Entry | None:
        """What stands at the path, links not followed; None when there is nothing."""

    def read(self, path: str) -> bytes:
        """The file's bytes, links followed inside the workspace; refuses a file above 10 MB and anything not a file."""

    def entries(self, path: str) -> list[Entry]:
        """What a folder holds, sorted by name, without `.git`."""

    def files(self, path: str = "") -> list[str]:
        """All files below the path that git does not ignore, sorted."""

    def write(self, path: str, data: bytes) -> None:
        """Put a whole file in the draft, with its folders; an existing file keeps its mode.

        Refuses to write over text that the model was not shown, or that changed since.
        """

    def note_shown(self, path: str, data: bytes, first: int, last: int) -> None:
        """Remember that the model was shown these lines (from 1, both included) of the file, whose bytes are `data`.

        A whole file may be written over, and an edit matched loosely, only where the model saw what stands there.
        """

    def edit(self, path: str, edits: Sequence[Edit]) -> Applied:
        """Make all edits of a file in the draft, or none: EditRefusedError says which does not fit, and why."""

    def move(self, source: str, target: str) -> None:
        """Move a file inside the draft; refuses an existing target."""

    def delete(self, path: str) -> None:
        """Delete a file in the draft."""

    def definitions(self, path: str) -> list[Definition] | None:
        """The file's definitions in source order; None when its language has no grammar here."""

    async def search(
        self, pattern: str, path: str, glob: str, *, ignore_case: bool, context: int, limit: int
    ) -> tuple[list[Match], bool]:
        """Lines that match the regular expression, in path order, and whether more than `limit` were found."""

    async def run(self, command: str, seconds: float) -> CommandResult:
        """Run a shell command over the draft, at the workspace's path, without network."""

    async def run_tests(self, target: str, seconds: float) -> TestReport:
        """Run the project's tests, or those of `target`, over the draft; ToolError when no way to run them is found."""


def which_file(view: View, path: str) -> str:
    """The relative path of the file that the model means; ToolError for a folder, and for nothing (with near names)."""
    inside = view.relative(path)
    entry = view.entry(inside)
    if entry is None:
        near = nearest_paths(inside, view.files())
        hint = f"Did you mean {' or '.join(near)}?" if near else "Look with list_files."
        raise ToolError(f"There is no file {inside or path!r}. {hint}")
    if entry.kind == "folder":
        raise ToolError(f"{inside or 'The workspace'} is a folder, not a file. See what it holds with list_files.")
    return inside


class ToolFunction(Protocol):
    __name__: str

    def __call__(self, view: View, /, **arguments: Any) -> Awaitable[ToolResult]: ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the model is told of it and as it is run. `parameters` is a flat JSON Schema.

    A tool with a `declaration` is the endpoint's own: the declaration stands in the request in the place of the schema,
    and a call is answered with its own arguments as they came.
    """

    name: str
    description: str
    access: Access
    parameters: dict[str, Any]
    function: ToolFunction
    declaration: Mapping[str, Any] | None = None


def tool(access: Access) -> Callable[[Callable[..., Awaitable[ToolResult]]], Tool]:
    """Make a Tool of an async function: its docstring and annotations are what the model reads.

    The first parameter is the view. Each other one is `Annotated[TYPE, "what it is"]`, where TYPE is str, int, bool,
    `TYPE | None`, list[TYPE], a Literal of strings or a TypedDict of such.
    """

    def make(function: Callable[..., Awaitable[ToolResult]]) -> Tool:
        hints = get_type_hints(function, include_extras=True)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        properties = {p.name: _schema(hints[p.name]) for p in parameters}
        required = [p.name for p in parameters if p.default is inspect.Parameter.empty]
        schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        return Tool(
            name=function.__name__,
            description=inspect.cleandoc(function.__doc__ or ""),
            access=access,
            parameters=schema,
            function=typing.cast("ToolFunction", function),
        )

    return make


_SIMPLE: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _schema(hint: Any) -> dict[str, Any]:
    """The JSON Schema of one annotation; a type outside the allowed few is a mistake in the tool's file."""
    if get_origin(hint) is typing.Annotated:
        inner, *notes = get_args(hint)
        if not isinstance(notes[0], str):
            raise TypeError(f"a tool's parameter is described by {notes[0]!r}, which is not text")
        return _schema(inner) | {"description": notes[0]}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    origin, args = get_origin(hint), get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        (inner,) = (arg for arg in args if arg is not type(None))
        return _schema(inner)
    if origin is typing.Literal:
        return {"type": "string", "enum": list(args)}
    if origin is list:
        return {"type": "array", "items": _schema(args[0])}
    if is_typeddict(hint):
        fields = get_type_hints(hint, include_extras=True)
        properties = {name: _schema(_without_required_mark(field)) for name, field in fields.items()}
        # __required_keys__ cannot be used: under `from __future__ import annotations` it holds the NotRequired too.
        required = [name for name, field in fields.items() if _is_required(field, total=hint.__total__)]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    raise TypeError(f"a tool's parameter cannot have the type {hint!r}")


def _is_required(field: Any, *, total: bool) -> bool:
    mark = get_origin(field)
    return mark is typing.Required or (total and mark is not typing.NotRequired)


def _without_required_mark(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in {typing.Required, typing.NotRequired} else hint


def load_tools(folders: Iterable[Path]) -> dict[str, Tool]:
    """Load every `*.py` of the folders as one tool each, sorted by name; a later folder's tool replaces an earlier's.

    Loading runs the file, so a folder of the repository is given only once the user has trusted it.
    """
    tools: dict[str, Tool] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            found = load_tool(path)
            tools[found.name] = found
    return dict(sorted(tools.items()))


def load_tool(path: Path) -> Tool:
    """Load the one tool of a file; KcodeError names the file when it cannot be loaded or holds none."""
    spec = importlib.util.spec_from_file_location(f"kcode_tool_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise KcodeError(f"The tool file {path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # the annotations of a TypedDict are resolved through it
    try:
        spec.loader.exec_module(module)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        ImportError,
        LookupError,
        NameError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        raise KcodeError(f"The tool file {path} cannot be loaded: {error}. Mend it or move it away.") from error
    tools: Sequence[Tool] = [value for value in vars(module).values() if isinstance(value, Tool)]
    if len(tools) != 1 or tools[0].name != path.stem:
        raise KcodeError(f"The tool file {path} must hold exactly one @tool function, named {path.stem}.")
    return tools[0]
