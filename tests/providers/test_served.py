from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.pricing import Price
from kcode.providers.served import ServedModel, kimi_first, read_models, shortened

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "pricing", "prompt", "completion", "meta", "n_ctx_train", "architecture"]),
            inner,
        )
    ),
)


@pytest.mark.parametrize(
    ("row", "served"),
    [
        (
            {
                "id": "kimi-k2-thinking",
                "context_length": 262144,
                "supports_reasoning": True,
                "supports_image_in": False,
            },
            ServedModel("kimi-k2-thinking", 262_144, reasoning=True, images=False),
        ),
        (
            {
                "id": "moonshotai/kimi-k2-thinking",
                "context_length": 262144,
                "architecture": {"input_modalities": ["text", "image"]},
                "pricing": {"prompt": "0.0000006", "completion": "0.0000025", "input_cache_read": "0.00000015"},
                "supported_parameters": ["reasoning", "tools"],
            },
            ServedModel("moonshotai/kimi-k2-thinking", 262_144, Price(0.6, 2.5, 0.15), True, True, True),
        ),
        (
            {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}, "supported_parameters": []},
            ServedModel("auto", reasoning=False, tools=False),
        ),
        ({"id": "free", "pricing": {"prompt": "0", "completion": "0"}}, ServedModel("free", price=Price(0.0, 0.0))),
        ({"id": "vllm", "max_model_len": 131072}, ServedModel("vllm", 131_072)),
        ({"id": "llama", "meta": {"n_ctx_train": 32768}}, ServedModel("llama", 32_768)),
        ({"id": "odd", "context_length": True, "meta": 3, "pricing": "none"}, ServedModel("odd")),
    ],
)
def test_each_servers_row_is_read(row: dict[str, Any], served: ServedModel) -> None:
    assert read_models({"data": [row]}) == [served]
    assert read_models([row]) == [served]


@given(ANY)
def test_whatever_an_endpoint_says_is_read_without_an_error(decoded: Any) -> None:
    assert all(row.id for row in read_models(decoded))


def test_of_hundreds_the_kimi_family_is_shown_and_it_comes_first() -> None:
    others = [ServedModel(f"m{n}") for n in range(300)]
    kimi = [ServedModel("moonshotai/kimi-k2"), ServedModel("Kimi-K3")]
    assert kimi_first([*others, *kimi])[:3] == [*kimi, others[0]]
    assert shortened([*others, *kimi]) == kimi
    assert shortened(others[:20] + kimi) == others[:20] + kimi
    assert shortened(others) == others[:100]
