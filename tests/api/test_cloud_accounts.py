"""Cloud accounts and their secrets."""

from __future__ import annotations

import pytest

from tests.api.problem_assertions import assert_problem
from tests.people import ApiClient, ApiFactory

pytestmark = pytest.mark.django_db


def test_a_cloud_account_never_returns_its_secret(netadmin: ApiClient, api: ApiFactory) -> None:
    body = {
        "name": "prod",
        "provider": "aws",
        "account_id": "123456789012",
        "regions": ["eu-central-1"],
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "very secret"},
    }
    created = netadmin.post("t/acme/cloud-accounts/", body)
    assert created.status_code == 201, created.content
    assert "secret" not in created.content.decode() and "AKIA" not in created.content.decode()
    url = created["Location"]
    assert netadmin.get(url).json() == created.json()
    patched = netadmin.patch(url, {"regions": ["us-east-1"]}, if_match=created["ETag"])
    assert patched.json()["regions"] == ["us-east-1"]
    assert netadmin.post(f"{url}discover/").json()["discovery"] == "running"
    assert netadmin.get(f"{url}inventory/").json()["vpcs"] == []
    assert "very secret" not in netadmin.get("t/acme/audit/").content.decode()
    assert_problem(netadmin.post("t/acme/cloud-accounts/", body), 409)
    assert_problem(netadmin.post("t/acme/cloud-accounts/", {**body, "name": "x", "account_id": "1"}), 422)
    problem = assert_problem(netadmin.post("t/acme/cloud-accounts/", {**body, "credentials": {"password": "x"}}), 400)
    assert problem["problems"][0]["path"] == "credentials.password"
    assert_problem(api("viewer").get(f"{url}inventory/"), 403)
