from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileChange, FileState
from kcode.draft.hunks import propose
from kcode.draft.review import reviewed
from kcode.tui.diff.draw import Look, draw, height, text_width
from kcode.tui.diff.moved import Spot, moved_lines
from kcode.tui.diff.pairing import pair_lines, word_marks
from kcode.tui.diff.rows import Kind, Row, Shape, places
from kcode.tui.diff.sheet import Sheet, Standing
from kcode.tui.diff.signatures import changed_signatures
from kcode.tui.lines import join, plain, width_of
from kcode.tui.texts import load_texts
from tests.draft.reviews import acted, numbered, proposal_of, text, texts

TEXTS = load_texts()
shapes = st.builds(
    Shape,
    split=st.booleans(),
    opened=st.one_of(st.none(), st.frozensets(st.integers(0, 14))),
    context=st.integers(0, 3),
)


def sheet_of(change: FileChange, **standings: Standing) -> Sheet:
    return Sheet(change, TEXTS, standings)


def change_of(before: bytes, after: bytes, path: str = "f.py") -> FileChange:
    return propose([Change(path, text(before), text(after))]).changes[0]


def drawn(sheet: Sheet, *, blanks: bool = False) -> str:
    rows, look = sheet.rows(Shape()), Look(blanks=blanks)
    return "\n".join(line.rstrip() for line in join(one for row in rows for one in draw(sheet, row, look)).split("\n"))


@settings(max_examples=150)
@given(texts, texts, shapes, st.data())
def test_the_rows_sides_put_together_are_the_two_texts(
    before: bytes, after: bytes, shape: Shape, data: st.DataObject
) -> None:
    proposal = proposal_of(f=(before, after))
    view = reviewed(proposal, acted(proposal, data))
    for change in view.proposal.changes:
        sheet = sheet_of(change)
        olds, news = places(sheet.rows(shape))
        assert olds == list(range(len(sheet.old.lines)))
        assert news == list(range(len(sheet.new.lines)))
        shown = {row.key for row in sheet.rows(shape) if row.kind is Kind.HEAD}
        assert shown == set(sheet.keys)


@settings(max_examples=150)
@given(texts, texts, shapes, st.integers(30, 90), st.booleans(), st.booleans(), st.integers(0, 9))
def test_every_row_fills_the_width_and_nothing_steers(
    before: bytes, after: bytes, shape: Shape, width: int, blanks: bool, wrap: bool, x: int
) -> None:
    proposal = proposal_of(f=(before.replace(b"a", "\t漢字\x1b[31m".encode()), after))
    for change in proposal.changes:
        sheet = sheet_of(change)
        look = Look(width, shape.split, blanks, wrap, 0 if wrap else x)
        for row in sheet.rows(shape):
            lines = draw(sheet, row, look)
            assert [width_of(line) for line in lines] == [width] * len(lines)
            assert len(lines) == height(sheet, row, look, text_width(sheet, look))
            assert not any(character in plain(line) for line in lines for character in "\n\t\x1b\r")


lines = st.lists(st.sampled_from(["a b c", "a b d", "x = 1", "", "return total(x)", "return total(y)"]), max_size=8)


@given(lines, lines)
def test_each_line_stands_in_one_pair_and_in_order(old: list[str], new: list[str]) -> None:
    pairs = pair_lines(old, new)
    assert [pair.old for pair in pairs if pair.old is not None] == list(range(len(old)))
    assert [pair.new for pair in pairs if pair.new is not None] == list(range(len(new)))
    assert all(pair != (None, None) for pair in pairs)


def test_a_changed_line_stands_beside_what_it_became() -> None:
    pairs = pair_lines(["total = 1", "return total"], ["import math", "total = 2", "return total"])
    assert pairs == [(None, 0), (0, 1), (1, 2)]


words = st.text(st.sampled_from("ab =().漢"), max_size=30)


@given(words, words)
def test_without_the_marked_characters_the_lines_are_alike(old: str, new: str) -> None:
    gone, come = word_marks(old, new)
    if gone or come:
        left = [
            "".join(c for at, c in enumerate(line) if not any(a <= at < b for a, b in marks))
            for line, marks in ((old, gone), (new, come))
        ]
        # Blanks between two marks are marked with them.
        assert left[0].replace(" ", "") == left[1].replace(" ", "")


def test_words_are_marked_only_where_the_lines_are_alike() -> None:
    assert word_marks("return sum(lines)", "return round(sum(lines))") == ((), ((7, 13), (23, 24)))
    assert word_marks("import os", "class Invoice:") == ((), ())


def test_unchanged_lines_are_folded_but_for_three_around_each_hunk() -> None:
    before = numbered(30)
    sheet = sheet_of(change_of(b"".join(before), b"".join([*before[:15], b"in\n", *before[15:]])))
    kinds = [row.kind for row in sheet.rows(Shape())]
    assert kinds == [Kind.FOLD, *[Kind.SAME] * 3, Kind.HEAD, Kind.ADDED, *[Kind.SAME] * 3, Kind.FOLD]
    opened = sheet.rows(Shape(opened={0}))
    assert [row.kind for row in opened[:18]] == [Kind.SAME] * 15 + [Kind.HEAD, Kind.ADDED, Kind.SAME]
    assert opened[-1] == Row(Kind.FOLD, "", 18, 19, 12)


def test_a_block_that_moves_to_another_file_is_known_on_both_sides() -> None:
    block = b"def total(self):\n    lines = self.lines\n    return sum(lines)\n"
    rest = b"".join(numbered(5))
    changes = [
        Change("a.py", text(block + rest), text(rest)),
        Change("b.py", text(rest), text(rest + b"\n" + block.replace(b"\n", b"\n  ").rstrip(b" "))),
    ]
    proposal = propose(changes)
    moved = moved_lines(proposal)
    assert [moved.gone[Spot("a.py", line)] for line in range(3)] == [Spot("b.py", line) for line in (6, 7, 8)]
    assert moved.come[Spot("b.py", 7)] == Spot("a.py", 1)
    sheets = [Sheet(change, TEXTS, {}, moved=moved) for change in proposal.changes]
    assert "def total(self):  » moved to b.py:7" in drawn(sheets[0])
    assert "def total(self):  « moved from a.py:1" in drawn(sheets[1])


def test_few_lines_or_brackets_are_not_called_moved() -> None:
    block, rest = b"}\n)\n]\n}\n", b"".join(numbered(5))
    moved = moved_lines(propose([Change("a", text(block + rest), text(rest + block))]))
    assert not moved.gone
    assert not moved.come


def test_the_hunk_that_changes_a_signature_is_told() -> None:
    before = b"def total(\n    a,\n    b,\n):\n    return a + b\n\n\ndef other(x):\n    return x\n"
    after = before.replace(b"    b,\n", b"    b=0,\n").replace(b"return x", b"return x + 1")
    change = change_of(before, after)
    assert changed_signatures(change) == {change.hunks[0].id: ("total",)}


def test_what_becomes_of_a_whole_file_is_said() -> None:
    changes = propose(
        [
            Change("gone.txt", text(b"a\n"), None),
            Change("link", FileState(LINK, b"a"), FileState(LINK, b"b\x1b")),
            Change("mode.sh", text(b"x\n"), text(b"x\n", EXECUTABLE)),
            Change("new.txt", None, text(b"n\n")),
            Change("pic.bin", text(b"\0a"), FileState(REGULAR, b"\0abc")),
        ]
    ).changes
    shown = {change.path: drawn(sheet_of(change)) for change in changes}
    assert "file deleted" in shown["gone.txt"]
    assert "link to a → b␛" in shown["link"]
    assert "mode 100644 → 100755" in shown["mode.sh"]
    assert "new file" in shown["new.txt"]
    assert "binary file, 2 → 4 bytes" in shown["pic.bin"]


def test_line_ends_show_where_they_are_what_changed() -> None:
    sheet = sheet_of(change_of(b"a\r\nb\r\n", b"a\nb\r\nend"))
    assert "- a␍" in drawn(sheet)
    assert "+ end  no newline at end of file" in drawn(sheet)
    assert "b␍" not in drawn(sheet)
    assert "b␍" in drawn(sheet, blanks=True)
