"""Idempotency keys: a POST repeated with its key runs once and gets the same response."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants import vault
from tenants.models import IdempotentResponse, Membership, Role
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import OBJECT_BODIES, create_draft
from tests.people import ApiClient, ApiFactory, People

pytestmark = pytest.mark.django_db


def test_a_repeated_key_and_body_runs_once_and_gets_the_same_response(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    first = netadmin.post(f"{where}groups/", OBJECT_BODIES["groups"], idempotency_key="k1")
    again = netadmin.post(f"{where}groups/", OBJECT_BODIES["groups"], idempotency_key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert len(netadmin.get(f"{where}groups/").json()["results"]) == 1


def test_a_repeated_key_with_another_body_is_409(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    assert_problem(netadmin.post(f"{where}groups/", {"name": "b"}, idempotency_key="k1"), 409)
    assert_problem(netadmin.post(f"{where}segments/", {"name": "a"}, idempotency_key="k1"), 409)
    assert netadmin.post(f"{where}groups/", {"name": "b"}, idempotency_key="k2").status_code == 201


def test_idempotency_keys_are_separate_by_person_token_and_session(
    api: ApiFactory, people: People, netadmin: ApiClient
) -> None:
    where = create_draft(netadmin)
    netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    assert api("owner").post(f"{where}groups/", {"name": "b"}, idempotency_key="k1").status_code == 201
    assert api("netadmin").post(f"{where}groups/", {"name": "c"}, idempotency_key="k1").status_code == 201
    for name in ("d", "e"):
        session = ApiClient()
        session.client.force_login(people.netadmin)
        answers = [session.post(f"{where}groups/", {"name": name}, idempotency_key="k1") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[1]["Idempotent-Replayed"] == "true"


def test_an_answer_is_not_repeated_to_somebody_who_has_lost_rights(api: ApiFactory, people: People) -> None:
    owner = api("owner")
    draft = owner.post("t/acme/drafts/", {"name": "a"}, idempotency_key="k1")
    assert draft.status_code == 201
    Membership.objects.filter(user=people.owner).update(role=Role.SECURITY_ADMIN)
    assert_problem(owner.post("t/acme/drafts/", {"name": "a"}, idempotency_key="k1"), 409)


def test_expired_answers_go_with_a_new_one(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(days=2))
    netadmin.post(f"{where}groups/", {"name": "b"}, idempotency_key="k2")
    assert [stored.key for stored in IdempotentResponse.objects.all()] == ["k2"]


def test_a_refused_request_does_not_use_up_its_key(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.post(f"{where}groups/", {}, idempotency_key="k1"), 422)
    assert netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1").status_code == 201


def test_a_secret_is_not_stored_and_not_repeated(api: ApiFactory) -> None:
    owner = api("owner")
    created = owner.post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1")
    secret = created.json()["token"]
    stored = IdempotentResponse.objects.get().body or {}
    assert secret not in vault.unseal(stored["sealed"])["body"]
    again = owner.post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1")
    assert again.json() == {**created.json(), "token": None}
