"""Unexpected errors are answered with a problem document (RFC 9457)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from portal.api import tenancy
from portal.log_filters import RefusedInOneLine
from tenants import middleware, tokens
from tenants.models import AuditEntry
from tests.api.problem_assertions import assert_problem
from tests.people import ApiFactory, People, TenantScope

pytestmark = pytest.mark.django_db


def test_an_unexpected_error_is_a_problem_document_and_rolls_back(
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


def database_away(*arguments: Any, **named: Any) -> None:
    raise OperationalError("the database system is shutting down")


def test_a_database_that_is_away_is_503_with_retry_after(api: ApiFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api("owner")
    monkeypatch.setattr(tenancy.services, "add_member", database_away)
    in_a_view = client.post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"})
    assert_problem(in_a_view, 503)
    monkeypatch.setattr(tokens, "find", database_away)
    in_middleware = client.get("t/acme/members/")
    assert_problem(in_middleware, 503)
    assert [answer["Retry-After"] for answer in (in_a_view, in_middleware)] == ["5", "5"]


def test_a_page_without_its_database_is_503_with_retry_after(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(people.owner)
    monkeypatch.setattr(middleware, "find_visible_tenant", database_away)
    answer = client.get("/t/acme/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again" in answer.content.decode()


def test_a_wrong_host_is_refused_in_one_line_of_the_log() -> None:
    record = logging.LogRecord("django.security.DisallowedHost", logging.ERROR, "", 0, "Invalid host", (), None)
    try:
        raise ValueError("a traceback")
    except ValueError:
        record.exc_info = sys.exc_info()
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if any(isinstance(each, RefusedInOneLine) for each in handler.filters)
    ]
    assert len(handlers) == 1 and handlers[0].filter(record) and "Traceback" not in handlers[0].format(record)
    assert Client(headers={"host": "evil.example"}).get("/t/acme/").status_code == 400
