"""A page about a draft that somebody discarded leads to Design; who has no draft of their own is told so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from provisioning.models import Draft
from provisioning.services.drafts import lifecycle
from provisioning.services.drafts.lifecycle import RESTORABLE_FOR
from tenants import actor
from tests.people import People

SignIn = Callable[[Any], Client]
OF_DRAFT = ("", "rules/", "yaml/", "objects/", "objects/groups/", "rebase/", "import/connectors/", "central-egress/")
PAGES = (
    *(f"design/{{uid}}/{page}" for page in OF_DRAFT),
    "connectors/?draft={uid}",
    "connectors/new/?draft={uid}",
    "trace/?version=drafts/{uid}",
    "reach/?version=drafts/{uid}",
)


@pytest.fixture
def discarded(people: People, tenant_scope: Any) -> Draft:
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("imaging")
        lifecycle.discard_draft(draft)
        return draft


def test_every_page_of_a_discarded_draft_leads_to_design_where_it_is_restored(
    people: People, sign_in: SignIn, discarded: Draft
) -> None:
    client, design = sign_in(people.netadmin), f"/t/acme/design/?discarded={discarded.uid}"
    for path in PAGES:
        answer = client.get(f"/t/acme/{path.format(uid=discarded.uid)}")
        assert (answer.status_code, answer["Location"]) == (302, design), path
    fragment = client.get(f"/t/acme/design/{discarded.uid}/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (404, design)
    page = client.get(design).content.decode()
    assert "The draft imaging was discarded" in page and "Restore imaging" in page
    viewed = sign_in(people.viewer).get(design).content.decode()
    assert "The draft imaging was discarded" in viewed and "Restore imaging" not in viewed
    for other in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        assert "was discarded" not in client.get(f"/t/acme/design/?discarded={other}").content.decode()
    assert sign_in(people.stranger).get(f"/t/initech/design/{discarded.uid}/").status_code == 404


def test_what_was_discarded_long_ago_is_told_and_not_offered(
    people: People, sign_in: SignIn, tenant_scope: Any, discarded: Draft
) -> None:
    with tenant_scope(people.acme):
        Draft.objects.filter(pk=discarded.pk).update(discarded_at=timezone.now() - RESTORABLE_FOR - timedelta(days=1))
    page = sign_in(people.netadmin).get(f"/t/acme/design/?discarded={discarded.uid}").content.decode()
    assert "it cannot be restored" in page and "Restore imaging" not in page


def test_the_bar_of_who_has_no_draft_offers_a_start_and_those_of_others(
    people: People, sign_in: SignIn, tenant_scope: Any
) -> None:
    bar = sign_in(people.netadmin).get("/t/acme/draft-bar/").content.decode()
    assert "No draft of yours" in bar and "#new-draft" in bar and "Others’ drafts" not in bar
    with tenant_scope(people.acme), actor.acting(actor.Actor(email=people.secadmin.email)):
        lifecycle.create_draft("tighten")
    bar = sign_in(people.netadmin).get("/t/acme/draft-bar/").content.decode()
    assert "No draft of yours" in bar and "tighten" in bar and "Discard" not in bar
    own = sign_in(people.secadmin).get("/t/acme/draft-bar/").content.decode()
    assert "No draft of yours" not in own and "Discard draft tighten" in own
