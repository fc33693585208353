"""Invoices as files for finance."""

from __future__ import annotations

import csv
import io
from typing import Any

from billing import selectors
from billing.core.decimals import decimal_text
from provisioning.core.formats.csv_text import escape_formula

INVOICE_COLUMNS = (
    *("invoice", "period_start", "period_end", "line", "label", "meter", "subject", "name", "quantity", "unit"),
    *("unit_price", "amount", "currency", "price_book", "explanation", "samples", "line_id"),
)


def invoice_csv(number: str) -> str:
    """Return the invoice as CSV (RFC 4180), one row for each line; ``amount`` adds up to the invoice's total."""
    invoice = selectors.get_invoice(number)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(INVOICE_COLUMNS)
    for line in invoice["lines"]:
        writer.writerow(_row(invoice, line))
    return out.getvalue()


def _row(invoice: dict[str, Any], line: dict[str, Any]) -> list[str]:
    text, number = escape_formula, decimal_text
    return [
        text(invoice["number"]),
        invoice["period_start"].date().isoformat(),
        invoice["period_end"].date().isoformat(),
        str(line["position"]),
        text(line["label"]),
        text(line["meter"]),
        text(line["subject"]["address"]),
        text(line["subject"]["title"]),
        number(line["quantity"]),
        text(line["unit"]),
        "" if line["unit_price"] is None else number(line["unit_price"]),
        str(line["amount"]),
        text(line["currency"]),
        text(line["version"]),
        text(line["explanation"]),
        str(line["sample_count"]),
        line["id"],
    ]
