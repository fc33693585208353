"""Usage and invoices as plain dicts for pages and the API. Quantities and amounts are Decimals, times are UTC.

A *thing* is what a subject's address stands for: ``{"address", "uid", "kind", "key", "name", "title"}``. uid, kind and
key are those of the intent object (uid None: unknown); title also says which part: ``fw at eu, instance 1``.
"""

from billing.selectors.cost_owners import OWNER_GROUPINGS
from billing.selectors.invoices import (
    UnknownInvoice,
    get_invoice,
    invoice_lines,
    line_days,
    line_samples,
    list_invoices,
)
from billing.selectors.price_books import (
    currency_of,
    own_price_book,
    price_book_of,
    price_book_value,
    price_books_sold_by,
)
from billing.selectors.samples import StoredSample, has_samples, load_samples
from billing.selectors.subjects import describe_subjects
from billing.selectors.usage import USAGE_GROUPINGS, UnknownGrouping, UnusablePeriod, check_period, usage_report

__all__ = [
    "OWNER_GROUPINGS",
    "USAGE_GROUPINGS",
    "StoredSample",
    "UnknownGrouping",
    "UnknownInvoice",
    "UnusablePeriod",
    "check_period",
    "currency_of",
    "describe_subjects",
    "get_invoice",
    "has_samples",
    "invoice_lines",
    "line_days",
    "line_samples",
    "list_invoices",
    "load_samples",
    "own_price_book",
    "price_book_of",
    "price_book_value",
    "price_books_sold_by",
    "usage_report",
]
