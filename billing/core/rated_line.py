"""A line that rating makes: a quantity, its amount, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.core.decimals import decimal_text
from billing.core.meters import METERS, line_label
from billing.core.money import Money
from billing.core.price import Band
from billing.core.price_books import Rate


@dataclass(frozen=True, slots=True)
class RatedLine:
    """What one subject used at one rate, what that costs, and why.

    bands: how the amount came about; of a pooled price, the bands of the pool.
    pool_quantity, pool_amount: what this line is a share of; its own quantity and amount when nothing is pooled.
    carried: the quantity that was counted earlier in the month, where tiers continue.
    samples: the keys of the samples behind the quantity.
    """

    meter: str
    subject: str
    dimensions: tuple[tuple[str, str], ...]
    version: str
    rate: Rate
    quantity: Decimal
    amount: Money
    bands: tuple[Band, ...]
    carried: Decimal
    pool_quantity: Decimal
    pool_amount: Money
    samples: tuple[tuple[str, str, datetime], ...]

    @property
    def label(self) -> str:
        return line_label(self.meter, dict(self.dimensions))

    @property
    def unit(self) -> str:
        return METERS[self.meter].unit

    @property
    def unit_price(self) -> Decimal | None:
        """The one price of a unit, or None where several bands, a fee or packages make the amount."""
        return self.rate.price.single_unit_price(self.bands)

    @property
    def explanation(self) -> str:
        """One sentence of arithmetic that ends in the amount."""
        price = self.rate.price
        terms = price.explain(self.bands, self.unit)
        sentence = f"{terms} = {self.pool_amount}, {price.title}, half up to the minor unit"
        if self.pool_quantity != self.quantity:
            part = f"{decimal_text(self.quantity)} of {decimal_text(self.pool_quantity)} {self.unit}"
            sentence += f"; this line is {part}: {self.amount}"
        return sentence + "."

    def to_data(self) -> dict[str, Any]:
        """Return the line as JSON, equal for equal lines: rating the same samples again gives the same bytes."""
        return {
            "meter": self.meter,
            "label": self.label,
            "subject": self.subject,
            "dimensions": dict(self.dimensions),
            "version": self.version,
            "rate": self.rate.to_data(),
            "quantity": decimal_text(self.quantity),
            "unit": self.unit,
            "unit_price": None if self.unit_price is None else decimal_text(self.unit_price),
            "amount": str(self.amount.amount),
            "currency": self.amount.currency,
            "bands": [band.to_data() for band in self.bands],
            "explanation": self.explanation,
            "samples": [[meter, subject, at.isoformat()] for meter, subject, at in self.samples],
        }
