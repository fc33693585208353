"""The migration from a segment's stance to its default action, on rows as they were stored before it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.db.migrations import RunSQL

from provisioning.models import Edit, Overlay, OverlayIndexEntry, Version, VersionIndexEntry
from provisioning.selectors import listing
from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import provision_document

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

MIGRATION = import_module("provisioning.migrations.0011_default_action").Migration
BACK = """
    UPDATE provisioning_{table} SET body = body - 'default_action' || '{{"stance": "{old}"}}'
        WHERE kind = 'segments' AND body ->> 'default_action' = '{new}';
    UPDATE provisioning_{table}indexentry SET label = 'segments.stance={old}'
        WHERE label = 'segments.default_action={new}';
"""
BACK_IN_EDITS = """
    UPDATE provisioning_edit SET changes = replace(replace(changes::text,
        '"default_action": "deny"', '"stance": "closed"'), '"default_action": "allow"', '"stance": "open"')::jsonb;
"""


def stored() -> list[Any]:
    return [
        list(Edit.objects.order_by("pk").values_list("changes", flat=True)),
        list(Overlay.objects.order_by("pk").values_list("name", "body")),
        sorted(OverlayIndexEntry.objects.values_list("label", "sort")),
        sorted(VersionIndexEntry.objects.values_list("label", "sort")),
        list(Version.objects.order_by("pk").values_list("name", "body")),
    ]


def test_stored_stances_become_default_actions_everywhere(people: People, as_owner: Callable[[str], None]) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("guests")
        guests = editing.add_object(draft, "segments", {"name": "guests", "default_action": "deny"})
        editing.patch_object(draft, "segments", guests.uid, {"default_action": "allow"})
        editing.add_object(draft, "groups", {"name": "visitors"})
        editing.remove_object(draft, "segments", guests.uid)
        before = stored()
    for table in ("version", "overlay"):
        for old, new in (("open", "allow"), ("closed", "deny")):
            as_owner(BACK.format(table=table, old=old, new=new))
    as_owner(BACK_IN_EDITS)
    with scope(people.acme):
        assert "stance" in str(stored()) and "default_action" not in str(stored())
    for operation in MIGRATION.operations:
        assert isinstance(operation, RunSQL) and isinstance(operation.sql, str)
        as_owner(operation.sql)
    with scope(people.acme):
        assert stored() == before
        page = listing.list_page(queries.live_snapshot(), "segments", filters={"default_action": "deny"})
        assert [row.name for row in page.rows] == ["corp"]
