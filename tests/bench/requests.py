"""What a request costs the portal: over HTTP with keep-alive, in drafts that touched 14 objects and 10,000.

CPU time of the web process and the time that passes, for each kind of request. The large draft is as after a first
import: live is empty and all that is there was added.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.bench import Figure, bench
from tests.bench.portal_under_load import LivePortal, live_portal, start_servers

SIZES = {"14 objects": (1, 1, 2, 10), "10,000 objects": (6, 100, 1000, 10_000)}
"""Name → exchanges, segments, groups and connectors of a draft."""
ROUNDS, REQUESTS = 3, 20
LIST, ONE, CREATE, CONNECTORS_PAGE = 10.0, 6.0, 12.0, 20.0
"""Milliseconds of CPU that a request may take."""
LARGE_CREATE, LARGE_PAGE, LARGE_DETAIL, LARGE_CANVAS = 30.0, 150.0, 60.0, 1000.0
MAX_CANVAS_BYTES = 500.0


@dataclass
class Browser:
    """One connection that is kept, with a session and a token."""

    portal: LivePortal
    cookie: str
    token: str
    number: int = field(default=0)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.portal.port)

    def get(self, path: str) -> bytes:
        return self._send("GET", path, None)

    def post(self, path: str, body: Any) -> bytes:
        return self._send("POST", path, json.dumps(body))

    def _send(self, method: str, path: str, body: str | None) -> bytes:
        if path.startswith("/api/"):
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        else:
            headers = {"Cookie": f"sessionid={self.cookie}"}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        assert response.status in (200, 201), (path, response.status, content[:500])
        return content

    def milliseconds(self, send: Callable[[], Any]) -> tuple[float, float]:
        """Return the CPU time of the web process and the time that passes, a request; the best of several rounds."""
        send()
        rounds = []
        for _ in range(ROUNDS):
            cpu, began = self.portal.cpu_seconds(), time.perf_counter()
            for _ in range(REQUESTS):
                send()
            took = time.perf_counter() - began
            rounds.append(((self.portal.cpu_seconds() - cpu) / REQUESTS * 1000, took / REQUESTS * 1000))
        return min(rounds)


@bench
def requests() -> Iterator[Figure]:
    start_servers()
    with live_portal() as portal:
        for name, counts in SIZES.items():
            browser, slug, draft, connectors = _make_draft(portal, *counts)
            yield from _figures(browser, name, slug, draft, connectors, is_large=counts[-1] > 1000)


def _figures(
    browser: Browser, name: str, slug: str, draft: str, connectors: list[str], *, is_large: bool
) -> Iterator[Figure]:
    api, canvas = f"/api/v1/t/{slug}/drafts/{draft}/", f"/t/{slug}/design/{draft}/"
    objects = f"{canvas}objects/"

    def create() -> None:
        browser.number += 1
        browser.post(f"{api}groups/", {"name": f"new-{browser.number}"})

    measured: dict[str, tuple[Callable[[], Any], float]] = {
        "list of 50": (lambda: browser.get(f"{api}connectors/?limit=50"), LIST),
        "one object": (lambda: browser.get(f"{api}connectors/{connectors[0]}/"), ONE),
        "create a group": (create, LARGE_CREATE if is_large else CREATE),
        "create a connector": (lambda: _create_connector(browser, api), LARGE_CREATE if is_large else CREATE),
        "connectors page": (lambda: browser.get(f"{objects}connectors/"), LARGE_PAGE if is_large else CONNECTORS_PAGE),
        "detail": (
            lambda: browser.get(f"{objects}connectors/?select={connectors[0]}"),
            LARGE_DETAIL if is_large else CONNECTORS_PAGE,
        ),
        "canvas": (lambda: browser.get(canvas), LARGE_CANVAS),
    }
    for what, (send, bound) in measured.items():
        cpu, took = browser.milliseconds(send)
        yield Figure(f"draft of {name}, {what}: CPU", cpu, "ms", bound=bound)
        yield Figure(f"draft of {name}, {what}: passed", took, "ms")
    size = len(browser.get(canvas)) / 1024
    yield Figure(f"draft of {name}, canvas", size, "KiB", bound=MAX_CANVAS_BYTES)


def _create_connector(browser: Browser, api: str) -> None:
    browser.number += 1
    number = browser.number
    attachment = {
        "segment": "segments-000001",
        "group": "groups-000001",
        "prefixes": [f"172.{16 + number // 250}.{number % 250}.0/24"],
    }
    body = {"name": f"made-{number}", "kind": "lab-site", "exchange": "exchanges-000001", "attachments": [attachment]}
    browser.post(f"{api}connectors/", body)


def _make_draft(
    portal: LivePortal, exchanges: int, segments: int, groups: int, connectors: int
) -> tuple[Browser, str, str, list[str]]:
    from django.test import Client

    from provisioning.catalog import catalog
    from provisioning.models import Draft, Item, Overlay
    from provisioning.snapshots import search_index
    from tenants import tokens
    from tenants.models import Membership, Role, Tenant, User
    from tenants.scope import scope
    from tests.bench.store import COMMON, analyze

    slug = f"requests-{connectors}"
    tenant = Tenant.objects.create(slug=slug, name=slug)
    person = User.objects.create_user(f"someone@{slug}.test", None)
    Membership.objects.create(user=person, role=Role.OWNER, tenant=tenant)
    client = Client()
    client.force_login(person)
    browser = Browser(portal, client.cookies["sessionid"].value, tokens.issue(person, "bench")[1])
    counts = {"exchanges": exchanges, "segments": segments, "groups": groups, "connectors": connectors}
    with scope(tenant):
        draft = Draft(name="bench", base_revision=0, author="bench")
        draft.save()
        items = {
            kind: Item.objects.bulk_insert(
                Item(kind=kind, key=f"{kind}-{number:06d}") for number in range(1, count + 1)
            )
            for kind, count in counts.items()
        }
        uids = {kind: [str(item.uid) for item in rows] for kind, rows in items.items()}

        def body(kind: str, number: int, name: str) -> dict[str, Any]:
            text = {"name": name, "description": ""}
            if kind == "exchanges":
                return {**text, "location": sorted(catalog().locations)[number], "size": "small"}
            if kind == "segments":
                return {**text, "default_action": "allow", "prefixes": ["10.0.0.0/8", "172.16.0.0/12"], "color": None}
            if kind == "groups":
                return text
            place = number // segments
            attachment = {
                "segment": uids["segments"][number % segments],
                "group": uids["groups"][number % groups],
                "prefixes": [f"10.{place // 256}.{place % 256}.0/24"],
            }
            kinds = {"kind": "lab-site", "size": "small", "exchange": uids["exchanges"][number % exchanges]}
            return {**COMMON, **text, **kinds, "attachments": [attachment]}

        written = Overlay.objects.bulk_create(
            Overlay(draft=draft, item=item, kind=kind, name=item.key, body=body(kind, number, item.key))
            for kind, rows in items.items()
            for number, item in enumerate(rows)
        )
        search_index.write_entries(written)
    analyze(start_servers())
    return browser, slug, str(draft.uid), uids["connectors"]
