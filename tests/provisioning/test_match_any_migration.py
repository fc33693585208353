"""The migration of lists that match every one from ``[]`` to ``["any"]``, on rows as they were stored before it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.db.migrations import RunSQL

from provisioning.models import Edit, Overlay
from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, provision_document

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

MIGRATION = import_module("provisioning.migrations.0024_match_any").Migration
RULE: dict[str, Any] = {"action": "allow", "protocol": "tcp", "source": ["10.0.0.0/8"], "destination": ["10.0.0.0/8"]}
NAT_MATCH = {"source": ["10.1.0.0/16"], "destination": ["10.2.0.0/16"]}
NAT = {"segment": "corp", "connector": "site-1", "direction": "outbound", "match": NAT_MATCH}
ROUTES = {"segment": "corp", "direction": "in", "targets": ["site-1"]}
BODIES: dict[str, dict[str, Any]] = {
    "services": {"product": "linux-firewall", "segments": ["corp"], "settings": {"rules": [RULE]}},
    "policies": {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": [RULE, {**RULE, "ports": ["22"]}]},
    "nat-rules": {**NAT, "source": {"type": "pool", "prefixes": ["10.200.0.0/30"]}},
    "route-policies": {**ROUTES, "rules": [{"action": "deny"}, {"action": "allow", "set": {"prepend": 2}}]},
    "assertions": {"from": "dev", "to": "prod", "segment": "corp", "expect": "blocked"},
}
POSITIONED = ("policies", "nat-rules")
_TO_EMPTY = r"""regexp_replace({}::text, '"(ports|prefixes|communities)": \["any"\]', '"\1": []', 'g')::jsonb"""
BACK = "".join(
    f"UPDATE provisioning_{table} SET {column} = {_TO_EMPTY.format(column)};"
    for table, column in (("version", "body"), ("overlay", "body"), ("edit", "changes"))
)
"""Bodies as they were stored before the migration, which knew three such lists."""


def stored() -> list[Any]:
    return [
        list(Edit.objects.order_by("pk").values_list("changes", flat=True)),
        list(Overlay.objects.order_by("pk").values_list("name", "body")),
        [row.body for row in queries.list_objects(queries.live_snapshot())],
    ]


def test_empty_lists_that_match_become_any_everywhere(people: People, as_owner: Callable[[str], None]) -> None:
    objects = {
        kind: [{"name": f"old {kind}", **body, **({"position": 1} if kind in POSITIONED else {})}]
        for kind, body in BODIES.items()
        if kind != "assertions"
    }
    provision_document(people.acme, document={**DOCUMENT, **objects})
    with scope(people.acme):
        draft = lifecycle.create_draft("more")
        for kind, body in BODIES.items():
            created = editing.add_object(draft, kind, {"name": f"new {kind}", **body})
            editing.patch_object(draft, kind, created.uid, {"description": "changed"})
        before = stored()
    as_owner(BACK)
    with scope(people.acme):
        assert stored() != before
    for operation in MIGRATION.operations:
        assert isinstance(operation, RunSQL) and isinstance(operation.sql, str)
        as_owner(operation.sql)
    with scope(people.acme):
        assert stored() == before
