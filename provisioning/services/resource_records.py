"""What steps write about resources: that a write began, what is there once it is done, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from provisioning.core.values.resource import Body
from provisioning.models import InFlightWrite, Lifecycle, ResourceRecord, Step


def record_write_started(step: Step, now: datetime) -> None:
    """Write, before a driver is called, that from now on only a finished step tells what is at this address."""
    change = step.change.as_change
    InFlightWrite.objects.update_or_create(
        address=step.address,
        defaults={
            "kind": step.kind,
            "body": change.after if change.after is not None else change.before,
            "depends": step.change.resource_depends,
            "subjects": step.change.subjects,
            "at": now,
        },
    )


def record_write_finished(step: Step, body: Body | None, attributes: Mapping[str, Any], now: datetime) -> None:
    """Write what is there after a step (None: nothing) and, for what is metered, since when."""
    InFlightWrite.objects.filter(address=step.address).delete()
    if body is None:
        ResourceRecord.objects.filter(address=step.address).delete()
    else:
        ResourceRecord.objects.update_or_create(
            address=step.address,
            defaults={
                "kind": step.kind,
                "body": body,
                "attributes": dict(attributes),
                "depends": step.change.resource_depends,
                "subjects": step.change.subjects,
                "changed_at": now,
            },
        )
    _update_lifecycle(step, body, now)


def _update_lifecycle(step: Step, body: Body | None, now: datetime) -> None:
    """End the resource's lifecycle and begin a new one when what its hours are priced by has changed."""
    dimensions = import_string(settings.LIFECYCLE_DIMENSIONS)(step.kind, body or {})
    if dimensions is None:
        return
    lifecycle = Lifecycle.objects.filter(address=step.address, ended_at__isnull=True).first()
    if lifecycle and body is not None and lifecycle.dimensions == dimensions:
        return
    if lifecycle:
        lifecycle.ended_at = now
        lifecycle.save(update_fields=["ended_at"])
    if body is not None:
        Lifecycle(
            address=step.address,
            kind=step.kind,
            subject=step.change.subjects[0] if step.change.subjects else "",
            dimensions=dimensions,
            started_at=now,
        ).save()
