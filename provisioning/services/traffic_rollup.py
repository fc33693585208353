"""What nodes counted, summed by edge of the topology and slot of time, so that looking back a month reads few rows.

An edge has at most 8 · 288 + 32 · 24 rows for each node that counts it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, DateTimeField, F, Func, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import TruncHour
from django.utils import timezone

from provisioning.core.values.counter_key import CounterKey
from provisioning.models import CounterReading, EdgeTraffic, TrafficRollup
from provisioning.selectors.traffic_rates import edge_of_counter, exchanges_by_node
from tenants import scope
from tenants.jobs import TenantJob

SLOT, HOUR = timedelta(minutes=5), timedelta(hours=1)
KEPT = {SLOT: timedelta(days=8), HOUR: timedelta(days=32)}
"""Length of a slot → how long its rows are kept."""
MAX_WINDOW = timedelta(hours=12)
"""Of readings that are summed in one transaction; the next job goes on."""
DROPS = {"spoof": "spoofed", "over-rate": "over_rate"}
"""First word of a counter of dropped packets → the column that they are in."""
QUANTITIES = ("forth", "back", *DROPS.values())


class SlotReading(NamedTuple):
    """What a counter showed last in a slot, and in how many minutes it was read."""

    slot: datetime
    value: int
    minutes: int


class RollUpJob(TenantJob[None, None]):
    """Sum a tenant's readings of the slots that are over; delete slots that are no longer kept."""

    def claim(self) -> None:
        roll_up(timezone.now())


def roll_up(now: datetime) -> None:
    """Sum the readings since the last time, by whoever comes first: rows are locked, and written again alike."""
    end = _start_of_slot(now)
    rollup = _lock_rollup(now)
    if rollup is None or rollup.until >= end:
        return
    start, end = rollup.until, min(end, rollup.until + MAX_WINDOW)
    rows = _sum_slots(start, end)
    _add_what_is_there([row for row in rows if row.start < start])
    _write(rows)
    _sum_hours(min([start, *(row.start for row in rows)]), end)
    for length, kept in KEPT.items():
        EdgeTraffic.objects.filter(slot_minutes=length // timedelta(minutes=1), start__lt=now - kept).delete()
    rollup.until = end
    rollup.save(update_fields=["until"])


def _lock_rollup(now: datetime) -> TrafficRollup | None:
    """Return how far the tenant's readings are summed; None where another worker is at it, or nothing was counted."""
    if not TrafficRollup.objects.exists():
        kept = CounterReading.objects.filter(at__gte=now - KEPT[SLOT])
        first = kept.aggregate(first=Min("minute"))["first"]
        if first is None:
            return None
        TrafficRollup.objects.get_or_create(tenant=scope.current_tenant(), defaults={"until": _start_of_slot(first)})
    return TrafficRollup.objects.select_for_update(skip_locked=True).first()


def _sum_slots(start: datetime, end: datetime) -> list[EdgeTraffic]:
    exchanges = exchanges_by_node()
    rows: dict[tuple[datetime, int, str], EdgeTraffic] = {}
    for (node, key), readings, before in _counters(start, end, exchanges):
        quantity = _edge_and_quantity(exchanges[node], key)
        if quantity is None:
            continue
        edge, name = quantity
        for slot, grown, minutes in growth(readings, before):
            row = rows.setdefault(
                (slot, node, edge),
                EdgeTraffic(edge=edge, node_id=node, exchange=exchanges[node], slot_minutes=5, start=slot),
            )
            setattr(row, name, getattr(row, name) + grown)
            row.minutes = max(row.minutes, minutes)
    return list(rows.values())


def _add_what_is_there(rows: Iterable[EdgeTraffic]) -> None:
    """Add to shares of a silence what was summed before, of counters that were read meanwhile."""
    by_key = {(row.start, row.node_id, row.edge): row for row in rows}
    there = EdgeTraffic.objects.filter(slot_minutes=5, start__in={row.start for row in by_key.values()})
    for earlier in there if by_key else ():
        if row := by_key.get((earlier.start, earlier.node_id, earlier.edge)):
            row.minutes = earlier.minutes
            for name in QUANTITIES:
                setattr(row, name, getattr(row, name) + getattr(earlier, name))


def growth(readings: Iterable[SlotReading], before: tuple[datetime, int] | None) -> Iterator[tuple[datetime, int, int]]:
    """Yield (slot, count, minutes) of one counter in one epoch; ``before``: slot and value of the reading before these.

    A counter without one began at 0. What grew while it was not read is shared out over the slots in between, exactly.
    """
    for reading in readings:
        since, value = before or (reading.slot - SLOT, 0)
        slots, grown = max(1, (reading.slot - since) // SLOT), max(0, reading.value - value)
        for number in range(1, slots + 1):
            slot = reading.slot - (slots - number) * SLOT
            share = grown * number // slots - grown * (number - 1) // slots
            yield slot, share, reading.minutes if number == slots else 0
        before = reading.slot, max(value, reading.value)


def _counters(
    start: datetime, end: datetime, exchanges: Mapping[int, str]
) -> Iterator[tuple[tuple[int, str], list[SlotReading], tuple[datetime, int] | None]]:
    """Yield each counter in one epoch that was read in [start, end): (node, key), its slots, the reading before."""
    counted = Q(key__startswith="connector/") | Q(key__startswith="mesh/")
    counted &= Q(key__endswith="|bytes")
    for kind in DROPS:
        counted |= Q(key__startswith=f"{kind}/")
    inside = CounterReading.objects.filter(counted, node__in=exchanges, at__gte=start, at__lt=end)
    slot = Func(Value(SLOT), F("minute"), Value(start), function="date_bin", output_field=DateTimeField())
    grouped = inside.annotate(slot=slot).values_list("node", "key", "epoch", "slot")
    rows = grouped.annotate(value=Max("value"), minutes=Count("minute")).order_by("node", "key", "epoch", "slot")
    by_counter: dict[tuple[int, str, str], list[SlotReading]] = defaultdict(list)
    for node, key, epoch, begin, value, minutes in rows:
        by_counter[node, key, epoch].append(SlotReading(begin, value, minutes))
    befores = _readings_before(inside, start)
    for (node, key, epoch), readings in by_counter.items():
        yield (node, key), readings, befores.get((node, key, epoch))


def _readings_before(
    inside: QuerySet[CounterReading], start: datetime
) -> dict[tuple[int, str, str], tuple[datetime, int]]:
    """Return (node, key, epoch) → slot and value of the last reading before ``start``; at most a day before it."""
    earlier = CounterReading.objects.filter(
        node=OuterRef("node"), key=OuterRef("key"), epoch=OuterRef("epoch"), minute__lt=start
    ).order_by("-minute")
    counters = inside.values("node", "key", "epoch").distinct()
    before = {"last": Subquery(earlier.values("minute")[:1]), "total": Subquery(earlier.values("value")[:1])}
    rows: Iterable[Any] = counters.annotate(**before)
    oldest = start - timedelta(days=1)
    return {
        (row["node"], row["key"], row["epoch"]): (max(_start_of_slot(row["last"]), oldest), row["total"])
        for row in rows
        if row["last"] is not None
    }


def _edge_and_quantity(exchange: str, key: str) -> tuple[str, str] | None:
    """Return the edge that a counter of a node at an exchange is about, and the column that it grows."""
    counter = CounterKey.parse(key)
    if counter and counter.subject_kind in DROPS:
        return f"connector/{counter.subject_name}", DROPS[counter.subject_kind]
    of_edge = edge_of_counter(exchange, key)
    return (of_edge[0], ("forth", "back")[of_edge[1]]) if of_edge else None


def _sum_hours(start: datetime, end: datetime) -> None:
    slots = EdgeTraffic.objects.filter(
        slot_minutes=5, start__gte=start.replace(minute=0, second=0, microsecond=0), start__lt=end
    )
    hours = slots.annotate(hour=TruncHour("start")).values("hour", "node_id", "edge", "exchange")
    sums = hours.annotate(**{f"sum_{name}": Sum(name) for name in (*QUANTITIES, "minutes")})
    _write(
        EdgeTraffic(
            edge=row["edge"],
            node_id=row["node_id"],
            exchange=row["exchange"],
            slot_minutes=60,
            start=row["hour"],
            **{name: row[f"sum_{name}"] for name in (*QUANTITIES, "minutes")},
        )
        for row in sums
    )


def _write(rows: Iterable[EdgeTraffic]) -> None:
    """Write rows over those that are there."""
    EdgeTraffic.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["tenant", "slot_minutes", "start", "node", "edge"],
        update_fields=["exchange", "minutes", *QUANTITIES],
    )


def _start_of_slot(when: datetime) -> datetime:
    return when.replace(minute=when.minute // 5 * 5, second=0, microsecond=0)
