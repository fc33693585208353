"""A customer's path through the API: draft, plan, provision, packets, usage, invoice; AWS is checked with boto3."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from billing import services
from billing.demo import ensure_demo_prices
from provisioning.lab import moto
from tenants import tokens
from tenants.scope import scope
from tests.node_reports import keep_next_reports
from tests.people import People
from tests.system.clients import CustomerClient, LabCommands, wait_until
from tests.system.cloud_document import REGION, VPCS, assert_each_once_in_aws, cloud_document

pytestmark = pytest.mark.packets


def test_a_customer_goes_from_an_empty_tenant_to_packets_usage_and_an_invoice(
    people: People, live_portal: str, live_lab: dict[str, str], live_aws: str
) -> None:
    ensure_demo_prices()
    vpcs = moto.seed_vpcs(live_aws, VPCS)
    _, secret = tokens.issue(people.owner, "journey")
    acme, lab = CustomerClient(live_portal, secret, "acme"), LabCommands(live_lab, "acme")

    # Draw: an account, what is in it, a network.
    assert _discovered_vpcs(acme) == vpcs
    draft = acme.post("drafts/", {"name": "first"})["id"]
    acme.put(f"drafts/{draft}/intent/", cloud_document(vpcs))

    # Provision: everything is made, once, in AWS too.
    run = acme.provision(draft)
    assert run["state"] == "succeeded", [step for step in run["steps"] if step["state"] != "done"]
    assert_each_once_in_aws(live_aws, vpcs)

    # Packets: inspected and allowed ones arrive, denied ones do not.
    assert lab.connects("office", "10.1.0.1", 443)
    assert not lab.connects("office", "10.1.0.1", 22)
    assert not lab.connects("vpc-prod", "10.2.0.1", 443)
    traced = acme.get("live/trace/", **{"from": "office", "to": "10.1.0.1", "protocol": "tcp", "port": 443})
    assert traced["disposition"] == "delivered_inspected"

    # A policy: the plan says what it opens, and then it is open, and nothing else.
    draft = acme.post("drafts/", {"name": "prod-to-dev"})["id"]
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    policy = {"position": 20, "segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": [rule]}
    acme.post(f"drafts/{draft}/policies/", {"name": "prod-to-dev", **policy})
    plan = acme.post(f"drafts/{draft}/plan/")
    assert [(entry["from"], entry["to"]) for entry in plan["reachability"]["allowed"]] == [(["prod"], ["dev"])]
    run = acme.post(f"plans/{plan['id']}/provision/", {"digest": plan["digest"]})
    assert acme.ended(run["id"])["state"] == "succeeded"
    assert lab.connects("vpc-prod", "10.2.0.1", 443)
    assert not lab.connects("vpc-prod", "10.2.0.1", 22)
    assert not lab.connects("vpc-dev", "10.1.0.1", 443)

    # Bytes: seen on the topology while they flow, metered and on the draft invoice afterwards.
    size = 100_000_000
    echo = lab.begin_echo("vpc-prod", "10.2.0.1", 443, size)
    rates = wait_until(lambda: _rates(acme), lambda it: it.get("connector/vpc-prod", [0])[0] > 1_000_000, 30)
    assert rates["connector/vpc-dev"][1] > 1_000_000
    assert lab.done(echo) >= size
    usage = wait_until(
        lambda: _metered(people, acme), lambda it: it.get("gb_exchange_out", 0) * 10**9 >= 2 * size, 30, 1
    )
    assert usage["connector_hours"] > 0 and usage["exchange_hours"] > 0 and usage["service_instance_hours"] > 0
    _invoice(acme)


def _discovered_vpcs(acme: CustomerClient) -> dict[str, str]:
    """Add a cloud account; return name → id of its discovered VPCs."""
    account = acme.post(
        "cloud-accounts/",
        {
            "name": "aws",
            "provider": "aws",
            "account_id": "123456789012",
            "regions": [REGION],
            "credentials": {"access_key_id": "lab", "secret_access_key": "lab"},
        },
    )
    acme.post(f"cloud-accounts/{account['id']}/discover/")
    inventory = f"cloud-accounts/{account['id']}/inventory/"
    inventory_of_account = wait_until(lambda: acme.get(inventory), lambda seen: seen["discovery"] == "done", 20)
    return {vpc["name"]: vpc["id"] for vpc in inventory_of_account["vpcs"] if vpc["name"]}


def _rates(acme: CustomerClient) -> dict[str, list[float]]:
    return {edge["id"]: edge["rates"] for edge in acme.get("topology/")["edges"]}


def _metered(people: People, acme: CustomerClient) -> dict[str, Decimal]:
    """Collect metering samples now; return the usage by meter."""
    keep_next_reports()
    with scope(people.acme):
        services.meter_usage(timezone.now())
    return {row["meter"]: Decimal(row["quantity"]) for row in acme.get("usage/", group_by="meter")["results"]}


def _invoice(acme: CustomerClient) -> None:
    (invoice,) = acme.get("invoices/")["results"]
    assert invoice["state"] == "draft"
    lines = acme.get(f"invoices/{invoice['number']}/lines/")["results"]
    assert sum(Decimal(line["amount"]) for line in lines) == Decimal(invoice["total"])
    hours = next(line for line in lines if line["meter"] == "connector_hours")
    assert Decimal(hours["quantity"]) > 0
