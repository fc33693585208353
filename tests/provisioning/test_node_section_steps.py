"""Steps that write sections of node documents: outdated agents, older releases, and concurrent writers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from provisioning.core.node_document import VERSION
from provisioning.core.values.resource import Change
from provisioning.drivers.exchange.driver import REPORT_TIMEOUT
from provisioning.models import Lifecycle, Node, NodeSection, ResourceRecord, Step
from provisioning.services import node_sections, nodes, plans, runs, steps
from tenants.models import Tenant
from tenants.scope import scope
from tests.node_reports import record_report
from tests.people import People
from tests.provisioning.small_network import (
    DOCUMENT,
    HEALTH,
    create_planned_run,
    draft_with_document,
    finish_run,
    provision_document,
)

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)


def test_a_removed_connector_leaves_its_nodes_and_ends_its_lifecycle(people: People) -> None:
    provision_document(people.acme)
    provision_document(people.acme, "smaller", {**DOCUMENT, "connectors": DOCUMENT["connectors"][:1]})
    with scope(people.acme):
        assert not ResourceRecord.objects.filter(address="connector/site-2").exists()
        assert Lifecycle.objects.get(address="connector/site-2").ended_at is not None


def test_a_step_names_nodes_with_an_outdated_agent_and_fails_after_a_timeout(people: People) -> None:
    def report_old_agent(node: Node) -> None:
        document = json.loads(nodes.signed_document(node)[0])
        failed = dict.fromkeys(document["sections"], "the agent cannot read this section: KeyError")
        record_report(node, {"epoch": "e1", "version": 1, "failed": failed, "health": {"simulated": False}})

    run, by_address = create_planned_run(people.acme)
    step = by_address["exchange/eu"]
    steps.StepJob(people.acme).run(step.pk)
    for node in Node.objects.all():
        report_old_agent(node)
    with scope(people.acme):
        Step.objects.filter(pk=step.pk).update(due_at=timezone.now())
    steps.StepJob(people.acme).run(step.pk)
    needed = (
        "Node aws-eu-central-1/1, aws-eu-central-1/2 runs an agent that knows document version 0, "
        f"this is {VERSION}: upgrade it"
    )
    with scope(people.acme):
        step.refresh_from_db()
        assert (step.state, step.note) == ("waiting", needed)
    _wait_long_ago(people.acme)
    Node.objects.update(reporting_since=timezone.now() - 2 * REPORT_TIMEOUT)
    _look_again(people.acme, step)
    with scope(people.acme):
        assert step.state == "failed" and step.error is not None
        assert step.error["code"] == "node_outdated" and step.error["message"] == f"{needed}, then retry."
    finish_run(people.acme, run)
    with scope(people.acme):
        runs.retry_run(run)
    finish_run(people.acme, run)
    with scope(people.acme):
        run.refresh_from_db()
        assert run.state == "succeeded"


def test_a_node_is_silent_only_while_others_are_heard(people: People) -> None:
    """What nobody could have told the portal, because it was away, is held against no node."""
    _, by_address = create_planned_run(people.acme)
    step = by_address["exchange/eu"]
    _look_again(people.acme, step)
    _wait_long_ago(people.acme)
    _look_again(people.acme, step)
    assert step.state == "waiting" and step.note.endswith("never heard of; no node reports to the portal at present")
    other = Node.objects.create(location="aws-us-east-1", index=1)
    record_report(other, {"epoch": "e1", "health": HEALTH})
    _look_again(people.acme, step)
    assert (step.state, step.note) == (
        "waiting",
        "Waiting for node aws-eu-central-1/1, aws-eu-central-1/2, never heard of",
    )
    Node.objects.filter(pk=other.pk).update(reporting_since=timezone.now() - 2 * REPORT_TIMEOUT)
    _look_again(people.acme, step)
    assert step.state == "failed" and step.error is not None and step.error["code"] == "node_silent"


def test_a_run_ends_well_after_the_portal_was_away(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        plan = plans.create_plan(draft_with_document("rest", {**DOCUMENT, "connectors": DOCUMENT["connectors"][:1]}))
        run = runs.provision_plan(plan, plan.digest)
        step = run.steps.order_by("order")[0]
    _look_again(people.acme, step)
    long_ago = timezone.now() - 2 * REPORT_TIMEOUT
    Node.objects.update(seen_at=long_ago, reporting_since=long_ago - REPORT_TIMEOUT)
    _wait_long_ago(people.acme)
    record_report(Node.objects.order_by("pk")[0], {"epoch": "e1", "sequence": 0, "health": HEALTH})
    _look_again(people.acme, step)
    assert step.state == "waiting"
    finish_run(people.acme, run)
    with scope(people.acme):
        run.refresh_from_db()
        assert run.state == "succeeded"


def test_a_node_that_reports_may_be_slow(people: People) -> None:
    _, by_address = create_planned_run(people.acme)
    step = by_address["exchange/eu"]
    _look_again(people.acme, step)
    for node in Node.objects.all():
        record_report(node, {"epoch": "e1", "health": HEALTH})
    Node.objects.update(reporting_since=timezone.now() - 2 * REPORT_TIMEOUT)
    _wait_long_ago(people.acme)
    _look_again(people.acme, step)
    assert (step.state, step.note) == ("waiting", "Waiting for node aws-eu-central-1/1, aws-eu-central-1/2")


def _wait_long_ago(tenant: Tenant) -> None:
    """Let sections have been published before what any patience allows."""
    with scope(tenant):
        NodeSection.objects.update(published_at=timezone.now() - 2 * REPORT_TIMEOUT)


def _look_again(tenant: Tenant, step: Step) -> None:
    """Carry out a step that may wait, as a worker does when its time has come."""
    with scope(tenant):
        Step.objects.filter(pk=step.pk).update(due_at=timezone.now())
    steps.StepJob(tenant).run(step.pk)
    with scope(tenant):
        step.refresh_from_db()


def test_a_step_that_an_older_release_planned_is_not_applied(people: People, as_owner: Callable[[str], None]) -> None:
    _, by_address = create_planned_run(people.acme)
    step = by_address["exchange/eu"]
    as_owner("UPDATE provisioning_resourcebody SET body = body - 'version' - 'nodes'")
    steps.StepJob(people.acme).run(step.pk)
    with scope(people.acme):
        step.refresh_from_db()
        assert step.state == "failed" and step.error is not None and step.error["code"] == "outdated_plan"
        assert "Retry the run" in step.error["message"] and not NodeSection.objects.exists()


def test_steps_that_write_sections_of_the_same_nodes_do_not_deadlock(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sections are read in any order; two steps that each lock one node and wait for the other's would deadlock."""
    provision_document(people.acme)
    written = node_sections._write_section
    meeting = threading.Barrier(2)

    def slowly(*args: Any) -> None:
        written(*args)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)

    monkeypatch.setattr(node_sections, "_write_section", slowly)
    orders, listed = iter(["node_id", "-node_id"]), NodeSection.objects.select_related
    monkeypatch.setattr(NodeSection.objects, "select_related", lambda *more: listed(*more).order_by(next(orders)))

    def remove(address: str) -> None:
        try:
            with scope(people.acme):
                node_sections.publish_sections(Change("remove", address, "exchange.segment", {}, None))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(remove, address) for address in ("segment/corp", "exchange/eu")]:
            done.result(20)
