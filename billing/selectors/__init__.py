"""Reading usage and invoices, as plain dicts for pages and the API. Quantities and amounts are Decimals, times are UTC.

A *thing* is what a subject's address stands for: ``{"address", "uid", "kind", "key", "name", "title"}``. uid, kind
and key name the intent object on the topology (uid None: unknown); title also says which part of it, such as ``fw at
eu, instance 1``.
"""

from billing.selectors.books import book_of, book_value, prices, sold_by
from billing.selectors.invoices import UnknownInvoice, invoice, invoices, line_days, line_samples, lines
from billing.selectors.samples import Metered, metered
from billing.selectors.things import things
from billing.selectors.usage import GROUPS, UnknownGrouping, usage

__all__ = [
    "GROUPS",
    "Metered",
    "UnknownGrouping",
    "UnknownInvoice",
    "book_of",
    "book_value",
    "invoice",
    "invoices",
    "line_days",
    "line_samples",
    "lines",
    "metered",
    "prices",
    "sold_by",
    "things",
    "usage",
]
