from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.tokenizer import load_counter
from kcode.context.tokens import estimate_tokens
from tests.context.samples import samples

SAMPLES = samples()
# Percent below and above the exact count, where it is more than 10.
WIDER = {"minified JSON": (0, 15), "base64": (20, 0), "Chinese": (0, 15), "Korean": (0, 20), "German": (15, 0)}
HOSTILE = [
    "a",
    " ",
    "\n",
    "\t",
    "\r",
    "\v",
    ".",
    "9",
    "é",
    "中",
    "🎉",
    " 9",
    " \n",
    "\r ",
    "aB",
    "\x00",
    "\x1c",
    "\ud800",
    "ー",
    "_",
]


@pytest.mark.parametrize("kind", SAMPLES)
def test_an_estimate_is_close_to_the_exact_count_for_each_kind_of_text(kind: str) -> None:
    count = load_counter("kimi-k2-thinking")
    if count is None:
        pytest.skip("the extra kcode[tokenizer] is not installed")
    exact = count(SAMPLES[kind])
    below, above = WIDER.get(kind, (10, 10))
    assert 1 - below / 100 <= estimate_tokens(SAMPLES[kind]) / exact <= 1 + above / 100


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_megabyte_of_one_sign_is_as_many_times_a_kilobyte_of_it(unit: str) -> None:
    # Were the time quadratic in the length of a run, this would not end.
    kilobyte = unit * (1024 // len(unit))
    assert estimate_tokens(kilobyte * 1024) == pytest.approx(1024 * estimate_tokens(kilobyte), rel=0.5)


@given(st.text(alphabet=st.characters(codec=None)), st.text(alphabet=st.characters(codec=None)))
def test_more_text_is_never_fewer_tokens_by_more_than_the_seam(one: str, other: str) -> None:
    assert estimate_tokens(one + other) >= max(estimate_tokens(one), estimate_tokens(other)) - 2
    assert 1 <= estimate_tokens(one) <= 4 * len(one) + 1
