import unittest

from billing.money import format_amount, parse_amount, percentage, share_out


class ParseAmount(unittest.TestCase):
    def test_amounts_are_read_as_cents(self):
        self.assertEqual(parse_amount("1,234.50"), 123450)
        self.assertEqual(parse_amount("0.07"), 7)
        self.assertEqual(parse_amount("-3.5"), -350)

    def test_what_is_no_amount_is_refused(self):
        for text in ("", "ten", "1.234", "1.2x"):
            with self.subTest(text), self.assertRaises(ValueError):
                parse_amount(text)


class FormatAmount(unittest.TestCase):
    def test_an_amount_reads_as_people_write_it(self):
        self.assertEqual(format_amount(123450), "1,234.50")
        self.assertEqual(format_amount(-7), "-0.07")


class Percentage(unittest.TestCase):
    def test_half_a_cent_is_rounded_up(self):
        self.assertEqual(percentage(50, 19), 10)
        self.assertEqual(percentage(150, 19), 29)


class ShareOut(unittest.TestCase):
    def test_an_even_amount_is_divided_evenly(self):
        self.assertEqual(share_out(9000, 3), [3000, 3000, 3000])

    def test_there_must_be_a_part(self):
        with self.assertRaises(ValueError):
            share_out(100, 0)
