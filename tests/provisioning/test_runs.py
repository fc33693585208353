"""Runs: provisioned by digest, executed under leases, resumed after crashes, retried with the newest intent."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning.core.node_document import VERSION
from provisioning.drivers.base import Done, DriverContext, DriverError, Waiting
from provisioning.errors import Forbidden, StateConflict
from provisioning.models import Draft, Lifecycle, Node, ResourceRecord, Revision, Run, Step
from provisioning.selectors import plan_state
from provisioning.selectors.draft_changes import draft_writers
from provisioning.services import lease, nodes, plans, revisions, runs, steps
from provisioning.services.drafts import editing, history, lifecycle
from provisioning.snapshots import queries, resource_state
from tenants.actor import Actor, acting
from tenants.models import Notification, Tenant
from tenants.scope import scope
from tests.bench.runs import create_ready_plan, measure_run
from tests.node_reports import record_report
from tests.people import People
from tests.provisioning.small_network import (
    HEALTH,
    create_planned_run,
    draft_with_document,
    finish_run,
    provision_document,
    report_all_applied,
)

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)


def states(run: Run) -> dict[str, str]:
    return {step.address: step.state for step in Step.objects.filter(run=run)}


def test_a_provisioned_draft_is_live_and_its_resources_exist(people: People) -> None:
    run = provision_document(people.acme)
    with scope(people.acme):
        assert (run.state, queries.live_snapshot().revision) == ("succeeded", 1)
        assert "connector/site-1" in set(ResourceRecord.objects.values_list("address", flat=True))
        assert Lifecycle.objects.get(address="connector/site-1").dimensions["size"] == "small"
        again = plans.create_plan(lifecycle.create_draft("nothing"))
        assert again.steps == [] and not any(again.reachability.values())


def test_a_plan_lists_the_flows_it_allows(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("policy")
        editing.add_object(draft, "policies", policy())
        plan = plans.create_plan(draft)
        allowed = plan.reachability["allowed"]
        assert [(entry["from"], entry["to"], entry["protocol"]) for entry in allowed] == [(["prod"], ["dev"], "tcp")]
        assert {step["action"] for step in plan.steps} == {"change"}


def policy(**fields: object) -> dict[str, object]:
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    parts = {"position": 1, "segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": [rule]}
    return {"name": "p", **parts, **fields}


def test_a_failing_assertion_blocks_the_plan(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        editing.add_object(draft, "policies", policy())
        never = {"name": "prod never reaches dev", "from": "prod", "to": "dev", "segment": "corp", "expect": "blocked"}
        editing.add_object(draft, "assertions", never)
        plan = plans.create_plan(draft)
        assert plan.state == "failed" and [problem["code"] for problem in plan.problems] == ["assertion_failed"]
        assert plan.reachability["allowed"] and plan.steps
        [assertion] = plan.assertions
        assert not assertion["holds"] and assertion["example"]["source"]
        with pytest.raises(StateConflict, match="failed") as refused:
            runs.provision_plan(plan, plan.digest)
        assert refused.value.problems[0].code == "assertion_failed"


def test_a_revision_names_its_writers_and_why_it_was_provisioned(people: People) -> None:
    with scope(people.acme):
        with acting(Actor("writer@example.test")):
            draft = draft_with_document()
        with acting(Actor("presser@example.test")):
            plan = plans.create_plan(draft)
            runs.provision_plan(plan, plan.digest, reason="first sites", change_ticket="CHG-7")
        revision = Revision.objects.get()
        assert (revision.writers, revision.author) == (["writer@example.test"], "presser@example.test")
        assert (revision.reason, revision.change_ticket) == ("first sites", "CHG-7")


def test_an_undone_edit_has_no_writer(people: People) -> None:
    with scope(people.acme):
        with acting(Actor("writer@example.test")):
            draft = draft_with_document()
        with acting(Actor("other@example.test")):
            editing.add_object(draft, "groups", {"name": "late"})
            draft = history.undo_edit(draft)
        assert draft_writers(draft) == ["writer@example.test"]


def test_a_plan_is_refused_when_the_draft_or_the_digest_changed(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        plan = plans.create_plan(draft)
        with pytest.raises(StateConflict, match="digest"):
            runs.provision_plan(plan, "0" * 64)
        editing.add_object(draft, "groups", {"name": "late"})
        with pytest.raises(StateConflict, match="was edited"):
            runs.provision_plan(plan, plan.digest)
        assert queries.live_snapshot().revision == 0


def test_one_run_is_active_at_a_time(people: People) -> None:
    create_planned_run(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("second")
        editing.add_object(draft, "groups", {"name": "late"})
        plan = plans.create_plan(draft)
        with pytest.raises(StateConflict, match="Another run is going"):
            runs.provision_plan(plan, plan.digest)


def test_a_required_approval_comes_from_a_second_person(people: People) -> None:
    Tenant.objects.filter(pk=people.acme.pk).update(requires_approval=True)
    people.acme.refresh_from_db()
    with scope(people.acme):
        with acting(Actor("netadmin@demo.test")):
            plan = plans.create_plan(draft_with_document())
            with pytest.raises(StateConflict, match="approval"):
                runs.provision_plan(plan, plan.digest)
            with pytest.raises(Forbidden, match="own plan"):
                plans.approve_plan(plan)
        with acting(Actor("secadmin@demo.test")):
            plans.approve_plan(plan)
        runs.provision_plan(plan, plan.digest)


def test_nobody_approves_a_plan_of_edits_that_they_wrote(people: People) -> None:
    with scope(people.acme):
        with acting(Actor("secadmin@demo.test")):
            draft = draft_with_document()
        with acting(Actor("netadmin@demo.test")):
            plan = plans.create_plan(draft)
        for writer in ("secadmin@demo.test", "netadmin@demo.test"):
            with acting(Actor(writer)), pytest.raises(Forbidden, match="edits that they wrote"):
                plans.approve_plan(plan)
        with acting(Actor("owner@demo.test")):
            assert plans.approve_plan(plan).decided_by == "owner@demo.test"


def test_an_outcome_under_an_old_lease_is_refused(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    _, by_address = create_planned_run(people.acme)
    first = by_address["exchange/eu"]

    class Slow:
        def apply(self, change: object, context: DriverContext) -> Done:
            # While this worker was stuck, its lease expired and another one finished the step.
            with scope(people.acme):
                Step.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
                assert first.pk in steps.due_steps(timezone.now())
                Step.objects.filter(pk=first.pk).update(
                    lease_number=99, lease_until=timezone.now() + lease.LEASE_DURATION
                )
            return Done({"stale": True}, {})

    monkeypatch.setattr(steps, "get_driver", lambda name: Slow())
    steps.StepJob(people.acme).run(first.pk)
    with scope(people.acme):
        assert Step.objects.get(pk=first.pk).state == "running"
        assert not ResourceRecord.objects.exists()


def test_a_step_whose_worker_died_is_due_again_and_finishes(people: People) -> None:
    run, _ = create_planned_run(people.acme)
    with scope(people.acme):
        Step.objects.filter(address="exchange/eu").update(
            state="running", lease_number=1, lease_until=timezone.now() - timedelta(seconds=1)
        )
    finish_run(people.acme, run)
    with scope(people.acme):
        run.refresh_from_db()
        assert run.state == "succeeded"


def test_a_lease_ends_at_once_only_if_its_local_process_is_dead(people: People) -> None:
    _, by_address = create_planned_run(people.acme)
    now, pk = timezone.now(), by_address["exchange/eu"].pk
    with subprocess.Popen(["true"]) as dead:
        pass
    mine = lease.current_worker()
    here = mine.rpartition("/")[0].rpartition("/")[0]
    owners = {mine: False, f"{here}/{dead.pid}/1": True, f"elsewhere/1/{dead.pid}/1": False, f"{mine}0": True}
    with scope(people.acme):
        for owner, free in owners.items():
            Step.objects.filter(pk=pk).update(
                state="running", lease_owner=owner, lease_until=now + lease.LEASE_DURATION
            )
            assert (pk in steps.due_steps(now)) is free, owner


def test_a_failed_step_skips_only_its_dependants_and_a_retry_uses_the_newest_intent(people: People) -> None:
    def broken_us(node: Node) -> None:
        if node.location == "aws-us-east-1":
            document = json.loads(nodes.signed_document(node)[0])
            failed = dict.fromkeys(document["sections"], "no such interface")
            record_report(node, {"epoch": "e1", "serial": document["serial"], "failed": failed, "health": HEALTH})
        else:
            report_all_applied(node)

    with acting(Actor("netadmin@demo.test")):
        run, _ = create_planned_run(people.acme)
    finish_run(people.acme, run, broken_us)
    with scope(people.acme):
        run.refresh_from_db()
        step_states = states(run)
        assert run.state == "partial"
        told = Notification.objects.get(user=people.netadmin, path=f"runs/{run.uid}/")
        assert told.text == "Revision 1, first, is provisioned in part only"
        assert (step_states["exchange/us"], step_states["connector/site-2"]) == ("failed", "skipped")
        assert step_states["connector/site-1"] == "done"
        error = Step.objects.get(run=run, address="exchange/us").error
        assert "no such interface" in error["message"] and error["call"] == "exchange.apply"
        runs.retry_run(run)
    finish_run(people.acme, run)
    with scope(people.acme):
        run.refresh_from_db()
        assert run.state == "succeeded" and set(states(run).values()) == {"done"}


def test_a_stale_plan_names_the_run_that_changed_the_network(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        waiting = plans.create_plan(_with_policy("waiting"))
        with acting(Actor(email="netadmin@acme.test")):
            other = plans.create_plan(_with_policy("other"))
            run = runs.provision_plan(other, other.digest)
        # No worker has taken its steps yet.
        hurried = plans.create_plan(_with_policy("hurried", name="hurry", position=7))
    finish_run(people.acme, run)
    with scope(people.acme):
        assert plan_state.staleness_reasons(waiting, waiting.draft) == [
            "Revision 2 was provisioned by netadmin@acme.test; this plan was made on revision 1."
        ]
        assert plan_state.staleness_reasons(hurried, hurried.draft) == [
            "The run of revision 2, started by netadmin@acme.test, has gone on since."
        ]
        ResourceRecord.objects.filter(address="connector/site-1").delete()
        later = plans.create_plan(_with_policy("later", name="late", position=8))
        assert plan_state.staleness_reasons(later, later.draft) == []
        ResourceRecord.objects.filter(address="connector/site-2").delete()
        assert plan_state.staleness_reasons(later, later.draft) == [
            "What is there has changed since, in a cloud or on an exchange."
        ]


def test_a_plan_that_an_older_release_made_is_stale(
    people: People, monkeypatch: pytest.MonkeyPatch, as_owner: Callable[[str], None]
) -> None:
    provision_document(people.acme)
    with scope(people.acme), monkeypatch.context() as before:
        before.setattr(resource_state, "VERSION", VERSION - 1)
        plan = plans.create_plan(_with_policy("waiting"))
        assert plan_state.staleness_reasons(plan, plan.draft) == []
    as_owner("UPDATE provisioning_resourcebody SET body = body - 'version'")
    with scope(people.acme):
        assert plan_state.staleness_reasons(plan, plan.draft) == [
            f"An older release made this plan, in document version 0; nodes are given version {VERSION} now."
        ]
        with pytest.raises(StateConflict):
            runs.provision_plan(plan, plan.digest)


def _with_policy(draft: str, **fields: object) -> Draft:
    created = lifecycle.create_draft(draft)
    editing.add_object(created, "policies", policy(**fields))
    return created


@pytest.mark.parametrize("chained", [False, True])
def test_each_step_is_woken_once(people: People, chained: bool) -> None:
    cost = measure_run("many", 60, chained)
    assert cost.wake_ups == 60
    # Each step sends a message when it starts and when it ends; the run and the topology send a few more.
    assert cost.other_messages - 2 * 60 < 10


def test_dependants_of_a_failed_step_are_skipped_and_other_steps_continue(
    people: People, as_owner: Callable[[str], None]
) -> None:
    """Steps a ← b ← c, and d: if a fails, b and c are skipped and d runs."""
    with scope(people.acme):
        plan = create_ready_plan(4, chained=True)
    as_owner("UPDATE provisioning_plannedchange SET depends = '[]' WHERE address = 'thing/3'")
    with scope(people.acme):
        run = runs.provision_plan(plan, plan.digest)
        first = Step.objects.get(run=run, address="thing/0")
        runs.skip_dependants(first)
        step_states = states(run)
    assert [step_states[f"thing/{number}"] for number in range(4)] == ["pending", "skipped", "skipped", "pending"]


def test_a_cancelled_run_starts_no_more_steps(people: People) -> None:
    run, _ = create_planned_run(people.acme)
    with scope(people.acme):
        runs.cancel_run(run)
        run.refresh_from_db()
        assert run.state == "cancelled" and set(states(run).values()) == {"cancelled"}
        assert steps.due_steps(timezone.now()) == []


def test_the_next_run_reverts_sections_that_a_cancelled_run_published(people: People) -> None:
    """Otherwise nodes would keep a policy that live does not have, and every later plan would be empty."""
    provision_document(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("policy")
        editing.add_object(draft, "policies", policy())
        plan = plans.create_plan(draft)
        run = runs.provision_plan(plan, plan.digest)
        for step in Step.objects.filter(run=run):
            steps.StepJob(people.acme).run(step.pk)
        runs.cancel_run(run)
        run.refresh_from_db()
        assert run.state == "cancelled"
    for node in Node.objects.all():
        report_all_applied(node)
        assert '"ports":["443"]' in nodes.signed_document(node)[0]

    with scope(people.acme):
        back = plans.create_plan(revisions.restore_revision(1))
        assert {step["address"] for step in back.steps} == {step["address"] for step in plan.steps}
        again = runs.provision_plan(back, back.digest)
    finish_run(people.acme, again)
    with scope(people.acme):
        again.refresh_from_db()
        assert again.state == "succeeded" and plans.create_plan(lifecycle.create_draft("nothing")).steps == []
    assert not any('"ports":["443"]' in nodes.signed_document(node)[0] for node in Node.objects.all())


def test_a_resource_that_a_failed_run_may_have_created_is_removed_if_undesired(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, by_address = create_planned_run(people.acme)

    class Lost:
        def apply(self, change: object, context: DriverContext) -> Done | Waiting:
            raise DriverError("The answer was lost", call="ec2.CreateX", code="gone", permanent=True)

    with monkeypatch.context() as patched:
        patched.setattr(steps, "get_driver", lambda name: Lost())
        steps.StepJob(people.acme).run(by_address["exchange/eu"].pk)
    with scope(people.acme):
        runs.cancel_run(run)
        plan = plans.create_plan(revisions.restore_revision(0))
        assert [(step["action"], step["address"]) for step in plan.steps] == [("remove", "exchange/eu")]
        removal = runs.provision_plan(plan, plan.digest)
    finish_run(people.acme, removal)
    with scope(people.acme):
        removal.refresh_from_db()
        assert removal.state == "succeeded" and plans.create_plan(lifecycle.create_draft("nothing")).steps == []
