"""The world as it was left: what a plan is computed against, and what a finished step writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from provisioning.core.values.resource import Body, Resource, content_digest
from provisioning.models import InFlightWrite, Lifecycle, ResourceRecord, Step
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.tenant_cache import CachedResource


def observed_resources() -> dict[str, Resource]:
    """Address → resource, for everything that is there as far as we know; what did not change is the same object."""
    return {kept.resource.address: kept.resource for kept in _load_records().values()}


def _load_records() -> Mapping[int, CachedResource]:
    kept = tenant_cache.cached_resources()
    there = list(ResourceRecord.objects.values_list("pk", "changed_at"))
    now = {pk: kept[pk] for pk, changed_at in there if pk in kept and kept[pk].at == changed_at}
    new = [pk for pk, _ in there if pk not in now]
    records = ResourceRecord.objects.filter(pk__in=new) if now else ResourceRecord.objects.all()
    for one in records if new else ():
        found = Resource(one.address, one.kind, one.body, tuple(one.depends), tuple(one.subjects))
        now[one.pk] = CachedResource(one.changed_at, found, content_digest(one.body))
    tenant_cache.cache_resources(now)
    return now


def in_flight_writes() -> dict[str, Resource]:
    """Address → what a step began to write there and did not finish, by cancelling, failing or dying."""
    return {
        row.address: Resource(row.address, row.kind, row.body, tuple(row.depends), tuple(row.subjects))
        for row in InFlightWrite.objects.all()
    }


def state_fingerprint() -> str:
    """A digest that moves when anything that is there, or may be, moved."""
    there = {kept.resource.address: kept.digest for kept in _load_records().values()}
    return content_digest([there, {address: resource.body for address, resource in in_flight_writes().items()}])


def record_write_started(step: Step, now: datetime) -> None:
    """Written before a driver is called: from here on only a finished step tells what is at this address."""
    change = step.change.core
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


def resource_attributes(addresses: list[str]) -> dict[str, Mapping[str, Any]]:
    """What is known of these addresses: cloud ids and the like."""
    found = ResourceRecord.objects.filter(address__in=addresses)
    return {record.address: record.attributes for record in found}


def record_write_finished(step: Step, body: Body | None, known: Mapping[str, Any], now: datetime) -> None:
    """A step's outcome holds: keep what is there now and, for what is metered, since when."""
    InFlightWrite.objects.filter(address=step.address).delete()
    if body is None:
        ResourceRecord.objects.filter(address=step.address).delete()
    else:
        ResourceRecord.objects.update_or_create(
            address=step.address,
            defaults={
                "kind": step.kind,
                "body": body,
                "attributes": dict(known),
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
