"""The metering task walks all tenants, one scope each."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from billing import selectors, tasks
from tenants.scope import scope
from tests.billing.conftest import connector


def test_metering_brings_each_tenants_draft_up_to_date(acme, globex):
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            connector(name, timezone.now() - timedelta(minutes=90))
    tasks.meter()
    tasks.meter()
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            lines = selectors.lines(selectors.invoices()[0]["number"])
            assert [line["subject"]["address"] for line in lines] == [f"connector/{name}"]
