"""Settings of a tenant and a person's profile."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants.models import AuditEntry, Mail
from tenants.notifications import notify
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db


def test_an_owner_requires_approval_and_the_audit_log_says_so(people: People) -> None:
    owner = Client()
    owner.force_login(people.owner)
    owner.post("/t/acme/settings/", {"requires_approval": "on"})
    people.acme.refresh_from_db()
    assert people.acme.requires_approval
    with scope(people.acme):
        entry = AuditEntry.objects.get(action="tenant.change")
        assert (entry.before, entry.after) == ({"requires_approval": False}, {"requires_approval": True})


def test_a_person_changes_their_name_and_is_mailed_only_if_they_want(people: People) -> None:
    viewer = Client()
    viewer.force_login(people.viewer)
    assert viewer.post("/t/acme/profile/", {"name": "x" * 121}).status_code == 422
    viewer.post("/t/acme/profile/", {"name": "Vera View"})
    people.viewer.refresh_from_db()
    assert (people.viewer.name, people.viewer.mail_notifications) == ("Vera View", False)
    with scope(people.acme):
        notify([people.viewer], "Look", "plans/")
    assert not Mail.objects.exists()
