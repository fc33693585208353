"""Plans that a worker computes: each ends in a state that names what happened during_computation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from provisioning.errors import StateConflict
from provisioning.models import Draft, Plan
from provisioning.services import lease, plans, runs
from provisioning.services.drafts import lifecycle
from tenants.models import Outbox
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture
def always_by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every plan to a worker."""
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)


@pytest.fixture
def during_computation(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[str]]:
    """Return a function that runs an action during the next computation; its list gets later progress reports."""

    def arrange(act: Callable[[], Any]) -> list[str]:
        reported, compute = [], plans.plan_computation.compute_plan

        def interrupted(inputs: Any, progress: Any) -> Any:
            monkeypatch.setattr(plans.plan_computation, "compute_plan", compute)
            act()

            def report(word: str) -> None:
                progress(word)
                reported.append(word)

            return compute(inputs, report)

        monkeypatch.setattr(plans.plan_computation, "compute_plan", interrupted)
        return reported

    return arrange


def computed_plan(people: People, plan: Plan) -> Plan:
    plans.PlanJob(people.acme).run(plan.pk)
    plan.refresh_from_db()
    return plan


@pytest.mark.parametrize("where", ["load_inputs", "compute_plan", "save_plan"])
def test_a_plan_that_crashes_its_worker_fails_with_a_problem(
    people: People, always_by_worker: None, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def crash(*args: object) -> None:
        raise RuntimeError("marker-of-the-crash")

    monkeypatch.setattr(plans.plan_computation, where, crash)
    with scope(people.acme):
        plan = computed_plan(people, plans.create_plan(draft_with_document()))
        assert (plan.state, plan.progress, plan.lease_until) == ("failed", "", None)
        [problem] = plan.problems
        assert problem["code"] == "internal" and str(plan.uid) in problem["path"]
        assert "Plan again" in problem["message"] and "marker" not in str(plan.problems)
        assert plans.due_plans(timezone.now() + 10 * lease.WAKE_UP_TIMEOUT) == []
        monkeypatch.undo()
        assert plans.create_plan(Draft.objects.get()).state == "ready"


def test_a_plan_of_a_draft_that_is_discarded_meanwhile_is_computed_no_further(
    people: People, always_by_worker: None, during_computation: Any
) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        reported = during_computation(lambda: lifecycle.discard_draft(draft))
        plan = computed_plan(people, plans.create_plan(draft))
        assert plan.state == "stale" and "was discarded" in plan.moved[0] and reported == []


def test_a_discarded_draft_is_not_provisioned(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        plan = plans.create_plan(draft)
        lifecycle.discard_draft(draft)
        with pytest.raises(StateConflict, match="stale"):
            runs.provision_plan(plan, plan.digest)
        # Discarded while somebody presses Provision: the draft itself says so.
        Plan.objects.filter(pk=plan.pk).update(state="ready")
        with pytest.raises(StateConflict, match="was discarded"):
            runs.provision_plan(plan, plan.digest)


def test_a_newer_plan_ends_the_one_that_is_computed(
    people: People, always_by_worker: None, during_computation: Any
) -> None:
    with scope(people.acme):
        draft, newer = draft_with_document(), []
        reported = during_computation(lambda: newer.append(plans.create_plan(draft)))
        plan = computed_plan(people, plans.create_plan(draft))
        assert plan.state == "stale" and plan.moved == [plans.SUPERSEDED] and reported == []
        assert computed_plan(people, newer[0]).state == "ready"
        plan.refresh_from_db()
        assert plan.state == "stale"


def test_a_plan_that_is_computed_can_be_rejected_and_stays_so(
    people: People, always_by_worker: None, during_computation: Any
) -> None:
    with scope(people.acme):
        plan = plans.create_plan(draft_with_document())
        with pytest.raises(StateConflict, match="computing"):
            plans.approve_plan(plan)
        reported = during_computation(lambda: plans.reject_plan(plan))
        assert computed_plan(people, plan).state == "rejected" and reported == [] and plan.progress == ""
        with pytest.raises(StateConflict, match="rejected"):
            runs.provision_plan(plan, plan.digest)


def test_a_plan_without_a_broker_waits_until_the_sweep_wakes_it(
    people: People, always_by_worker: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from provisioning import tasks

    def away(*args: object) -> None:
        raise ConnectionError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr(tasks, "wake_plan", away)
        with django_capture_on_commit_callbacks(execute=True), scope(people.acme):
            plan = plans.create_plan(draft_with_document())
        assert plan.state == "computing"
        assert [message.payload["plan"] for message in Outbox.objects.filter(topic="plan")] == [plan.pk]
    with scope(people.acme):
        assert plans.due_plans(timezone.now() + 2 * lease.WAKE_UP_TIMEOUT) == [plan.pk]
        assert computed_plan(people, plan).state == "ready"
