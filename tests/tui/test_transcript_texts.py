from __future__ import annotations

import subprocess
import sys
import tomllib
from string import Formatter

import pytest

from kcode.messages import Usage
from kcode.tui.blocks.amounts import write_seconds, write_usage
from kcode.tui.texts import FOLDER, LANGUAGES, load_texts


def blanks_of(text: str | dict[str, str]) -> set[str | None]:
    other = text if isinstance(text, str) else text["other"]
    return {name for _, name, _, _ in Formatter().parse(other) if name}


def test_each_language_says_all_of_it_with_the_same_blanks() -> None:
    parts = [
        tomllib.loads((FOLDER / name / "transcript.toml").read_text(encoding="utf-8")) for name in sorted(LANGUAGES)
    ]
    told = [{key: blanks_of(text) for key, text in part.items()} for part in parts]
    assert all(one == told[0] for one in told)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.12, "0.1 s"), (9.96, "10.0 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (3_725, "62 min 05 s")],
)
def test_a_time_is_told_as_exactly_as_it_matters(seconds: float, told: str) -> None:
    assert write_seconds(seconds, load_texts()) == told


def test_what_is_not_known_of_a_turn_is_not_told_as_nothing() -> None:
    assert write_usage(Usage(), 1, None, load_texts()) == "1 step · price unknown"
    cheap = Usage(1_000, 20, 900, 0.00001, cost_is_estimate=True)
    assert write_usage(cheap, 2, 3.0, load_texts()) == (
        "2 steps · 1,000 tokens in (90% cached) · 20 out · ≈ <$0.0001 · 3.0 s"
    )


def test_the_transcript_is_there_before_anything_heavy_is_imported() -> None:
    said = "import sys, kcode.tui.widgets.transcript; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pygments", "markdown_it", "openai", "git", "tree_sitter"} & set(loaded)
