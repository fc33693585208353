"""Bodies that an older release stored: they lack newer fields, and some fields had other names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioning.snapshots import queries, tenant_cache
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

OLDER = """
    UPDATE provisioning_overlay SET body = body - 'tier' - 'rules' || jsonb_build_object('rules',
        jsonb_build_array((body -> 'rules' -> 0) - 'mode' - 'reject' || '{"action": "watch", "services": []}'))
        WHERE kind = 'policies';
    UPDATE provisioning_overlay SET body = body - 'selector' - 'contains' WHERE kind = 'groups';
    UPDATE provisioning_overlay SET body = jsonb_set(body - 'labels', '{attachments,0}',
        (body #> '{attachments,0}') - 'groups' - 'labels'
            || jsonb_build_object('group', body #> '{attachments,0,groups,0}'))
        WHERE kind = 'connectors';
"""


def test_older_bodies_are_read_by_todays_names_and_defaults(people: People, as_owner: Callable[[str], None]) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        snapshot = queries.draft_snapshot(draft.uid)
        written = {row.uid: row for row in tenant_cache.load_objects(snapshot)}
    as_owner(OLDER)
    tenant_cache.clear()
    with scope(people.acme):
        for rows in (tenant_cache.load_objects(snapshot), queries.list_objects(snapshot)):
            for row in rows:
                if row.kind == "policies":
                    [rule] = row.body["rules"]
                    assert (row.body["tier"], rule["action"], rule["mode"]) == ("standard", "allow", "monitor")
                else:
                    assert row == written[row.uid]
        assert tenant_cache.load_network(snapshot).resolved_segments
