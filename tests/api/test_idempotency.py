"""What every endpoint promises: keys that make a POST safe to repeat, limits, tags, answers to bugs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.api import tenancy
from provisioning.selectors import cursors
from tenants.models import AuditEntry, IdempotentResponse, User
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import OBJECT_BODIES, create_draft
from tests.people import ApiClient, ApiFactory, People, TenantScope

pytestmark = pytest.mark.django_db


def test_the_same_key_and_body_is_answered_again_and_done_once(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    first = netadmin.post(f"{where}groups/", OBJECT_BODIES["groups"], idempotency_key="k1")
    again = netadmin.post(f"{where}groups/", OBJECT_BODIES["groups"], idempotency_key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert len(netadmin.get(f"{where}groups/").json()["results"]) == 1


def test_the_same_key_with_another_body_is_409(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    assert_problem(netadmin.post(f"{where}groups/", {"name": "b"}, idempotency_key="k1"), 409)
    assert_problem(netadmin.post(f"{where}segments/", {"name": "a"}, idempotency_key="k1"), 409)
    assert netadmin.post(f"{where}groups/", {"name": "b"}, idempotency_key="k2").status_code == 201


def test_a_key_is_its_persons_own(api: ApiFactory) -> None:
    where = create_draft(api("netadmin"))
    api("netadmin").post(f"{where}groups/", {"name": "a"}, idempotency_key="k1")
    assert api("owner").post(f"{where}groups/", {"name": "b"}, idempotency_key="k1").status_code == 201


def test_a_refused_request_leaves_its_key_free(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.post(f"{where}groups/", {}, idempotency_key="k1"), 422)
    assert netadmin.post(f"{where}groups/", {"name": "a"}, idempotency_key="k1").status_code == 201


def test_a_kept_answer_shows_no_secret(api: ApiFactory) -> None:
    created = api("owner").post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1")
    secret = created.json()["token"]
    assert secret not in str(IdempotentResponse.objects.get().body)
    assert api("owner").post("t/acme/tokens/", {"name": "ci"}, idempotency_key="k1").json()["token"] == secret


def test_too_many_requests_are_asked_to_wait(netadmin: ApiClient, api: ApiFactory, settings: Any) -> None:
    settings.API_REQUESTS = 3
    codes = [netadmin.get("me/").status_code for _ in range(8)]
    refused = next(answer for answer in iter(lambda: netadmin.get("me/"), None) if answer.status_code == 429)
    assert_problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 11
    assert codes[0] == 200 and 429 in codes
    assert api("owner").get("me/").status_code == 200


def test_reads_are_tagged_and_answered_short_while_they_hold(netadmin: ApiClient) -> None:
    for path in ("me/", "t/acme/drafts/", "catalog/sizes/", "t/acme/live/intent/"):
        first = netadmin.get(path)
        assert first["ETag"].startswith('"'), path
        assert "no-cache" in first["Cache-Control"]
        again = netadmin.get(path, if_none_match=first["ETag"])
        assert again.status_code == 304 and again.content == b""


def test_a_bug_is_a_problem_document_too_and_leaves_nothing_behind(
    api: ApiFactory, people: People, monkeypatch: pytest.MonkeyPatch, tenant_scope: TenantScope
) -> None:
    def broken(email: str, role: Any) -> None:
        real(email, role)
        raise RuntimeError("a bug")

    real = tenancy.services.add_member
    monkeypatch.setattr(tenancy.services, "add_member", broken)
    problem = assert_problem(api("owner").post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"}), 500)
    assert problem["request_id"] and "bug" not in str(problem)
    assert "new@demo.test" not in str(api("owner").get("t/acme/members/").json())
    with tenant_scope(people.acme):
        assert not AuditEntry.objects.exists()


def test_the_catalogue_is_paged_and_filtered(netadmin: ApiClient) -> None:
    page = netadmin.get("catalog/exchanges/?provider=aws&limit=2").json()
    assert len(page["results"]) == 2 and page["next"] and not page["previous"]
    assert all(location["provider"] == "aws" for location in page["results"])
    following = netadmin.get(page["next"]).json()
    assert following["previous"] and following["results"][0] not in page["results"]
    assert netadmin.get("catalog/products/").json()["results"][0]["key"] == "linux-firewall"
    assert "underlay" not in str(page)


def test_a_text_that_cannot_be_stored_is_refused_in_addresses_too(netadmin: ApiClient) -> None:
    assert_problem(netadmin.get("t/acme/drafts/?search=%00"), 400)
    assert_problem(netadmin.get("t/acme/members/?role=viewer&cursor=%ff"), 400)


def test_numbers_and_moments_beyond_all_bounds_are_refused(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.get(f"{where}groups/?limit={'9' * 5000}"), 400)
    question = cursors.query_fingerprint("/api/v1/t/acme/drafts/", "-created_at", {})
    cursor = cursors.encode_cursor(question, ("0001-01-01T00:00:00+23:00", 1))
    problem = assert_problem(netadmin.get(f"t/acme/drafts/?ordering=-created_at&cursor={cursor}"), 400)
    assert problem["problems"][0]["code"] == "out_of_range"
    assert_problem(netadmin.get("t/acme/audit/?from=0001-01-01T00:00:00%2B23:00"), 400)
    assert_problem(netadmin.get("t/acme/invoices/%00/"), 400)


def test_a_page_refuses_what_cannot_be_kept(people: People, sign_in: Callable[[User], Client]) -> None:
    browser = sign_in(people.netadmin)
    assert browser.get("/t/acme/audit/?search=%00").status_code == 400
    browser.cookies["csrftoken"] = "a" * 32
    sent = {"csrfmiddlewaretoken": "a" * 32}
    assert browser.post("/t/acme/settings/tokens/", {**sent, "name": "a\0b"}).status_code == 400
    assert browser.post("/t/acme/settings/tokens/", {**sent, "name": "x" * 121}).status_code == 200
