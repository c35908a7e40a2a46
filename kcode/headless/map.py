"""`kcode map`: the files that a request is about, for people or as one JSON object."""

from __future__ import annotations

import gc
import json as json_format
import os
import sys
from typing import TYPE_CHECKING

from kcode.context.index import FIRST_ANSWER_SECONDS, Indexer, index_folder
from kcode.errors import GitError
from kcode.folders import cache_folder_for, state_folder_for
from kcode.headless.terminal import BOLD, YELLOW, Terminal
from kcode.safegit import open_git
from kcode.sanitize import sanitize, sanitize_line
from kcode.workspace import open_workspace

if TYPE_CHECKING:
    from kcode.context.map import MapEntry, RepositoryMap
    from kcode.options import PlaceOptions
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

# What starting the program took already.
_STARTING_SECONDS = 0.25


def show_map(options: PlaceOptions, request: str, tokens: int, *, wait: bool, json: bool) -> int:
    """Print the map on stdout; with `wait` only once everything is indexed."""
    # What was imported is no garbage: to look through it each time would take a tenth of what the map does.
    gc.freeze()
    terminal = Terminal(os.environ)
    workspace = open_workspace(options.folder, os.environ, allow_anywhere=options.anywhere)
    cache = cache_folder_for(os.environ, workspace.root)
    indexer = Indexer(workspace.root, _git(workspace, terminal), index_folder(cache, workspace))
    try:
        indexer.start()
        from kcode.context.map import map_for  # noqa: PLC0415 - imported while git is at its work

        seconds = None if wait else FIRST_ANSWER_SECONDS - _STARTING_SECONDS
        found, corpus = map_for(indexer, request, tokens, seconds)
    finally:
        indexer.close()
    if json:
        sys.stdout.write(_encode(found) + "\n")
    else:
        sys.stdout.write(_for_people(found, terminal))
    if not found.entries:
        terminal.say("There is nothing to show: no file here fits the request, or none fits the tokens.", YELLOW)
    if corpus.unread:
        terminal.say(
            f"{len(corpus.unread):,} of {len(corpus.paths):,} files are not indexed yet: a later call knows more, "
            "and --wait waits for all.",
            YELLOW,
        )
    return 0


def _git(workspace: Workspace, terminal: Terminal) -> SafeGit | None:
    """Git for the workspace; None where it is missing or refuses, which the files can do without."""
    try:
        return open_git(workspace, state_folder_for(os.environ, workspace.root) / "git" / "plain")
    except GitError as error:
        terminal.say(f"{error} The files are listed without git.", YELLOW)
        return None


def _encode(found: RepositoryMap) -> str:
    files = [{"path": entry.path, "symbols": _symbols(entry)} for entry in found.entries]
    return json_format.dumps({"tokens": found.tokens, "files": files})


def _symbols(entry: MapEntry) -> list[dict[str, object]]:
    return [{"name": one.name, "kind": one.kind, "line": one.start, "end_line": one.end} for one in entry.symbols]


def _for_people(found: RepositoryMap, terminal: Terminal) -> str:
    """The map as the model reads it, with its paths marked; names and lines of files are made safe."""
    lines = []
    for line in found.text.splitlines():
        is_path = not line[:1].isspace() and not line.partition(":")[0].isdecimal()
        lines.append(terminal.style(sanitize_line(line), BOLD, sys.stdout) if is_path else sanitize(line))
    return "".join(f"{line}\n" for line in lines)
