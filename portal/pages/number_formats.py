"""Rates and amounts of money as pages show them, in templates and in words that pages make themselves."""

from __future__ import annotations

from decimal import Decimal

CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "JPY": "¥"}


def rate(bits: float | int | None) -> str:
    """Return bits per second as people say them: 212 Mb/s, 1.24 Gb/s."""
    if bits is None:
        return "–"
    for unit, size in (("Gb/s", 1e9), ("Mb/s", 1e6), ("kb/s", 1e3)):
        if bits >= size:
            value = bits / size
            return f"{value:.2f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{bits:.0f} b/s"


def money(amount: Decimal | None, currency: str = "") -> str:
    """Return an amount with two places and a real minus sign; with the currency's sign where one is given."""
    if amount is None:
        return "–"
    text = f"{abs(amount):,.2f}"
    sign = f"{CURRENCY_SIGNS.get(currency, currency)} " if currency else ""
    return f"{'−' if amount < 0 else ''}{sign}{text}"
