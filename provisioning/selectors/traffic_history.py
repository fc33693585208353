"""The traffic of one edge or exchange of the topology, or of all of it, over hours or a month, by slots of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Sum

from provisioning.models import EdgeTraffic, TrafficRollup

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time to look back, and the slots it is shown in. ``stored``: the slots that these are made of."""

    name: str
    word: str
    slot_word: str
    length: timedelta
    slot: timedelta
    stored: timedelta

    @property
    def slots(self) -> int:
        return self.length // self.slot


SPANS = {
    span.name: span
    for span in (
        Span("6h", "6 hours", "5 minutes", 6 * HOUR, 5 * MINUTE, 5 * MINUTE),
        Span("24h", "24 hours", "15 minutes", 24 * HOUR, 15 * MINUTE, 5 * MINUTE),
        Span("7d", "7 days", "an hour", 7 * 24 * HOUR, HOUR, HOUR),
        Span("30d", "30 days", "6 hours", 30 * 24 * HOUR, 6 * HOUR, HOUR),
    )
}
DEFAULT_SPAN = SPANS["24h"]


@dataclass(frozen=True, slots=True)
class TrafficHistory:
    """Mean bits per second of each slot, the oldest first; None where no node was heard.

    Forth is from a connector into its exchange, or from the first exchange of a mesh link to the other. ``spoofed`` and
    ``over_rate`` are packets that nodes dropped in the whole span: from prefixes that are not the connector's, and over
    the rate of its size. Nodes measure no loss on the way between them.
    """

    span: Span
    start: datetime
    forth: Sequence[float | None]
    back: Sequence[float | None]
    spoofed: int = 0
    over_rate: int = 0

    @property
    def end(self) -> datetime:
        return self.start + self.span.length

    @property
    def peak(self) -> float:
        return max((rate for rate in (*self.forth, *self.back) if rate is not None), default=0.0)


@dataclass(frozen=True, slots=True)
class RecordedTraffic:
    """What was counted in one slot: edge → bits per second [forth, back], and the nodes that were heard."""

    rates: dict[str, list[float]]
    heard: frozenset[int]


def recorded_traffic(start: datetime, span: Span) -> RecordedTraffic:
    """Return what was counted in the slot of a span that begins at an instant."""
    rows = EdgeTraffic.objects.filter(slot_minutes=span.stored // MINUTE, start__gte=start, start__lt=start + span.slot)
    sums = rows.values_list("edge").annotate(Sum("forth"), Sum("back"))
    seconds = span.slot.total_seconds()
    return RecordedTraffic(
        rates={edge: [forth * 8 / seconds, back * 8 / seconds] for edge, forth, back in sums},
        heard=frozenset(rows.filter(minutes__gt=0).values_list("node", flat=True)),
    )


def counted_until() -> datetime | None:
    """Return until when the tenant's traffic is known by slots; None where nothing was counted yet."""
    return TrafficRollup.objects.values_list("until", flat=True).first()


def traffic_history(subject: str, span: Span = DEFAULT_SPAN) -> TrafficHistory | None:
    """Return the history of ``connector/{key}``, ``mesh/{a}/{b}``, ``exchange/{key}`` or, for "", of the network.

    That of an exchange, and of the network, is the sum of its connectors'. None where nothing was counted.
    """
    until = counted_until()
    if until is None:
        return None
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (until - midnight) // span.stored * span.stored - span.length
    kind, _, name = subject.partition("/")
    of_subject = Q(edge=subject) if kind in ("connector", "mesh") else Q(edge__startswith="connector/")
    if kind == "exchange":
        of_subject &= Q(exchange=name)
    rows = EdgeTraffic.objects.filter(
        of_subject, slot_minutes=span.stored // MINUTE, start__gte=start, start__lt=start + span.length
    )
    sums = rows.values_list("start").annotate(Sum("forth"), Sum("back"), Sum("spoofed"), Sum("over_rate"))
    totals: dict[int, list[int]] = {}
    for at, *counts in sums:
        total = totals.setdefault((at - start) // span.slot, [0, 0, 0, 0])
        for index, count in enumerate(counts):
            total[index] += count
    if not totals:
        return None
    seconds = span.slot.total_seconds()

    def rates(direction: int) -> list[float | None]:
        return [totals[slot][direction] * 8 / seconds if slot in totals else None for slot in range(span.slots)]

    spoofed, over_rate = (sum(total[index] for total in totals.values()) for index in (2, 3))
    return TrafficHistory(span, start, rates(0), rates(1), spoofed, over_rate)
