"""The WebSocket of live updates: access, messages, and at most ten messages a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.test import Client

from portal import live_feed, live_updates
from portal.asgi import application
from tenants import tokens
from tenants.models import Membership, User
from tests.node_reports import report_rates
from tests.people import People

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = (b"origin", b"http://testserver")


class Socket(ApplicationCommunicator):
    """The client end of a WebSocket. Channels' own test client would need another server installed."""

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(2))["type"] == "websocket.accept"

    async def json(self) -> Any:
        return json.loads((await self.receive_output(2))["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(2)


def socket(path: str, *headers: tuple[bytes, bytes]) -> Socket:
    all_headers = [(b"host", b"testserver"), *headers]
    return Socket(
        application,
        {"type": "websocket", "path": path, "query_string": b"", "headers": all_headers, "subprotocols": []},
    )


def with_token(user: User, **narrowed: Any) -> tuple[bytes, bytes]:
    return (b"authorization", f"Bearer {tokens.issue(user, 'test', **narrowed)[1]}".encode())


def cookie(client: Client) -> tuple[bytes, bytes]:
    return (b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())


async def code_of(communicator: Any) -> int:
    assert await communicator.connect()
    return (await communicator.receive_output(2))["code"]


async def test_a_socket_without_login_is_closed_with_4401(people: People) -> None:
    assert await code_of(socket("/ws/t/acme/", ORIGIN)) == 4401
    assert await code_of(socket("/ws/t/acme/", (b"authorization", b"Bearer cw_wrong"))) == 4401


async def test_a_strangers_socket_is_closed_with_4404(people: People) -> None:
    header = await sync_to_async(with_token)(people.stranger)
    assert await code_of(socket("/ws/t/acme/", header)) == 4404
    assert await code_of(socket("/ws/t/nowhere/", header)) == 4404


async def test_a_page_of_another_origin_gets_no_socket(people: People, sign_in: Callable[[User], Client]) -> None:
    client = await sync_to_async(sign_in)(people.viewer)
    assert not await socket("/ws/t/acme/", cookie(client), (b"origin", b"http://evil.example")).connect()


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://testserver", True),
        ("http://127.0.0.1:8000", True),  # PUBLIC_URL
        ("http://testserver:8001", False),
        ("http://127.0.0.1:8001", False),
        ("http://localhost", False),
        ("null", False),
        ("", False),
    ],
)
async def test_the_port_of_an_origin_counts(
    people: People, sign_in: Callable[[User], Client], settings: Any, origin: str, accepted: bool
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    client = await sync_to_async(sign_in)(people.viewer)
    page = socket("/ws/t/acme/", cookie(client), (b"origin", origin.encode()))
    assert await page.connect() is accepted
    if accepted:
        await page.disconnect()


async def test_a_session_receives_changes_of_its_tenant_only(people: People, sign_in: Callable[[User], Client]) -> None:
    client = await sync_to_async(sign_in)(people.viewer)
    listening = socket("/ws/t/acme/", cookie(client), ORIGIN)
    assert await listening.connect()
    await sync_to_async(live_updates.send_changed)("globex", "run", "not for you", 1)
    await sync_to_async(live_updates.send_changed)("acme", "run", "r1", 3)
    assert await listening.json() == {"type": "changed", "what": "run", "id": "r1", "version": 3}
    assert await listening.receive_nothing(0.2)
    await listening.disconnect()


async def test_messages_are_rate_limited_and_only_the_newest_of_an_object_is_sent(people: People) -> None:
    listening = socket("/ws/t/acme/", await sync_to_async(with_token)(people.viewer))
    assert await listening.connect()
    start = time.monotonic()
    for version in range(30):
        await sync_to_async(live_updates.send_changed)("acme", "draft", f"d{version % 5}", version)
    received = []
    while not await listening.receive_nothing(0.4):
        received.append(await listening.json())
    took = time.monotonic() - start
    assert len(received) <= took * 10 + 1
    newest = {message["id"]: message["version"] for message in received if message["type"] == "changed"}
    assert newest == {f"d{number}": 25 + number for number in range(5)}
    await listening.disconnect()


async def test_rates_follow_from_the_last_two_reports_of_a_node(people: People) -> None:
    listening = socket("/ws/t/acme/", await sync_to_async(with_token)(people.viewer))
    rates = {"connector/a": [800, 16], "connector/b": [8, 0]}
    await sync_to_async(report_rates)(people.acme, "aws-eu-central-1", rates)
    await sync_to_async(report_rates)(people.globex, "aws-us-east-1", {"connector/not-yours": [8, 8]})
    assert await listening.connect()
    message = await listening.json()
    assert (message["type"], message["edges"]) == ("rates", rates)
    await listening.disconnect()


async def test_a_tenants_feed_ends_with_its_last_socket(people: People) -> None:
    header = await sync_to_async(with_token)(people.viewer)
    first, second = socket("/ws/t/acme/", header), socket("/ws/t/acme/", header)
    assert await first.connect() and await second.connect()
    (feed,) = live_feed._feeds.values()
    assert len(feed.sockets) == 2
    await first.disconnect()
    await sync_to_async(live_updates.send_changed)("acme", "run", "r1", 3)
    assert (await second.json())["id"] == "r1"
    await second.disconnect()
    assert not live_feed._feeds and all(task.cancelling() or task.done() for task in feed.tasks)


async def test_a_browser_that_goes_while_it_connects_leaves_no_feed(people: People) -> None:
    header = await sync_to_async(with_token)(people.viewer)

    async def is_gone(message: Any) -> None:
        assert live_feed._feeds, "joined before it is accepted"
        raise OSError("the browser has gone")

    async def connect() -> Any:
        return {"type": "websocket.connect"}

    with pytest.raises(OSError, match="has gone"):
        await application(socket("/ws/t/acme/", header).scope, connect, is_gone)
    assert not live_feed._feeds


async def test_a_feed_that_ends_while_it_subscribes_leaves_no_channel_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    layer: Any = get_channel_layer()
    monkeypatch.setattr(live_feed, "_rates", lambda slug: {})
    pending = live_feed.PendingMessages()
    joining = asyncio.create_task(live_feed.join_feed("acme", pending))
    await asyncio.sleep(0)
    (feed,) = live_feed._feeds.values()
    joining.cancel()
    await asyncio.wait([joining, *feed.tasks])
    assert not live_feed._feeds and feed.subscription.done()
    assert not layer.channels and not layer.groups


async def test_a_feed_outlives_a_look_at_rates_that_fails(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([RuntimeError("a bug"), {"connector/a": [8, 0]}])

    def look(slug: str) -> Any:
        if isinstance(result := next(looks), Exception):
            raise result
        return result

    monkeypatch.setattr(live_feed, "_rates", look)
    monkeypatch.setattr(live_feed, "RATES_INTERVAL", 0.1)
    listening = socket("/ws/t/acme/", await sync_to_async(with_token)(people.viewer))
    assert await listening.connect()
    assert (await listening.json())["edges"] == {"connector/a": [8, 0]}
    await listening.disconnect()


async def test_a_tenant_that_was_removed_under_its_page_has_no_rates(people: People) -> None:
    assert await sync_to_async(live_feed._rates)("removed") == {}


async def test_changes_arrive_after_connections_to_redis_were_lost(people: People, redis_server: str) -> None:
    listening = socket("/ws/t/acme/", await sync_to_async(with_token)(people.viewer))
    assert await listening.connect()
    await sync_to_async(live_updates.send_changed)("acme", "run", "before", 1)
    assert (await listening.json())["id"] == "before"
    with redis.Redis.from_url(redis_server) as client:
        client.client_kill_filter(_type="normal", skipme=True)
        client.client_kill_filter(_type="pubsub")
    await asyncio.sleep(0.5)  # the feed subscribes again
    await sync_to_async(live_updates.send_changed)("acme", "run", "after", 2)
    assert (await listening.json())["id"] == "after"
    await listening.disconnect()


async def test_a_removed_member_receives_no_more_messages(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "REAUTHORIZE_INTERVAL", 0.1)
    listening = socket("/ws/t/acme/", await sync_to_async(with_token)(people.viewer))
    assert await listening.connect()
    await Membership.objects.filter(user=people.viewer).adelete()
    closed = await listening.receive_output(3)
    assert closed["code"] == 4404


async def test_too_many_pending_changes_become_one_message() -> None:
    pending = live_feed.PendingMessages()
    for number in range(live_feed.MAX_PENDING + 1):
        pending.put({"type": "changed", "what": "run", "id": str(number), "version": 1})
    message = await asyncio.wait_for(pending.take(), 1)
    assert message == {"type": "changed", "what": "run", "id": "", "version": None}
