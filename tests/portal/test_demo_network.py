"""The demo's network: no problems, and a draft whose plan has every kind of change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.utils import timezone

from portal.demo import aws, network
from provisioning.core import intent
from tests.core.sample_networks import TODAY
from tests.people import People

wait_for_run = network._wait_for_run
VPCS = {str(vpc["name"]): f"vpc-{number}a" for number, vpc in enumerate(aws.VPCS)}


@pytest.fixture
def acme(people: People, tenant_scope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return acme with the demo's network live in the database; no cloud is called."""
    from provisioning.models import CloudAccount

    people.acme.slug = "acme-health"
    people.acme.save()
    monkeypatch.setattr(network, "discovered_vpcs", lambda tenant: VPCS)
    monkeypatch.setattr(network, "_wait_for_run", lambda tenant, run: "")
    with tenant_scope(people.acme):
        CloudAccount(
            name=aws.ACCOUNT,
            provider="aws",
            account_id=aws.ACCOUNT_ID,
            regions=aws.REGIONS,
            discovered_at=timezone.now(),
        ).save()
    network.provision_network(people.acme)
    return people.acme


def test_the_demo_network_is_created_whole_without_problems(acme: Any, tenant_scope: Callable[..., Any]) -> None:
    from provisioning.selectors import reachability
    from provisioning.snapshots import queries

    with tenant_scope(acme):
        used = {row.kind for row in queries.list_objects(queries.live_snapshot())}
        problems = reachability.list_problems(queries.live_snapshot(), TODAY)
    assert used == yaml.safe_load((network.FOLDER / "acme-health.yaml").read_text()).keys() <= set(intent.KINDS)
    assert {problem["code"] for problem in problems} == {"cloud_side_by_hand", "nat_kept_inside"}


def test_a_second_start_finishes_what_the_first_one_left(acme: Any, tenant_scope: Callable[..., Any]) -> None:
    from provisioning.models import Run, Step

    with tenant_scope(acme):
        Step.objects.update(state=Step.State.DONE)
        failed = Step.objects.order_by("order")[0]
        Step.objects.filter(pk=failed.pk).update(state=Step.State.FAILED, error={"message": "no route to host"})
        Run.objects.update(state=Run.State.PARTIAL)
        run = Run.objects.get()
    assert wait_for_run(acme, run) == (f"the run of revision 1 is partial, 1 steps missing. {failed}: no route to host")
    assert network.provision_network(acme) == ""
    with tenant_scope(acme):
        assert Run.objects.get().state == Run.State.PENDING and not Step.objects.filter(state=Step.State.FAILED)


def test_the_demo_draft_allows_blocks_and_inspects_flows(acme: Any, tenant_scope: Callable[..., Any]) -> None:
    from provisioning.models import Plan

    network.create_open_draft(acme)
    with tenant_scope(acme):
        plan = Plan.objects.get(draft__name="imaging-rollout")
    assert plan.state == "ready"
    assert all(plan.reachability[word] for word in ("allowed", "blocked", "inspected"))
    assert any(change["to_segment"] == "clinical" for change in plan.reachability["allowed"])
    assert all(assertion["holds"] for assertion in plan.assertions)


def test_a_hospital_with_overlapping_addresses_is_translated(acme: Any, tenant_scope: Callable[..., Any]) -> None:
    from provisioning.core.reach import FlowQuery
    from provisioning.selectors import reachability
    from provisioning.snapshots import queries

    with tenant_scope(acme):
        results = reachability.trace_flow(
            queries.live_snapshot(), FlowQuery("hospital-boston", "dc-frankfurt", port=443)
        )
    assert results["disposition"] == "delivered_inspected"
    assert "source 10.22.0.1 → 10.22.16.1" in [hop["detail"] for hop in results["hops"] if hop["kind"] == "nat"]
