"""Samples as the values that rating takes, read without model instances, since a month has tens of thousands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Min, Sum
from django.db.models.functions import TruncDay, TruncHour

from billing.core.samples import HOUR, SampleValue, start_of_hour
from billing.models import Sample


class StoredSample(NamedTuple):
    """A stored sample: its row, the intent object behind it, and what it says."""

    pk: int
    item_uid: UUID | None
    value: SampleValue


def has_samples(start: datetime, end: datetime) -> bool:
    """Return whether the window of any sample starts in [start, end)."""
    return Sample.objects.filter(window_start__gte=start, window_start__lt=end).exists()


def load_samples(start: datetime, end: datetime, meter: str | None = None) -> list[StoredSample]:
    """Return the samples (of one meter) whose windows start in [start, end)."""
    rows = Sample.objects.filter(window_start__gte=start, window_start__lt=end).order_by()
    if meter:
        rows = rows.filter(meter=meter)
    fields = ("pk", "item_uid", "meter", "subject", "window_start", "window_end", "quantity", "dimensions")
    return [
        StoredSample(pk, item_uid, SampleValue(name, subject, begin, stop, quantity, tuple(dimensions.items())))
        for pk, item_uid, name, subject, begin, stop, quantity, dimensions in rows.values_list(*fields)
    ]


TRUNCATIONS = {"day": TruncDay, "hour": TruncHour}


class SummedSample(NamedTuple):
    """Samples of one subject with the same dimensions, as one; ``samples`` of them."""

    value: SampleValue
    samples: int


def sum_samples(cuts: Iterable[datetime], meter: str | None = None, by: str = "") -> list[SummedSample]:
    """Return what was metered between the first and the last of ``cuts``, added up by the database.

    A month of hours becomes a few rows. Nothing is added across a cut, nor across a day or an hour with ``by`` "day" or
    "hour". Rating gives the same for these as for the samples themselves if every change of a price is a cut.
    """
    truncation: dict[str, Any] = {}
    if by in TRUNCATIONS:
        truncation = {"at": TRUNCATIONS[by]("window_start", tzinfo=UTC)}
    sums = []
    for start, end in pairwise(sorted(set(cuts))):
        rows = Sample.objects.filter(window_start__gte=start, window_start__lt=end).order_by()
        if meter:
            rows = rows.filter(meter=meter)
        groups = rows.annotate(**truncation).values("meter", "subject", "dimensions", *truncation)
        for row in groups.annotate(first=Min("window_start"), total=Sum("quantity"), count=Count("pk")):
            first, dimensions = row["first"], tuple(row["dimensions"].items())
            value = SampleValue(
                row["meter"], row["subject"], first, start_of_hour(first) + HOUR, row["total"], dimensions
            )
            sums.append(SummedSample(value, row["count"]))
    return sums
