"""Time from ``POST …/provision/`` to packets: for a new network of 2 exchanges and 10 sites, and a changed policy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from portal.local import process_specs
from tests.bench import Figure, bench
from tests.bench.running_demo import RunningDemo, demo_folder, running_demo
from tests.system.clients import CustomerClient

TENANT = "initech"
BOUND_FIRST, BOUND_CHANGE = 5.0, 3.0


def example_intent() -> dict[str, list[dict[str, Any]]]:
    sites = [
        {
            "name": f"site-{number}",
            "kind": "lab-site",
            "exchange": ("eu", "us")[number % 2],
            "attachments": [{"segment": "corp", "group": ("a", "b")[number % 2], "prefixes": [f"10.{number}.0.0/16"]}],
        }
        for number in range(1, 11)
    ]
    return {
        "exchanges": [{"name": "eu", "location": "aws-eu-central-1"}, {"name": "us", "location": "aws-us-east-1"}],
        "segments": [{"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"]}],
        "groups": [{"name": "a"}, {"name": "b"}],
        "connectors": sites,
        "policies": [example_policy("443", "8080")],
    }


def example_policy(*ports: str) -> dict[str, Any]:
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": list(ports) or ["any"]}
    ends = {"segments": ["corp"], "from": ["b"], "to": ["a"]}
    return {"name": "b-to-a", "position": 1, **ends, "rules": [rule]}


@bench
def packets() -> Iterator[Figure]:
    with demo_folder() as data, running_demo(data) as demo:
        secret = demo.manage("token", "stranger@demo.test", "--tenant", TENANT).strip()
        customer = CustomerClient(demo.url, secret, TENANT)
        plan = create_plan(customer, "first", example_intent())
        first = start_flow(demo, "443", "first")
        time.sleep(2)
        posted = time.time()
        run = provision(customer, plan)
        arrived = float(first.communicate(timeout=60)[0]) - posted
        yield Figure(
            "provision to first packet, 2 exchanges, 10 sites", arrived, "s", "bound 5 s", arrived / BOUND_FIRST
        )
        assert customer.ended(run)["state"] == "succeeded"

        staying, leaving = start_flow(demo, "443", "keep"), start_flow(demo, "8080", "keep")
        assert staying.stdout and staying.stdout.readline().startswith("open")
        assert leaving.stdout and leaving.stdout.readline().startswith("open")
        plan = create_plan(customer, "second", {**example_intent(), "policies": [example_policy("443")]})
        posted = time.time()
        provision(customer, plan)
        word, last = leaving.stdout.readline().split()
        assert word == "cut", "the flow that is denied now was not cut"
        took = float(last) - posted
        yield Figure("provision to a changed policy enforced", took, "s", "bound 3 s", took / BOUND_CHANGE)
        word, gap = staying.communicate("done\n", timeout=30)[0].split()
        assert word == "gap", "a flow that stays allowed was cut"
        yield Figure("longest pause of a flow that stays allowed", float(gap), "s")


def create_plan(customer: CustomerClient, name: str, document: dict[str, Any]) -> dict[str, Any]:
    draft = customer.post("drafts/", {"name": name})["id"]
    customer.put(f"drafts/{draft}/intent/", document)
    plan: dict[str, Any] = customer.post(f"drafts/{draft}/plan/")
    return plan


def provision(customer: CustomerClient, plan: dict[str, Any]) -> str:
    run: str = customer.post(f"plans/{plan['id']}/provision/", {"digest": plan["digest"]})["id"]
    return run


def start_flow(demo: RunningDemo, port: str, what: str) -> subprocess.Popen[str]:
    """Start a connection from a site of one exchange to a site of the other."""
    words = ["tests.bench.workload_flow", demo.env["LAB_STATE"], TENANT, "site-1", "10.2.0.1", port, what]
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=demo.env,
        cwd=process_specs.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
