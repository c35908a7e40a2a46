"""What the composer offers while something is typed: commands behind `/`, files, folders and symbols behind `@`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from kcode.tui.fuzzy import Candidates, match

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMAND = re.compile(r"/([\w-]*)")
# As kcode.context.requested reads it; a path with a blank stands in quotation marks.
_MENTION = re.compile(r"""(?<![\w@./\\-])@(?:"([^"\n]*)|([^\s"'`<>|,;]*))\Z""")
_NEEDS_QUOTES = re.compile(r"""[\s"'`<>|,;]|[.!?:)\]}]\Z""")
_SYMBOL = re.compile(r"[^\W\d]\w*(?:\.\w*)*")
_MOST, _MOST_SYMBOLS = 50, 12
# More than a path of some length loses by that.
_FILES_FIRST = 8


@dataclass(frozen=True, slots=True)
class SymbolPlace:
    """One definition; lines are counted from 1, `end` is included."""

    name: str
    path: str
    start: int
    end: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CommandHelp:
    name: str
    help: str


class CompletionSource(Protocol):
    """Where the offers come from. Each answers at once, from what is known: it is asked at every key."""

    def files(self) -> Sequence[str]:
        """Paths relative to the workspace; the same object as long as nothing has changed."""
        ...

    def symbols(self, prefix: str) -> Sequence[SymbolPlace]:
        """Definitions whose name, or a part of it behind a dot, begins so; best a few dozen."""
        ...

    def commands(self) -> Sequence[CommandHelp]:
        """In the order in which they are listed."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """The word under the caret that can be completed, from column `start` of its line up to the caret."""

    kind: Literal["command", "mention"]
    start: int
    query: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the list: `insert` takes the token's place; `goes_on` keeps the list open, as for a folder."""

    label: str
    insert: str
    detail: str = ""
    positions: tuple[int, ...] = ()
    goes_on: bool = False


def find_token(row: int, before: str) -> Token | None:
    """What is being typed, by the line's text before the caret."""
    if row == 0 and (command := _COMMAND.fullmatch(before)):
        return Token("command", 0, command[1])
    if mention := _MENTION.search(before):
        quoted = mention[1] is not None
        return Token("mention", mention.start(), mention[1] if quoted else mention[2], quoted)
    return None


class Completer:
    """Finds offers, and keeps what was prepared of the source's answers as long as they are the same."""

    def __init__(self, source: CompletionSource) -> None:
        self._source = source
        self._files: Sequence[str] | None = None
        self._paths: Candidates = Candidates(())

    def offers(self, token: Token) -> list[Offer]:
        """The best first; all commands, or the shortest paths, where nothing is typed yet."""
        return self._commands(token.query) if token.kind == "command" else self._mentions(token.query)

    def prepare(self) -> None:
        """Do what takes time the first time: may be called in a thread, so that no key waits for it."""
        self._known_paths()

    def is_command(self, name: str) -> bool:
        return any(command.name == name for command in self._source.commands())

    def _commands(self, query: str) -> list[Offer]:
        commands = self._source.commands()
        found = Candidates([command.name for command in commands]).rank(query, _MOST)
        # What begins as typed comes first: few characters are typed of a name that is known.
        found.sort(key=lambda one: not commands[one.index].name.startswith(query.lower()))
        return [
            Offer(
                f"/{commands[one.index].name}",
                f"/{commands[one.index].name} ",
                commands[one.index].help,
                tuple(at + 1 for at in one.positions),
            )
            for one in found
        ]

    def _mentions(self, query: str) -> list[Offer]:
        paths = self._known_paths()
        ranked = [(one.score, _path_offer(paths.texts[one.index], one.positions)) for one in paths.rank(query, _MOST)]
        # Of both kinds as good, files are what is mostly meant.
        ranked += [(score - _FILES_FIRST, offer) for score, offer in self._symbols(query)]
        ranked.sort(key=lambda one: -one[0])
        return [offer for _, offer in ranked[:_MOST]]

    def _symbols(self, query: str) -> list[tuple[int, Offer]]:
        if len(query) < 2 or not _SYMBOL.fullmatch(query):
            return []
        fitting = ((match(query.lower(), symbol.name), symbol) for symbol in self._source.symbols(query))
        found = [(fits[0], _symbol_offer(symbol, fits[1])) for fits, symbol in fitting if fits]
        return sorted(found, key=lambda one: -one[0])[:_MOST_SYMBOLS]

    def _known_paths(self) -> Candidates:
        files = self._source.files()
        if files is not self._files:
            self._paths = Candidates(_shortest_first(files))
            self._files = files
        return self._paths


def _shortest_first(files: Sequence[str]) -> list[str]:
    """The files and their folders: what lies high up is what one mostly means by few characters."""
    folders: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0]
        while folder and f"{folder}/" not in folders:
            folders.add(f"{folder}/")
            folder = folder.rpartition("/")[0]
    # Two sorts by plain numbers take less time than one by a pair for each path.
    # What has a quotation mark or a line break in its name cannot be written behind an @.
    named = (path for path in {*files, *folders} if '"' not in path and "\n" not in path)
    ordered = sorted(sorted(named), key=len)
    ordered.sort(key=lambda path: path.count("/", 0, -1))
    return ordered


def _path_offer(path: str, positions: tuple[int, ...]) -> Offer:
    is_folder = path.endswith("/")
    needs_quotes = _NEEDS_QUOTES.search(path) is not None
    if is_folder:
        return Offer(path, f'@"{path}' if needs_quotes else f"@{path}", positions=positions, goes_on=True)
    return Offer(path, f'@"{path}" ' if needs_quotes else f"@{path} ", positions=positions)


def _symbol_offer(symbol: SymbolPlace, positions: tuple[int, ...]) -> Offer:
    """Both the name, which the model knows it by, and the lines, which it is then shown."""
    lines = f"{symbol.start}-{symbol.end}" if symbol.end > symbol.start else str(symbol.start)
    mention = f'@"{symbol.path}:{lines}"' if _NEEDS_QUOTES.search(symbol.path) else f"@{symbol.path}:{lines}"
    detail = f"{symbol.kind} {symbol.path}:{symbol.start}".strip()
    return Offer(symbol.name, f"`{symbol.name}` {mention} ", detail, positions)
