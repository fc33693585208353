"""Reading usage and invoices, as plain dicts for pages and the API. Quantities and amounts are Decimals, times are UTC.

A *thing* is what a subject's address stands for: ``{"address", "uid", "kind", "key", "name", "title"}``. uid, kind
and key name the intent object on the topology (uid None: unknown); title also says which part of it, such as ``fw at
eu, instance 1``.
"""

from billing.selectors.price_books import price_book_of, price_book_value, own_price_book, price_books_sold_by
from billing.selectors.invoices import UnknownInvoice, get_invoice, list_invoices, line_days, line_samples, invoice_lines
from billing.selectors.samples import StoredSample, load_samples
from billing.selectors.subjects import describe_subjects
from billing.selectors.usage import USAGE_GROUPINGS, UnknownGrouping, usage_report

__all__ = [
    "USAGE_GROUPINGS",
    "StoredSample",
    "UnknownGrouping",
    "UnknownInvoice",
    "price_book_of",
    "price_book_value",
    "get_invoice",
    "list_invoices",
    "line_days",
    "line_samples",
    "invoice_lines",
    "load_samples",
    "own_price_book",
    "price_books_sold_by",
    "describe_subjects",
    "usage_report",
]
