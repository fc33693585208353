"""Invitations: what who invites learns, what the invited may do before and after they accept, and their mail."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from tenants.mail import send_due_mails
from tenants.models import AuditEntry, Membership, User
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem
from tests.people import ApiFactory, People
from tests.portal.page_forms import submit

pytestmark = pytest.mark.django_db(transaction=True)

NEW_PASSWORD = "a new password of the tests"


@pytest.fixture
def invite(api: ApiFactory) -> Callable[..., Membership]:
    """Return a function that invites an address to acme and mails the invitation, as a worker does."""

    def make(email: str, role: str = "viewer") -> Membership:
        created = api("owner").post("t/acme/members/", {"email": email, "role": role})
        assert created.status_code == 201, created.content
        send_due_mails(timezone.now)
        return Membership.objects.get(uid=created.json()["id"])

    return make


def link_of_the_mail() -> str:
    found = re.search(r"http://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_an_invitation_tells_nothing_about_the_address(api: ApiFactory, people: People) -> None:
    def answer(email: str) -> dict[str, object]:
        body = api("owner").post("t/acme/members/", {"email": email, "role": "viewer"}).json()
        return {name: body[name] for name in ("name", "role", "msp", "state", "invitation_problem")}

    assert answer("stranger@demo.test") == answer("nobody@demo.test")
    listed = api("owner").get("t/acme/members/?search=Stranger").json()["results"]
    assert [(row["email"], row["name"]) for row in listed] == [("stranger@demo.test", "")]
    assert api("owner").get("t/acme/members/?search=Secadmin").json()["results"][0]["name"] == "Secadmin"


def test_an_invited_person_has_no_right_before_they_accept(
    api: ApiFactory, people: People, invite: Callable[..., Membership]
) -> None:
    invitation = invite("stranger@demo.test")
    stranger = api("stranger")
    assert_problem(stranger.get("t/acme/members/"), 404)
    [listed] = stranger.get("invitations/").json()["results"]
    assert (listed["tenant"], listed["role"], listed["invited_by"]) == ("acme", "viewer", "owner@demo.test")
    assert_problem(api("viewer").post(f"invitations/{invitation.uid}/accept/"), 404)
    assert_problem(api("stranger", scopes=["view"]).post(f"invitations/{invitation.uid}/accept/"), 403)
    assert stranger.post(f"invitations/{invitation.uid}/accept/").status_code == 204
    assert stranger.get("t/acme/members/").status_code == 200
    assert_problem(stranger.post(f"invitations/{invitation.uid}/accept/"), 404)
    with scope(people.acme):
        accepted = AuditEntry.objects.get(action="member.accept")
        assert (accepted.actor, accepted.object_name) == ("stranger@demo.test", "stranger@demo.test")


def test_a_declined_invitation_is_gone(api: ApiFactory, invite: Callable[..., Membership]) -> None:
    invitation = invite("stranger@demo.test")
    assert api("stranger").post(f"invitations/{invitation.uid}/decline/").status_code == 204
    assert not Membership.objects.filter(uid=invitation.uid).exists()


def test_a_new_person_comes_in_by_the_link_of_the_mail(people: People, invite: Callable[..., Membership]) -> None:
    invite("new@demo.test")
    assert mail.outbox[-1].to == ["new@demo.test"] and "Acme Health" in mail.outbox[-1].subject
    link, visitor = link_of_the_mail(), Client()
    assert "Join Acme Health" in visitor.get(link).content.decode()
    sent = {"name": "Nora New", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert visitor.post(link, {**sent, "new_password2": "other"}).status_code == 200
    assert visitor.post(link, sent).headers["Location"] == "/t/acme/topology/"
    assert visitor.get("/t/acme/topology/").status_code == 200
    assert User.objects.get(email="new@demo.test").name == "Nora New"
    assert Client().get(link).status_code == 404


def test_a_link_ends_when_it_is_sent_again_or_withdrawn(people: People, invite: Callable[..., Membership]) -> None:
    invitation = invite("new@demo.test")
    link = link_of_the_mail()
    assert Client().get(link).status_code == 200
    assert Client().get(link[:-2] + "x/").status_code == 404
    browser = Client()
    browser.force_login(people.owner)
    submit(browser, "/t/acme/members/", f"/t/acme/members/{invitation.uid}/", {"send": "1"})
    assert Client().get(link).status_code == 404
    send_due_mails(timezone.now)
    assert Client().get(link_of_the_mail()).status_code == 200
    submit(browser, "/t/acme/members/", f"/t/acme/members/{invitation.uid}/", {"remove": "1"})
    assert Client().get(link_of_the_mail()).status_code == 404


def test_who_has_a_password_signs_in_and_answers_on_the_start_page(
    people: People, invite: Callable[..., Membership], password: Callable[[User], str]
) -> None:
    password(people.stranger)
    invitation = invite("stranger@demo.test")
    browser = Client()
    assert browser.get(link_of_the_mail()).headers["Location"] == "/?choose=1"
    browser.force_login(people.stranger)
    assert "invites you as viewer" in browser.get("/").content.decode()
    answer = browser.post(f"/invitations/{invitation.uid}/answer/")
    assert answer.headers["Location"] == "/t/acme/topology/"


@pytest.mark.parametrize("email", ["", "not an address", "x" * 250 + "@demo.test"])
def test_a_wrong_address_is_refused_on_the_page_as_in_the_api(api: ApiFactory, people: People, email: str) -> None:
    assert_problem(api("owner").post("t/acme/members/", {"email": email, "role": "viewer"}), 400)
    browser = Client()
    browser.force_login(people.owner)
    assert browser.post("/t/acme/members/", {"email": email, "role": "viewer"}).status_code == 422
    assert not User.objects.filter(email=email).exists()
