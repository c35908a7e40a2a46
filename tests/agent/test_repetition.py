from __future__ import annotations

from hashlib import shake_256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.repetition import LEAST, RepetitionWatch, repeats_itself
from tests.test_architecture import sources

PARAGRAPH = " ".join(f"Then I look at line {number} of the file again, and it truncates." for number in range(40))


def heard_until_it_repeats(text: str, size: int) -> int | None:
    watch = RepetitionWatch()
    for start in range(0, len(text), size):
        if watch.hear(text[start : start + size]):
            return watch.heard
    return None


@pytest.mark.parametrize("size", [1, 7, 500, 100_000])
@pytest.mark.parametrize("passage", ["a", "no. ", "Wait, let me check that again.\n", PARAGRAPH])
def test_a_passage_over_and_over_is_noticed_soon(passage: str, size: int) -> None:
    text = "An honest start. " * 2 + passage * (3 * LEAST // len(passage))
    heard = heard_until_it_repeats(text, size)
    assert heard is not None
    assert heard <= LEAST + 2 * 16 * 1024 + size


@given(st.text(min_size=1, max_size=600), st.integers(0, 600))
def test_whatever_the_passage_is_twelve_of_it_are_noticed(passage: str, cut: int) -> None:
    times = LEAST // len(passage) + 2
    assert repeats_itself("start" + passage * times + passage[:cut])


@pytest.mark.parametrize("times", range(1, 12))
def test_fewer_are_not(times: int) -> None:
    noise = shake_256(b"%d" % times).hexdigest(LEAST)
    assert not repeats_itself(noise + noise[: LEAST // 12 - 1] * times)


def test_a_hundred_kilobytes_of_one_passage_are_let_pass() -> None:
    assert heard_until_it_repeats(PARAGRAPH * (100_000 // len(PARAGRAPH)), 5) is None


def test_source_code_is_no_passage_over_and_over() -> None:
    for path in sources("kcode", "tools", "tests"):
        assert heard_until_it_repeats(path.read_text(encoding="utf-8"), 40) is None, path


def test_a_long_table_is_no_passage_over_and_over() -> None:
    rows = "".join(f"| {number:>5} | {number * number:>9} | ok    |\n" for number in range(5000))
    assert heard_until_it_repeats(rows, 30) is None
