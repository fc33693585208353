"""Decimals as people write them."""

from __future__ import annotations

from decimal import Decimal


def decimal_text(value: Decimal) -> str:
    """Return a decimal as text without exponent or trailing zeros, so that equal numbers are equal text."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def strip_trailing_zeros(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros: ``Decimal("720")`` for 720.000000000000."""
    return Decimal(decimal_text(value))
