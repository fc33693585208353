"""The agent API: enrolment, signed documents and reports of exchange nodes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from provisioning.models import CounterReading, Node, NodeSection, NodeTenant
from provisioning.services import nodes, telemetry
from tests.api.problem_assertions import assert_problem
from tests.people import ApiClient, ApiFactory, People, TenantScope

pytestmark = pytest.mark.django_db

ENROLMENT = {"location": "aws-eu-central-1", "index": 1, "epoch": "e1"}

NodeClient = tuple[ApiClient, str, str]


@pytest.fixture
def node(api: ApiFactory) -> NodeClient:
    """Return (API client, Authorization header, the portal's public key) of an enrolled node."""
    created = api().post(
        "/agent/v1/enroll/", {**ENROLMENT, "enrollment_key": nodes.enrollment_key("aws-eu-central-1", 1)}
    )
    assert created.status_code == 201, created.content
    return api(), f"Node {created.json()['token']}", created.json()["public_key"]


def test_a_node_enrols_only_with_the_enrolment_key(api: ApiFactory) -> None:
    assert_problem(api().post("/agent/v1/enroll/", {**ENROLMENT, "enrollment_key": "wrong"}), 403)
    assert_problem(api().post("/agent/v1/enroll/", {**ENROLMENT, "enrollment_key": "é"}), 403)
    assert_problem(api().post("/agent/v1/enroll/", ENROLMENT), 400)
    of_its_pair = nodes.enrollment_key("aws-eu-central-1", 2)
    assert_problem(api().post("/agent/v1/enroll/", {**ENROLMENT, "enrollment_key": of_its_pair}), 403)
    nowhere = nodes.enrollment_key("aws-eu-central-1", 3)
    assert_problem(api().post("/agent/v1/enroll/", {**ENROLMENT, "index": 3, "enrollment_key": nowhere}), 422)
    assert_problem(api().send("POST", "/agent/v1/enroll/", b"{"), 400)
    assert_problem(api().get("/agent/v1/enroll/"), 405)
    assert not Node.objects.exists()


def test_a_node_document_is_signed_and_sent_once_per_version(
    node: NodeClient, people: People, tenant_scope: TenantScope
) -> None:
    client, who, public_key = node
    row = Node.objects.get()
    NodeTenant.objects.create(node=row, tenant=people.acme)
    with tenant_scope(people.acme):
        NodeSection(
            node=row, exchange="eu", address="exchange/eu", kind="exchange.presence", body={}, digest="d"
        ).save()
    answer = client.get("/agent/v1/document/?wait=0", authorization=who).json()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    key.verify(base64.b64decode(answer["signature"]), answer["document"].encode())
    document = json.loads(answer["document"])
    assert document["sections"]["acme/exchange/eu"]["kind"] == "exchange.presence"
    have = hashlib.sha256(answer["document"].encode()).hexdigest()
    assert client.get(f"/agent/v1/document/?have={have}&wait=0", authorization=who).status_code == 204
    assert client.get("/agent/v1/document/?have=other&wait=20", authorization=who).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/agent/v1/document/?have={have}&wait=0", authorization=who).status_code == 204
    assert len(queries) == 1, "it is made once for each serial, not for each question"


def test_a_report_records_the_applied_sections(node: NodeClient, people: People, tenant_scope: TenantScope) -> None:
    client, who, _ = node
    row = Node.objects.get()
    NodeTenant.objects.create(node=row, tenant=people.acme)
    with tenant_scope(people.acme):
        NodeSection(
            node=row, exchange="eu", address="exchange/eu", kind="exchange.presence", body={}, digest="d"
        ).save()
    body = {"serial": 1, "epoch": "e1", "applied": {"acme/exchange/eu": "d"}, "health": {"cpu": 1}, "counters": {}}
    assert client.post("/agent/v1/report/", body, authorization=who).status_code == 204
    with tenant_scope(people.acme):
        assert NodeSection.objects.get().applied == "d"
    row.refresh_from_db()
    assert row.seen_at and row.health == {"cpu": 1}


def test_a_report_older_than_the_last_one_is_ignored(
    node: NodeClient, people: People, tenant_scope: TenantScope
) -> None:
    """Its lower counters would look like a reset, and all bytes would be billed again."""
    client, who, _ = node
    NodeTenant.objects.create(node=Node.objects.get(), tenant=people.acme)

    def recorded_value(sequence: int, value: Any, epoch: str = "e1") -> Any:
        body = {"epoch": epoch, "sequence": sequence, "counters": {"acme|connector/a|corp|out|bytes": value}}
        Node.objects.update(counted_at=timezone.now() - timedelta(minutes=1))
        assert client.post("/agent/v1/report/", body, authorization=who).status_code == 204
        with tenant_scope(people.acme):
            return CounterReading.objects.order_by("-at")[0].value

    assert [
        recorded_value(5, 100),
        recorded_value(6, 200),
        recorded_value(5, 100),
        recorded_value(6, 201),
        recorded_value(7, 300),
    ] == [100, 200, 200, 200, 300]
    assert recorded_value(1, 40, epoch="e2") == 40, "a node that was set up again counts from nought"
    again = {**ENROLMENT, "epoch": "e3", "enrollment_key": nodes.enrollment_key("aws-eu-central-1", 1)}
    who = f"Node {client.post('/agent/v1/enroll/', again).json()['token']}"
    assert recorded_value(1, 7, epoch="e3") == 7


def test_a_report_is_one_statement_and_one_round_trip_however_many_tenants_are_on_the_node(
    node: NodeClient, people: People, tenant_scope: TenantScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, who, _ = node
    row = Node.objects.get()
    owners = (people.acme, people.globex)
    counters = {f"{tenant.slug}|connector/a|corp|out|bytes": 5 for tenant in owners}
    applied = {f"{tenant.slug}/exchange/eu": "d" for tenant in owners}
    for tenant in owners:
        NodeTenant.objects.create(node=row, tenant=tenant)
        with tenant_scope(tenant):
            NodeSection(node=row, exchange="eu", address="exchange/eu", kind="exchange.presence", body={}).save()

    def report(sequence: int) -> None:
        body = {"epoch": "e1", "sequence": sequence, "applied": applied, "counters": counters}
        assert client.post("/agent/v1/report/", body, authorization=who).status_code == 204

    report(1)
    round_trips = []
    send = redis.Connection.send_packed_command

    def count(self: redis.Connection, *args: Any, **kwargs: Any) -> Any:
        round_trips.append(self)
        return send(self, *args, **kwargs)

    monkeypatch.setattr(redis.Connection, "send_packed_command", count)
    with CaptureQueriesContext(connection) as queries:
        report(2)
    assert (len(queries), len(round_trips)) == (1, 1)
    for tenant in owners:
        with tenant_scope(tenant):
            assert CounterReading.objects.get().value == 5
            assert NodeSection.objects.get().applied == "d"


def test_a_counter_is_kept_once_a_minute(node: NodeClient, people: People, tenant_scope: TenantScope) -> None:
    NodeTenant.objects.create(node=Node.objects.get(), tenant=people.acme)
    digest, began = Node.objects.get().token_digest, datetime(2026, 1, 1, tzinfo=UTC)
    for second in range(0, 180, 2):
        counters = {"acme|connector/a|corp|out|bytes": second}
        telemetry.store_report(digest, {"epoch": "e1", "counters": counters}, {}, began + timedelta(seconds=second))
    with tenant_scope(people.acme):
        assert list(CounterReading.objects.order_by("at").values_list("value", flat=True)) == [0, 60, 120]


@pytest.mark.parametrize(
    "body",
    [
        {"counters": []},
        {"serial": "1"},
        {"serial": 2**63},
        {"health": {"document_version": "1"}},
        {"counters": {"acme|x": -1}},
        {"counters": {"acme|" + "x" * 201: 1}},
        {"counters": {"acme|\0": 1}},
        {"applied": {"acme/exchange/eu": "d" * 65}},
        {"applied": {"acme/exchange/eu": 5}},
        {"failed": {"acme/exchange/eu": "\0"}},
        {"health": 3},
        {"health": {"cpu": float("nan")}},
        {"epoch": "\0"},
        {"ended": []},
        {"ended": {"sequence": 2**63}},
        {"ended": {"epoch": "e0", "counters": {"acme|x": -1}}},
    ],
)
def test_a_malformed_report_is_refused(node: NodeClient, body: Any) -> None:
    client, who, _ = node
    assert_problem(client.post("/agent/v1/report/", body, authorization=who), 400)


def test_the_agent_api_answers_only_nodes(api: ApiFactory, node: NodeClient) -> None:
    for who in ("Node wrong", "Node ", "Bearer x"):
        assert_problem(api().get("/agent/v1/document/", authorization=who), 401)
    assert_problem(api("operator").get("/agent/v1/document/"), 401)
    assert_problem(api().post("/agent/v1/report/", {}), 401)
