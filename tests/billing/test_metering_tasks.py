"""The metering tasks, which run once a minute for each tenant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from billing import selectors, services, tasks
from billing.models import Sample
from portal.celery import app
from tenants.models import Tenant
from tenants.scope import scope
from tests.billing.conftest import at, create_connector_lifecycle


@pytest.fixture
def eager_tasks() -> Iterator[None]:
    """Run Celery tasks eagerly."""
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)


def test_metering_updates_each_tenants_draft_invoice(acme: Tenant, globex: Tenant, eager_tasks: None) -> None:
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            create_connector_lifecycle(name, timezone.now() - timedelta(minutes=90))
    tasks.meter_tenants()
    tasks.meter_tenants()
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            lines = selectors.invoice_lines(selectors.list_invoices()[0]["number"])
            assert [line["subject"]["address"] for line in lines] == [f"connector/{name}"]


def test_metering_resumes_where_it_stopped_days_ago(acme: Tenant) -> None:
    with scope(acme):
        create_connector_lifecycle("a", at(0))
        services.meter_usage(at(30))
        assert Sample.objects.count() == 1
        services.meter_usage(at(3 * 24 * 60))
        assert sum(Sample.objects.values_list("quantity", flat=True)) == 72
        assert selectors.list_invoices()[0]["sample_count"] == 72
        services.meter_usage(at(12 * 24 * 60))
        assert [(invoice["number"], invoice["sample_count"]) for invoice in selectors.list_invoices()] == [
            ("DRAFT-2026-12", 106),
            ("DRAFT-2026-11", 182),
        ]


def test_a_tenant_that_begins_on_the_first_of_a_month_has_no_invoice_of_the_month_before(acme: Tenant) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    with scope(acme):
        create_connector_lifecycle("a", midnight + timedelta(minutes=10))
        services.meter_usage(midnight + timedelta(minutes=30))
        assert [invoice["number"] for invoice in selectors.list_invoices()] == ["DRAFT-2026-12"]
