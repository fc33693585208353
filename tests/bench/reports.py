"""Reports of 200 nodes with 20 tenants each, one every two seconds, to one web process, and 200 nodes that wait.

Every report has other counters than the one before; what was applied stays the same, as on a network that nobody edits.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator

import httpx

from provisioning.agent.agent import REPORT_SECONDS
from provisioning.core.values.resource import content_digest
from tests.bench import Figure, bench
from tests.bench.portal_under_load import LivePortal, live_portal, start_servers

NODES, TENANTS, SECTIONS, COUNTERS = 200, 20, 5, 10
"""Sections and counters are those of one tenant on one node."""
SECONDS = 30
MAX_CORE, MAX_LATENCY = 40.0, 50.0
WAIT_SECONDS = 20
MAX_THREADS, MAX_REDIS_CONNECTIONS, MAX_MEMORY = 10, 2, 20.0
"""Of the web process: threads and connections that 200 waiting nodes add, and MB."""


@bench
def reports() -> Iterator[Figure]:
    start_servers()
    slugs = _insert_nodes()
    with live_portal() as portal:
        asyncio.run(_send_reports(portal.port, slugs, 2 * REPORT_SECONDS))
        yield from asyncio.run(_measure_waiting(portal))
        share, latencies = asyncio.run(_measure(portal, slugs))
    name = f"{NODES} nodes × {TENANTS} tenants reporting"
    yield Figure(f"{name}: web process", share, "% of a core", bound=MAX_CORE)
    yield Figure(f"{name}: a report, CPU", share / 100 * SECONDS / len(latencies) * 1000, "ms")
    yield Figure(f"{name}: a report, p95", latencies[int(len(latencies) * 0.95)], "ms", bound=MAX_LATENCY)


def _insert_nodes() -> list[str]:
    from provisioning.catalog import catalog
    from provisioning.models import Node, NodeSection, NodeTenant
    from tenants.models import Tenant
    from tenants.scope import scope

    nodes = Node.objects.bulk_create(
        # The first one is real, so that it has a document.
        Node(
            location=f"bench-{number}" if number else min(catalog().locations),
            index=1,
            token_digest=hashlib.sha256(_token(number).encode()).hexdigest(),
        )
        for number in range(NODES)
    )
    slugs = [f"reporting-{number}" for number in range(TENANTS)]
    for slug in slugs:
        tenant = Tenant.objects.create(slug=slug, name=slug)
        recorded = content_digest([_applied([slug]), {}])
        NodeTenant.objects.bulk_create(NodeTenant(node=node, tenant=tenant, recorded=recorded) for node in nodes)
        with scope(tenant):
            NodeSection.objects.bulk_create(
                NodeSection(node=node, exchange="eu", address=address, kind="x", body={}, digest="d", applied="d")
                for node in nodes
                for address in _addresses()
            )
    return slugs


def _applied(slugs: list[str]) -> dict[str, str]:
    return {f"{slug}/{address}": "d" for slug in slugs for address in _addresses()}


def _addresses() -> list[str]:
    return [f"exchange/eu/connector/site-{number}" for number in range(SECTIONS)]


def _token(number: int) -> str:
    return f"bench-node-{number}"


async def _measure_waiting(portal: LivePortal) -> list[Figure]:
    """Return what it takes that all nodes wait at once."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{portal.port}") as client:
        answer = await client.get("/agent/v1/document/", headers={"Authorization": f"Node {_token(0)}"})
    have = hashlib.sha256(answer.json()["document"].encode()).hexdigest()
    before = _resources(portal)
    waiting = [await _wait_for_document(portal.port, have) for _ in range(NODES)]
    await asyncio.sleep(3)
    threads, connections, memory = (now - then for now, then in zip(_resources(portal), before, strict=True))
    for reader, writer in waiting:
        assert not reader.at_eof()
        writer.close()
    name = f"{NODES} nodes waiting"
    return [
        Figure(f"{name}: threads", threads, "", bound=MAX_THREADS),
        Figure(f"{name}: connections to Redis", connections, "", bound=MAX_REDIS_CONNECTIONS),
        Figure(f"{name}: memory", memory, "MB", bound=MAX_MEMORY),
    ]


def _resources(portal: LivePortal) -> tuple[int, int, float]:
    """Return threads, connections to Redis and MB of the web process."""
    from provisioning.redis import redis_client

    clients = redis_client().client_list()
    return portal.process.num_threads(), len(clients), portal.process.memory_info().rss / 1e6


async def _wait_for_document(port: int, have: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /agent/v1/document/?have={have}&wait={WAIT_SECONDS} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Node {_token(0)}\r\n\r\n".encode()
    )
    return reader, writer


async def _measure(portal: LivePortal, slugs: list[str]) -> tuple[float, list[float]]:
    began, cpu = time.perf_counter(), portal.cpu_seconds()
    latencies = await _send_reports(portal.port, slugs, SECONDS)
    return 100 * (portal.cpu_seconds() - cpu) / (time.perf_counter() - began), latencies


async def _send_reports(port: int, slugs: list[str], seconds: float) -> list[float]:
    """Let every node report for so many seconds; return the latencies in milliseconds, in order."""
    end = time.monotonic() + seconds
    taken = await asyncio.gather(*(_run_node(number, port, slugs, end) for number in range(NODES)))
    return sorted(latency for latencies in taken for latency in latencies)


async def _run_node(number: int, port: int, slugs: list[str], end: float) -> list[float]:
    due = time.monotonic() + number / NODES * REPORT_SECONDS
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        request = _request(number, slugs)
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        latencies.append((time.perf_counter() - began) * 1000)
        assert b" 204 " in head, head
        due += REPORT_SECONDS
    writer.close()
    return latencies


def _request(number: int, slugs: list[str]) -> bytes:
    sequence = time.monotonic_ns() // 1_000_000
    body = {
        "epoch": "bench",
        "sequence": sequence,
        "serial": 1,
        "applied": _applied(slugs),
        "failed": {},
        "health": {"document_version": 1, "circuits": {}},
        "counters": {
            f"{slug}|connector/site-{counter}|corp|in|bytes": sequence * (counter + 1)
            for slug in slugs
            for counter in range(COUNTERS)
        },
    }
    content = json.dumps(body).encode()
    head = (
        "POST /agent/v1/report/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Node {_token(number)}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
