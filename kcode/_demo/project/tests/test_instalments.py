import unittest
from datetime import date

from billing.instalments import add_months, plan
from billing.invoice import Invoice, Line


class Plan(unittest.TestCase):
    def test_instalments_are_due_on_the_same_day_of_each_month(self):
        instalments = plan(Invoice([Line("Desk", 1, 30000)]), 3, date(2025, 11, 15))
        self.assertEqual([i.due for i in instalments], [date(2025, 11, 15), date(2025, 12, 15), date(2026, 1, 15)])

    def test_instalments_add_up_to_the_invoice(self):
        cases = [(30000, 3), (10000, 3), (20000, 3), (102340, 12)]
        plans = [plan(Invoice([Line("Desk", 1, price)]), months, date(2026, 1, 31)) for price, months in cases]
        billed = [sum(instalment.amount for instalment in instalments) for instalments in plans]
        self.assertEqual(billed, [price for price, _ in cases])

    def test_an_instalment_reads_as_a_line(self):
        (only,) = plan(Invoice([Line("Desk", 1, 123450)]), 1, date(2026, 1, 31))
        self.assertEqual(str(only), "2026-01-31      1,234.50")


class AddMonths(unittest.TestCase):
    def test_a_day_that_a_month_lacks_becomes_its_last(self):
        self.assertEqual(add_months(date(2026, 1, 31), 1), date(2026, 2, 28))
        self.assertEqual(add_months(date(2027, 12, 31), 2), date(2028, 2, 29))
        self.assertEqual(add_months(date(2026, 3, 31), 1), date(2026, 4, 30))
