"""Background traffic for the demo: each workload keeps a connection or two to others of its segment.

Modest on purpose: a few hundred kilobits a second each, a small share of one core. What policies forbid simply fails
and is tried elsewhere later, so that denied attempts show too.
"""

from __future__ import annotations

import asyncio
import random
import socket

from provisioning.agent.netns import in_netns
from provisioning.lab.workload_description import WorkloadDescription
from provisioning.lab.workloads import INTERNET_HOST

PORTS = (443, 443, 443, 8000, 1433, 5432, 445, 22)
FLOWS_PER_WORKLOAD = 2
PAUSE_SECONDS = 1.0
MAX_MESSAGE_BYTES = 48 * 1024
IO_TIMEOUT_SECONDS = 3.0


class TrafficGenerator:
    """Flows of every workload; a flow lives for half a minute or so, then another partner is chosen."""

    def __init__(self) -> None:
        self.workloads: dict[str, WorkloadDescription] = {}
        self.tasks: dict[str, list[asyncio.Task[None]]] = {}
        self.rng = random.Random(7)

    def add_workload(self, name: str, workload: WorkloadDescription) -> None:
        self.workloads[name] = workload
        if name not in self.tasks and workload["kind"] != "internet-exit":
            self.tasks[name] = [asyncio.create_task(self._run_flows(name, n)) for n in range(FLOWS_PER_WORKLOAD)]

    def remove_workload(self, name: str) -> None:
        self.workloads.pop(name, None)
        for task in self.tasks.pop(name, []):
            task.cancel()

    async def _run_flows(self, name: str, number: int) -> None:
        await asyncio.sleep(self.rng.uniform(1, 5))
        while True:
            partner = INTERNET_HOST if number and self.rng.random() < 0.3 else self._pick_peer(name)
            if partner:
                try:
                    await self._flow(name, partner, self.rng.choice(PORTS), self.rng.uniform(20, 60))
                except (OSError, TimeoutError):
                    await asyncio.sleep(self.rng.uniform(3, 8))
            await asyncio.sleep(self.rng.uniform(0.5, 3))

    def _pick_peer(self, name: str) -> str:
        sender = self.workloads[name]
        others = [
            other["addresses"][0]
            for other in self.workloads.values()
            if other is not sender
            and other["tenant"] == sender["tenant"]
            and other["addresses"]
            and other["kind"] != "internet-exit"
            and set(other["segments"]) & set(sender["segments"])
        ]
        return self.rng.choice(others) if others else ""

    async def _flow(self, name: str, address: str, port: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        with in_netns(name):
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            connection.setblocking(False)
            await asyncio.wait_for(loop.sock_connect(connection, (address, port)), IO_TIMEOUT_SECONDS)
            end = loop.time() + seconds
            while loop.time() < end:
                data = b"\0" * self.rng.randrange(2048, MAX_MESSAGE_BYTES)
                await asyncio.wait_for(loop.sock_sendall(connection, data), IO_TIMEOUT_SECONDS)
                left = len(data)
                while left > 0:
                    received = await asyncio.wait_for(loop.sock_recv(connection, 65536), IO_TIMEOUT_SECONDS)
                    if not received:
                        return
                    left -= len(received)
                await asyncio.sleep(self.rng.uniform(0.5, 1.5) * PAUSE_SECONDS)
