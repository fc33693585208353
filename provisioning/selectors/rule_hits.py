"""How often rules were hit, from the counters that nodes report (provisioning/core/values/counter_key.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Min, OuterRef, Subquery

from provisioning.core.values.counter_key import CounterKey
from provisioning.models import CounterReading

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RuleHits:
    """Hits within the window (connections for a rule, packets for a default action) and when the last was counted."""

    count: int
    last: datetime | None

    def __add__(self, other: RuleHits) -> RuleHits:
        return RuleHits(self.count + other.count, max(filter(None, (self.last, other.last)), default=None))


def rule_hits(now: datetime) -> dict[str, RuleHits]:
    """Return rule id (``prod-out/web``) → its hits of the last 24 hours, in all segments and on all nodes.

    A rule that no node counts is left out.
    """
    return _hits(now, "rule/", lambda name: name.partition("/")[2])


def default_action_hits(now: datetime) -> dict[str, RuleHits]:
    """Return segment key → the packets of the last 24 hours that its default action denied."""
    return _hits(now, "default-action/", lambda name: name)


def _hits(now: datetime, prefix: str, name_of: Callable[[str], str]) -> dict[str, RuleHits]:
    start = (now - WINDOW).replace(second=0, microsecond=0)
    counters = CounterReading.objects.filter(minute__gte=start, at__lte=now, key__startswith=prefix)
    before = CounterReading.objects.filter(
        node=OuterRef("node"), key=OuterRef("key"), epoch=OuterRef("epoch"), minute__lt=start
    )
    bases = counters.values("node", "key", "epoch").annotate(
        base=Subquery(before.order_by("-minute").values("value")[:1])
    )
    base_of = {(row["node"], row["key"], row["epoch"]): row["base"] or 0 for row in bases}
    # Each value once, with the time it was first reported: a counter that stands still is one row.
    values = counters.values_list("node", "key", "epoch", "value").annotate(first=Min("at"))
    hits: dict[str, RuleHits] = {}
    for counter, readings in groupby(values.order_by("node", "key", "epoch", "value"), key=lambda row: row[:3]):
        *_, (_, _, _, value, first) = readings
        key, base = CounterKey.parse(counter[1]), base_of[counter]
        if key is not None:
            grown = RuleHits(value - base, first if value > base else None)
            name = name_of(key.subject_name)
            hits[name] = hits[name] + grown if name in hits else grown
    return hits
