"""Secrets are never returned: not in plans, responses, exports, the audit log, the database or the logs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from provisioning.models import CloudAccount
from tenants.models import Tenant
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_draft, create_object, create_sample_network, provision
from tests.people import ApiFactory, ApiResponse, People

pytestmark = pytest.mark.django_db

MARKER = "m4rker-0f-a-secret"
ACCOUNT = {
    "name": "prod",
    "provider": "aws",
    "account_id": "123456789012",
    "regions": ["eu-central-1"],
    "credentials": {"access_key_id": f"AKIA{MARKER}", "secret_access_key": MARKER},
}
VPC = {
    "name": "vpc-prod",
    "kind": "aws-vpc",
    "exchange": "eu",
    "attachments": [{"segment": "corp", "group": "prod", "prefixes": ["10.50.0.0/16"]}],
    "settings": {"account": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-0a1b2c3d"},
}
SITE: dict[str, Any] = {
    "name": "clinic",
    "kind": "ipsec-site",
    "exchange": "eu",
    "attachments": [{"segment": "corp", "group": "prod", "prefixes": ["10.60.0.0/16"]}],
    "settings": {"identity": "clinic", "credential": "clinic-key"},
}
DRAFT_PATHS = ("diff/", "edits/")
SNAPSHOT_PATHS = ("intent/", "connectors/", "connectors/?format=csv", "problems/", "reach/?from=prod")


def stored(tenant: Tenant) -> Iterator[tuple[str, str]]:
    """Yield (table, its rows as text) of every table that the application's role can read."""
    with scope(tenant), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                yield table, row


def test_secrets_are_stored_encrypted_and_returned_nowhere(
    api: ApiFactory, people: People, finish: Callable[[ApiResponse], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    netadmin, answers = api("netadmin"), []

    def ask(method: str, path: str, *body: Any, **headers: Any) -> ApiResponse:
        answer = getattr(netadmin, method)(path, *body, **headers)
        answers.append((path, answer))
        return answer

    assert ask("post", "t/acme/cloud-accounts/", ACCOUNT, idempotency_key="once").status_code == 201
    ask("post", "t/acme/cloud-accounts/", ACCOUNT, idempotency_key="once")
    token = netadmin.post("t/acme/tokens/", {"name": "ci"}, idempotency_key="token")
    secret = token.json()["token"]

    with scope(people.acme):
        # Somebody looked into the account just now, so that the plan need not.
        CloudAccount.objects.update(discovered_at=timezone.now())
    first = create_sample_network(netadmin)
    create_object(netadmin, first, "connectors", VPC)
    create_object(netadmin, first, "connectors", SITE)
    # What belongs elsewhere is refused, and what was refused is not kept.
    for settings in ({**SITE["settings"], "psk": MARKER}, {"identity": "clinic", "pre_shared_key": MARKER}):
        assert_problem(ask("post", f"{first}connectors/", {**SITE, "name": "wrong", "settings": settings}), 422)
    plan = ask("post", f"{first}plan/")
    assert plan.status_code == 201, plan.content
    finish(provision(netadmin, first))

    my_draft, their_draft = create_draft(netadmin, "mine"), create_draft(netadmin, "theirs")
    for where, size in ((my_draft, "medium"), (their_draft, "large")):
        for listed in netadmin.get(f"{where}connectors/").json()["results"]:
            netadmin.patch(f"{where}connectors/{listed['id']}/", {"size": size})
    finish(provision(netadmin, their_draft))
    assert ask("post", f"{my_draft}rebase/").json()["conflicts"]
    paths = [f"{base}{path}" for base in (my_draft, "t/acme/live/") for path in SNAPSHOT_PATHS]
    paths += [f"{my_draft}{path}" for path in DRAFT_PATHS]
    for path in ("plans/", "runs/", "audit/?limit=1000", "cloud-accounts/", "revisions/1/diff/2/", "tokens/"):
        paths.append(f"t/acme/{path}")
    for kind in ("plans", "runs"):
        paths += [f"t/acme/{kind}/{listed['id']}/" for listed in netadmin.get(f"t/acme/{kind}/").json()["results"]]
    for path in paths:
        assert ask("get", path).status_code == 200, path

    exposing = [
        path for path, answer in answers if MARKER in answer.content.decode() or secret in answer.content.decode()
    ]
    assert exposing == []
    rows = list(stored(people.acme))
    assert {"provisioning_cloudaccount", "tenants_idempotentresponse", "tenants_auditentry"} <= {
        table for table, _ in rows
    }
    assert [table for table, row in rows if MARKER in row or secret in row] == []
    assert MARKER not in caplog.text and secret not in caplog.text
