"""Collecting: the lifecycle log and the nodes' counters become samples.

Any window may be collected any number of times: a sample is what the log and the counters say about its hour, so a
second look writes the same rows or, for the running hour, newer quantities. Runs in the scope of one tenant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Q

from billing.core.meters import hourly_meter
from billing.core.samples import (
    HOUR,
    CounterReadingValue,
    SampleValue,
    bytes_by_hour,
    bytes_to_gigabytes,
    hour_windows,
    hours_between,
    start_of_hour,
)
from billing.models import Sample
from provisioning.models import CounterReading, Item, Lifecycle, Node

_CounterSeries = tuple[tuple[int, str], list[CounterReadingValue], CounterReadingValue | None]
"""((node, key), readings, the one before them)."""


class CollectionResult(NamedTuple):
    """What a collection changed, and from which hour on."""

    created: int
    updated: int
    removed: int
    since: datetime


@dataclass(frozen=True, slots=True)
class MeasuredSample:
    """A sample and where it comes from."""

    value: SampleValue
    provenance: dict[str, Any] = field(hash=False)


def collect_samples(start: datetime, end: datetime, now: datetime) -> CollectionResult:
    """Write the samples of the hours from the one that holds ``start`` up to ``end``, as far as they are known ``now``.

    Begins earlier where a counter was silent for more than an hour, so that each hour of the silence gets its share.
    """
    start, end = start_of_hour(start), min(end, now)
    meaning = _CounterIndex(end)
    series = list(_counter_series(start, end, meaning))
    while silent := [before.at for _, (first, *_), before in series if before and _is_silent_gap(before, first, start)]:
        start = start_of_hour(min(silent))
        series = list(_counter_series(start, end, meaning))
    measured = {
        found.value.key: found for found in [*_hour_samples(start, end, now), *_traffic_samples(series, meaning, start)]
    }
    return store_samples(measured.values(), start, end, now)


def _is_silent_gap(before: CounterReadingValue, first: CounterReadingValue, start: datetime) -> bool:
    """Whether a counter said nothing for more than an hour, some of it before ``start``."""
    return start_of_hour(before.at) < start and first.at - before.at > HOUR


def store_samples(
    measured: Iterable[MeasuredSample], start: datetime, end: datetime, now: datetime
) -> CollectionResult:
    """Make the samples of [start, end) be these. Hours that the log no longer shows go; gigabytes once counted stay."""
    wanted = {found.value.key: found for found in measured}
    there = {row.value.key: row for row in Sample.objects.filter(window_start__gte=start, window_start__lt=end)}
    items = _item_uids(found.value.subject for key, found in wanted.items() if key not in there)
    created, updated = [], []
    for key, found in wanted.items():
        value, row = found.value, there.get(key)
        if row is None:
            created.append(
                Sample(
                    meter=value.meter,
                    subject=value.subject,
                    item_uid=items.get(item_key_of(value.subject)),
                    window_start=value.window_start,
                    window_end=value.window_end,
                    quantity=value.quantity,
                    dimensions=dict(value.dimensions),
                    provenance=found.provenance,
                    recorded_at=now,
                    updated_at=now,
                )
            )
        elif row.value != value:
            row.quantity, row.window_end, row.dimensions = value.quantity, value.window_end, dict(value.dimensions)
            row.provenance, row.updated_at = found.provenance, now
            updated.append(row)
    gone = [row.pk for key, row in there.items() if key not in wanted and row.provenance.get("source") == "lifecycle"]
    # Two workers may collect one hour at once; the constraint lets the row of the second become an update.
    changing = ["quantity", "window_end", "dimensions", "provenance", "updated_at"]
    Sample.objects.bulk_create(
        created,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["tenant", "meter", "subject", "window_start"],
        update_fields=changing,
    )
    Sample.objects.bulk_update(updated, changing, batch_size=500)
    removed = Sample.objects.filter(pk__in=gone).delete()[0] if gone else 0
    return CollectionResult(len(created), len(updated), removed, start)


def _hour_samples(start: datetime, end: datetime, now: datetime) -> Iterator[MeasuredSample]:
    """Hours of everything that existed in [start, end); of overlapping rows of one address the later begins where the
    earlier ended, so that no minute is charged twice."""
    rows = Lifecycle.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=start), started_at__lt=end)
    until: dict[str, datetime] = {}
    for row in rows.order_by("address", "started_at", "pk"):
        if (known := hourly_meter(row.kind, row.dimensions)) is None:
            continue
        meter, dimensions = known
        first = max(start, row.started_at, until.get(row.address, start))
        last = min(row.ended_at or now, now, _end_of_hour(end))
        until[row.address] = max(last, first)
        for begin, stop in hour_windows(first, last):
            value = SampleValue(
                meter.key, row.address, begin, stop, hours_between(begin, stop), tuple(dimensions.items())
            )
            yield MeasuredSample(value, {"source": "lifecycle", "rows": [row.pk]})


def _end_of_hour(when: datetime) -> datetime:
    hour = start_of_hour(when)
    return hour if hour == when else hour + HOUR


class _MeteredCounter(NamedTuple):
    """What a counter's bytes are: which meter, of whom, with which dimensions, in which segment."""

    meter: str
    subject: str
    segment: str
    dimensions: tuple[tuple[str, str], ...]


def _traffic_samples(
    series: Iterable[_CounterSeries], meaning: _CounterIndex, start: datetime
) -> Iterator[MeasuredSample]:
    """GB of each hour from ``start`` on, summed over the nodes and segments that carried them."""
    sums: dict[tuple[str, str, datetime], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    kinds: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for (node, key), readings, before in series:
        counted = meaning.of(node, key)
        if counted is None:
            continue
        kinds[counted.meter, counted.subject] = counted.dimensions
        for hour, count in bytes_by_hour(readings, before).items():
            if start <= hour < meaning.when:
                sums[counted.meter, counted.subject, hour][counted.segment] += count
    for (meter, subject, hour), segments in sums.items():
        value = SampleValue(
            meter, subject, hour, hour + HOUR, bytes_to_gigabytes(sum(segments.values())), kinds[meter, subject]
        )
        yield MeasuredSample(value, {"source": "counter", "bytes": dict(sorted(segments.items()))})


def _counter_series(start: datetime, end: datetime, meaning: _CounterIndex) -> Iterator[_CounterSeries]:
    """The byte counters that were read in [start, end): readings up to one hour after it, since they share the bytes
    of a gap over its hours, and the last reading before it."""
    rows = CounterReading.objects.filter(at__gte=start - HOUR, at__lt=_end_of_hour(end) + HOUR, key__endswith="|bytes")
    # What comes into an exchange is not sold: half of the rows.
    rows = rows.exclude(key__endswith="|in|bytes")
    ordered = rows.order_by("node_id", "key", "at", "pk").values_list("node_id", "key", "epoch", "at", "value")
    for (node, key), group in groupby(ordered.iterator(), key=lambda row: (row[0], row[1])):
        readings = [CounterReadingValue(at, epoch, value) for _, _, epoch, at, value in group]
        earlier = [reading for reading in readings if reading.at < start]
        inside = readings[len(earlier) :]
        if inside:
            before = earlier[-1] if earlier else _last_reading_before(node, key, start - HOUR)
            began = meaning.began.get(key.partition("|")[0])
            if before and began and before.at < began <= inside[0].at:
                # It was removed and made again: what it counted since, it counted since then.
                before = replace(before, at=began)
            yield (node, key), inside, before


def _last_reading_before(node: int, key: str, when: datetime) -> CounterReadingValue | None:
    """The newest reading of a counter that was silent for an hour or more; None: it is new."""
    row = CounterReading.objects.filter(node_id=node, key=key, at__lt=when).order_by("-at").first()
    return CounterReadingValue(row.at, row.epoch, row.value) if row else None


class _CounterIndex:
    """What the keys of counters stand for, by the lifecycle log as it was at ``when``."""

    def __init__(self, when: datetime) -> None:
        self.when = when
        self.began: dict[str, datetime] = {}
        self.lives: dict[str, dict[str, str]] = {}
        self.services: dict[str, dict[str, str]] = {}
        at_location: dict[str, str] = {}
        for row in Lifecycle.objects.filter(started_at__lt=when).order_by("started_at", "pk"):
            self.lives[row.address] = row.dimensions
            if row.kind == "exchange.connector":
                self.began[row.address] = row.started_at
            if row.kind == "exchange.instance":
                self.services[f"service/{row.dimensions.get('service')}"] = row.dimensions
            elif row.kind == "exchange.presence":
                at_location[row.dimensions.get("location", "")] = row.address.removeprefix("exchange/")
        # Sections of a removed exchange are gone while its last bytes still wait to be counted; the log stays.
        self.home = {
            node: at_location[location]
            for node, location in Node.objects.values_list("pk", "location")
            if location in at_location
        }

    def of(self, node: int, key: str) -> _MeteredCounter | None:
        """None for what is not sold: bytes into an exchange, and between the two nodes of one exchange."""
        thing, segment, *rest = key.split("|")
        noun, _, name = thing.partition("/")
        if noun == "connector" and rest == ["out", "bytes"]:
            return _MeteredCounter(
                "gb_exchange_out", thing, segment, self._pick(self.lives.get(thing, {}), "kind", "exchange")
            )
        if noun == "mesh" and rest == ["out", "bytes"]:
            own = self.home.get(node, "")
            if not own or own == name:
                return None
            here, there = (self.lives.get(f"exchange/{x}", {}).get("location", x) for x in (own, name))
            return _MeteredCounter(
                "gb_between_exchanges", f"exchange/{own}/to/{name}", segment, (("from", here), ("to", there))
            )
        if noun == "service" and rest == ["bytes"]:
            return _MeteredCounter(
                "gb_inspected", thing, segment, self._pick(self.services.get(thing, {}), "product", "license")
            )
        return None

    @staticmethod
    def _pick(dimensions: dict[str, str], *names: str) -> tuple[tuple[str, str], ...]:
        return tuple((name, str(dimensions[name])) for name in names if dimensions.get(name))


def item_key_of(subject: str) -> tuple[str, str]:
    """(kind, key) of the intent object that a subject's address belongs to: ``service/fw/eu/…`` → ``("services",
    "fw")``."""
    noun, _, rest = subject.partition("/")
    return f"{noun}s", rest.partition("/")[0]


def _item_uids(subjects: Iterable[str]) -> dict[tuple[str, str], Any]:
    """(kind, key) → uid."""
    wanted = {item_key_of(subject) for subject in subjects}
    found = Item.objects.filter(key__in={key for _, key in wanted}) if wanted else []
    return {(item.kind, item.key): item.uid for item in found}
