"""The API of a running portal over real sockets, with concurrent requests."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import websockets
from playwright.sync_api import Page, expect

from provisioning.services import nodes
from tenants import tokens
from tests.api.sample_network import OBJECT_BODIES
from tests.people import People
from tests.servers import TestServers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret(people: People) -> str:
    return tokens.issue(people.netadmin, "test")[1]


@pytest.fixture
def portal(live_portal: str, secret: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=f"{live_portal}/api/v1/", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def draft(portal: httpx.Client) -> str:
    return portal.post("t/acme/drafts/", json={"name": "work"}).json()["id"]


def test_concurrent_requests_with_one_key_run_once(portal: httpx.Client, draft: str) -> None:
    def send(_: int) -> Any:
        return portal.post(
            f"t/acme/drafts/{draft}/groups/", json=OBJECT_BODIES["groups"], headers={"Idempotency-Key": "k"}
        )

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert portal.get(f"t/acme/drafts/{draft}/").json()["edits"] == 1


def test_concurrent_edits_of_a_draft_are_serialised(portal: httpx.Client, draft: str) -> None:
    def send(number: int) -> Any:
        return portal.post(f"t/acme/drafts/{draft}/groups/", json={"name": f"g{number}"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(12))) == {201}
    read = portal.get(f"t/acme/drafts/{draft}/").json()
    assert read["edits"] == read["version"] == 12


def test_of_concurrent_changes_to_one_member_one_wins(live_portal: str, people: People) -> None:
    headers = {"Authorization": f"Bearer {tokens.issue(people.owner, 'test')[1]}"}
    with httpx.Client(base_url=f"{live_portal}/api/v1/t/acme/", headers=headers, timeout=30) as owner:

        def add(_: int) -> httpx.Response:
            return owner.post("members/", json={"email": "new@demo.test", "role": "viewer"})

        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(add, range(8)))
        assert sorted(answer.status_code for answer in added) == [201, *[409] * 7]
        [created] = [answer for answer in added if answer.status_code == 201]
        with ThreadPoolExecutor(8) as pool:
            url = f"{live_portal}{created.headers['Location']}"
            removed = list(pool.map(lambda _: owner.delete(url).status_code, range(8)))
        assert sorted(removed) == [204, *[404] * 7]
        entries = owner.get("audit/").json()["results"]
    assert sorted(entry["action"] for entry in entries) == ["member.add", "member.remove"]


def test_a_client_cannot_forge_its_address_in_the_audit_log(portal: httpx.Client) -> None:
    forged = {"X-Forwarded-For": "8.8.4.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test"}
    portal.post("t/acme/drafts/", json={"name": "forged"}, headers=forged)
    answer = portal.get("t/acme/audit/?limit=1&action=draft.create", headers=forged).json()
    assert answer["results"][0]["address"] == "127.0.0.1"


def test_bodies_without_a_length_are_read_and_bounded(portal: httpx.Client, draft: str) -> None:
    def chunks(text: bytes) -> Iterator[bytes]:
        yield from (text[start : start + 65_536] for start in range(0, len(text), 65_536))

    where, headers = f"t/acme/drafts/{draft}/groups/", {"Content-Type": "application/json"}
    created = portal.post(where, content=chunks(b'{"name": "chunked"}'), headers=headers)
    assert created.status_code == 201, created.text
    huge = portal.post(where, content=chunks(b'{"name": "' + b"x" * 5_000_000 + b'"}'), headers=headers)
    assert huge.status_code == 413 and huge.headers["Content-Type"] == "application/problem+json"


async def test_a_change_is_sent_over_the_socket(live_portal: str, secret: str) -> None:
    address = live_portal.replace("http", "ws") + "/ws/t/acme/"
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx.AsyncClient(base_url=f"{live_portal}/api/v1/", headers=headers) as portal,
        websockets.connect(address, additional_headers=headers) as listening,
    ):
        created = (await portal.post("t/acme/drafts/", json={"name": "work"})).json()
        received = json.loads(await asyncio.wait_for(listening.recv(), 5))
        assert received == {"type": "changed", "what": "draft", "id": created["id"], "version": 0}
    with pytest.raises(websockets.ConnectionClosed) as closed:
        async with websockets.connect(
            live_portal.replace("http", "ws") + "/ws/t/globex/", additional_headers=headers
        ) as s:
            await asyncio.wait_for(s.recv(), 5)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4404


def test_waiting_nodes_do_not_block_the_portal(live_portal: str, portal: httpx.Client) -> None:
    """More nodes wait for a document than the database pool has connections."""
    token, _ = nodes.enroll_node("aws-eu-central-1", 1, nodes.enrollment_key("aws-eu-central-1", 1), "e1")
    headers = {"Authorization": f"Node {token}"}
    text = httpx.get(f"{live_portal}/agent/v1/document/", headers=headers).json()["document"]
    have = hashlib.sha256(text.encode()).hexdigest()
    waiting = []
    parts = urlsplit(live_portal)
    for _ in range(25):
        connection = socket.create_connection((parts.hostname, parts.port))
        connection.sendall(
            f"GET /agent/v1/document/?have={have}&wait=20 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Node {token}\r\n\r\n".encode()
        )
        waiting.append(connection)
    try:
        for _ in range(3):
            assert portal.get("me/").elapsed.total_seconds() < 5
    finally:
        for connection in waiting:
            connection.close()


def test_more_reports_than_the_pool_has_connections_are_put_off(live_portal: str, servers: TestServers) -> None:
    """They wait a while, and then the node is told when to come again: 503 with Retry-After, never 500."""
    with psycopg.connect(servers.owner_url) as held, ThreadPoolExecutor(40) as executor:
        held.execute("LOCK TABLE provisioning_node IN ACCESS EXCLUSIVE MODE")

        def report(number: int) -> httpx.Response:
            headers = {"Authorization": f"Node {number}"}
            return httpx.post(f"{live_portal}/agent/v1/report/", json={}, headers=headers, timeout=30)

        reports = [executor.submit(report, number) for number in range(40)]
        done, _ = wait(reports, 20, FIRST_COMPLETED)
        first = done.pop().result()
        held.rollback()
        assert first.status_code == 503 and first.headers["Retry-After"] == "5"
        assert {report.result().status_code for report in reports} == {401, 503}, "none of these nodes is known"


@pytest.mark.browser
def test_the_docs_page_shows_the_api_under_our_content_security_policy(live_portal: str, page: Page) -> None:
    refused = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{live_portal}/api/v1/docs/")
    expect(page.locator("[data-path='/api/v1/me/']").first).to_be_visible(timeout=20_000)
    assert refused == []
