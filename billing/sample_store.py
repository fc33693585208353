"""Writing samples: make the stored samples of a window be the measured ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from billing.core.samples import SampleValue
from billing.models import Sample
from billing.selectors.subjects import item_key_of
from provisioning.selectors import metering


@dataclass(frozen=True, slots=True)
class MeasuredSample:
    """A sample and where it comes from."""

    value: SampleValue
    provenance: dict[str, Any] = field(hash=False)


class CollectionResult(NamedTuple):
    """What a collection changed, and from which hour on."""

    created: int
    updated: int
    removed: int
    since: datetime


def store_samples(
    measured: Iterable[MeasuredSample], start: datetime, end: datetime, now: datetime
) -> CollectionResult:
    """Make the samples of [start, end) be these.

    Hours that the lifecycle log no longer shows are removed; gigabytes once counted stay.
    """
    desired = {sample.value.key: sample for sample in measured}
    existing = {row.value.key: row for row in Sample.objects.filter(window_start__gte=start, window_start__lt=end)}
    uids = _item_uids(sample.value.subject for key, sample in desired.items() if key not in existing)
    created, updated = [], []
    for key, sample in desired.items():
        row = existing.get(key)
        if row is None:
            created.append(_sample_row(sample, uids, now))
        elif row.value != sample.value:
            row.quantity, row.window_end = sample.value.quantity, sample.value.window_end
            row.dimensions, row.provenance = dict(sample.value.dimensions), sample.provenance
            row.updated_at = now
            updated.append(row)
    removed = [
        row.pk for key, row in existing.items() if key not in desired and row.provenance.get("source") == "lifecycle"
    ]
    # Two workers may collect one hour at once; the constraint lets the row of the second become an update.
    update_fields = ["quantity", "window_end", "dimensions", "provenance", "updated_at"]
    Sample.objects.bulk_create(
        created,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["tenant", "meter", "subject", "window_start"],
        update_fields=update_fields,
    )
    Sample.objects.bulk_update(updated, update_fields, batch_size=500)
    removed_count = Sample.objects.filter(pk__in=removed).delete()[0] if removed else 0
    return CollectionResult(len(created), len(updated), removed_count, start)


def _sample_row(sample: MeasuredSample, uids: Mapping[tuple[str, str], UUID], now: datetime) -> Sample:
    value = sample.value
    return Sample(
        meter=value.meter,
        subject=value.subject,
        item_uid=uids.get(item_key_of(value.subject)),
        window_start=value.window_start,
        window_end=value.window_end,
        quantity=value.quantity,
        dimensions=dict(value.dimensions),
        provenance=sample.provenance,
        recorded_at=now,
        updated_at=now,
    )


def _item_uids(subjects: Iterable[str]) -> dict[tuple[str, str], UUID]:
    keys = {item_key_of(subject)[1] for subject in subjects}
    return metering.item_uids(keys) if keys else {}
