"""Every form that changes something that is there names the state that it was rendered from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from provisioning.core.intent import KINDS
from provisioning.models import CloudAccount
from provisioning.services import cloud_accounts, plans
from provisioning.services.drafts import lifecycle
from tenants.actor import Actor, acting
from tenants.models import ApiToken, Membership, Tenant
from tenants.notifications import notify
from tests.people import ApiFactory, People
from tests.portal.page_forms import forms_of
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db
KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s" * 40}

CREATES = {*KINDS, "drafts", "members", "cloud-accounts", "tokens"}
"""Last words of addresses that a new thing is posted to."""
WITHOUT = {
    "logout": "ends the session",
    "inbox": "marks what the page lists as read; nobody else has it",
    "discover": "asks for a scan, and writes over nothing",
    "revoke": "a token is never changed, only revoked",
    "request": "asks others, and writes over nothing",
    "plan": "makes a plan of the draft as it is; the plan shows what that is",
    "approve": "a plan is never changed; one that was decided about meanwhile is refused with its state",
    "reject": "as approve",
    "provision": "sends the digest of the plan that was read",
    "retry": "a run that goes on meanwhile is refused with its state",
    "cancel": "as retry",
    "traces": "asks a question, and writes nothing",
    "restore": "of an object that is gone, or a revision into a new draft: writes over nothing",
}
"""Last words of addresses whose forms name no state, and why."""


@pytest.fixture
def full_pages(people: People, page_paths: list[str], tenant_scope: Callable[..., Any], api: ApiFactory) -> list[str]:
    """Pages with something of every sort that can be changed."""
    Tenant.objects.filter(pk=people.acme.pk).update(requires_approval=True)
    api("owner").post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"})
    with tenant_scope(people.acme):
        cloud_accounts.add_account(
            name="prod", provider="aws", account_id="123456789012", regions=["eu-central-1"], credentials=KEYS
        )
        notify([people.owner], "plan_decided", "Look", "plans/")
        lifecycle.discard_draft(lifecycle.create_draft("gone"))
        with acting(Actor("netadmin@demo.test")):
            plan = plans.create_plan(draft_with_document())
    ApiToken.objects.get_or_create(user=people.owner, tenant=people.acme, name="ci", prefix="cw_", digest="0" * 64)
    selected = [f"{path}?select={path.split('/')[-2]}" for path in page_paths if "/objects/" in path]
    return [*page_paths, *selected, f"/t/acme/plans/{plan.uid}/"]


def test_a_form_that_changes_something_names_the_state_it_was_rendered_from(
    people: People, full_pages: list[str]
) -> None:
    owner = Client()
    owner.force_login(people.owner)
    lacking, seen = set(), set()
    for form in (form for path in full_pages for form in forms_of(owner, path)):
        seen.add(form.verb)
        creates = form.method == "POST" and form.verb in CREATES
        if not (creates or form.names_state or form.verb in WITHOUT):
            lacking.add((form.page, form.method, form.address))
    assert not lacking
    assert {"approve", "discover", "inbox", "keys", "logout", "revoke", "settings", "me"} <= seen


def test_a_role_that_another_changed_meanwhile_is_not_written_over(people: People, api: ApiFactory) -> None:
    membership = Membership.objects.get(user=people.viewer, tenant=people.acme)
    where = f"/t/acme/members/{membership.uid}/"
    owner = Client()
    owner.force_login(people.owner)
    page = owner.get("/t/acme/members/").content.decode()
    found = re.search(rf'action="{where}">.*?name="if_match" value="(\w+)"', page, re.S)
    assert found
    api("msp_admin").patch(f"t/acme/members/{membership.uid}/", {"role": "finance"})
    for late in ({"role": "owner"}, {"remove": "1"}):
        answer = owner.post(where, {**late, "if_match": found[1]}, follow=True).content.decode()
        assert "now Finance, was changed by msp@demo.test since you read it" in answer
    assert "was changed" in owner.post(where, {"role": "owner"}, follow=True).content.decode()  # names no state
    membership.refresh_from_db()
    assert membership.role == "finance"


def test_regions_that_another_changed_meanwhile_are_not_written_over(
    people: People, api: ApiFactory, tenant_scope: Callable[..., Any]
) -> None:
    fields = {"name": "prod", "provider": "aws", "account_id": "123456789012"}
    made = api("owner").post("t/acme/cloud-accounts/", {**fields, "regions": ["eu-central-1"], "credentials": KEYS})
    uid = made.json()["id"]
    owner = Client()
    owner.force_login(people.owner)
    found = re.search(r'name="if_match" value="(\w+)"', owner.get("/t/acme/cloud-accounts/").content.decode())
    assert found
    with tenant_scope(people.acme):
        CloudAccount.objects.update(discovery="running")  # a scan is no change of what the form holds
    where, sent = f"/t/acme/cloud-accounts/{uid}/keys/", {"regions": "eu-west-1", "if_match": found[1]}
    assert "Changed prod." in owner.post(where, sent, follow=True).content.decode()
    answer = owner.post(where, {**sent, "regions": "us-east-1"}, follow=True).content.decode()
    assert "prod was changed by owner@demo.test since you read it" in answer
    assert api("owner").get(f"t/acme/cloud-accounts/{uid}/").json()["regions"] == ["eu-west-1"]
