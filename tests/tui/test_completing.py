from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.requested import find_requested
from kcode.tui.completing import CommandHelp, Completer, Offer, SymbolPlace, Token, find_token
from kcode.tui.lines import plain, width_of
from kcode.tui.widgets.completion import offer_line

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = [
    "billing/invoice.py",
    "billing/money.py",
    "docs/my notes.md",
    "docs/odd).md",
    "setup.cfg",
    "tests/test_invoice.py",
]


class Source:
    """A small project."""

    def files(self) -> Sequence[str]:
        return FILES

    def symbols(self, prefix: str) -> Sequence[SymbolPlace]:
        places = [
            SymbolPlace("Invoice", "billing/invoice.py", 3, 40, "class"),
            SymbolPlace("Invoice.total", "billing/invoice.py", 12, 20, "method"),
            SymbolPlace("half", "docs/my notes.md", 1, 1),
        ]
        return [place for place in places if prefix.lower() in place.name.lower()]

    def commands(self) -> Sequence[CommandHelp]:
        return [
            CommandHelp("help", "Every key and command"),
            CommandHelp("review", "Review"),
            CommandHelp("redo", "Redo"),
        ]


@pytest.mark.parametrize(
    ("row", "before", "token"),
    [
        (0, "/", Token("command", 0, "")),
        (0, "/rev", Token("command", 0, "rev")),
        (0, "/usr/bin", None),
        (0, "/help me", None),
        (1, "/rev", None),
        (0, "see @", Token("mention", 4, "")),
        (2, "see @bil/inv", Token("mention", 4, "bil/inv")),
        (0, '@"my no', Token("mention", 0, "my no", quoted=True)),
        (0, '@"my no" x', None),
        (0, "me@example", None),
        (0, "a @b c", None),
        (0, "(@b", Token("mention", 1, "b")),
    ],
)
def test_what_is_typed_is_known_by_what_stands_before_the_caret(row: int, before: str, token: Token | None) -> None:
    assert find_token(row, before) == token


def offers(query: str) -> list[Offer]:
    return Completer(Source()).offers(Token("mention", 0, query))


def test_files_folders_and_symbols_are_offered_for_one_query() -> None:
    found = offers("invoice")
    assert {"billing/invoice.py", "tests/test_invoice.py", "Invoice", "Invoice.total"} == {one.label for one in found}
    assert [one.label for one in offers("Invoice.to")] == ["Invoice.total"]
    folder = offers("bill")[0]
    assert (folder.label, folder.insert, folder.goes_on) == ("billing/", "@billing/", True)
    assert offers("")[0].label == "docs/"


def test_what_is_inserted_is_read_as_the_file_and_the_lines_that_it_means() -> None:
    for path in FILES:
        offer = next(one for one in offers(path) if one.label == path)
        wanted = find_requested(
            f"see {offer.insert}please", FILES, "", lambda named: "file" if named in FILES else None
        )
        assert [place.path for place in wanted.places] == [path]
    symbol = next(one for one in offers("Invoice.total") if one.label == "Invoice.total")
    wanted = find_requested(symbol.insert, FILES, "", lambda named: "file" if named in FILES else None)
    assert wanted.places[0].lines == tuple(range(12, 21))
    assert "total" in wanted.names


def test_commands_come_with_their_help_and_what_begins_as_typed_first() -> None:
    completer = Completer(Source())
    assert [one.label for one in completer.offers(Token("command", 0, ""))] == ["/help", "/review", "/redo"]
    assert completer.offers(Token("command", 0, "red"))[0] == Offer("/redo", "/redo ", "Redo", (1, 2, 3))
    assert completer.is_command("redo")
    assert not completer.is_command("usr")


@given(st.text(max_size=30), st.text(max_size=40), st.integers(1, 60), st.booleans(), st.sets(st.integers(0, 30)))
def test_a_row_fits_the_list_and_steers_nothing(
    label: str, detail: str, width: int, chosen: bool, marked: set[int]
) -> None:
    line = offer_line(Offer(label, "", detail, tuple(sorted(marked))), width, is_chosen=chosen)
    assert width_of(line) <= width
    assert "\x1b" not in plain(line)
    assert "\n" not in plain(line)


def test_of_a_long_path_the_end_is_seen() -> None:
    row = plain(offer_line(Offer("a/very/long/path/to/some/file.py", ""), 20, is_chosen=True))
    assert row.rstrip().endswith("some/file.py")
    assert "…" in row


def test_a_file_comes_before_a_definition_that_fits_as_well() -> None:
    assert [one.label for one in offers("invoice")][:2] == ["billing/invoice.py", "Invoice"]
