"""Idempotency keys: a POST repeated with its key runs once and gets the same response."""

from __future__ import annotations

import pytest

from tenants.models import IdempotentResponse
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import OBJECT_BODIES, create_draft
from tests.people import ApiClient, ApiFactory

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


def test_idempotency_keys_are_separate_by_person(api: ApiFactory) -> None:
    where = create_draft(api("netadmin"))
    api("netadmin").post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    assert api("owner").post(f"{where}groups/", {"name": "b"}, idempotency_key="k1").status_code == 201


def test_a_refused_request_does_not_use_up_its_key(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.post(f"{where}groups/", {}, idempotency_key="k1"), 422)
    assert netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1").status_code == 201


def test_a_stored_response_contains_no_secret(api: ApiFactory) -> None:
    created = api("owner").post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1")
    secret = created.json()["token"]
    assert secret not in str(IdempotentResponse.objects.get().body)
    assert api("owner").post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1").json()["token"] == secret
