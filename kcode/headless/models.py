"""`kcode models`: what the endpoint offers, as a table or as JSON lines."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kcode.errors import ProviderError, UsageError
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import write_line
from kcode.headless.terminal import BOLD, DIM, YELLOW, Terminal
from kcode.providers.choice import resolve_endpoint
from kcode.providers.keys import locate_key, missing_key
from kcode.providers.openai_chat import connect
from kcode.providers.served import kimi_first, shortened
from kcode.sanitize import sanitize_line
from kcode.settings import load_settings

if TYPE_CHECKING:
    from kcode.options import ModelOptions
    from kcode.pricing import Price
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.served import ServedModel

_HEAD = ("  model", "context", "in", "out", "cached", "can")
_LEFT_ALIGNED = {0, 5}


def list_models(model: ModelOptions, *, json: bool, everything: bool) -> int:
    """Print the endpoint's models on stdout, the Kimi family first; of hundreds only that, but for `everything`."""
    flags = {"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}
    settings = load_settings(flags, os.environ)
    endpoint = resolve_endpoint(settings, os.environ)
    used = settings.model or next(iter(endpoint.models), None)
    # Some lists answer to anybody: the endpoint says so itself when it wants a key.
    found = locate_key(endpoint, settings, os.environ)
    served = kimi_first(run_until_signal(_ask(endpoint, found.text if found else None)))
    shown = served if everything or json else shortened(served)
    if json:
        for row in shown:
            write_line("model", **_fields(row, _price(row, endpoint)), in_use=row.id == used)
        write_line("models.completed", endpoint=endpoint.name, base_url=endpoint.base_url, count=len(served))
    else:
        _print(shown, endpoint, used)
        _comment(served, shown, endpoint, used)
    return 0


async def _ask(endpoint: Endpoint, key: str | None) -> list[ServedModel]:
    provider = connect(endpoint, "", key)
    try:
        return await provider.list_models()
    except ProviderError as error:
        if error.failure.kind == "key" and key is None:
            raise UsageError(missing_key(endpoint)) from None
        raise
    finally:
        await provider.aclose()


def _print(rows: list[ServedModel], endpoint: Endpoint, used: str | None) -> None:
    terminal = Terminal(os.environ)
    table = [_HEAD, *(_cells(row, _price(row, endpoint), in_use=row.id == used) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEAD))]
    for number, line in enumerate(table if rows else []):
        cells = [
            cell.ljust(width) if column in _LEFT_ALIGNED else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        sys.stdout.write((text if number else terminal.style(text, BOLD, sys.stdout)) + "\n")
    sys.stdout.flush()


def _cells(row: ServedModel, price: Price | None, *, in_use: bool) -> tuple[str, ...]:
    abilities = {"reasoning": row.reasoning, "images": row.images, "no tools": row.tools is False}
    return (
        ("* " if in_use else "  ") + sanitize_line(row.id),
        f"{row.window:,}" if row.window else "-",
        _money(price.input if price else None),
        _money(price.output if price else None),
        _money(price.cached if price else None),
        ", ".join(name for name, there in abilities.items() if there),
    )


def _comment(served: list[ServedModel], shown: list[ServedModel], endpoint: Endpoint, used: str | None) -> None:
    terminal = Terminal(os.environ)
    if not served:
        terminal.say(f"{endpoint.title} ({endpoint.host}) names no models.", YELLOW)
    elif used and used not in {row.id for row in served}:
        terminal.say(f"! {used} would be used and is not among them. Choose another with --model ID.", YELLOW)
    if hidden := len(served) - len(shown):
        terminal.say(f"{hidden:,} more models: kcode models --all", DIM)
    prices = [price for row in shown if (price := _price(row, endpoint))]
    if prices:
        dates = sorted({price.date for price in prices if price.date})
        seen = f", as seen on {', '.join(dates)}" if dates else ""
        terminal.say(f"Prices are in dollars a million tokens{seen}.", DIM)


def _price(row: ServedModel, endpoint: Endpoint) -> Price | None:
    """The endpoint's own figure where it gives one, else that of kcode's table."""
    return row.price or endpoint.prices.get(row.id)


def _money(price: float | None) -> str:
    if price is None:
        return "-"
    return f"{price:.2f}" if price == round(price, 2) else f"{price:g}"


def _fields(row: ServedModel, price: Price | None) -> dict[str, object]:
    return {
        "id": row.id,
        "window": row.window,
        "input_price": price.input if price else None,
        "output_price": price.output if price else None,
        "cached_price": price.cached if price else None,
        "price_date": (price.date or None) if price else None,
        "reasoning": row.reasoning,
        "tools": row.tools,
        "images": row.images,
    }
