"""Steps that write sections of node documents: outdated agents, older releases, and concurrent writers."""

from __future__ import annotations

import json
import threading
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
from provisioning.services import node_sections, nodes, runs, steps
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import (
    DOCUMENT,
    create_planned_run,
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
        nodes.record_report(node, {"epoch": "e1", "version": 1, "failed": failed, "health": {"simulated": False}})

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
        NodeSection.objects.update(published_at=timezone.now() - 2 * REPORT_TIMEOUT)
        Step.objects.filter(pk=step.pk).update(due_at=timezone.now())
    steps.StepJob(people.acme).run(step.pk)
    with scope(people.acme):
        step.refresh_from_db()
        assert step.state == "failed" and step.error is not None
        assert step.error["code"] == "node_outdated" and step.error["message"] == f"{needed}, then retry."
    finish_run(people.acme, run)
    with scope(people.acme):
        runs.retry_run(run)
    finish_run(people.acme, run)
    with scope(people.acme):
        run.refresh_from_db()
        assert run.state == "succeeded"


def test_a_step_that_an_older_release_planned_is_not_applied(people: People) -> None:
    _, by_address = create_planned_run(people.acme)
    step = by_address["exchange/eu"]
    with scope(people.acme):
        after = step.change.after
        assert after is not None
        after.body = {name: value for name, value in after.body.items() if name not in ("version", "nodes")}
        type(after).objects.filter(pk=after.pk).update(body=after.body)
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
