"""Fixtures of billing: an MSP with two tenants, a direct tenant, and the demo's prices since October 2026."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.demo import ensure_demo_prices
from provisioning.models import CounterReading, Item, Lifecycle, Node, NodeTenant, Version
from tenants.models import Msp, Tenant
from tenants.scope import current_tenant

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(minute: float, day: datetime = TEN) -> datetime:
    """Return the time ``minute`` minutes after ten o'clock."""
    return day + timedelta(minutes=minute)


@pytest.fixture
def acme(db: Any) -> Tenant:
    northwind = Msp.objects.create(slug="northwind", name="Northwind Managed Networks")
    acme = Tenant.objects.create(slug="acme-health", name="Acme Health", msp=northwind)
    Tenant.objects.create(slug="globex-retail", name="Globex Retail", msp=northwind)
    Tenant.objects.create(slug="initech", name="Initech")
    ensure_demo_prices(datetime(2026, 10, 1, tzinfo=UTC))
    return acme


@pytest.fixture
def globex(acme: Tenant) -> Tenant:
    return Tenant.objects.get(slug="globex-retail")


def create_lifecycle(
    address: str, kind: str, start: datetime, end: datetime | None = None, /, **dimensions: str
) -> Lifecycle:
    row = Lifecycle(address=address, kind=kind, dimensions=dimensions, started_at=start, ended_at=end)
    row.save()
    return row


def create_connector_lifecycle(
    name: str, start: datetime, end: datetime | None = None, size: str = "small", **more: str
) -> Lifecycle:
    dimensions = {"kind": "lab-site", "size": size, "exchange": "eu", **more}
    return create_lifecycle(f"connector/{name}", "exchange.connector", start, end, **dimensions)


def create_named_item(kind: str, key: str, name: str) -> Item:
    item = Item(kind=kind, key=key)
    item.save()
    Version(item=item, kind=kind, name=name, body={"name": name}, first=1).save()
    return item


def get_or_create_node(location: str, index: int) -> Node:
    return Node.objects.get_or_create(location=location, index=index)[0]


def record_reading(node: Node, key: str, when: datetime, value: int, epoch: str = "boot-1") -> None:
    """Record a counter reading as a node's report does."""
    minute = when.replace(second=0, microsecond=0)
    NodeTenant.objects.get_or_create(node=node, tenant=current_tenant())
    CounterReading.objects.bulk_create(
        [CounterReading(node=node, key=key, epoch=epoch, minute=minute, at=when, value=value)],
        update_conflicts=True,
        unique_fields=["tenant", "node", "key", "epoch", "minute"],
        update_fields=["at", "value"],
    )
