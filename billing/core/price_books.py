"""Price books, as immutable values: which price holds for which usage, and from when on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.core.money import minor_digits
from billing.core.price import InvalidPrice, Price
from billing.core.price_shapes import price_from_data


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a meter for samples whose dimensions hold all of ``where``."""

    meter: str
    where: tuple[tuple[str, str], ...]
    price: Price

    @classmethod
    def of(cls, meter: str, price: Price, **where: str) -> Rate:
        return cls(meter, tuple(sorted(where.items())), price)

    def to_data(self) -> dict[str, Any]:
        return {"meter": self.meter, "where": dict(self.where), "price": self.price.to_data()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Rate:
        return cls.of(data["meter"], price_from_data(data["price"]), **data.get("where", {}))


@dataclass(frozen=True, slots=True)
class PriceBookVersionValue:
    """The prices of a book from ``effective_from`` until the next version. ``key`` names it on lines."""

    key: str
    effective_from: datetime
    rates: tuple[Rate, ...]

    def __post_init__(self) -> None:
        conditions = [(rate.meter, rate.where) for rate in self.rates]
        for meter, where in conditions:
            if conditions.count((meter, where)) > 1:
                raise InvalidPrice(f"{self.key} has two prices for {meter} where {dict(where)}; keep one.")

    def rate_for(self, meter: str, dimensions: Mapping[str, str]) -> Rate | None:
        """Return the most specific rate that fits, or None. Of two equally specific, the first by dimension name."""
        fitting = [
            rate
            for rate in self.rates
            if rate.meter == meter and all(dimensions.get(name) == value for name, value in rate.where)
        ]
        return min(fitting, key=lambda rate: (-len(rate.where), rate.where), default=None)


@dataclass(frozen=True, slots=True)
class PriceBookValue:
    """What one party charges another: a currency and dated versions, oldest first."""

    name: str
    currency: str
    versions: tuple[PriceBookVersionValue, ...]

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        dates = [version.effective_from for version in self.versions]
        if dates != sorted(set(dates)):
            raise InvalidPrice(f"The versions of {self.name} must be in order of their dates, one for each date.")

    def version_at(self, when: datetime) -> PriceBookVersionValue | None:
        """Return the version in force at an instant; None before the first."""
        return next((version for version in reversed(self.versions) if version.effective_from <= when), None)
