"""What every price shape is: a function from a quantity to an exact amount that can explain itself.

``amount(quantity)`` counts from the first unit of the month on. What a part of the month costs is the difference of two
amounts, which is why splitting a month never changes its total. ``bands(start, end)`` says how the amount came about.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from billing.core.decimals import decimal_text
from billing.core.money import EXACT

ZERO = Decimal(0)


class InvalidPrice(ValueError):
    """A price or a book that cannot be used; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of a quantity at one unit price; ``fee`` is a fixed sum for entering the stretch."""

    quantity: Decimal
    unit_price: Decimal
    fee: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        return EXACT.fma(self.quantity, self.unit_price, self.fee)

    def to_data(self) -> dict[str, str]:
        return {
            "quantity": decimal_text(self.quantity),
            "unit_price": decimal_text(self.unit_price),
            "fee": decimal_text(self.fee),
        }


class Price(ABC):
    """A price shape.

    shape: its name in stored books.
    pooled: whether its bands count the usage of all subjects together, not of each subject alone.
    """

    __slots__ = ()
    shape: ClassVar[str]
    pooled: ClassVar[bool]

    @abstractmethod
    def amount(self, quantity: Decimal) -> Decimal:
        """Return what the first ``quantity`` units of a month cost, exactly."""

    @abstractmethod
    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        """Return the bands whose amounts add up to ``amount(end) - amount(start)``."""

    @abstractmethod
    def to_data(self) -> dict[str, Any]:
        """Return the price as JSON, with its shape's name under ``shape``."""

    @classmethod
    @abstractmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the price that ``to_data`` wrote. Raise InvalidPrice when it cannot be used."""

    # -- words on an invoice line, to be replaced where a shape differs ------------------------------------------------

    @property
    def title(self) -> str:
        """What an explanation calls this price: ``flat price``."""
        return f"{self.shape} price"

    def band_unit(self, unit: str) -> str:
        """Return the unit in which bands count, given the meter's unit."""
        return unit

    def single_unit_price(self, bands: Sequence[Band]) -> Decimal | None:
        """Return the one price of a unit, or None where several bands or a fee make the amount."""
        return bands[0].unit_price if len(bands) == 1 and not bands[0].fee else None

    def explain(self, bands: Sequence[Band], unit: str) -> str:
        """Return the bands as a sum: ``10 GB × 0.1 + 5.15 GB × 0.05``."""
        terms = [
            f"{decimal_text(band.quantity)} {self.band_unit(unit)} × {decimal_text(band.unit_price)}"
            + (f" + {decimal_text(band.fee)}" if band.fee else "")
            for band in bands
        ]
        return " + ".join(terms)


def parse_decimal(data: Mapping[str, Any], field: str) -> Decimal:
    """Return a field of a stored price as a Decimal. Raise InvalidPrice when it is not a finite decimal string."""
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidPrice(f'{field} is {value!r}; write it as a decimal string such as "0.0420".')
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise InvalidPrice(f"{field} is {value!r}, which is not a number.") from None
    if not number.is_finite():
        raise InvalidPrice(f"{field} is {value!r}, which is not a finite number.")
    return number


def check_not_negative(price: Decimal) -> None:
    """Raise InvalidPrice unless the price is a Decimal of 0 or more."""
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        raise InvalidPrice(f"A price of {price} cannot be used; it must be a Decimal of 0 or more.")
