"""Unexpected errors are answered with a problem document (RFC 9457)."""

from __future__ import annotations

from typing import Any

import pytest

from portal.api import tenancy
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
