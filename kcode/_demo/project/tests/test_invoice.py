import unittest

from billing.invoice import Invoice, Line


class Totals(unittest.TestCase):
    def setUp(self):
        self.invoice = Invoice([Line("Oak table", 1, 48000), Line("Chair", 4, 9500)], tax_percent=19)

    def test_the_net_amount_is_the_sum_of_the_lines(self):
        self.assertEqual(self.invoice.net, 86000)

    def test_tax_is_added_once(self):
        self.assertEqual(self.invoice.tax, 16340)
        self.assertEqual(self.invoice.total, 102340)

    def test_an_empty_invoice_costs_nothing(self):
        self.assertEqual(Invoice().total, 0)
