"""The audit log as a page: in words, by day, and as CSV."""

from __future__ import annotations

import ast
import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from portal.pages.audit_words import ACTION_WORDS
from tenants import audit
from tenants.actor import Actor, acting
from tests.people import People

HOMES = ("provisioning", "tenants", "billing", "portal")
RECORDING = ("audit.record", "audit.AuditEvent")


@pytest.fixture
def owner(people: People, tenant_scope: Any, client: Client) -> Client:
    with tenant_scope(people.acme), acting(Actor("netadmin@demo.test")):
        audit.record("draft.create", kind="draft", object_id="1", object_name="=rollout")
    client.force_login(people.owner)
    return client


def text(client: Client, query: str = "") -> str:
    return client.get(f"/t/acme/audit/?{query}").content.decode()


def test_entries_are_found_by_their_words_and_by_day(owner: Client) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert "Draft started" in text(owner) and 'title="draft.create"' in text(owner)
    for query in ("search=draft+started", "search=rollout", f"from={today}&to={today}", "from=0001-01-01&to=nonsense"):
        assert "=rollout" in text(owner, query), query
    for query in ("search=token", "to=2020-01-01", "from=8999-12-31"):
        assert "=rollout" not in text(owner, query), query


def test_the_csv_holds_all_entries_that_match_and_no_formula(owner: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(text(owner, "format=csv&search=rollout"))))
    assert [(row["action"], row["object_name"]) for row in rows] == [("draft.create", "'=rollout")]
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo


def recorded_actions() -> set[str]:
    """Return every action that the product's source records as a literal."""
    actions = set()
    for home in HOMES:
        for path in Path(settings.BASE_DIR, home).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                    "audit.record",
                    "audit.AuditEvent",
                    "record",
                ):
                    actions |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return {action for action in actions if isinstance(action, str) and "." in action}


def test_every_action_has_its_words() -> None:
    assert len(recorded_actions()) > 10
    assert recorded_actions() - ACTION_WORDS.keys() == set()
