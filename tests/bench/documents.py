"""Whole networks as documents: imported in a request, and tried by a worker where they are too large for one.

A worker's part is measured in this process; the portal's memory is looked at once it has answered.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

from tests.bench import Figure, bench
from tests.bench.portal_under_load import LivePortal, live_portal, start_servers

CONNECTORS, GROUPS, OBJECTS = 10_000, 40_000, 100_000
IMPORT, TRIAL, ANSWER = 5.0, 10.0, 2.0
"""Seconds that an import in a request, a trial by a worker, and the answer that leaves one to a worker may take."""
MAX_GROWTH = 60.0


@bench
def documents() -> Iterator[Figure]:
    start_servers()
    with live_portal() as portal:
        owner = _Owner(portal)
        owner.put({"groups": [{"name": "first"}]})
        took = owner.put(_network(CONNECTORS))
        yield Figure(f"document of {CONNECTORS:,} connectors: imported", took, "s", bound=IMPORT)
        for count in (GROUPS, OBJECTS):
            before = portal.process.memory_info().rss
            name = f"document of {count:,} groups"
            took = owner.put({"groups": [{"name": f"group-{number}"} for number in range(count)]}, "?dry_run=1")
            yield Figure(f"{name}: left to a worker", took, "s", bound=ANSWER)
            growth = (portal.process.memory_info().rss - before) / 2**20
            yield Figure(f"{name}: memory that the portal keeps", growth, "MiB", bound=MAX_GROWTH)
            yield Figure(f"{name}: tried", owner.work(), "s", bound=TRIAL)


class _Owner:
    """The owner of a new tenant with one draft."""

    def __init__(self, portal: LivePortal) -> None:
        from provisioning.services.drafts import lifecycle
        from tenants import tokens
        from tenants.models import Membership, Role, Tenant, User
        from tenants.scope import scope

        self.tenant = Tenant.objects.create(slug="documents", name="documents")
        person = User.objects.create_user("someone@documents.test", None)
        Membership.objects.create(user=person, role=Role.OWNER, tenant=self.tenant)
        self.token = tokens.issue(person, "bench")[1]
        with scope(self.tenant):
            self.draft = str(lifecycle.create_draft("bench").uid)
        self.connection = http.client.HTTPConnection("127.0.0.1", portal.port)

    def put(self, document: dict[str, Any], query: str = "") -> float:
        """Return the seconds until the answer is there."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body, began = json.dumps(document), time.perf_counter()
        self.connection.request("PUT", f"/api/v1/t/documents/drafts/{self.draft}/intent/{query}", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        assert response.status in (200, 202), content[:500]
        return time.perf_counter() - began

    def work(self) -> float:
        """Do what was left to a worker; return the seconds that it takes."""
        from provisioning.models import DocumentImport
        from provisioning.services.drafts.large_documents import DocumentImportJob
        from tenants.scope import scope

        with scope(self.tenant):
            left = DocumentImport.objects.get(state=DocumentImport.State.COMPUTING).pk
        began = time.perf_counter()
        DocumentImportJob(self.tenant).run(left)
        took = time.perf_counter() - began
        with scope(self.tenant):
            assert DocumentImport.objects.get(pk=left).state == DocumentImport.State.DONE
        return took


def _network(connectors: int) -> dict[str, Any]:
    from provisioning.catalog import catalog

    locations = sorted(catalog().locations)[:6]

    def connector(number: int) -> dict[str, Any]:
        place = number // 100
        attachment = {
            "segment": f"segment-{number % 100}",
            "group": f"group-{number % 1000}",
            "prefixes": [f"10.{place // 256}.{place % 256}.0/24"],
        }
        return {
            "name": f"site-{number}",
            "kind": "lab-site",
            "exchange": f"exchange-{number % len(locations)}",
            "attachments": [attachment],
        }

    return {
        "exchanges": [{"name": f"exchange-{at}", "location": location} for at, location in enumerate(locations)],
        "segments": [{"name": f"segment-{number}", "prefixes": ["10.0.0.0/8"]} for number in range(100)],
        "groups": [{"name": f"group-{number}"} for number in range(1000)],
        "connectors": [connector(number) for number in range(connectors)],
    }
