"""The draft in the bar is the person's newest; the bar follows the run that makes another revision live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from portal.pages.draft_bar import open_drafts
from provisioning.models import Draft
from provisioning.services.drafts import lifecycle
from tenants import actor
from tests.people import People

SignIn = Callable[[Any], Client]


def test_drafts_are_listed_newest_first_however_they_were_made(people: People, tenant_scope: Any) -> None:
    with tenant_scope(people.acme), actor.acting(actor.Actor(email=people.netadmin.email)):
        for age, name in enumerate(("first", "second", "third")):
            draft = lifecycle.create_draft(name)
            Draft.objects.filter(pk=draft.pk).update(updated_at=timezone.now() - timedelta(hours=(5, 1, 3)[age]))
        for limit in (None, 2):
            listed = [draft["name"] for draft in open_drafts(people.acme, people.netadmin.email, limit=limit)]
            assert listed == ["second", "third", "first"][:limit]


def test_the_menu_of_the_bar_starts_a_draft_and_names_others_only_where_there_are_some(
    people: People, sign_in: SignIn, tenant_scope: Any
) -> None:
    with tenant_scope(people.acme), actor.acting(actor.Actor(email=people.netadmin.email)):
        lifecycle.create_draft("mine")
    bar = sign_in(people.netadmin).get("/t/acme/draft-bar/").content.decode()
    assert "My drafts" in bar and "New draft" in bar and "Drafts of others" not in bar
    with tenant_scope(people.acme), actor.acting(actor.Actor(email=people.secadmin.email)):
        for name in ("tighten", "loosen"):
            lifecycle.create_draft(name)
    bar = sign_in(people.netadmin).get("/t/acme/draft-bar/").content.decode()
    assert bar.count("Drafts of others") == 1 and "tighten" in bar and "loosen" in bar
