"""Prices, as immutable values.

A price turns a quantity into an exact amount: ``amount(quantity)``, from the first unit of the month on. What a part
of the month costs is the difference of two amounts, which is why splitting a month never changes its total.
``bands(start, end)`` says how the amount came about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from billing.core.money import EXACT

ZERO = Decimal(0)


class InvalidPrice(ValueError):
    """A price or a book that cannot be used; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of a quantity at one unit price; ``fee`` is what entering the stretch costs besides."""

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


class Price(Protocol):
    """A price shape. ``pooled``: its bands count the usage of all subjects together, not of each alone."""

    shape: ClassVar[str]
    pooled: ClassVar[bool]

    def amount(self, quantity: Decimal) -> Decimal: ...

    def bands(self, start: Decimal, end: Decimal) -> list[Band]: ...

    def to_data(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class FlatPrice:
    """Each unit costs the same."""

    shape: ClassVar[str] = "flat"
    pooled: ClassVar[bool] = False
    unit_price: Decimal

    def __post_init__(self) -> None:
        _check_not_negative(self.unit_price)

    def amount(self, quantity: Decimal) -> Decimal:
        return EXACT.multiply(quantity, self.unit_price)

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        return [Band(EXACT.subtract(end, start), self.unit_price)]

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "unit_price": decimal_text(self.unit_price)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> FlatPrice:
        return cls(_parse_decimal(data, "unit_price"))


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
        up_to = None if data.get("up_to") is None else _parse_decimal(data, "up_to")
        return cls(up_to, _parse_decimal(data, "unit_price"), _parse_decimal(data, "fee") if "fee" in data else ZERO)


@dataclass(frozen=True, slots=True)
class GraduatedPrice:
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
class VolumePrice:
    """All units cost what the tier of the whole quantity says.

    Crossing into a cheaper tier can lower the bill; whoever writes such a price should be told (``lowers_the_bill``).
    """

    shape: ClassVar[str] = "volume"
    pooled: ClassVar[bool] = True
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        _check_tiers(self.tiers)

    @property
    def can_lower_bill(self) -> bool:
        """Whether some larger quantity costs less than a smaller one."""
        return any(
            above.fee + above.unit_price * (tier.up_to or ZERO) < tier.fee + tier.unit_price * (tier.up_to or ZERO)
            for tier, above in zip(self.tiers, self.tiers[1:], strict=False)
        )

    def amount(self, quantity: Decimal) -> Decimal:
        return self._band(quantity).amount if quantity else ZERO

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        """The whole quantity at its tier; what was counted before is taken back at the tier it had then."""
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
class PackagePrice:
    """Sold by packages of ``size`` units; one that is begun is paid whole."""

    shape: ClassVar[str] = "package"
    pooled: ClassVar[bool] = True
    size: Decimal
    package_price: Decimal

    def __post_init__(self) -> None:
        _check_not_negative(self.package_price)
        if not self.size > 0:
            raise InvalidPrice(f"A package of {self.size} units cannot be sold; its size must be above 0.")

    def amount(self, quantity: Decimal) -> Decimal:
        return EXACT.multiply(self._packages(quantity), self.package_price)

    def bands(self, start: Decimal, end: Decimal) -> list[Band]:
        """Bands of a package price count packages, not units."""
        return [Band(EXACT.subtract(self._packages(end), self._packages(start)), self.package_price)]

    def _packages(self, quantity: Decimal) -> Decimal:
        whole, rest = EXACT.divmod(quantity, self.size)
        return EXACT.add(whole, Decimal(1) if rest else ZERO)

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "size": decimal_text(self.size), "package_price": decimal_text(self.package_price)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> PackagePrice:
        return cls(_parse_decimal(data, "size"), _parse_decimal(data, "package_price"))


PRICE_SHAPES: dict[str, type[FlatPrice] | type[GraduatedPrice] | type[VolumePrice] | type[PackagePrice]] = {
    shape.shape: shape for shape in (FlatPrice, GraduatedPrice, VolumePrice, PackagePrice)
}
"""Every price shape by its name in stored books; a new one is a class and an entry."""


def price_from_data(data: Mapping[str, Any]) -> Price:
    """The price written by ``to_data``; InvalidPrice when it says nothing usable."""
    shape = PRICE_SHAPES.get(data.get("shape", ""))
    if shape is None:
        raise InvalidPrice(f"Price shape {data.get('shape')!r} is not known; use one of {', '.join(PRICE_SHAPES)}.")
    return shape.from_data(data)


def decimal_text(value: Decimal) -> str:
    """A decimal as text: no exponent, no trailing zeros, so that equal prices are equal text."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def strip_trailing_zeros(value: Decimal) -> Decimal:
    """The same number without trailing zeros, as a reader writes it: ``Decimal("720")`` for 720.000000000000."""
    return Decimal(decimal_text(value))


def _parse_decimal(data: Mapping[str, Any], field: str) -> Decimal:
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
        _check_not_negative(tier.unit_price)
        _check_not_negative(tier.fee)
        if (tier.up_to is not None and tier.up_to <= lower) or (tier.up_to is None and tier is not tiers[-1]):
            raise InvalidPrice(f"Tier up to {tier.up_to} must end after {lower}, and only the last may be without end.")
        lower = tier.up_to if tier.up_to is not None else lower


def _check_not_negative(price: Decimal) -> None:
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        raise InvalidPrice(f"A price of {price} cannot be used; it must be a Decimal of 0 or more.")
