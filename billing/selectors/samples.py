"""Samples as the values that rating takes, read without making model instances: a month has tens of thousands."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billing.core.samples import Sample as SampleValue
from billing.models import Sample


class Metered(NamedTuple):
    """A stored sample: its row, the intent object behind it, and what it says."""

    pk: int
    item_uid: UUID | None
    value: SampleValue


def metered(start: datetime, end: datetime, meter: str | None = None) -> list[Metered]:
    """The samples (of one meter) whose windows start in [start, end)."""
    found = Sample.objects.filter(window_start__gte=start, window_start__lt=end).order_by()
    if meter:
        found = found.filter(meter=meter)
    fields = ("pk", "item_uid", "meter", "subject", "window_start", "window_end", "quantity", "dimensions")
    return [
        Metered(pk, item_uid, SampleValue(name, subject, begin, stop, quantity, tuple(dimensions.items())))
        for pk, item_uid, name, subject, begin, stop, quantity, dimensions in found.values_list(*fields)
    ]
