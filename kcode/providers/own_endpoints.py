"""Rows of the endpoint table that stand in the user's own settings, under `[endpoints.NAME]`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kcode.errors import UsageError
from kcode.pricing import Price
from kcode.providers.dialects import change_dialect
from kcode.providers.endpoints import Endpoint, WebSearch, move_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = (
    "title", "base_url", "key_variable", "models", "window", "output_limit", "kimi", "dialect", "prices", "web_search",
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


def add_own_rows(table: Mapping[str, Endpoint], own: Mapping[str, Any]) -> dict[str, Endpoint]:
    """The table with the user's rows: those of a known name change that row, the others are new and come first."""
    new: dict[str, Endpoint] = {}
    changed: dict[str, Endpoint] = {}
    for name, given in own.items():
        source = f"[endpoints.{name}]"
        if not _NAME.fullmatch(name) or not isinstance(given, dict):
            raise UsageError(f"{source}: an endpoint's name has small letters, digits and dashes, and holds a table.")
        if unknown := sorted(given.keys() - set(_FIELDS)):
            raise UsageError(f"{source}: there is no {', '.join(unknown)}. Known: {', '.join(_FIELDS)}.")
        if name in table:
            changed[name] = _changed(table[name], given, source)
        else:
            if "base_url" not in given:
                raise UsageError(f"{source} needs a base_url.")
            new[name] = _changed(Endpoint(name, name, "", key_name=name), given, source)
    return {**new, **table, **changed}


def _changed(row: Endpoint, given: Mapping[str, Any], source: str) -> Endpoint:
    if "base_url" in given:
        moved = move_endpoint(row, _text(given["base_url"], f"{source} base_url"))
        # A key stored under the name of a row of the table is for the place that the table names.
        row = moved if row.base_url else replace(moved, key_name=row.name)
    if "title" in given:
        row = replace(row, title=_text(given["title"], f"{source} title"))
    if "key_variable" in given:
        row = replace(row, key_variables=(_text(given["key_variable"], f"{source} key_variable"),))
    if "models" in given:
        models = given["models"]
        if not isinstance(models, list) or not models:
            raise UsageError(f"{source} models must be a list of ids, not {models!r}.")
        row = replace(row, models=tuple(_text(model, f"{source} models") for model in models))
    if "window" in given:
        row = replace(row, window=_count(given["window"], f"{source} window"))
    if "output_limit" in given:
        row = replace(row, output_limit=_count(given["output_limit"], f"{source} output_limit"))
    if "kimi" in given:
        if not isinstance(given["kimi"], bool):
            raise UsageError(f"{source} kimi must be true or false, not {given['kimi']!r}.")
        row = replace(row, kimi=given["kimi"])
    if "dialect" in given:
        if not isinstance(given["dialect"], dict):
            raise UsageError(f"{source} dialect must be a table, not {given['dialect']!r}.")
        row = replace(row, dialect=change_dialect(row.dialect, given["dialect"], f"{source} dialect"))
    if "prices" in given:
        row = replace(row, prices={**row.prices, **_prices(given["prices"], f"{source} prices")})
    if "web_search" in given:
        row = replace(row, web_search=_web_search(given["web_search"], f"{source} web_search"))
    return row


def _web_search(given: Any, source: str) -> WebSearch | None:
    if given is False:
        return None
    known = {"name", "declaration", "price"}
    if not isinstance(given, dict) or given.keys() - known:
        raise UsageError(f"{source} must be false or a table of {', '.join(sorted(known))}, not {given!r}.")
    name = _text(given.get("name", "$web_search"), f"{source}.name")
    declaration = given.get("declaration", {"type": "builtin_function", "function": {"name": name}})
    if not isinstance(declaration, dict) or "type" not in declaration:
        raise UsageError(f"{source}.declaration must be a table with a type, as it stands among a request's tools.")
    price = None if given.get("price") is None else _amount(given["price"], f"{source}.price")
    return WebSearch(name, declaration, price)


def _prices(given: Any, source: str) -> dict[str, Price]:
    if not isinstance(given, dict):
        raise UsageError(f'{source} must be tables: [endpoints.NAME.prices."MODEL"].')
    found: dict[str, Price] = {}
    for model, price in given.items():
        place = f"{source}.{model}"
        if not isinstance(price, dict) or not {"input", "output"} <= price.keys():
            raise UsageError(
                f"{place} needs input and output, in US dollars a million tokens; cached may stand beside."
            )
        if unknown := sorted(price.keys() - {"input", "output", "cached", "date"}):
            raise UsageError(f"{place}: there is no {', '.join(unknown)}. Known: input, output, cached, date.")
        cached = None if price.get("cached") is None else _amount(price["cached"], f"{place} cached")
        found[model] = Price(
            _amount(price["input"], f"{place} input"),
            _amount(price["output"], f"{place} output"),
            cached,
            str(price.get("date", "")),
        )
    return found


def _text(value: Any, source: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{source} must be text, not {value!r}.")
    return value.strip()


def _count(value: Any, source: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1024:
        raise UsageError(f"{source} must be a number of tokens of at least 1024, not {value!r}.")
    return value


def _amount(value: Any, source: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise UsageError(f"{source} must be a number of US dollars, not {value!r}.")
    return float(value)
