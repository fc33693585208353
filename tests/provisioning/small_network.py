"""A small network in the database, and nodes that report their documents as applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from provisioning.core.node_document import VERSION
from provisioning.models import Draft, Node, Run, Step
from provisioning.services import nodes, plans, runs, steps
from provisioning.services.drafts import editing, lifecycle
from tenants.models import Tenant
from tenants.scope import scope
from tests.node_reports import record_report

DOCUMENT: dict[str, list[dict[str, Any]]] = {
    "exchanges": [{"name": "eu", "location": "aws-eu-central-1"}, {"name": "us", "location": "aws-us-east-1"}],
    "segments": [{"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"]}],
    "groups": [{"name": "prod"}, {"name": "dev"}],
    "connectors": [
        {
            "name": name,
            "kind": "lab-site",
            "exchange": exchange,
            "attachments": [{"segment": "corp", "group": group, "prefixes": [prefix]}],
        }
        for name, exchange, group, prefix in (
            ("site-1", "eu", "prod", "10.1.0.0/16"),
            ("site-2", "us", "dev", "10.2.0.0/16"),
        )
    ],
}


HEALTH = {"document_version": VERSION}


def draft_with_document(name: str = "first", document: dict[str, Any] | None = None) -> Draft:
    draft = lifecycle.create_draft(name)
    editing.import_document(draft, document or DOCUMENT)
    draft.refresh_from_db()
    return draft


def create_planned_run(tenant: Tenant) -> tuple[Run, dict[str, Step]]:
    """Return a run that has begun nothing, and its steps by address."""
    with scope(tenant):
        plan = plans.create_plan(draft_with_document())
        run = runs.provision_plan(plan, plan.digest)
        return run, {step.address: step for step in run.steps.all()}


def provision_document(tenant: Tenant, name: str = "first", document: dict[str, Any] | None = None) -> Run:
    """Provision a document and finish its run; return the run."""
    with scope(tenant):
        plan = plans.create_plan(draft_with_document(name, document))
        run = runs.provision_plan(plan, plan.digest)
    finish_run(tenant, run)
    return run


def finish_run(tenant: Tenant, run: Run, report: Callable[[Node], None] | None = None) -> None:
    """Run the steps of a run as a worker would, with node reports in between, until the run ends."""
    for _ in range(30):
        with scope(tenant):
            run.refresh_from_db()
            if run.state not in Run.ACTIVE:
                return
            Step.objects.filter(run=run, state=Step.State.WAITING).update(due_at=timezone.now())
            due = steps.due_steps(timezone.now())
        for step in due:
            steps.StepJob(tenant).run(step)
        for node in Node.objects.all():
            (report or report_all_applied)(node)


def report_all_applied(node: Node, **fields: Any) -> None:
    """Record the report of a node that applied its whole document; ``fields`` override the report's."""
    text, _, _ = nodes.signed_document(node)
    document = json.loads(text)
    applied = {key: section["digest"] for key, section in document["sections"].items()}
    report = {"epoch": "e1", "serial": document["serial"], "applied": applied, "health": HEALTH}
    record_report(node, {**report, **fields})
