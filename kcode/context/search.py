"""Searching the draft's files: ripgrep where there is one, else a plain search in a Python of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcode.errors import ToolError
from kcode.globs import compile_glob
from kcode.tooling import Match

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

# Arguments of one process: Linux takes 2 MB in all, macOS 1 MB.
_PATHS_A_LAUNCH = 500
_LONGEST_TEXT, _BEFORE_MATCH = 1_000, 200
# What ripgrep says of a pattern that only a backtracking engine can match.
_NEEDS_BACKTRACKING = ("look-around", "backreferences are not supported")


@dataclass(frozen=True, slots=True)
class Query:
    """A search as the tool asks for it: `path` is relative to the workspace, "" for all of it."""

    pattern: str
    path: str = ""
    glob: str = ""
    ignore_case: bool = False
    context: int = 0
    limit: int = 100
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched. `root` is the workspace on disk; the draft differs from it in `changed`.

    `changed` maps a relative path to the file on disk that holds the draft's version, or to None where the draft has no
    file. `hidden` are folders that are passed over though git does not ignore them. `files` lists all files of the draft
    that git does not ignore; it is called only where ripgrep cannot serve. What is found in a file that `leaves_out` is
    true of is never given; with ripgrep it is asked of files with matches alone.
    """

    root: Path
    files: Callable[[], Iterable[str]]
    changed: Mapping[str, Path | None]
    hidden: tuple[str, ...] = ()
    leaves_out: Callable[[str], bool] = lambda _: False


class _NotSupportedError(Exception):
    """This ripgrep cannot search for the pattern."""


def find_ripgrep(environment: Mapping[str, str], workspace: Path | None = None) -> str | None:
    """The path of a ripgrep that runs: the system's, else the one that was installed with kcode, else None.

    One inside the workspace is never taken from PATH: the repository may have put it there.
    """
    folders = [folder for folder in environment.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    if workspace is not None:
        folders = [folder for folder in folders if not Path(os.path.realpath(folder)).is_relative_to(workspace)]
    system = shutil.which("rg", path=os.pathsep.join(folders)) if folders else None
    for candidate in (system, *_installed_with_kcode()):
        if candidate and _runs(candidate):
            return candidate
    return None


def _installed_with_kcode() -> list[str]:
    found = [Path(sysconfig.get_path("scripts")) / "rg"]
    # pipx and uv keep the interpreter's folder and the scripts' folder together, also where sysconfig differs.
    found.append(Path(sys.executable).parent / "rg")
    return [str(path) for path in dict.fromkeys(found) if path.is_file()]


def _runs(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.startswith(b"ripgrep")


async def search_files(query: Query, searched: Searched, ripgrep: str | None) -> tuple[list[Match], bool]:
    """The matches in path order and whether there are more than `query.limit`; ToolError for a bad pattern or glob."""
    try:
        glob = compile_glob(query.glob.removeprefix("!")) if query.glob else None
    except ValueError as error:
        raise ToolError(f"{error}. Nothing was searched.") from None
    _refuse_outside(query, searched)
    wanted = _Wanted(query, None if glob is None else lambda path: bool(glob.fullmatch(path)))
    if ripgrep is not None:
        for engine in ((), ("--pcre2",)):
            try:
                found = await _with_ripgrep([ripgrep, *engine], query, searched, wanted)
            except _NotSupportedError:
                continue
            return _cut(found, query.limit)
    return _cut(await _plainly(query, searched, wanted), query.limit)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which paths a query is about."""

    query: Query
    matches_glob: Callable[[str], bool] | None

    def __contains__(self, path: str) -> bool:
        folder = self.query.path
        if folder and path != folder and not path.startswith(f"{folder}/"):
            return False
        return self.matches_glob is None or self.matches_glob(path) is not self.query.glob.startswith("!")


def _refuse_outside(query: Query, searched: Searched) -> None:
    """What ripgrep is given as its start it follows, also a link, so where the path leads is looked at first."""
    start = searched.root / query.path
    if start.exists() and not start.resolve().is_relative_to(searched.root.resolve()):
        raise ToolError(f"{query.path} leads outside the workspace. Search inside it.")
    below = any(path == query.path or path.startswith(f"{query.path}/") for path in searched.changed)
    if query.path and not below and not start.exists():
        raise ToolError(f"There is no file or folder {query.path!r}. Look with list_files.")


def _cut(matches: list[Match], limit: int) -> tuple[list[Match], bool]:
    """The first `limit` matches with their lines of context, in path order, each path's lines in theirs."""
    ordered = sorted(matches, key=lambda match: (match.path.split("/"), match.line))
    hits = [index for index, match in enumerate(ordered) if not match.is_context]
    if len(hits) <= limit:
        return ordered, False
    beyond = ordered[hits[limit]]
    kept = ordered[: hits[limit]]
    last = ordered[hits[limit - 1]]
    # Context above the first match that is left out stays only where it also belongs to the last that is kept.
    while kept and kept[-1].is_context and kept[-1].path == beyond.path != last.path:
        kept.pop()
    return kept, True


async def _with_ripgrep(program: Sequence[str], query: Query, searched: Searched, wanted: _Wanted) -> list[Match]:
    flags = ["--no-config", "--json", "--no-messages", "--sort=path", "--max-filesize=10M", "--hidden"]
    flags += ["--ignore-case"] if query.ignore_case else []
    flags += [f"--context={query.context}"] if query.context else []
    found: list[Match] = []
    if (searched.root / query.path).exists():
        # The last glob that fits decides, so the one against .git stands last.
        globs = ["--no-require-git", *([f"--glob={query.glob}"] if query.glob else []), "--glob=!.git"]
        globs += [f"--glob=!/{folder}/" for folder in searched.hidden]
        start = f"./{query.path}" if query.path else "./"
        command = [*program, *flags, *globs, f"--regexp={query.pattern}", "--", start]
        found += await _collect(command, searched, query, skip=searched.changed)
    there = {str(file): path for path, file in searched.changed.items() if path in wanted and _is_plain(file)}
    names = sorted(there)
    for begin in range(0, len(names), _PATHS_A_LAUNCH):
        some = names[begin : begin + _PATHS_A_LAUNCH]
        command = [*program, *flags, "--no-ignore", f"--regexp={query.pattern}", "--", *some]
        found += await _collect(command, searched, query, names=there)
    return found


def _is_plain(file: Path | None) -> bool:
    return file is not None and file.is_file() and not file.is_symlink()


async def _collect(
    command: Sequence[str],
    searched: Searched,
    query: Query,
    *,
    skip: Mapping[str, object] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[Match]:
    """Run a ripgrep and read what it found, up to one match more than the limit."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=searched.root,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    errors = asyncio.ensure_future(_read_errors(process))
    found: list[Match] = []
    hits = 0
    try:
        async with asyncio.timeout(query.seconds):
            async for line in _lines_of(process):
                match = _match_of(json.loads(line))
                if match is None or (skip and match.path in skip):
                    continue
                match = match if names is None else _renamed(match, names)
                if searched.leaves_out(match.path):
                    continue
                found.append(match)
                hits += not match.is_context
                if hits > query.limit:
                    return found
            said = await errors
            code = await process.wait()
    except TimeoutError:
        raise ToolError(
            f"The search took longer than {query.seconds:.0f} seconds and was stopped. Narrow it with path or glob."
        ) from None
    finally:
        await _end(process, errors)
    if code == 2 and not found:
        raise _refusal(query.pattern, said) if said else ToolError(f"The search failed in {query.path or 'here'}.")
    return found


def _renamed(match: Match, names: Mapping[str, str]) -> Match:
    return Match(names.get(match.path, match.path), match.line, match.text, match.is_context)


async def _read_errors(process: asyncio.subprocess.Process) -> str:
    """The beginning of stderr; the rest is read so that the process never waits."""
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(65536):
        kept = (kept + data)[:65536]
    return kept.decode(errors="replace")


async def _lines_of(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    """Lines of any length, which StreamReader.readline refuses."""
    assert process.stdout is not None
    rest: list[bytes] = []
    while data := await process.stdout.read(65536):
        first, *others = data.split(b"\n")
        rest.append(first)
        for piece in others:
            yield b"".join(rest)
            rest = [piece]
    if last := b"".join(rest):
        yield last


async def _end(process: asyncio.subprocess.Process, errors: asyncio.Future[str]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    errors.cancel()
    await asyncio.shield(process.wait())


def _refusal(pattern: str, said: str) -> Exception:
    """What ripgrep's message means: another engine is needed, or the model must write another pattern."""
    if "PCRE2 is not available" in said or any(words in said for words in _NEEDS_BACKTRACKING):
        return _NotSupportedError()
    if "is not allowed in a regex" in said:
        return ToolError(r"A pattern cannot hold \n: the search goes line by line. Search for one of the lines.")
    reason = said.rpartition("error: ")[2].strip() or said.strip()
    return ToolError(
        f"The pattern {pattern!r} is not a valid regular expression: {reason.removeprefix('rg: ')}. "
        "Put a backslash before ( [ { . * + ? | to mean the character itself."
    )


def _match_of(record: Any) -> Match | None:
    """One record of ripgrep's JSON as a Match; None for those that tell of files and totals."""
    if record["type"] not in {"match", "context"}:
        return None
    data = record["data"]
    spans = data.get("submatches") or [{"start": 0}]
    text = _excerpt(_bytes_of(data["lines"]).rstrip(b"\r\n"), spans[0]["start"])
    path = os.fsdecode(_bytes_of(data["path"])).removeprefix("./")
    return Match(path, data["line_number"], text, record["type"] == "context")


def _bytes_of(value: Mapping[str, str]) -> bytes:
    """The value is text where the bytes are UTF-8, and base64 where they are not."""
    return value["text"].encode() if "text" in value else base64.b64decode(value["bytes"])


def _excerpt(line: bytes, start: int) -> str:
    """The line, or of a very long one the part around the match at byte `start`."""
    if len(line) <= _LONGEST_TEXT:
        return line.decode(errors="replace")
    low = max(0, start - _BEFORE_MATCH)
    piece = line[low : low + _LONGEST_TEXT].decode(errors="replace").strip("\ufffd")
    return ("… " if low else "") + piece + (" …" if low + _LONGEST_TEXT < len(line) else "")


async def _plainly(query: Query, searched: Searched, wanted: _Wanted) -> list[Match]:
    """Search with Python's `re` in a process that can be stopped: a bad pattern may take it years."""
    files = [
        [path, str(file)]
        for path in sorted(searched.files(), key=lambda path: path.split("/"))
        if path in wanted
        and not searched.leaves_out(path)
        and (file := searched.changed.get(path, searched.root / path)) is not None
    ]
    job = {"pattern": query.pattern, "ignore_case": query.ignore_case, "context": query.context, "limit": query.limit}
    # -I: nothing of the folder or the environment is imported.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(Path(__file__).with_name("plainsearch.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(query.seconds):
            out, said = await process.communicate(json.dumps(job | {"files": files}).encode())
    except TimeoutError:
        raise ToolError(
            f"The search for {query.pattern!r} took longer than {query.seconds:.0f} seconds and was stopped. "
            "Use a simpler pattern, or narrow it with path or glob."
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode == 2:
        raise ToolError(f"The pattern {query.pattern!r} is not a valid regular expression: {said.decode().strip()}.")
    if process.returncode != 0:
        raise ToolError(f"The search failed: {said.decode(errors='replace').strip()[-400:]}")
    return [
        Match(path, line, _excerpt(text.encode(errors="replace"), start), bool(is_context))
        for path, line, text, start, is_context in json.loads(out)
    ]
