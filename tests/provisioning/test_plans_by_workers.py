"""Plans of large networks, computed by a worker."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from provisioning.models import Draft, Plan
from provisioning.services import lease, plans
from provisioning.services.drafts import editing
from tenants.actor import Actor, acting
from tenants.models import AuditEntry
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db(databases=["default"])


def computed_plan(people: People, draft: Draft) -> Plan:
    plan = plans.create_plan(draft)
    assert plan.state == "computing" and plan.progress == "Waiting for a worker"
    plans.PlanJob(people.acme).run(plan.pk)
    return Plan.objects.get(pk=plan.pk)


def test_a_worker_computes_the_same_plan_as_the_request(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        small = plans.create_plan(draft)
        monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
        large = computed_plan(people, draft)
        assert large.state == "ready" and large.digest == small.digest and large.progress == ""
        assert large.steps == small.steps and large.reachability == small.reachability
        small.refresh_from_db()
        assert small.state == "stale"


def test_a_plan_of_an_invalid_network_fails_with_problems(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    with scope(people.acme):
        draft = draft_with_document()
        never = {"name": "never", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
        editing.add_object(draft, "assertions", never)
        plan = computed_plan(people, draft)
        assert plan.state == "failed" and [problem["code"] for problem in plan.problems] == ["assertion_failed"]


def test_a_plan_of_a_draft_that_was_edited_meanwhile_is_stale(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    real = plans.plan_computation.compute_plan

    def edit_meanwhile(inputs: Any, progress: Any) -> Any:
        result = real(inputs, progress)
        with scope(people.acme):
            editing.add_object(Draft.objects.get(pk=inputs.draft.pk), "groups", {"name": "late"})
        return result

    monkeypatch.setattr(plans.plan_computation, "compute_plan", edit_meanwhile)
    with scope(people.acme):
        plan = computed_plan(people, draft_with_document())
        assert plan.state == "stale" and "was edited" in plan.moved[0]


def test_a_plan_whose_worker_died_is_retried_and_finally_fails(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    from django.utils import timezone

    with scope(people.acme):
        draft = draft_with_document()
        plan = plans.create_plan(draft)
        now = timezone.now()
        assert plans.due_plans(now) == [] and plans.due_plans(now + 2 * lease.WAKE_UP_TIMEOUT) == [plan.pk]
        host_and_boot = plans.lease.current_worker().rpartition("/")[0].rpartition("/")[0]
        dead = {"lease_owner": f"{host_and_boot}/999999999/1", "lease_until": now + plans.lease.LEASE_DURATION}
        Plan.objects.filter(pk=plan.pk).update(lease_number=1, **dead)
        assert plans.due_plans(now) == [plan.pk]
        Plan.objects.filter(pk=plan.pk).update(lease_owner=plans.lease.current_worker())
        assert plans.due_plans(now) == []
        Plan.objects.filter(pk=plan.pk).update(**dead)
        plans.PlanJob(people.acme).run(plan.pk)
        plan.refresh_from_db()
        assert (plan.state, plan.lease_number) == ("ready", 2)
        plan = plans.create_plan(draft)
        Plan.objects.filter(pk=plan.pk).update(lease_number=plans.MAX_ATTEMPTS, **dead)
        plans.PlanJob(people.acme).run(plan.pk)
        plan.refresh_from_db()
        assert plan.state == "failed" and plan.problems[0]["code"] == "worker_lost"


def test_a_plan_by_a_worker_is_logged_as_its_authors_in_the_name_of_their_msp(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    with scope(people.acme), acting(Actor("engineer@demo.test", acting_as="northwind")):
        plan = plans.create_plan(draft_with_document())
    plans.PlanJob(people.acme).run(plan.pk)
    with scope(people.acme):
        entry = AuditEntry.objects.get(action="plan.ready")
        assert (entry.actor, entry.acting_as) == ("engineer@demo.test", "northwind")


def test_equal_resource_bodies_are_stored_once(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        first = plans.create_plan(draft)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM provisioning_resourcebody")
            before = cursor.fetchone()[0]
            editing.add_object(draft, "groups", {"name": "late"})
            second = plans.create_plan(draft)
            cursor.execute("SELECT count(*) FROM provisioning_resourcebody")
            assert cursor.fetchone()[0] == before
        assert first.steps == second.steps and first.digest != second.digest
