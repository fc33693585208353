"""Plans of large networks, when their worker is killed or the broker is missing."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from portal.local import process_specs
from portal.local.redis import free_port
from provisioning.models import Plan
from provisioning.services import plans
from provisioning.services.drafts import editing, lifecycle
from tenants import tokens
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT
from tests.servers import TestServers
from tests.system.clients import CustomerClient, wait_until

SITES = 1000
"""Enough objects that a plan takes long enough to kill its worker."""


def large() -> dict[str, Any]:
    """Return a document large enough for a worker; most objects are billing tags, which are cheap to plan."""
    sites = [
        {
            "name": f"branch-{number}",
            "kind": "lab-site",
            "exchange": "eu",
            "attachments": [
                {"segment": "corp", "group": "dev", "prefixes": [f"10.{100 + number // 256}.{number % 256}.0/24"]}
            ],
        }
        for number in range(SITES)
    ]
    tags = [{"name": f"cost-{number}"} for number in range(plans.SYNCHRONOUS_LIMIT)]
    return {**DOCUMENT, "connectors": sites, "billing-tags": tags}


def test_a_plan_survives_a_missing_broker_and_a_killed_worker(
    people: People, servers: TestServers, transactional_db: None, live_env: dict[str, str], tmp_path: Path
) -> None:
    with scope(people.acme):
        draft = lifecycle.create_draft("large")
        editing.import_document(draft, large())
    _, token = tokens.issue(people.owner, "long")
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    env = {**live_env, "PUBLIC_URL": here, "CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0"}
    deaf = replace(process_specs.portal_process(env, port), name="portal without a broker")
    servers.supervisor.start(deaf)
    try:
        acme = CustomerClient(here, token, "acme")
        plan = acme.post(f"drafts/{draft.uid}/plan/")
        assert (plan["state"], plan["progress"]) == ("computing", "Waiting for a worker")

        worker = process_specs.worker_process(live_env, tmp_path, threads=2)
        first = servers.supervisor.launch(worker)  # It sweeps as soon as it is ready, and may not outrun us.
        plan_rows = Plan.objects.filter(uid=plan["id"])

        def lease() -> int:
            with scope(people.acme):
                return plan_rows.values_list("lease_number", flat=True).get()

        wait_until(lease, lambda number: number == 1, 60, 0.002)
        os.killpg(first.popen.pid, signal.SIGKILL)
        first.popen.wait(5)
        servers.supervisor.stop(worker.name)
        assert acme.get(f"plans/{plan['id']}/")["state"] == "computing"

        servers.supervisor.launch(worker)
        ended = wait_until(lambda: acme.get(f"plans/{plan['id']}/"), lambda seen: seen["state"] != "computing", 60)
        servers.supervisor.stop(worker.name)
        assert ended["state"] == "ready" and ended["steps"] and lease() == 2
    finally:
        servers.supervisor.stop(deaf.name)
