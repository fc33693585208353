"""Metering wakes once a minute and looks at each tenant by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import selectors, tasks
from billing.core.meters import HOURLY
from portal.celery import app
from provisioning.services import world
from tenants.scope import scope
from tests.billing.conftest import connector


@pytest.fixture
def at_once():
    """Tasks run where they are sent."""
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)


def test_metering_brings_each_tenants_draft_up_to_date(acme, globex, at_once):
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            connector(name, timezone.now() - timedelta(minutes=90))
    tasks.meter()
    tasks.meter()
    for tenant, name in ((acme, "a"), (globex, "g")):
        with scope(tenant):
            lines = selectors.lines(selectors.invoices()[0]["number"])
            assert [line["subject"]["address"] for line in lines] == [f"connector/{name}"]


def test_the_lifecycle_log_keeps_what_hours_are_priced_by():
    for kind, (_, fields) in HOURLY.items():
        assert set(fields) <= set(world.METERED[kind])
