"""Plans for paying an invoice month by month."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import List

from billing.invoice import Invoice
from billing.money import format_amount, share_out


@dataclass(frozen=True)
class Instalment:
    """One payment: when it is due, and how many cents."""

    due: date
    amount: int

    def __str__(self) -> str:
        return f"{self.due.isoformat()}  {format_amount(self.amount):>12}"


def plan(invoice: Invoice, months: int, first_due: date) -> List[Instalment]:
    """Pay the invoice in monthly instalments, due on the same day of each month."""
    amounts = share_out(invoice.total, months)
    return [Instalment(add_months(first_due, month), amount) for month, amount in enumerate(amounts)]


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last of that month where it is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, last))
