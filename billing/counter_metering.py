"""What nodes count (bytes, packets, sessions) becomes samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from billing.core.meters import NodeCounter, counted_forms, counter_meters
from billing.core.samples import (
    HOUR,
    CounterReadingValue,
    SampleValue,
    counts_by_hour,
    end_of_hour,
    start_of_hour,
)
from billing.sample_store import MeasuredSample
from provisioning.core.values.counter_key import CounterKey
from provisioning.selectors import metering


class CounterSeries(NamedTuple):
    """A counter of a node, its readings of a window, and the last one before them."""

    node: int
    key: CounterKey
    readings: list[CounterReadingValue]
    before: CounterReadingValue | None

    def has_silent_gap(self, start: datetime) -> bool:
        """Return whether the counter was not read for more than an hour, some of it before ``start``."""
        return (
            self.before is not None
            and start_of_hour(self.before.at) < start
            and self.readings[0].at - self.before.at > HOUR
        )


class CountedSubject(NamedTuple):
    """Whose doing a counter counts, as samples name it, and what prices may depend on."""

    address: str
    attributes: Mapping[str, Any]


class CounterIndex:
    """The subjects of counters, by the lifecycle log as it was at ``when``."""

    def __init__(self, when: datetime) -> None:
        self.when = when
        self.connector_starts: dict[str, datetime] = {}
        """Address of a connector → when its newest lifetime began."""
        self._attributes: dict[str, Mapping[str, Any]] = {}
        self._services: dict[str, Mapping[str, Any]] = {}
        exchanges: dict[str, str] = {}
        for lifetime in metering.lifetimes_before(when):
            self._attributes[lifetime.address] = lifetime.dimensions
            if lifetime.kind == "exchange.connector":
                self.connector_starts[lifetime.address] = lifetime.started_at
            if lifetime.kind == "exchange.instance":
                self._services[f"service/{lifetime.dimensions.get('service')}"] = lifetime.dimensions
            elif lifetime.kind == "exchange.presence":
                exchanges[lifetime.dimensions.get("location", "")] = lifetime.address.removeprefix("exchange/")
        # The sections of a removed exchange are gone while its last bytes still wait to be counted; the log stays.
        self._exchange_of_node = {
            node: exchanges[location] for node, location in metering.node_locations().items() if location in exchanges
        }

    def subject(self, node: int, key: CounterKey) -> CountedSubject | None:
        """Return what a counter of a node counts; None for traffic between the nodes of one exchange."""
        if key.subject_kind == "service":
            return CountedSubject(key.subject, self._services.get(key.subject, {}))
        if key.subject_kind != "mesh":
            return CountedSubject(key.subject, self._attributes.get(key.subject, {}))
        source, target = self._exchange_of_node.get(node, ""), key.subject_name
        if not source or source == target:
            return None
        ends = {"from": self._location(source), "to": self._location(target)}
        return CountedSubject(f"exchange/{source}/to/{target}", ends)

    def _location(self, exchange: str) -> str:
        return str(self._attributes.get(f"exchange/{exchange}", {}).get("location", exchange))


def counter_samples(series: Iterable[CounterSeries], index: CounterIndex, start: datetime) -> Iterator[MeasuredSample]:
    """Yield what was counted in each hour from ``start`` on, summed over the nodes and segments that counted it."""
    counts: dict[tuple[str, str, datetime], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    dimensions: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    sources: dict[str, NodeCounter] = {}
    for node, key, readings, before in series:
        subject = index.subject(node, key)
        if subject is None:
            continue
        meters = counter_meters(key)
        for meter, source in meters:
            sources[meter.key] = source
            dimensions[meter.key, subject.address] = tuple(meter.sample_dimensions(subject.attributes).items())
        for hour, count in counts_by_hour(readings, before).items():
            if start <= hour < index.when:
                for meter, _ in meters:
                    counts[meter.key, subject.address, hour][key.segment] += count
    for (meter_key, address, hour), segments in counts.items():
        source = sources[meter_key]
        quantity = source.units(sum(segments.values()))
        value = SampleValue(meter_key, address, hour, hour + HOUR, quantity, dimensions[meter_key, address])
        counted = {source.quantity or "packets": dict(sorted(segments.items()))}
        yield MeasuredSample(value, {"source": "counter", **counted})


def counter_series(start: datetime, end: datetime, index: CounterIndex) -> Iterator[CounterSeries]:
    """Yield the counters that some meter counts and that were read in [start, end).

    Readings up to one hour after the window belong to it, since they share the count of a gap over its hours.
    """
    rows = metering.counter_readings(start - HOUR, end_of_hour(end) + HOUR, counted_forms())
    for (node, text), group in groupby(rows, key=lambda row: (row.node, row.key)):
        key = CounterKey.parse(text)
        readings = [CounterReadingValue(row.at, row.epoch, row.value) for row in group]
        earlier = [reading for reading in readings if reading.at < start]
        inside = readings[len(earlier) :]
        if key is None or not inside:
            continue
        before = earlier[-1] if earlier else _last_reading_before(node, text, start - HOUR)
        began = index.connector_starts.get(key.subject)
        if before and began and before.at < began <= inside[0].at:
            # The connector was removed and made again: what it counted since, it counted since then.
            before = replace(before, at=began)
        yield CounterSeries(node, key, inside, before)


def _last_reading_before(node: int, key: str, when: datetime) -> CounterReadingValue | None:
    """Return the newest reading of a counter that was silent for an hour or more; None: it is new."""
    row = metering.last_reading_before(node, key, when)
    return CounterReadingValue(row.at, row.epoch, row.value) if row else None
