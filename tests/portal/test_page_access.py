"""Access to every page by person, and compliance of its markup with the content security policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import URLPattern

from portal.pages.urls import urlpatterns
from tests.people import People
from tests.portal.page_forms import submit

# The rights that open a page; what is not named asks for `view`.
RIGHT = {
    "usage": "usage",
    "invoices": "usage",
    "cloud-accounts": "accounts",
    "members": "members",
    "settings": "members",
    "audit": "audit",
}
PAGES = [
    pattern.name
    for pattern in urlpatterns
    if isinstance(pattern, URLPattern) and re.fullmatch(r"t/<slug:slug>/[a-z/-]+/", str(pattern.pattern))
]

OUTSIDE_A_TENANT = {
    "home": "lists the tenants that a person may see",
    "invitation": "opened by the signed link of a mail",
    "invitation-answer": "answers invitations of the person who is signed in",
    "mails": "shown to this machine only, where mails are kept as files",
}
"""Pages whose view asks by itself who may see them, since ``tenant_page`` is about one tenant."""

SignIn = Callable[[Any], Client]


def address(name: str, slug: str = "acme") -> str:
    from django.urls import reverse

    return reverse(name, args=[slug])


@pytest.mark.parametrize("name", PAGES)
def test_a_visitor_is_sent_to_the_login_and_back(name: str, people: People) -> None:
    answer = Client().get(address(name))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=/t/acme/")


def test_a_page_outside_a_tenant_is_named_here_with_its_reason() -> None:
    patterns = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
    outside = {pattern.name for pattern in patterns if not str(pattern.pattern).startswith("t/<slug:slug>/")}
    assert outside == set(OUTSIDE_A_TENANT)


def test_the_start_page_requires_a_login(people: People) -> None:
    answer = Client().get("/")
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_404_to_a_stranger(name: str, people: People, sign_in: SignIn) -> None:
    assert sign_in(people.stranger).get(address(name)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_an_owner_and_the_msp_see_every_page(name: str, people: People, sign_in: SignIn) -> None:
    for person in (people.owner, people.msp_admin):
        answer = sign_in(person).get(address(name))
        assert answer.status_code == 200, (name, person)


@pytest.mark.parametrize("name", PAGES)
def test_pages_comply_with_the_content_security_policy(name: str, people: People, sign_in: SignIn) -> None:
    text = sign_in(people.owner).get(address(name)).content.decode()
    assert not re.search(r"<[^>]+\sstyle=", text)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)
    scripts = re.findall(r"<script\b[^>]*>", text)
    inline = [tag for tag in scripts if "src=" not in tag and "application/json" not in tag]
    assert not inline
    assert "https://" not in re.sub(r'xmlns="[^"]*"', "", text)


@pytest.mark.parametrize("name", [name for name in PAGES if name in RIGHT])
def test_a_page_requires_its_permission_and_the_menu_hides_it_without(
    name: str, people: People, sign_in: SignIn
) -> None:
    viewer = sign_in(people.viewer)
    refused = viewer.get(address(name))
    assert refused.status_code == 403 and f'href="{address("topology")}"' in refused.content.decode()
    assert f'href="{address(name)}"' not in viewer.get(address("topology")).content.decode()


def test_a_refused_page_keeps_the_menu_and_the_draft_bar(people: People, sign_in: SignIn) -> None:
    from provisioning.services.drafts import lifecycle
    from tenants.actor import Actor, acting
    from tenants.scope import scope

    with scope(people.acme), acting(Actor(people.secadmin.email)):
        lifecycle.create_draft("rollout")
    refused = sign_in(people.secadmin).get(address("members"))
    assert refused.status_code == 403
    assert f'href="{address("topology")}"' in refused.content.decode() and "rollout" in refused.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_running_portal_refuses_a_page_with_its_menu(live_portal: str, people: People, sign_in: SignIn) -> None:
    session = sign_in(people.viewer).cookies["sessionid"].value
    refused = httpx.get(f"{live_portal}{address('members')}", cookies={"sessionid": session})
    assert refused.status_code == 403 and f'href="{address("topology")}"' in refused.text


def test_an_empty_network_explains_the_first_steps(people: People, sign_in: SignIn) -> None:
    text = sign_in(people.owner).get(address("topology")).content.decode()
    assert "No network yet" in text
    assert 'href="/t/acme/design/"' in text


def test_the_start_page_redirects_to_the_last_tenant(people: People, sign_in: SignIn) -> None:
    msp = sign_in(people.msp_admin)
    assert msp.get("/").status_code == 200
    assert "Sign out" in msp.get("/").content.decode()
    msp.get(address("topology", "globex"))
    assert msp.get("/").headers["Location"] == "/t/globex/topology/"


def test_the_tenant_switcher_lists_only_visible_tenants(people: People, sign_in: SignIn) -> None:
    text = sign_in(people.msp_admin).get(address("topology")).content.decode()
    assert "/t/globex/topology/" in text
    assert "/t/initech/topology/" not in text


def test_a_token_is_shown_once_and_then_only_by_its_prefix(people: People, sign_in: SignIn) -> None:
    owner = Client()
    owner.force_login(people.owner)
    created = owner.post(address("tokens"), {"name": "ci", "scopes": ["view"], "days": "30"}).content.decode()
    secret = re.search(r"<code>(cw_[^<]+)</code>", created)
    assert secret
    later = owner.get(address("tokens")).content.decode()
    assert secret[1] not in later
    assert secret[1][:8] in later


def test_the_page_refuses_to_remove_the_last_owner_with_a_reason(people: People) -> None:
    from tenants.models import Membership

    owner = Client()
    owner.force_login(people.owner)
    own = Membership.objects.get(user=people.owner)
    answer = submit(owner, address("members"), f"{address('members')}{own.uid}/", {"remove": "1"})
    assert "keeps at least one owner" in answer.content.decode()
    assert Membership.objects.filter(pk=own.pk).exists()


def test_cloud_account_keys_are_never_on_a_page(people: People) -> None:
    owner = Client()
    owner.force_login(people.owner)
    sent = {
        "name": "main",
        "account_id": "123456789012",
        "regions": "eu-central-1",
        "access_key_id": "AKIASECRETKEYID",
        "secret_access_key": "very-secret-key",
    }
    assert owner.post(address("cloud-accounts"), sent).status_code == 302
    refused = owner.post(address("cloud-accounts"), {**sent, "account_id": "12"})
    assert refused.status_code == 422
    for text in (refused.content.decode(), owner.get(address("cloud-accounts")).content.decode()):
        assert "very-secret-key" not in text
        assert "AKIASECRETKEYID" not in text
