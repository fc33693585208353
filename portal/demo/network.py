"""Building the demo's networks through the same services people use."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from provisioning.models import CloudAccount, Draft, Plan, Run, Step
from provisioning.services import cloud_accounts, plans, runs
from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries
from tenants.models import Tenant
from tenants.scope import scope

FOLDER = Path(__file__).parent


def ensure_account(
    tenant: Tenant, name: str, account_id: str, regions: list[str], credentials: Mapping[str, str]
) -> str:
    """Add the cloud account and let a worker discover what is in it, where that is not done already.

    Return why nothing was discovered, "" where something was.
    """
    with scope(tenant):
        account = CloudAccount.objects.filter(name=name).first() or cloud_accounts.add_account(
            name=name, provider="aws", account_id=account_id, regions=regions, credentials=credentials
        )
        if account.discovery != CloudAccount.Discovery.DONE:
            cloud_accounts.request_discovery(account)
    while True:
        with scope(tenant):
            account.refresh_from_db()
        if account.discovery != CloudAccount.Discovery.RUNNING:
            return account.discovery_error
        time.sleep(0.2)


def discovered_vpcs(tenant: Tenant) -> dict[str, str]:
    """Return name → id of the VPCs that discovery found."""
    with scope(tenant):
        return {
            vpc["name"]: vpc["id"]
            for account in CloudAccount.objects.all()
            for vpc in account.inventory.get("vpcs", [])
        }


def provision_network(tenant: Tenant) -> str:
    """Provision the network of the tenant's file, or finish what an earlier start began; wait until the run ends.

    Return why something is not provisioned, "" where everything is. A run that somebody cancelled is left alone.
    """
    with scope(tenant):
        run = Run.objects.order_by("-created_at").first()
    if run is None:
        run = _start_first_run(tenant)
    elif run.state in (Run.State.PARTIAL, Run.State.FAILED):
        with scope(tenant):
            run = runs.retry_run(run)
    return _wait_for_run(tenant, run)


def _start_first_run(tenant: Tenant) -> Run:
    text = (FOLDER / f"{tenant.slug}.yaml").read_text()
    vpc_ids = discovered_vpcs(tenant)
    document = yaml.safe_load(re.sub(r"\{vpc:([\w-]+)\}", lambda match: vpc_ids[match[1]], text))
    with scope(tenant):
        draft = Draft.objects.filter(name="first-network", state=Draft.State.OPEN).first()
        draft = draft or lifecycle.create_draft("first-network")
        editing.import_document(draft, document)
        plan = plans.create_plan(draft)
    while True:
        with scope(tenant):
            plan.refresh_from_db()
            if plan.state != Plan.State.COMPUTING:
                return runs.provision_plan(plan, plan.digest)
        time.sleep(0.2)


def create_open_draft(tenant: Tenant) -> None:
    """Create a draft with a plan to review: imaging moves to AWS, a vendor may reach it, and two rules get stricter."""
    vpc_ids = discovered_vpcs(tenant)
    with scope(tenant):
        if Draft.objects.exclude(name="first-network").exists():
            return
        draft = lifecycle.create_draft("imaging-rollout")
        editing.add_object(draft, "groups", {"name": "imaging", "description": "Picture archive"})
        editing.add_object(draft, "connectors", _imaging_connector(vpc_ids["imaging"]))
        editing.add_object(draft, "policies", EHR_TO_IMAGING)
        editing.add_object(draft, "shares", VENDOR_IMAGING)
        _change_rule(draft, "wards-to-ehr", "interfaces", {"action": "inspect", "services": ["fw"]})
        _change_rule(draft, "staff-to-prod", "ssh", {"action": "deny"})
        plans.create_plan(draft)


EHR_TO_IMAGING = {
    "name": "ehr-to-imaging",
    "segments": ["clinical"],
    "from": ["ehr"],
    "to": ["imaging"],
    "rules": [{"name": "dicom", "action": "allow", "protocol": "tcp", "ports": ["104", "11112"]}],
}
VENDOR_IMAGING = {
    "name": "vendor-imaging",
    "description": "The vendor looks after the picture archive",
    "a": {"segment": "partner", "groups": ["vendors"]},
    "b": {"segment": "clinical", "groups": ["imaging"]},
    "direction": "a-to-b",
    "services": ["fw"],
}


def _imaging_connector(vpc: str) -> dict[str, Any]:
    return {
        "name": "vpc-imaging",
        "kind": "aws-vpc",
        "exchange": "us",
        "size": "small",
        "attachments": [{"segment": "clinical", "groups": ["imaging"], "prefixes": ["10.24.0.0/16"]}],
        "settings": {"account": "acme-aws", "region": "us-east-1", "vpc_id": vpc},
        "billing_tags": ["hospitals"],
    }


def _change_rule(draft: Draft, policy: str, rule: str, fields: Mapping[str, Any]) -> None:
    row = next(row for row in queries.list_objects(queries.snapshot_of_draft(draft), "policies") if row.name == policy)
    rules = [{**each, **fields} if each["name"] == rule else each for each in row.body["rules"]]
    editing.patch_object(draft, "policies", row.uid, {"rules": rules})


def _wait_for_run(tenant: Tenant, run: Run) -> str:
    """Wait until the run ends, however slow it is; return why it did not succeed, "" where it did."""
    while True:
        with scope(tenant):
            run.refresh_from_db()
            if run.state == Run.State.SUCCEEDED:
                return ""
            if run.state not in Run.ACTIVE:
                missing = run.steps.exclude(state=Step.State.DONE).count()
                reasons = [f"{step}: {step.error['message']}" for step in run.steps.all() if step.error]
                state = f"the run of revision {run.revision} is {run.state}, {missing} steps missing."
                return " ".join([state, *reasons])
        time.sleep(0.2)
