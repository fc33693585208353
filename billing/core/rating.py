"""Rating: samples and a price book in, lines that explain themselves out.

Samples are grouped by (meter, subject, version, rate). A price of the flat kind counts each subject alone; tiers,
volumes and packages count all subjects of a tenant together, and the pool's amount is shared by quantity with the
largest remainder.

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
    """Rate the samples whose windows start in the period.

    ``samples`` must hold those since ``period.opened`` as well, for tiers that were begun earlier. Order, batching
    and repeats do not matter. A sample belongs to the version in force when its window starts; a later version goes
    on counting where the one before it stopped. ConflictingSamples when a key comes with two contents.
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
        if mine := by_version.get(version.key):
            earlier = [sample for sample in relevant if sample.window_start < max(period.start, version.effective_from)]
            priced, without = _rate_version(mine, earlier, version, book.currency)
            lines += priced
            unpriced += without
    order = meter_order()
    lines.sort(key=lambda line: (order[line.meter], line.subject, line.samples[0][2], line.rate.where))
    return Rating(lines, unpriced)


def distinct_samples(samples: Iterable[SampleValue]) -> list[SampleValue]:
    """Each sample once, in order of key."""
    found: dict[tuple[str, str, datetime], SampleValue] = {}
    for sample in samples:
        if found.setdefault(sample.key, sample) != sample:
            raise ConflictingSamples(
                f"{sample.meter} of {sample.subject} at {sample.window_start.isoformat()} was reported twice with "
                f"different contents ({found[sample.key].quantity} and {sample.quantity}); withdraw one of them."
            )
    return [found[key] for key in sorted(found)]


def _rate_version(
    mine: list[SampleValue], earlier: list[SampleValue], version: PriceBookVersionValue, currency: str
) -> tuple[list[RatedLine], list[SampleValue]]:
    """Lines of the samples that one version prices, and what it has no price for.

    ``earlier`` ones only move the counters.
    """
    known: dict[tuple[str, tuple[tuple[str, str], ...]], Rate | None] = {}

    def counter(sample: SampleValue) -> tuple[Rate, str] | None:
        """What a sample counts towards: a rate, for the whole tenant or for its subject alone."""
        look = (sample.meter, sample.dimensions)
        if look not in known:
            known[look] = version.rate_for(sample.meter, dict(sample.dimensions))
        chosen = known[look]
        if chosen is None:
            return None
        return chosen, "" if chosen.price.pooled else sample.subject

    counters: dict[tuple[Rate, str], dict[str, list[SampleValue]]] = {}
    carried: dict[tuple[Rate, str], Decimal] = {}
    unpriced = []
    for sample in mine:
        if (key := counter(sample)) is None:
            unpriced.append(sample)
        else:
            counters.setdefault(key, {}).setdefault(sample.subject, []).append(sample)
    for sample in earlier:
        if (key := counter(sample)) is not None:
            carried[key] = EXACT.add(carried.get(key, Decimal(0)), sample.quantity)
    lines = []
    for key, subjects in counters.items():
        lines += _rate_counter(subjects, key[0], carried.get(key, Decimal(0)), version.key, currency)
    return lines, unpriced


def _rate_counter(
    subjects: Mapping[str, list[SampleValue]], chosen: Rate, carried: Decimal, version: str, currency: str
) -> list[RatedLine]:
    """One counter's amount, shared among its subjects."""
    names = sorted(subjects)
    quantities = [_sum_exact(sample.quantity for sample in subjects[name]) for name in names]
    pooled = _sum_exact(quantities)
    end = EXACT.add(carried, pooled)
    amount = round_to_minor(chosen.price.amount(end), currency) - round_to_minor(chosen.price.amount(carried), currency)
    bands = tuple(chosen.price.bands(carried, end))
    shares = allocate(amount, quantities) if pooled else [Money(0, currency)] * len(names)
    return [
        RatedLine(
            meter=chosen.meter,
            subject=name,
            dimensions=_common_dimensions(subjects[name]),
            version=version,
            rate=chosen,
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
    """The dimensions that all the samples have in common."""
    common = set(samples[0].dimensions)
    for sample in samples[1:]:
        common &= set(sample.dimensions)
    return tuple(sorted(common))


def _sum_exact(quantities: Iterable[Decimal]) -> Decimal:
    result = Decimal(0)
    for quantity in quantities:
        result = EXACT.add(result, quantity)
    return result
