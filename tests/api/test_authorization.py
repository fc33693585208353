"""Authorisation of every operation in the schema: 401 without login, 404 to strangers, 403 without the permission."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from tenants import tokens
from tenants.models import User
from tests.api.problem_assertions import assert_problem
from tests.people import ApiFactory, People

pytestmark = pytest.mark.django_db

PATH_VALUES = {"n": "0", "m": "0", "number": "INV-1", "slug": "acme", "tenant": "acme"}
# What every member may do for themselves, and questions that change nothing.
OWN_RESOURCE_OPERATIONS = {
    ("POST", "/api/v1/t/{slug}/tokens/"),
    ("DELETE", "/api/v1/t/{slug}/tokens/{uid}/"),
    ("POST", "/api/v1/tenants/"),
    ("PATCH", "/api/v1/me/"),
    ("POST", "/api/v1/t/{slug}/inbox/read/"),
    ("PATCH", "/api/v1/t/{slug}/inbox/{uid}/"),
    ("POST", "/api/v1/invitations/{uid}/accept/"),
    ("POST", "/api/v1/invitations/{uid}/decline/"),
    *(("POST", f"/api/v1/t/{{slug}}/{version}/traces/") for version in ("live", "drafts/{draft}", "revisions/{n}")),
}


def operations(api: ApiFactory) -> Iterator[tuple[str, str]]:
    document = api().get("schema/").json()
    for path, verbs in document["paths"].items():
        for verb in verbs:
            if verb in ("get", "post", "put", "patch", "delete"):
                yield verb.upper(), path


def address(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda match: PATH_VALUES.get(match[1], str(uuid4())), path)


def test_the_schema_lists_more_than_ten_operations(api: ApiFactory) -> None:
    assert len(list(operations(api))) > 10


def test_every_operation_answers_401_without_a_login(api: ApiFactory) -> None:
    for verb, path in operations(api):
        answer = api().send(verb, address(path))
        assert_problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer"), path


def test_every_operation_answers_404_to_a_stranger(api: ApiFactory) -> None:
    stranger = api("stranger")
    for verb, path in operations(api):
        if "{slug}" in path or "{tenant}" in path:
            assert_problem(stranger.send(verb, address(path), {}), 404)


def test_every_write_answers_403_to_a_viewer(api: ApiFactory) -> None:
    viewer = api("viewer")
    for verb, path in operations(api):
        if verb != "GET" and (verb, path) not in OWN_RESOURCE_OPERATIONS:
            body = assert_problem(viewer.send(verb, address(path), {}), 403)
            assert body["problems"][0]["code"].startswith("lacks_"), path


def test_a_403_names_the_missing_permission(api: ApiFactory) -> None:
    body = assert_problem(api("viewer").get("t/acme/audit/"), 403)
    assert "“audit”" in body["detail"]


def test_an_unknown_path_and_a_wrong_method_are_problem_documents(api: ApiFactory) -> None:
    assert_problem(api("owner").get("nowhere/"), 404)
    assert_problem(api("owner").get("t/acme/nowhere/"), 404)
    answer = api("owner").delete("me/")
    assert_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_a_session_needs_its_csrf_token_and_a_bearer_does_not(
    people: People, sign_in: Callable[[User], Client], api: ApiFactory
) -> None:
    browser = sign_in(people.owner)
    wish = {"name": "x"}
    assert browser.get("/api/v1/me/").status_code == 200
    body = assert_problem(browser.post("/api/v1/t/acme/tokens/", wish, content_type="application/json"), 403)
    assert body["problems"][0]["code"] == "csrf"
    browser.get("/accounts/login/")
    browser.cookies["csrftoken"] = "a" * 32
    sent = browser.post(
        "/api/v1/t/acme/tokens/", wish, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert sent.status_code == 201, sent.content


def test_expired_revoked_and_unknown_tokens_are_refused(people: People, api: ApiFactory) -> None:
    past = timezone.now() - timedelta(seconds=1)
    assert_problem(api("owner", expires_at=past).get("me/"), 401)
    token, secret = tokens.issue(people.owner, "test")
    client = type(api())(secret)
    assert client.get("me/").status_code == 200
    tokens.revoke(token, timezone.now())
    body = assert_problem(client.get("me/"), 401)
    assert body["problems"][0]["code"] == "bad_token"
    assert_problem(type(api())("cw_unknown").get("me/"), 401)
    assert_problem(api().get("me/", authorization="Basic eDp5"), 401)


def test_a_token_opens_no_page(api: ApiFactory) -> None:
    client = api("owner").client
    for path in ("/accounts/email/", "/accounts/password/change/", "/t/acme/topology/"):
        answer = client.get(path)
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"), path
    client.post("/accounts/email/", {"email": "evil@evil.test", "action_add": ""})
    assert not EmailAddress.objects.filter(email="evil@evil.test").exists()


def test_a_token_is_limited_to_its_tenant_and_scopes(people: People, api: ApiFactory) -> None:
    msp = api("msp_admin", tenant=people.acme, scopes=["view"])
    assert [tenant["slug"] for tenant in msp.get("tenants/").json()["results"]] == ["acme"]
    assert msp.get("t/acme/members/").status_code == 200
    assert_problem(msp.get("t/globex/members/"), 404)
    assert_problem(msp.post("t/acme/members/", {"email": "a@demo.test", "role": "viewer"}), 403)
    assert_problem(msp.post("tenants/", {"slug": "new", "name": "New", "owner": "a@demo.test"}), 403)


def test_a_token_without_view_is_refused_with_the_missing_scope(people: People, api: ApiFactory) -> None:
    assert_problem(api("owner", scopes=["audit"]).get("t/acme/members/"), 403)
    assert api("owner", scopes=["audit"]).get("t/acme/audit/").status_code == 200


def directives(response: HttpResponseBase) -> set[str]:
    return set(response["Content-Security-Policy"].split("; "))


def test_the_schema_is_openapi_31_and_the_docs_page_loads_nothing_from_a_cdn(api: ApiFactory) -> None:
    document = api().get("schema/").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for summary in (operation["summary"] for verb, operation in operations.items() if verb != "parameters"):
            assert summary and "``" not in summary, path
    page = api().get("docs/")
    assert page.status_code == 200
    assert "cdn" not in page.content.decode()
    assert {"script-src 'self'", "style-src 'self' 'unsafe-inline'"} <= directives(page)
    assert not any("unsafe" in directive for directive in directives(api().get("/accounts/login/")))
