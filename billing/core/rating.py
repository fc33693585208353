"""Rating: samples and a price book in, lines that explain themselves out.

Samples are grouped by (meter, subject, version, rate). A pooled price (``Price.pooled``) counts a tenant's subjects
together, and the pool's amount is shared by quantity (``money.allocate``); any other counts each subject alone.

Amounts are differences of a rounded cumulative amount: what is charged for a part of a month is
``rounded(amount(before + part)) − rounded(amount(before))``. So a month may be split at any instant, into any number
of parts, and the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from billing.core.billing_period import BillingPeriod
from billing.core.meters import meter_order
from billing.core.money import EXACT, Money, allocate, round_to_minor
from billing.core.price_books import PriceBookValue, PriceBookVersionValue, Rate
from billing.core.rated_line import RatedLine
from billing.core.samples import SampleValue


class ConflictingSamples(ValueError):
    """Two samples claim one key with different contents: neither may be billed until one is withdrawn."""


class Rating(NamedTuple):
    """Each sample of the period is behind exactly one line or is unpriced; none is dropped."""

    lines: list[RatedLine]
    unpriced: list[SampleValue]


def rate_samples(samples: Iterable[SampleValue], book: PriceBookValue, period: BillingPeriod) -> Rating:
    """Return the lines and unpriced samples of the samples whose windows start in the period.

    ``samples`` must also hold those since ``period.opened``, for tiers that began earlier. Order, batching and repeats
    do not matter. A sample belongs to the version in force when its window starts; a later version counts on from
    where the one before it stopped. Raises ConflictingSamples when one key comes with two contents.
    """
    relevant = [sample for sample in distinct_samples(samples) if period.opened <= sample.window_start < period.end]
    lines: list[RatedLine] = []
    unpriced: list[SampleValue] = []
    by_version: dict[str, list[SampleValue]] = {}
    for sample in relevant:
        if sample.window_start >= period.start:
            version = book.version_at(sample.window_start)
            by_version.setdefault(version.key if version else "", []).append(sample)
    unpriced += by_version.get("", [])
    for version in book.versions:
        if current := by_version.get(version.key):
            earlier = [sample for sample in relevant if sample.window_start < max(period.start, version.effective_from)]
            version_lines, version_unpriced = _rate_version(current, earlier, version, book.currency)
            lines += version_lines
            unpriced += version_unpriced
    order = meter_order()
    lines.sort(key=lambda line: (order[line.meter], line.subject, line.samples[0][2], line.rate.where))
    return Rating(lines, unpriced)


def distinct_samples(samples: Iterable[SampleValue]) -> list[SampleValue]:
    """Return each sample once, in order of key. Raise ConflictingSamples when one key comes with two contents."""
    by_key: dict[tuple[str, str, datetime], SampleValue] = {}
    for sample in samples:
        if by_key.setdefault(sample.key, sample) != sample:
            raise ConflictingSamples(
                f"{sample.meter} of {sample.subject} at {sample.window_start.isoformat()} was reported twice with "
                f"different contents ({by_key[sample.key].quantity} and {sample.quantity}); withdraw one of them."
            )
    return [by_key[key] for key in sorted(by_key)]


def _rate_version(
    current: list[SampleValue], earlier: list[SampleValue], version: PriceBookVersionValue, currency: str
) -> tuple[list[RatedLine], list[SampleValue]]:
    """Return the lines of the samples that one version prices, and the samples that it has no price for.

    ``earlier`` samples are not charged; they only say how far each pool was filled before.
    """
    rates: dict[tuple[str, tuple[tuple[str, str], ...]], Rate | None] = {}

    def pool_of(sample: SampleValue) -> tuple[Rate, str] | None:
        """Return the rate of a sample, and its subject unless the rate pools all of them; None: no price."""
        dimensions = (sample.meter, sample.dimensions)
        if dimensions not in rates:
            rates[dimensions] = version.rate_for(sample.meter, dict(sample.dimensions))
        rate = rates[dimensions]
        if rate is None:
            return None
        return rate, "" if rate.price.pooled else sample.subject

    pools: dict[tuple[Rate, str], dict[str, list[SampleValue]]] = {}
    carried: dict[tuple[Rate, str], Decimal] = {}
    unpriced = []
    for sample in current:
        if (pool := pool_of(sample)) is None:
            unpriced.append(sample)
        else:
            pools.setdefault(pool, {}).setdefault(sample.subject, []).append(sample)
    for sample in earlier:
        if (pool := pool_of(sample)) is not None:
            carried[pool] = EXACT.add(carried.get(pool, Decimal(0)), sample.quantity)
    lines = []
    for pool, subjects in pools.items():
        lines += _rate_pool(subjects, pool[0], carried.get(pool, Decimal(0)), version.key, currency)
    return lines, unpriced


def _rate_pool(
    subjects: Mapping[str, list[SampleValue]], rate: Rate, carried: Decimal, version: str, currency: str
) -> list[RatedLine]:
    """Return the lines of one pool: its amount, shared among its subjects."""
    names = sorted(subjects)
    quantities = [_sum_exact(sample.quantity for sample in subjects[name]) for name in names]
    pooled = _sum_exact(quantities)
    end = EXACT.add(carried, pooled)
    amount = round_to_minor(rate.price.amount(end), currency) - round_to_minor(rate.price.amount(carried), currency)
    bands = tuple(rate.price.bands(carried, end))
    shares = allocate(amount, quantities) if pooled else [Money(0, currency)] * len(names)
    return [
        RatedLine(
            meter=rate.meter,
            subject=name,
            dimensions=_common_dimensions(subjects[name]),
            version=version,
            rate=rate,
            quantity=quantity,
            amount=share,
            bands=bands,
            carried=carried,
            pool_quantity=pooled,
            pool_amount=amount,
            samples=tuple(sample.key for sample in subjects[name]),
        )
        for name, quantity, share in zip(names, quantities, shares, strict=True)
    ]


def _common_dimensions(samples: list[SampleValue]) -> tuple[tuple[str, str], ...]:
    """Return the dimensions that all the samples have in common."""
    common = set(samples[0].dimensions)
    for sample in samples[1:]:
        common &= set(sample.dimensions)
    return tuple(sorted(common))


def _sum_exact(quantities: Iterable[Decimal]) -> Decimal:
    result = Decimal(0)
    for quantity in quantities:
        result = EXACT.add(result, quantity)
    return result
