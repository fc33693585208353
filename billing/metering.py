"""Collecting: the lifecycle log and the nodes' counters become samples.

Any window may be collected any number of times: a sample is what the log and the counters say about its hour, so a
second run writes the same rows or, for the running hour, newer quantities. Runs in the scope of one tenant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from billing.core.meters import hourly_usage
from billing.core.samples import SampleValue, end_of_hour, hour_windows, hours_between, start_of_hour
from billing.counter_metering import CounterIndex, counter_samples, counter_series
from billing.sample_store import CollectionResult, MeasuredSample, store_samples
from provisioning.selectors import metering


def collect_samples(start: datetime, end: datetime, now: datetime) -> CollectionResult:
    """Write the samples of the hours from the one that holds ``start`` up to ``end``, as far as they are known ``now``.

    The window begins earlier where a counter was silent for more than an hour, so that each hour of the silence gets
    its share.
    """
    start, end = start_of_hour(start), min(end, now)
    index = CounterIndex(end)
    series = list(counter_series(start, end, index))
    while silent_since := [row.before.at for row in series if row.before and row.has_silent_gap(start)]:
        start = start_of_hour(min(silent_since))
        series = list(counter_series(start, end, index))
    measured = [*_hour_samples(start, end, now), *counter_samples(series, index, start)]
    return store_samples(measured, start, end, now)


def _hour_samples(start: datetime, end: datetime, now: datetime) -> Iterator[MeasuredSample]:
    """Yield the hours of every resource that existed in [start, end).

    Of overlapping lifetimes of one address the later begins where the earlier ended, so that no minute is charged
    twice.
    """
    charged_until: dict[str, datetime] = {}
    for lifetime in metering.lifetimes_between(start, end):
        address = lifetime.address
        usage = list(hourly_usage(lifetime.kind, lifetime.dimensions))
        if not usage:
            continue
        first = max(start, lifetime.started_at, charged_until.get(address, start))
        last = min(lifetime.ended_at or now, now, end_of_hour(end))
        charged_until[address] = max(last, first)
        for begin, stop in hour_windows(first, last):
            hours = hours_between(begin, stop)
            for meter, dimensions in usage:
                value = SampleValue(meter.key, address, begin, stop, hours, tuple(dimensions.items()))
                yield MeasuredSample(value, {"source": "lifecycle", "rows": [lifetime.pk]})
