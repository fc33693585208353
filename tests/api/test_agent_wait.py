"""Nodes wait for their documents on the event loop: no thread and no connection to Redis each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from portal import agent_wait
from provisioning.services.node_sections import wake_node

SCOPE = {"type": "http", "path": agent_wait.DOCUMENT_PATH}


class Portal:
    """Has a document for node n once ``changed`` has it; counts how often it is asked."""

    def __init__(self, seconds: float = 20) -> None:
        self.seconds, self.changed, self.asked = seconds, set[int](), Counter[int]()

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        node = scope["node"]
        self.asked[node] += 1
        ready = node in self.changed
        headers = [] if ready else [(b"Causeway-Wait", f"{node} {self.seconds}".encode())]
        await send({"type": "http.response.start", "status": 200 if ready else 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def ask(portal: Portal, node: int) -> ApplicationCommunicator:
    asking = ApplicationCommunicator(agent_wait.DocumentWait(portal), {**SCOPE, "node": node})
    assert not asking.future.done(), "asking for it starts the application"
    return asking


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_change_wakes_the_node_that_it_is_about(redis_server: str) -> None:
    portal = Portal()
    first, second = ask(portal, 1), ask(portal, 2)
    await until(lambda: portal.asked == Counter({1: 2, 2: 2}))
    assert len(agent_wait._listeners) == 1, "one connection to Redis for all"
    portal.changed = {1, 2}
    wake_node("acme", 2)
    answer = await second.receive_output(5)
    assert answer["status"] == 200 and portal.asked == Counter({1: 2, 2: 3})
    wake_node("acme", 1)
    assert (await first.receive_output(5))["status"] == 200
    await until(lambda: not agent_wait._listeners)


async def test_a_wait_ends_and_its_header_stays_inside(redis_server: str) -> None:
    portal = Portal(seconds=0.3)
    answer = await ask(portal, 1).receive_output(5)
    assert answer["status"] == 204 and answer["headers"] == []


async def test_a_change_is_not_missed_while_the_connection_to_redis_is_lost(redis_server: str) -> None:
    portal = Portal()
    waiting = ask(portal, 1)
    await until(lambda: portal.asked[1] == 2)
    portal.changed = {1}
    redis.Redis.from_url(settings.REDIS_URL).client_kill_filter(_type="pubsub")
    assert (await waiting.receive_output(5))["status"] == 200


async def test_nodes_look_now_and_then_without_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(agent_wait, "LISTEN_AGAIN_SECONDS", 0.05)
    portal = Portal()
    waiting = ask(portal, 1)
    await until(lambda: portal.asked[1] > 2)
    portal.changed = {1}
    assert (await waiting.receive_output(5))["status"] == 200


async def test_a_node_that_goes_is_not_waited_for(redis_server: str) -> None:
    portal = Portal()
    waiting = ask(portal, 1)
    await until(lambda: portal.asked[1] == 2)
    await waiting.send_input({"type": "http.disconnect"})
    await until(lambda: not agent_wait._listeners)
