"""Plans of large networks: computed by a worker, returned at once if it is quick."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from provisioning.services import plans
from tenants.models import Tenant
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    create_object,
    create_sample_network,
)
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


def test_a_large_plan_that_no_worker_has_computed_yet_is_answered_202(
    netadmin: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    settings.PLAN_PATIENCE = 0.3
    where = create_sample_network(netadmin)
    waiting = netadmin.post(f"{where}plan/")
    assert waiting.status_code == 202 and waiting.json()["state"] == "computing" and waiting["Location"]
    assert waiting.json()["progress"] and netadmin.get(waiting["Location"]).json()["state"] == "computing"


def run_planner(tenant: str, plan: int) -> None:
    """Handle an outbox message with a worker thread."""

    def work() -> None:
        plans.PlanJob(Tenant.objects.get(slug=tenant)).run(plan)
        connection.close()

    threading.Thread(target=work).start()


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_a_worker_computes_quickly_is_in_the_response(
    netadmin: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    settings.OUTBOX_HANDLERS = {**settings.OUTBOX_HANDLERS, "plan": "tests.api.test_large_plans.run_planner"}
    where = create_sample_network(netadmin)
    created = netadmin.post(f"{where}plan/")
    assert created.status_code == 201, created.content
    assert created.json()["state"] == "ready" and created.json()["steps"]
    assert netadmin.get(created["Location"])["ETag"] == created["ETag"]
    create_object(netadmin, where, "assertions", {"name": "x", "from": "prod", "to": "site-b", "expect": "blocked"})
    problem = assert_problem(netadmin.post(f"{where}plan/"), 422)
    assert problem["problems"][0]["code"] == "assertion_failed"
    [failed] = netadmin.get("t/acme/plans/?state=failed").json()["results"]
    assert netadmin.get(f"t/acme/plans/{failed['id']}/").json()["problems"][0]["path"] == "assertions/x"
