"""The price shapes that can be sold, and how stored books name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from billing.core.decimals import decimal_text
from billing.core.money import EXACT
from billing.core.price import ZERO, Band, InvalidPrice, Price, check_not_negative, parse_decimal


@dataclass(frozen=True, slots=True)
class FlatPrice(Price):
    """Each unit costs the same."""

    shape: ClassVar[str] = "flat"
    pooled: ClassVar[bool] = False
    unit_price: Decimal

    def __post_init__(self) -> None:
        check_not_negative(self.unit_price)

    def amount(self, quantity: Decimal) -> Decimal:
        return EXACT.multiply(quantity, self.unit_price)

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        return [Band(EXACT.subtract(end, start), self.unit_price)]

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "unit_price": decimal_text(self.unit_price)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> FlatPrice:
        return cls(parse_decimal(data, "unit_price"))


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including ``up_to`` (None: no end) at ``unit_price``; ``fee`` falls due on the first of them."""

    up_to: Decimal | None
    unit_price: Decimal
    fee: Decimal = ZERO

    def to_data(self) -> dict[str, Any]:
        up_to = None if self.up_to is None else decimal_text(self.up_to)
        return {"up_to": up_to, "unit_price": decimal_text(self.unit_price), "fee": decimal_text(self.fee)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Tier:
        up_to = None if data.get("up_to") is None else parse_decimal(data, "up_to")
        return cls(up_to, parse_decimal(data, "unit_price"), parse_decimal(data, "fee") if "fee" in data else ZERO)


@dataclass(frozen=True, slots=True)
class GraduatedPrice(Price):
    """Each unit costs what its own tier says; more usage never lowers the bill."""

    shape: ClassVar[str] = "graduated"
    pooled: ClassVar[bool] = True
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        _check_tiers(self.tiers)

    def amount(self, quantity: Decimal) -> Decimal:
        amount = ZERO
        for band in self.bands(ZERO, quantity):
            amount = EXACT.add(amount, band.amount)
        return amount

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        bands, lower = [], ZERO
        for tier in self.tiers:
            upper = end if tier.up_to is None else min(end, tier.up_to)
            first = max(start, lower)
            if upper > first:
                bands.append(Band(EXACT.subtract(upper, first), tier.unit_price, tier.fee if start <= lower else ZERO))
            if tier.up_to is None or tier.up_to >= end:
                break
            lower = tier.up_to
        return bands

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "tiers": [tier.to_data() for tier in self.tiers]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> GraduatedPrice:
        return cls(_parse_tiers(data))


@dataclass(frozen=True, slots=True)
class VolumePrice(Price):
    """All units cost what the tier of the whole quantity says.

    Crossing into a cheaper tier can lower the bill.
    """

    shape: ClassVar[str] = "volume"
    pooled: ClassVar[bool] = True
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        _check_tiers(self.tiers)

    def amount(self, quantity: Decimal) -> Decimal:
        return self._band(quantity).amount if quantity else ZERO

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        """Return the whole quantity at its tier, less what was counted before at the tier it had then."""
        if start == end:
            return []
        bands = [self._band(end)]
        if start:
            before = self._band(start)
            bands.append(Band(before.quantity.copy_negate(), before.unit_price, before.fee.copy_negate()))
        return bands

    def _band(self, quantity: Decimal) -> Band:
        tier = next(tier for tier in self.tiers if tier.up_to is None or quantity <= tier.up_to)
        return Band(quantity, tier.unit_price, tier.fee)

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "tiers": [tier.to_data() for tier in self.tiers]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> VolumePrice:
        return cls(_parse_tiers(data))


@dataclass(frozen=True, slots=True)
class PackagePrice(Price):
    """Sold by packages of ``size`` units; a package that is begun is paid whole."""

    shape: ClassVar[str] = "package"
    pooled: ClassVar[bool] = True
    size: Decimal
    package_price: Decimal

    def __post_init__(self) -> None:
        check_not_negative(self.package_price)
        if not self.size > 0:
            raise InvalidPrice(f"A package of {self.size} units cannot be sold; its size must be above 0.")

    def amount(self, quantity: Decimal) -> Decimal:
        return EXACT.multiply(self._packages(quantity), self.package_price)

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        """Return one band, which counts packages instead of units."""
        return [Band(EXACT.subtract(self._packages(end), self._packages(start)), self.package_price)]

    def band_unit(self, unit: str) -> str:
        return "packages"

    def single_unit_price(self, bands: Sequence[Band]) -> None:
        return None

    def _packages(self, quantity: Decimal) -> Decimal:
        whole, rest = EXACT.divmod(quantity, self.size)
        return EXACT.add(whole, Decimal(1) if rest else ZERO)

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "size": decimal_text(self.size), "package_price": decimal_text(self.package_price)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> PackagePrice:
        return cls(parse_decimal(data, "size"), parse_decimal(data, "package_price"))


def shapes_by_name(*shapes: type[Price]) -> dict[str, type[Price]]:
    """Return the shapes by their names in stored books. Raise ValueError where two have one name."""
    by_name: dict[str, type[Price]] = {}
    for shape in shapes:
        other = by_name.setdefault(shape.shape, shape)
        if other is not shape:
            raise ValueError(f"{other.__name__} and {shape.__name__} are both called {shape.shape!r} in stored books.")
    return by_name


PRICE_SHAPES = shapes_by_name(
    FlatPrice,
    GraduatedPrice,
    VolumePrice,
    PackagePrice,
)
"""Every price shape by its name in stored books. A new shape is a class and a line; a name is never changed, since
books that are published keep it."""


def price_from_data(data: Mapping[str, Any]) -> Price:
    """Return the price that ``to_data`` wrote. Raise InvalidPrice when it cannot be used."""
    shape = PRICE_SHAPES.get(data.get("shape", ""))
    if shape is None:
        raise InvalidPrice(f"Price shape {data.get('shape')!r} is not known; use one of {', '.join(PRICE_SHAPES)}.")
    return shape.from_data(data)


def _parse_tiers(data: Mapping[str, Any]) -> tuple[Tier, ...]:
    rows = data.get("tiers")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InvalidPrice("tiers must be a list of {up_to, unit_price}.")
    return tuple(Tier.from_data(row) for row in rows)


def _check_tiers(tiers: Sequence[Tier]) -> None:
    if not tiers or tiers[-1].up_to is not None:
        raise InvalidPrice("The last tier must have no end (up_to null), so that every quantity has a price.")
    lower = ZERO
    for tier in tiers:
        check_not_negative(tier.unit_price)
        check_not_negative(tier.fee)
        if (tier.up_to is not None and tier.up_to <= lower) or (tier.up_to is None and tier is not tiers[-1]):
            raise InvalidPrice(f"Tier up to {tier.up_to} must end after {lower}, and only the last may be without end.")
        lower = tier.up_to if tier.up_to is not None else lower
