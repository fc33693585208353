"""What is there, as runs left it: what a plan compares the network with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core.node_document import VERSION
from provisioning.core.values.resource import Resource, content_digest
from provisioning.models import CloudAccount, InFlightWrite, ResourceRecord
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.tenant_cache import CachedResource


def observed_resources() -> dict[str, Resource]:
    """Return address → resource for all that is there as far as we know; what did not change is the same object."""
    return {cached.resource.address: cached.resource for cached in _load_records().values()}


def in_flight_writes() -> dict[str, Resource]:
    """Return address → what a step began to write there and did not finish, by cancelling, failing or dying."""
    return {
        row.address: Resource(row.address, row.kind, row.body, tuple(row.depends), tuple(row.subjects))
        for row in InFlightWrite.objects.all()
    }


def state_fingerprint() -> str:
    """Return a digest that changes when anything that is there, or may be, changes.

    Also when node documents get another version: a plan made before has bodies that nodes are not given any more.
    """
    digests = {cached.resource.address: cached.digest for cached in _load_records().values()}
    in_flight = {address: resource.body for address, resource in in_flight_writes().items()}
    return content_digest([VERSION, digests, in_flight])


def resource_attributes(addresses: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return address → what is known of the resource there, cloud ids for example."""
    records = ResourceRecord.objects.filter(address__in=addresses)
    return {record.address: record.attributes for record in records}


def discovered_inventories() -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return (cloud, account) → what discovery last found there."""
    accounts = CloudAccount.objects.filter(discovered_at__isnull=False)
    return {
        (provider, account): inventory
        for provider, account, inventory in accounts.values_list("provider", "account_id", "inventory")
    }


def added_accounts() -> frozenset[tuple[str, str]]:
    """Return (cloud, account) of each that the tenant added."""
    return frozenset(CloudAccount.objects.values_list("provider", "account_id"))


def _load_records() -> Mapping[int, CachedResource]:
    """Return key → resource of all records; reads from the database only those that changed since the last time."""
    cached = tenant_cache.cached_resources()
    written_at = dict(ResourceRecord.objects.values_list("pk", "changed_at"))
    current = {pk: cached[pk] for pk, when in written_at.items() if pk in cached and cached[pk].at == when}
    changed = [pk for pk in written_at if pk not in current]
    records = ResourceRecord.objects.filter(pk__in=changed) if current else ResourceRecord.objects.all()
    for record in records if changed else ():
        resource = Resource(record.address, record.kind, record.body, tuple(record.depends), tuple(record.subjects))
        current[record.pk] = CachedResource(record.changed_at, resource, content_digest(record.body))
    tenant_cache.cache_resources(current)
    return current
