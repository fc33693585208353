"""The traffic of one edge of the topology over the last 24 hours, from the counters that nodes reported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from django.db.models import DateTimeField, F, Func, Max, Min, Q, Value

from provisioning.models import CounterReading
from provisioning.selectors.traffic_rates import edge_of_counter, exchanges_by_node

WINDOW = timedelta(hours=24)
SLOT = timedelta(minutes=15)


class TrafficHistory(NamedTuple):
    """Mean bits per second of each slot, the oldest first: from a connector into its exchange and back, or from the
    first exchange of a mesh link to the other and back."""

    forth: list[float]
    back: list[float]

    @property
    def peak(self) -> float:
        return max(*self.forth, *self.back)


class _SlotReading(NamedTuple):
    node: int
    key: str
    epoch: str
    slot: int
    lowest: int
    highest: int


def traffic_history(edge: str, now: datetime) -> TrafficHistory | None:
    """Return the history of ``connector/{key}`` or ``mesh/{a}/{b}``; None where nothing was counted."""
    start = now - WINDOW
    exchanges = exchanges_by_node()
    history = TrafficHistory(*([0.0] * (WINDOW // SLOT) for _ in range(2)))
    counted = False
    for (node, key, _), readings in groupby(_slot_readings(edge, exchanges, start, now), key=lambda row: row[:3]):
        of_counter = edge_of_counter(exchanges[node], key)
        if of_counter is None or of_counter[0] != edge:
            continue
        counted = True
        for slot, grown in _growth(list(readings)):
            history[of_counter[1]][slot] += grown * 8 / SLOT.total_seconds()
    return history if counted else None


def _slot_readings(edge: str, exchanges: dict[int, str], start: datetime, now: datetime) -> Iterator[_SlotReading]:
    kind, *names = edge.split("/")
    subjects = [edge] if kind == "connector" else [f"{kind}/{name}" for name in names]
    of_edge = Q()
    for subject in subjects:
        of_edge |= Q(key__startswith=f"{subject}|")
    slot = Func(Value(SLOT), F("minute"), Value(start), function="date_bin", output_field=DateTimeField())
    rows = (
        CounterReading.objects.filter(of_edge, node__in=exchanges, minute__gte=start, minute__lte=now)
        .annotate(slot=slot)
        .values_list("node", "key", "epoch", "slot")
        .annotate(lowest=Min("value"), highest=Max("value"))
        .order_by("node", "key", "epoch", "slot")
    )
    last = WINDOW // SLOT - 1
    for node, key, epoch, begin, lowest, highest in rows:
        yield _SlotReading(node, key, epoch, min((begin - start) // SLOT, last), lowest, highest)


def _growth(readings: list[_SlotReading]) -> Iterator[tuple[int, float]]:
    """Yield (slot, bytes) of one counter. What grew while nothing was reported is spread over the slots of the gap."""
    yield readings[0].slot, readings[0].highest - readings[0].lowest
    for before, after in pairwise(readings):
        slots = range(before.slot + 1, after.slot + 1)
        for slot in slots:
            yield slot, (after.highest - before.highest) / len(slots)
