"""Amounts of money as whole cents."""

from __future__ import annotations

from typing import List


def parse_amount(text: str) -> int:
    """Read an amount such as "1,234.50" or "-3" as cents."""
    sign = -1 if text.strip().startswith("-") else 1
    units, _, fraction = text.strip().lstrip("+-").replace(",", "").partition(".")
    if not units.isdigit() or len(fraction) > 2 or (fraction and not fraction.isdigit()):
        raise ValueError(f"not an amount of money: {text!r}")
    return sign * (int(units) * 100 + int(fraction.ljust(2, "0")))


def format_amount(cents: int) -> str:
    """Write cents as an amount such as "1,234.50"."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def percentage(cents: int, percent: int) -> int:
    """The given percentage of an amount, rounded half up to a whole cent."""
    return (cents * percent + 50) // 100


def share_out(cents: int, parts: int) -> List[int]:
    """Divide an amount into equal parts."""
    if parts < 1:
        raise ValueError("an amount cannot be divided into less than one part")
    return [round(cents / parts)] * parts
