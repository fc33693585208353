"""Pages of rules and policies in a tier that is kept for some: who may not change it only reads."""

from __future__ import annotations

import pytest
from django.test import Client

from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT

pytestmark = pytest.mark.django_db
GUARD = {
    "name": "guard",
    "tier": "mandatory",
    "position": 10,
    "segments": ["corp"],
    "from": ["any"],
    "to": ["prod"],
    "rules": [{"name": "all", "action": "deny"}],
}


def test_who_may_not_change_a_tier_sees_its_policies_and_who_changes_them(people: People) -> None:
    people.acme.tiers = {"mandatory": "security"}
    people.acme.save()
    with scope(people.acme):
        draft = lifecycle.create_draft("work")
        editing.import_document(draft, {**DOCUMENT, "policies": [GUARD]})
        [row] = queries.list_objects(queries.draft_snapshot(draft.uid), "policies")
    netadmin, secadmin = Client(), Client()
    netadmin.force_login(people.netadmin)
    secadmin.force_login(people.secadmin)
    rules = f"/t/acme/design/{draft.uid}/rules/"
    kept, own = netadmin.get(rules).content.decode(), secadmin.get(rules).content.decode()
    assert "kept for owners and security admins" in kept and "Move policy to" not in kept
    assert "kept for" not in own and "Move policy to baseline" in own
    form = netadmin.get(f"{rules}?select={row.uid}").content.decode()
    assert "This tier is kept for owners and security admins" in form and "Save to draft" not in form
