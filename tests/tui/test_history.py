from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kcode.tui.history import InputHistory, Typed, Unsent, Walk
from kcode.tui.pastes import Pastes, is_large, shown_text

if TYPE_CHECKING:
    from pathlib import Path

CHIP = "[paste {number}: {lines} lines]"


def texts(history: InputHistory) -> list[str]:
    return [entry.text for entry in history.entries]


def test_what_was_sent_is_there_the_next_time_and_no_text_twice(tmp_path: Path) -> None:
    pastes, chip = Pastes().folded("a\nb\n", CHIP)
    history = InputHistory(tmp_path / "typed")
    for text in ("one", "two", "one", "  ", f"see {chip}", "漢字\n\x1b"):
        history.add(Typed(text, pastes))
    again = InputHistory(tmp_path / "typed")
    assert texts(again) == texts(history) == ["two", "one", f"see {chip}", "漢字\n\x1b"]
    assert again.entries[2].pastes.expanded(again.entries[2].text) == "see a\nb\n"
    assert not again.entries[0].pastes.contents


def test_two_processes_keep_what_both_sent(tmp_path: Path) -> None:
    first, second = InputHistory(tmp_path), InputHistory(tmp_path)
    first.add(Typed("one"))
    second.add(Typed("two"))
    first.add(Typed("three"))
    assert texts(InputHistory(tmp_path)) == ["one", "two", "three"]


def test_the_file_does_not_grow_for_ever_and_keeps_the_latest(tmp_path: Path) -> None:
    history = InputHistory(tmp_path)
    for number in range(30):
        history.add(Typed(f"{number} " + "x" * 150_000))
    assert (tmp_path / "sent.jsonl").stat().st_size < 5_000_000
    assert texts(InputHistory(tmp_path))[-1].startswith("29 ")


def test_damaged_lines_are_passed_over_and_a_folder_that_cannot_be_had_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "sent.jsonl").write_bytes(
        b'{"text": "good"}\n\xff{"\n{"text": 3}\n[]\n{"text": "x", "pastes": 3}\n{"te'
    )
    assert texts(InputHistory(tmp_path)) == ["good", "x"]
    blocked = InputHistory(tmp_path / "sent.jsonl" / "below")
    blocked.add(Typed("one"))
    assert texts(blocked) == ["one"]


def test_what_was_not_sent_is_kept_for_its_session_until_it_is(tmp_path: Path) -> None:
    pastes, chip = Pastes().folded("x" * 3000, CHIP)
    unsent = Unsent(tmp_path / "typed", "a")
    assert unsent.load() is None
    unsent.save(Typed(f"half {chip}", pastes))
    found = Unsent(tmp_path / "typed", "a").load()
    assert found == Typed(f"half {chip}", pastes)
    assert Unsent(tmp_path / "typed", "b").load() is None
    unsent.save(Typed(""))
    assert unsent.load() is None


def test_what_nobody_came_back_to_is_let_go(tmp_path: Path) -> None:
    for number in range(60):
        Unsent(tmp_path, f"s{number}").save(Typed("x"))
    assert len(list(tmp_path.glob("unsent-*"))) == 50
    assert Unsent(tmp_path, "s59").load() is not None


def test_a_walk_goes_back_and_comes_home() -> None:
    walk = Walk([Typed("one"), Typed("two")], Typed("draft"))
    back = walk.older()
    assert back is not None
    assert back.current.text == "two"
    first = back.older()
    assert first is not None
    assert first.current.text == "one"
    assert first.older() is None
    home = back.newer()
    assert home is not None
    assert home.current.text == "draft"
    assert home.newer() is None


@given(st.lists(st.text(min_size=1), max_size=5), st.text())
def test_what_was_folded_comes_out_as_it_went_in(pasted: list[str], between: str) -> None:
    pastes, text = Pastes(), between
    for one in pasted:
        pastes, chip = pastes.folded(one, CHIP)
        text += chip + between
    if "[" not in between:
        assert pastes.expanded(text) == between + "".join(one + between for one in pasted)
        assert pastes.used_in(text) == pastes


def test_a_chip_is_found_by_any_place_of_it() -> None:
    pastes, chip = Pastes().folded("a\n" * 30, CHIP)
    assert chip == "[paste 1: 30 lines]"
    text = f"see {chip}!"
    assert pastes.chip_at(text, 10) == pastes.chip_at(text, 4) == pastes.chip_at(text, len(text) - 1) == (4, 23)
    assert pastes.chip_at(text, 2) is None


def test_what_is_large_is_folded_and_nothing_pasted_steers_the_terminal() -> None:
    assert is_large("x" * 2001)
    assert is_large("a\n" * 21)
    assert not is_large("a\n" * 5)
    assert shown_text("a\rb\r\nc\x1b[31m\u202e") == "a\nb\nc␛[31m<U+202E>"
