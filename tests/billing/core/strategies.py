"""Hypothesis strategies: price books and samples for the invariants of rating."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from billing.core.billing_period import BillingPeriod
from billing.core.price import Price
from billing.core.price_books import PriceBookValue, PriceBookVersionValue, Rate
from billing.core.price_shapes import PRICE_SHAPES, FlatPrice, GraduatedPrice, PackagePrice, Tier, VolumePrice
from billing.core.samples import HOUR, SampleValue

NOVEMBER = BillingPeriod.month(2026, 11)
SIZES = ("small", "medium", "large")
SUBJECTS = ("connector/a", "connector/b", "connector/c")
METERS = ("connector_hours", "gb_exchange_out", "gb_inspected")

prices = st.decimals(0, 5, places=7)
quantities = st.one_of(st.decimals(0, 1, places=12), st.decimals(0, 10**9, places=9), st.just(Decimal(0)))


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.decimals("0.001", 2000, places=3), max_size=3)))
    fees = st.one_of(st.just(Decimal(0)), st.decimals(0, 9, places=2))
    return tuple(Tier(end, draw(prices), draw(fees)) for end in [*ends, None])


flats = st.builds(FlatPrice, prices)
GENERATORS: dict[type[Price], st.SearchStrategy[Price]] = {
    FlatPrice: flats,
    GraduatedPrice: st.builds(GraduatedPrice, tiers()),
    PackagePrice: st.builds(PackagePrice, st.decimals("0.001", 500, places=3), prices),
    VolumePrice: st.builds(VolumePrice, tiers()),
}
without_generator = [shape.__name__ for shape in PRICE_SHAPES.values() if shape not in GENERATORS]
assert not without_generator, f"GENERATORS above needs a line for {', '.join(without_generator)}"
shapes = st.one_of([GENERATORS[shape] for shape in PRICE_SHAPES.values()])
monotone = st.one_of([GENERATORS[shape] for shape in PRICE_SHAPES.values() if shape is not VolumePrice])
"""More usage never costs less, as it may with volume prices."""


@st.composite
def books(
    draw: st.DrawFn, of: st.SearchStrategy = shapes, most_versions: int = 3, complete: bool = False
) -> PriceBookValue:
    """Draw a price book with versions from before or within November; unless complete, some sizes may have no price."""
    days = sorted(draw(st.sets(st.integers(2, 29), max_size=most_versions - 1)))
    starts = [datetime(2026, 1, 1, tzinfo=UTC), *(datetime(2026, 11, day, 7, 30, tzinfo=UTC) for day in days)]
    versions = []
    for number, start in enumerate(starts, 1):
        rates = [Rate.of(meter, draw(of)) for meter in METERS if complete or draw(st.booleans())]
        rates += [Rate.of("connector_hours", draw(of), size=size) for size in SIZES if draw(st.booleans())]
        versions.append(PriceBookVersionValue(f"v{number}", start, tuple(rates)))
    return PriceBookValue("Book", draw(st.sampled_from(["EUR", "JPY", "KWD"])), tuple(versions))


@st.composite
def samples(draw: st.DrawFn, most: int = 12) -> list[SampleValue]:
    """Draw samples with distinct keys, all in November 2026."""
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(METERS), st.sampled_from(SUBJECTS), st.integers(0, 719)),
            max_size=most,
            unique=True,
        )
    )
    drawn = []
    for meter, subject, hour in keys:
        start = NOVEMBER.start + hour * HOUR
        size = (("size", draw(st.sampled_from(SIZES))),)
        drawn.append(SampleValue(meter, subject, start, start + HOUR, draw(quantities), size))
    return drawn
