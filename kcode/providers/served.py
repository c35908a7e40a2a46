"""The models that an endpoint offers, as its list tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kcode.pricing import Price

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MANY = 100


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model of the list; None stands for what the list does not say.

    `window` is in tokens. `reasoning`, `images` and `tools` say what the model can do.
    """

    id: str
    window: int | None = None
    price: Price | None = None
    reasoning: bool | None = None
    images: bool | None = None
    tools: bool | None = None


def read_models(decoded: Any) -> list[ServedModel]:
    """The rows of a decoded list, in its own order; anything that is no row is left out."""
    rows = decoded.get("data") if isinstance(decoded, dict) else decoded
    if not isinstance(rows, list):
        return []
    return [_served(row) for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]]


def is_kimi_model(name: str) -> bool:
    """True for an id of the Kimi family."""
    return "kimi" in name.lower()


def kimi_first(models: Iterable[ServedModel]) -> list[ServedModel]:
    """Kimi models before all others, the list's own order kept among both."""
    return sorted(models, key=lambda model: not is_kimi_model(model.id))


def shortened(models: list[ServedModel]) -> list[ServedModel]:
    """The models to show unasked: where there are hundreds, those of the Kimi family, or the first of them."""
    if len(models) <= _MANY:
        return models
    return [model for model in models if is_kimi_model(model.id)][:_MANY] or models[:_MANY]


def _served(row: Mapping[str, Any]) -> ServedModel:
    can = row.get("supported_parameters")  # OpenRouter
    can = can if isinstance(can, list) else None
    inputs = _inside(row, "architecture").get("input_modalities")
    images = row.get("supports_image_in")  # Moonshot
    if images is None and isinstance(inputs, list):
        images = "image" in inputs
    return ServedModel(
        id=row["id"],
        window=_window(row),
        price=_price(_inside(row, "pricing")),
        reasoning=_flag(row.get("supports_reasoning"), can, "reasoning"),
        images=images if isinstance(images, bool) else None,
        tools=_flag(row.get("supports_tools"), can, "tools"),
    )


def _window(row: Mapping[str, Any]) -> int | None:
    """Moonshot and OpenRouter; vLLM and SGLang; llama.cpp, whose list tells what the model was trained for."""
    meta = _inside(row, "meta")
    for value in (row.get("context_length"), row.get("max_model_len"), meta.get("n_ctx"), meta.get("n_ctx_train")):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _price(pricing: Mapping[str, Any]) -> Price | None:
    """OpenRouter's, which are texts: dollars a token, and -1 where the price depends."""
    paid, given, cached = (_per_million(pricing.get(name)) for name in ("prompt", "completion", "input_cache_read"))
    return None if paid is None or given is None else Price(paid, given, cached)


def _per_million(text: Any) -> float | None:
    try:
        price = float(text) * 1_000_000 if isinstance(text, str) else -1.0
    except ValueError:
        return None
    return round(price, 6) if 0 <= price < 1e6 else None


def _flag(said: Any, listed: list[Any] | None, name: str) -> bool | None:
    if isinstance(said, bool):
        return said
    return None if listed is None else name in listed


def _inside(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}
