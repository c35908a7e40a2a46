"""Invoices and the instalments in which they are paid."""
