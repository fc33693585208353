"""Live sockets: 300 of one tenant, each told a change a second; how late the messages are."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

from websockets.asyncio.client import connect

from tests.bench import Figure, bench
from tests.bench.portal_under_load import LivePortal, live_portal, start_servers

SOCKETS, SECONDS = 300, 20
MAX_LAG = 250.0


@bench
def sockets() -> Iterator[Figure]:
    start_servers()
    token = _make_tenant()
    with live_portal() as portal:
        lags, cpu = asyncio.run(_measure(portal, token))
    assert len(lags) == SOCKETS * SECONDS, f"{SOCKETS * SECONDS - len(lags)} messages were lost"
    yield Figure(f"{SOCKETS} sockets, a change a second: lag p50", lags[len(lags) // 2], "ms")
    yield Figure(f"{SOCKETS} sockets, a change a second: lag p99", lags[int(len(lags) * 0.99)], "ms", bound=MAX_LAG)
    yield Figure(f"{SOCKETS} sockets, a change a second: web process", 100 * cpu / SECONDS, "% of a core")


def _make_tenant() -> str:
    from tenants import tokens
    from tenants.models import Membership, Role, Tenant, User

    tenant = Tenant.objects.create(slug="sockets", name="sockets")
    person = User.objects.create_user("someone@sockets.test", None)
    Membership.objects.create(user=person, role=Role.OWNER, tenant=tenant)
    return tokens.issue(person, "bench")[1]


async def _measure(portal: LivePortal, token: str) -> tuple[list[float], float]:
    """Return the lags in milliseconds, in order, and the CPU seconds of the web process."""
    from portal.live_updates import send_changed

    sent: dict[str, float] = {}
    url, headers = f"ws://127.0.0.1:{portal.port}/ws/t/sockets/", {"Authorization": f"Bearer {token}"}
    listening = [await connect(url, additional_headers=headers) for _ in range(SOCKETS)]
    receiving = [asyncio.create_task(_receive(socket, sent)) for socket in listening]
    cpu = portal.cpu_seconds()
    for second in range(SECONDS):
        sent[str(second)] = time.perf_counter()
        await asyncio.to_thread(send_changed, "sockets", "run", str(second))
        await asyncio.sleep(1 - (time.perf_counter() - sent[str(second)]))
    lags = [lag for taken in await asyncio.gather(*receiving) for lag in taken]
    cpu = portal.cpu_seconds() - cpu
    for socket in listening:
        await socket.close()
    return sorted(lags), cpu


async def _receive(socket: object, sent: dict[str, float]) -> list[float]:
    lags = []
    async for text in socket:  # type: ignore[attr-defined]
        lags.append((time.perf_counter() - sent[json.loads(text)["id"]]) * 1000)
        if len(lags) == SECONDS:
            break
    return lags
