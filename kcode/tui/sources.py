"""What the composer offers: the slash commands, and the files and definitions of the workspace once they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.commands.words import WordCommand
    from kcode.tui.completing import CommandHelp, SymbolPlace
    from kcode.tui.texts import Texts

_MOST_SYMBOLS = 60


class WorkspaceSource:
    """Implements kcode.tui.completing.CompletionSource; it knows of commands alone until it is told the rest."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._files: Sequence[str] = ()
        self._symbols: dict[str, list[SymbolPlace]] = {}
        self._words: dict[str, WordCommand] = {}
        self._commands: Sequence[CommandHelp] = ()

    def know_files(self, files: Sequence[str]) -> None:
        """Offer these paths from here on."""
        self._files = files

    def know_symbols(self, symbols: Sequence[SymbolPlace]) -> None:
        """Offer these definitions from here on, by their name and by its last part."""
        found: dict[str, list[SymbolPlace]] = {}
        for symbol in symbols:
            for start in {symbol.name[:2].lower(), symbol.name.rpartition(".")[2][:2].lower()}:
                found.setdefault(start, []).append(symbol)
        self._symbols = found

    def know_words(self, commands: Sequence[WordCommand]) -> None:
        """Offer these commands, which are only words, beside the others; one of those keeps its name."""
        self._words = {one.name: one for one in commands if one.name not in COMMANDS}
        self._commands = ()

    def word_command(self, name: str) -> WordCommand | None:
        return self._words.get(name)

    def files(self) -> Sequence[str]:
        return self._files

    def symbols(self, prefix: str) -> Sequence[SymbolPlace]:
        wanted = prefix.lower()
        if len(wanted) < 2:
            return ()
        near = self._symbols.get(wanted.rpartition(".")[2][:2] if "." in wanted else wanted[:2], ())
        near = near or self._symbols.get(wanted[:2], ())
        matching = [
            one
            for one in near
            if one.name.lower().startswith(wanted) or one.name.lower().rpartition(".")[2].startswith(wanted)
        ]
        return sorted(matching, key=lambda one: (len(one.name), one.name, one.path))[:_MOST_SYMBOLS]

    def commands(self) -> Sequence[CommandHelp]:
        if not self._commands:
            from kcode.tui.completing import CommandHelp  # noqa: PLC0415 - after the first paint

            own = [CommandHelp(name, self._texts(f"commands.{name}")) for name in COMMANDS]
            self._commands = own + [CommandHelp(one.name, one.description) for one in self._words.values()]
        return self._commands
