"""Invoices: lines, tax and totals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List

from billing.money import percentage


@dataclass(frozen=True)
class Line:
    """One position of an invoice; the price is in cents for one piece, without tax."""

    name: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


@dataclass
class Invoice:
    """Lines with one rate of tax, which is computed once, on their sum."""

    lines: List[Line] = field(default_factory=list)
    tax_percent: int = 0

    @property
    def net(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def tax(self) -> int:
        return percentage(self.net, self.tax_percent)

    @property
    def total(self) -> int:
        return self.net + self.tax
