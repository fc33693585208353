"""Plans compare with the cloud, as discovery last saw it: what stands in the way is an error before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning.drivers.base import DriverError
from provisioning.errors import ValidationFailed
from provisioning.models import CloudAccount, Plan, Run, Step
from provisioning.services import discovery, plans, runs
from provisioning.snapshots import network_problems, queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, draft_with_document

pytestmark = pytest.mark.django_db

ACCOUNT, VPC = "123456789012", "vpc-0a"
CONNECTOR = {
    "name": "prod",
    "kind": "aws-vpc",
    "exchange": "eu",
    "attachments": [{"segment": "corp", "group": "prod", "prefixes": ["10.9.0.0/16"]}],
    "settings": {"account": ACCOUNT, "region": "eu-central-1", "vpc_id": VPC},
}
NETWORK = {**DOCUMENT, "connectors": [*DOCUMENT["connectors"], CONNECTOR]}


def add_account(*routes: Mapping[str, str]) -> dict[str, Any]:
    """Add an account whose VPC was discovered with these routes in its main table."""
    table = {"id": "rtb-1", "name": "", "main": True, "subnets": [], "routes": routes}
    vpc: dict[str, Any] = {"id": VPC, "name": "prod", "region": "eu-central-1", "prefixes": ["10.9.0.0/16"]}
    inventory = {"account": ACCOUNT, "vpcs": [{**vpc, "route_tables": [table]}], "errors": {}}
    CloudAccount(
        name="aws", provider="aws", account_id=ACCOUNT, discovered_at=timezone.now(), inventory=inventory
    ).save()
    return inventory


FOREIGN = {"destination": "10.0.0.0/8", "target": "pcx-partner", "state": "active"}
LOCAL = {"destination": "10.9.0.0/16", "target": "local", "state": "active"}


def test_a_foreign_route_for_a_prefix_of_ours_refuses_the_plan(people: People) -> None:
    with scope(people.acme):
        add_account(LOCAL, FOREIGN)
        draft = draft_with_document("first", NETWORK)
        with pytest.raises(ValidationFailed, match=r"already routes 10\.0\.0\.0/8 to pcx-partner") as raised:
            plans.create_plan(draft)
        [problem] = raised.value.problems
        assert problem.code == "foreign_route" and problem.path.endswith("/vpc/vpc-0a/routes")
        assert not Plan.objects.exists()


def test_prefixes_that_the_discovered_network_does_not_have_are_warnings(people: People) -> None:
    inside = {"segment": "corp", "group": "prod", "prefixes": ["10.9.128.0/17"]}
    outside = {**CONNECTOR, "attachments": [{**inside, "prefixes": ["10.9.128.0/17", "10.8.0.0/15"]}]}
    with scope(people.acme):
        add_account(LOCAL)
        CloudAccount.objects.update(discovered_at=None)
        draft = draft_with_document("first", {**DOCUMENT, "connectors": [*DOCUMENT["connectors"], outside]})
        snapshot = queries.snapshot_of_draft(draft)
        assert "not_in_network" not in {problem.code for problem in network_problems.find_problems(snapshot)}
        CloudAccount.objects.update(discovered_at=timezone.now())
        plan = plans.create_plan(draft)
        told = [problem for problem in network_problems.find_problems(snapshot) if problem.code == "not_in_network"]
        assert [problem.path for problem in told] == ["connectors/prod/attachments[0].prefixes[0]"]
        assert told[0].severity == "warning" and "VPC vpc-0a, which has 10.9.0.0/16" in told[0].message
        assert "not_in_network" in {warning["code"] for warning in plan.warnings}


def test_a_foreign_route_fails_the_plan_of_a_worker(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    with scope(people.acme):
        add_account(FOREIGN)
        plan = plans.create_plan(draft_with_document("first", NETWORK))
        plans.PlanJob(people.acme).run(plan.pk)
        plan.refresh_from_db()
        assert plan.state == "failed" and [problem["code"] for problem in plan.problems] == ["foreign_route"]


def test_other_routes_and_networks_without_an_account_refuse_nothing(people: People) -> None:
    with scope(people.acme):
        add_account(LOCAL)
        draft = draft_with_document("first", NETWORK)
        assert plans.create_plan(draft).state == "ready"
        CloudAccount.objects.all().delete()
        assert plans.create_plan(draft).state == "ready"


@pytest.mark.parametrize("minutes_ago", [2, None])
def test_a_worker_looks_into_an_account_that_nobody_looked_into_just_now(
    people: People, monkeypatch: pytest.MonkeyPatch, minutes_ago: int | None
) -> None:
    with scope(people.acme):
        inventory = add_account(LOCAL)
        when = None if minutes_ago is None else timezone.now() - timedelta(minutes=minutes_ago)
        CloudAccount.objects.update(discovered_at=when)
        draft = draft_with_document("first", NETWORK)
        inventory["vpcs"][0]["route_tables"][0]["routes"] = [LOCAL, FOREIGN]
        monkeypatch.setattr(discovery, "_discover", lambda account: inventory)
        plan = plans.create_plan(draft)
        assert plan.state == "computing"
        plans.PlanJob(people.acme).run(plan.pk)
        plan.refresh_from_db()
        assert plan.state == "failed" and [problem["code"] for problem in plan.problems] == ["foreign_route"]
        assert CloudAccount.objects.get().inventory == inventory, "the next plan need not look again"
        with pytest.raises(ValidationFailed, match="already routes"):
            plans.create_plan(draft)


def test_an_account_that_does_not_answer_is_a_warning_of_the_plan(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = DriverError("Not authorised.", call="ec2.DescribeVpcs", code="UnauthorizedOperation")
    monkeypatch.setattr(discovery, "_discover", lambda account: denied)
    with scope(people.acme):
        add_account(LOCAL)
        CloudAccount.objects.update(discovered_at=timezone.now() - timedelta(days=1))
        plan = plans.create_plan(draft_with_document("first", NETWORK))
        plans.PlanJob(people.acme).run(plan.pk)
        plan.refresh_from_db()
        assert plan.state == "ready"
        [warning] = [warning for warning in plan.warnings if warning["code"] == "account_not_observed"]
        assert "ec2.DescribeVpcs UnauthorizedOperation" in warning["message"]


def test_a_retry_is_refused_for_what_a_plan_would_be_refused_for(people: People) -> None:
    with scope(people.acme):
        inventory = add_account(LOCAL)
        plan = plans.create_plan(draft_with_document("first", NETWORK))
        run = runs.provision_plan(plan, plan.digest)
        Step.objects.update(state=Step.State.FAILED)
        Run.objects.update(state=Run.State.PARTIAL)
        inventory["vpcs"][0]["route_tables"][0]["routes"] = [LOCAL, FOREIGN]
        CloudAccount.objects.update(inventory=inventory)
        with pytest.raises(ValidationFailed, match="already routes"):
            runs.retry_run(run)
        assert Run.objects.get().state == "partial" and not Step.objects.exclude(state=Step.State.FAILED).exists()
