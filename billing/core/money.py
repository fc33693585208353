"""Money: integer minor units of a currency, one rounding function, one way to split a sum.

Amounts stay exact Decimals until ``round_to_minor`` turns one into minor units; nothing else rounds money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, FloatOperation, Inexact, InvalidOperation
from fractions import Fraction

EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, FloatOperation])
"""Sums and products here are exact or an error: an inexact sum would depend on the order of its parts."""

MINOR_DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "SEK": 2, "NOK": 2, "DKK": 2, "PLN": 2, "JPY": 0, "KWD": 3}
"""Minor unit digits (ISO 4217, list one) of the currencies a price book may use; a new currency is one entry."""


def minor_digits(currency: str) -> int:
    """Return the number of decimal places of a currency's minor unit. Raise ValueError for one we do not sell in."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError(f"Currency {currency!r} is not known; use one of {', '.join(MINOR_DIGITS)}.") from None


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in minor units (cents). Adds and subtracts within its currency only."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The sum in major units, with the currency's places: ``Decimal("105.85")``."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are different currencies; they cannot be added.")


def round_to_minor(amount: Decimal, currency: str) -> Money:
    """Return the amount rounded half up (away from zero) to the minor unit, so that −x rounds to the negative of x."""
    scaled = amount.scaleb(minor_digits(currency), EXACT)
    return Money(int(scaled.to_integral_value(rounding=ROUND_HALF_UP)), currency)


def sum_money(parts: Iterable[Money], currency: str) -> Money:
    """Return the sum of the parts; zero of ``currency`` when there are none."""
    result = Money(0, currency)
    for part in parts:
        result += part
    return result


def allocate(whole: Money, weights: Sequence[Decimal]) -> list[Money]:
    """Return parts in proportion to the weights that add up to the whole exactly.

    Largest remainder method (Hamilton's); of equal remainders the first comes first. The parts of a negative whole are
    the negatives of those of its positive twin. Raises ValueError for weights below zero or all zero.
    """
    shares = [Fraction(weight) for weight in weights]
    share_sum = sum(shares)
    if not shares or min(shares) < 0 or not share_sum:
        raise ValueError(f"Weights {list(weights)} cannot split {whole}: they must be 0 or more, and one above 0.")
    sign = -1 if whole.minor < 0 else 1
    ideal = [abs(whole.minor) * share / share_sum for share in shares]
    parts = [int(part) for part in ideal]
    remainder = abs(whole.minor) - sum(parts)
    for index in sorted(range(len(parts)), key=lambda index: (parts[index] - ideal[index], index))[:remainder]:
        parts[index] += 1
    return [Money(sign * part, whole.currency) for part in parts]
