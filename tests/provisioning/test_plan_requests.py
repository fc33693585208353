"""Asking others to approve or provision a plan: who is told, where, and by mail."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from provisioning.errors import StateConflict
from provisioning.models import Plan
from provisioning.services import plans
from tenants.actor import Actor, acting
from tenants.mail import send_due_mails
from tenants.models import Membership, Notification, Tenant
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem
from tests.people import ApiFactory, People
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(people: People) -> Plan:
    """A plan that secadmin wrote and netadmin made."""
    with scope(people.acme):
        with acting(Actor("secadmin@demo.test")):
            draft = draft_with_document()
        with acting(Actor("netadmin@demo.test")):
            return plans.create_plan(draft)


def require_approval(people: People) -> None:
    Tenant.objects.filter(pk=people.acme.pk).update(requires_approval=True)
    people.acme.refresh_from_db()


def test_approval_is_asked_of_those_who_may_and_wrote_nothing(people: People, api: ApiFactory, plan: Plan) -> None:
    require_approval(people)
    where = f"t/acme/plans/{plan.uid}/request/"
    asked = api("secadmin").post(where)
    assert asked.json()["asked"] == ["engineer@demo.test", "msp@demo.test", "owner@demo.test"]
    assert api("secadmin").post(where).status_code == 200
    with scope(people.acme):
        assert Notification.objects.count() == 3  # asked again, nobody is told twice
    assert_problem(api("viewer").post(where), 403)


def test_provisioning_is_asked_of_those_who_may(people: People, api: ApiFactory, plan: Plan) -> None:
    asked = api("secadmin").post(f"t/acme/plans/{plan.uid}/request/").json()["asked"]
    assert "netadmin@demo.test" in asked and "finance@demo.test" not in asked


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_made_a_plan_is_told_what_another_decided(people: People, api: ApiFactory, plan: Plan, verb: str) -> None:
    assert api("owner").post(f"t/acme/plans/{plan.uid}/{verb}/").status_code == 200
    [told] = api("netadmin").get("t/acme/inbox/").json()["results"]
    assert told["text"].startswith(f"owner@demo.test {'approved' if verb == 'approve' else 'rejected'} your plan of ")
    assert told["path"] == f"/t/acme/plans/{plan.uid}/"


def test_who_rejects_their_own_plan_is_told_nothing(people: People, api: ApiFactory, plan: Plan) -> None:
    Membership.objects.filter(user=people.netadmin).update(role="owner")
    assert api("netadmin").post(f"t/acme/plans/{plan.uid}/reject/").status_code == 200
    assert api("netadmin").get("t/acme/inbox/").json()["results"] == []


def test_asking_where_nobody_else_can_says_so(people: People, plan: Plan) -> None:
    require_approval(people)
    Membership.objects.exclude(user__in=[people.netadmin, people.secadmin]).delete()
    with (
        scope(people.acme),
        acting(Actor("secadmin@demo.test")),
        pytest.raises(StateConflict, match="invite somebody"),
    ):
        plans.request_decision(plan)


def test_a_request_is_in_the_inbox_on_the_bell_and_in_a_mail(people: People, api: ApiFactory, plan: Plan) -> None:
    require_approval(people)
    api("secadmin").post(f"t/acme/plans/{plan.uid}/request/")
    owner = Client()
    owner.force_login(people.owner)
    assert "Inbox, 1 not read" in owner.get("/t/acme/topology/").content.decode()
    page = owner.get("/t/acme/inbox/").content.decode()
    assert "secadmin@demo.test asks you to approve the plan" in page and f"/t/acme/plans/{plan.uid}/" in page
    send_due_mails(timezone.now)
    [message] = [message for message in mail.outbox if message.to == ["owner@demo.test"]]
    assert f"/t/acme/plans/{plan.uid}/" in str(message.body)
    owner.post("/t/acme/inbox/")
    assert "not read" not in owner.get("/t/acme/topology/").content.decode()
    secadmin = Client()
    secadmin.force_login(people.secadmin)
    page = secadmin.get(f"/t/acme/plans/{plan.uid}/").content.decode()
    assert "Request approval" in page and "Asked " in page
