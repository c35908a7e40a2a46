"""What one run learns of an endpoint and the next one knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.providers.choice import profile_for
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.learned import Learned, learned_between, read_learned, write_learned

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 27)
PLAIN = profile_for(ENDPOINTS["custom"], "kimi-k2-thinking")
TAUGHT = replace(
    PLAIN, dialect=replace(PLAIN.dialect, temperature="omit", tool_ids="plain"), window=65_536, output_limit=8192
)


def test_what_was_learned_brings_the_profile_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "endpoints.json"
    write_learned(path, "https://h/v1 m", learned_between(PLAIN, TAUGHT, "reasoning"), TODAY)
    learned = read_learned(path, "https://h/v1 m", TODAY + timedelta(days=1))
    assert learned.reasoning == "reasoning"
    assert learned.applied_to(PLAIN) == TAUGHT
    assert read_learned(path, "https://h/v1 other", TODAY) == Learned()


def test_it_is_forgotten_after_two_weeks(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    write_learned(path, "a", learned_between(PLAIN, TAUGHT, None), TODAY)
    assert read_learned(path, "a", TODAY + timedelta(days=15)) == Learned()
    write_learned(path, "b", Learned("think"), TODAY + timedelta(days=15))
    assert list(json.loads(path.read_text())) == ["b"]


def test_it_never_makes_the_window_larger_than_the_user_or_the_table_says() -> None:
    assert Learned(window=1_000_000).applied_to(PLAIN).window == PLAIN.window
    assert Learned(output_limit=1_000_000).applied_to(PLAIN).output_limit == PLAIN.output_limit


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_a_damaged_memory_is_no_memory(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("state") / "endpoints.json"
    path.write_bytes(data)
    assert read_learned(path, "a", TODAY) == Learned()
    write_learned(path, "a", Learned("reasoning"), TODAY)
    assert read_learned(path, "a", TODAY) == Learned("reasoning")


@pytest.mark.parametrize(
    "entry",
    [
        {"date": "2026-11-27", "dialect": {"temperature": "hot"}, "reasoning": "loud", "window": "big"},
        {"date": "2026-11-27", "dialect": [1], "window": True, "output_limit": -1},
        {"date": 5, "window": 4096},
        [],
    ],
)
def test_words_that_this_version_does_not_know_are_passed_over(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(json.dumps({"a": entry}))
    assert read_learned(path, "a", TODAY).applied_to(PLAIN) == PLAIN


def test_a_folder_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    write_learned(tmp_path / "state" / "endpoints.json", "a", Learned("reasoning"), TODAY)
    assert (tmp_path / "state").read_text() == "in the way"
