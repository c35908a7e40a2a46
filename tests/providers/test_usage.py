from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import Usage
from kcode.providers.usage import read_usage

PLAIN = {"prompt_tokens": 100, "completion_tokens": 20}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Usage(100, 20)),
        ({"total_tokens": 120, "prompt_tokens_details": None, "completion_tokens_details": None}, Usage(100, 20)),
        # Moonshot, OpenAI and OpenRouter, DeepSeek, and hosts that fill in more than one.
        ({"cached_tokens": 64}, Usage(100, 20, 64)),
        ({"prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 36}}, Usage(100, 20, 64)),
        ({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, Usage(100, 20, 64)),
        ({"cached_tokens": 0, "prompt_tokens_details": {"cached_tokens": 64}}, Usage(100, 20, 64)),
        ({"cached_tokens": None, "prompt_tokens_details": {"cached_tokens": None}}, Usage(100, 20)),
        ({"prompt_tokens_details": [1], "completion_tokens_details": "none"}, Usage(100, 20)),
        # More in the cache than in the prompt: the prompt was counted without it.
        ({"cached_tokens": 900}, Usage(1000, 20, 900)),
        # Reasoning that was counted, not counted, and counted beside the reply instead of in it.
        ({"completion_tokens_details": {"reasoning_tokens": 15}}, Usage(100, 20, reasoning_tokens=15)),
        ({"completion_tokens_details": {"reasoning_tokens": 0}}, Usage(100, 20, reasoning_tokens=0)),
        ({"completion_tokens_details": {"reasoning_tokens": None}}, Usage(100, 20)),
        ({"completion_tokens_details": {"reasoning_tokens": -1}}, Usage(100, 20)),
        ({"reasoning_tokens": 15}, Usage(100, 20, reasoning_tokens=15)),
        ({"completion_tokens_details": {"reasoning_tokens": 30}}, Usage(100, 50, reasoning_tokens=30)),
        ({"completion_tokens_details": {"reasoning_tokens": 15}, "total_tokens": 135}, Usage(100, 35, reasoning_tokens=15)),
        # Figures that are texts, or none.
        ({"prompt_tokens": "100", "completion_tokens": "20.0", "cost": "0.5"}, Usage(100, 20, cost=0.5)),
        ({"prompt_tokens": "many"}, Usage(0, 20)),
        ({"prompt_tokens": -1, "cached_tokens": -5}, Usage(0, 20)),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, Usage()),
        ({"prompt_tokens": 10**30}, Usage(0, 20)),
        ({"prompt_tokens": True, "completion_tokens": [3]}, Usage()),
        ({"completion_tokens": None}, Usage(100, 0)),
        # What is missing follows from the total, if the rest is there; the total alone says nothing of either.
        ({"completion_tokens": None, "total_tokens": 130}, Usage(100, 30)),
        ({"prompt_tokens": None, "total_tokens": 130}, Usage(110, 20)),
        ({"prompt_tokens": None, "completion_tokens": None, "total_tokens": 130}, Usage()),
        ({"completion_tokens": None, "total_tokens": 7}, Usage(100, 0)),
        # The endpoint's own figure.
        ({"cost": 0.25, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.25}}, Usage(100, 20, cost=0.25)),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, Usage(100, 20, cost=0.51)),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, Usage(100, 20)),
        ({"cost": 0.01, "is_byok": True}, Usage(100, 20)),
        ({"cost": 0}, Usage(100, 20, cost=0.0)),
        ({"cost": "free"}, Usage(100, 20)),
        ({"cost": -0.1}, Usage(100, 20)),
        ({"cost": float("nan")}, Usage(100, 20)),
        ({"cost": None}, Usage(100, 20)),
    ],
)  # fmt: skip
def test_every_shape_of_usage_is_read(more: dict[str, Any], expected: Usage) -> None:
    assert read_usage(PLAIN | more) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NAMES = [
    *(
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "prompt_tokens_details",
        "reasoning_tokens",
    ),
    *("completion_tokens_details", "prompt_cache_hit_tokens", "cost", "is_byok", "cost_details"),
]


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.integers(0, 500), max_size=8))
def test_whatever_comes_no_part_is_larger_than_its_whole(usage: dict[str, Any]) -> None:
    found = read_usage(usage)
    assert 0 <= found.cached_tokens <= found.prompt_tokens
    assert 0 <= (found.reasoning_tokens or 0) <= found.completion_tokens
    assert found.cost is None or 0 <= found.cost < 1e10
