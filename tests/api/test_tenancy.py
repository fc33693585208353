"""Tenants, members, tokens and the audit log through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import ProgrammingError
from django.test import Client
from django.utils import timezone

from tenants import audit
from tenants.models import AuditEntry, Membership, Role, Tenant, User
from tenants.principal import Principal
from tenants.roles import RIGHTS
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_draft, create_object
from tests.people import ApiClient, ApiFactory, People, TenantScope

pytestmark = pytest.mark.django_db


def test_me_returns_the_person_and_the_limits_of_the_token(api: ApiFactory, people: People) -> None:
    me = api("netadmin", tenant=people.acme, scopes=["view"]).get("me/").json()
    assert me["email"] == "netadmin@demo.test"
    assert me["token"]["tenant"] == "acme" and me["token"]["scopes"] == ["view"]
    assert api("msp_admin").get("me/").json()["msps"] == [
        {"slug": "northwind", "name": "Northwind Managed Networks", "role": "msp_admin"}
    ]


def test_each_person_sees_only_their_own_tenants(api: ApiFactory) -> None:
    def slugs(name: str) -> list[str]:
        return [tenant["slug"] for tenant in api(name).get("tenants/").json()["results"]]

    assert slugs("viewer") == ["acme"]
    assert slugs("msp_finance") == ["acme", "globex"]
    assert slugs("operator") == ["acme", "globex", "initech"]
    assert slugs("stranger") == ["initech"]
    assert api("viewer").get("tenants/acme/").json()["rights"] == ["view", "tokens"]
    assert_problem(api("viewer").get("tenants/globex/"), 404)


def test_an_msp_creates_a_tenant_with_its_owner(api: ApiFactory, people: People, tenant_scope: TenantScope) -> None:
    created = api("msp_admin").post("tenants/", {"slug": "hooli", "name": "Hooli", "owner": "gavin@demo.test"})
    assert created.status_code == 201, created.content
    assert created.json()["msp"] == "northwind" and "provision" in created.json()["rights"]
    hooli = Tenant.objects.get(slug="hooli")
    assert Membership.objects.get(tenant=hooli).user.email == "gavin@demo.test"
    with tenant_scope(hooli):
        assert [(entry.action, entry.acting_as) for entry in AuditEntry.objects.order_by("number")] == [
            ("tenant.create", "northwind"),
            ("member.add", "northwind"),
        ]
    assert_problem(api("msp_admin").post("tenants/", {"slug": "hooli", "name": "x", "owner": "a@demo.test"}), 409)
    assert_problem(api("msp_admin").post("tenants/", {"slug": "No Slug", "name": "x", "owner": "a@demo.test"}), 400)
    assert_problem(api("msp_admin").post("tenants/", {"slug": "x", "name": "x", "owner": "nobody"}), 400)


@pytest.mark.parametrize("name", ["msp_engineer", "msp_finance", "owner", "stranger"])
def test_people_without_the_permission_create_no_tenants(api: ApiFactory, name: str) -> None:
    assert_problem(api(name).post("tenants/", {"slug": "x", "name": "x", "owner": "a@demo.test"}), 403)


def test_members_are_added_changed_and_removed(api: ApiFactory) -> None:
    owner = api("owner")
    created = owner.post("t/acme/members/", {"email": "New@Demo.test", "role": "viewer"})
    assert created.status_code == 201
    url = created["Location"]
    assert owner.patch(url, {"role": "finance"}, if_match=created["ETag"]).json()["role"] == "finance"
    assert_problem(owner.patch(url, {"role": "viewer"}, if_match=created["ETag"]), 412)
    assert_problem(owner.patch(url, {"role": "msp_admin"}), 400)
    assert_problem(owner.post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"}), 409)
    assert owner.delete(url).status_code == 204
    assert_problem(owner.get(url), 404)
    listed = owner.get("t/acme/members/").json()["results"]
    assert {row["email"] for row in listed if row["msp"]} == {
        "msp@demo.test",
        "engineer@demo.test",
        "mspfinance@demo.test",
    }


def test_the_last_owner_cannot_be_removed(api: ApiFactory, people: People) -> None:
    membership = Membership.objects.get(user=people.owner)
    assert_problem(api("owner").delete(f"t/acme/members/{membership.uid}/"), 409)
    assert_problem(api("owner").patch(f"t/acme/members/{membership.uid}/", {"role": "viewer"}), 409)


def test_a_member_of_another_tenant_is_not_found(api: ApiFactory, people: People) -> None:
    other = Membership.objects.get(user=people.globex_owner)
    assert_problem(api("owner").get(f"t/acme/members/{other.uid}/"), 404)
    assert_problem(api("owner").delete(f"t/acme/members/{other.uid}/"), 404)


def test_a_token_is_shown_once_and_works_until_revoked(api: ApiFactory) -> None:
    created = api("netadmin").post("t/acme/tokens/", {"name": "ci", "scopes": ["view", "edit"]})
    secret = created.json()["token"]
    assert secret.startswith("cw_")
    again = api("netadmin").get(created["Location"]).json()
    assert "token" not in again and secret not in str(again)
    script = ApiClient(secret)
    assert script.get("me/").json()["token"]["scopes"] == ["view", "edit"]
    assert script.post("t/acme/drafts/", {"name": "x"}).status_code == 201
    assert_problem(script.get("t/acme/audit/"), 403)
    assert api("netadmin").delete(created["Location"]).status_code == 204
    assert_problem(script.get("me/"), 401)
    assert api("netadmin").get(created["Location"]).json()["revoked_at"]


def test_a_token_cannot_exceed_the_token_that_created_it(api: ApiFactory) -> None:
    assert_problem(api("viewer").post("t/acme/tokens/", {"name": "x", "scopes": ["edit"]}), 403)
    soon = timezone.now() + timedelta(hours=1)
    narrow = api("owner", scopes=["view", "tokens"], expires_at=soon)
    created = narrow.post("t/acme/tokens/", {"name": "x"}).json()
    assert created["scopes"] == ["view", "tokens"]
    assert datetime.fromisoformat(created["expires_at"]) == soon
    for at in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert_problem(api("owner").post("t/acme/tokens/", {"name": "x", "expires_at": at}), 400)
    assert_problem(api("owner").post("t/acme/tokens/", {"name": "x", "scopes": ["everything"]}), 400)
    assert_problem(api("owner").post("t/acme/tokens/", {"name": "x", "scope": ["view"]}), 400)


def test_a_token_without_the_right_makes_and_revokes_no_token(api: ApiFactory) -> None:
    narrow, owner = api("owner", scopes=["view"]), api("owner")
    created = owner.post("t/acme/tokens/", {"name": "full"})
    assert_problem(narrow.post("t/acme/tokens/", {"name": "child"}), 403)
    assert_problem(narrow.delete(created["Location"]), 403)
    assert ApiClient(created.json()["token"]).get("me/").status_code == 200


def test_a_narrow_token_does_not_revoke_a_wider_one(api: ApiFactory) -> None:
    owner = api("owner")
    full = owner.post("t/acme/tokens/", {"name": "full"})["Location"]
    keeper = ApiClient(owner.post("t/acme/tokens/", {"name": "keeper", "scopes": ["view", "tokens"]}).json()["token"])
    child = keeper.post("t/acme/tokens/", {"name": "child"})["Location"]
    assert_problem(keeper.delete(full), 403)
    assert keeper.delete(child).status_code == 204


def test_a_token_falls_with_the_token_that_made_it(api: ApiFactory, people: People, tenant_scope: TenantScope) -> None:
    created = api("viewer").post("t/acme/tokens/", {"name": "mother"})
    family = [created.json()["token"]]
    for name in ("daughter", "granddaughter"):
        family.append(ApiClient(family[-1]).post("t/acme/tokens/", {"name": name}).json()["token"])
    assert api("owner").delete(created["Location"]).status_code == 204
    assert [ApiClient(secret).get("me/").status_code for secret in family] == [401, 401, 401]
    assert api("owner").delete(created["Location"]).status_code == 204
    with tenant_scope(people.acme):
        revoked = AuditEntry.objects.filter(action="token.revoke").order_by("number")
        assert [entry.object_name for entry in revoked] == ["mother", "daughter", "granddaughter"]


def test_tokens_are_visible_to_their_person_and_to_owners(api: ApiFactory) -> None:
    created = api("netadmin").post("t/acme/tokens/", {"name": "ci"})
    assert_problem(api("viewer").get(created["Location"]), 404)
    assert_problem(api("viewer").delete(created["Location"]), 404)
    assert api("owner").get(created["Location"]).status_code == 200


def test_a_token_ends_when_its_member_is_removed(api: ApiFactory, people: People) -> None:
    viewer = api("viewer")
    assert viewer.get("t/acme/members/").status_code == 200
    secret = viewer.post("t/acme/tokens/", {"name": "ci"}).json()["token"]
    uid = Membership.objects.get(user=people.viewer).uid
    assert api("owner").delete(f"t/acme/members/{uid}/").status_code == 204
    assert_problem(viewer.get("t/acme/members/"), 404)
    Membership.objects.create(user=people.viewer, tenant=people.acme, role=Role.VIEWER)
    assert_problem(ApiClient(secret).get("t/acme/members/"), 401)


def test_the_audit_log_names_actors_and_its_hash_chain_verifies(
    api: ApiFactory, people: People, tenant_scope: TenantScope, capsys: pytest.CaptureFixture[str]
) -> None:
    where = create_draft(api("netadmin"))
    create_object(api("msp_engineer"), where, "groups")
    entries = api("owner").get("t/acme/audit/").json()["results"]
    assert [(entry["action"], entry["actor"], entry["acting_as"]) for entry in entries] == [
        ("draft.edit", "engineer@demo.test", "northwind"),
        ("draft.create", "netadmin@demo.test", ""),
    ]
    assert entries[0]["after"]["name"] == "prod" and entries[0]["request_id"]
    assert entries[0]["previous"] == entries[1]["digest"]
    assert len(api("owner").get("t/acme/audit/?action=draft.edit").json()["results"]) == 1
    assert_problem(api("owner").get("t/acme/audit/?from=yesterday"), 400)
    call_command("verify_audit", tenant="acme")
    assert "acme: holds" in capsys.readouterr().out
    with tenant_scope(people.acme):
        assert list(audit.verify_chain()) == []


@pytest.mark.django_db(transaction=True)
def test_a_tampered_audit_entry_is_detected(
    api: ApiFactory, people: People, tenant_scope: TenantScope, as_owner: Callable[[str], None]
) -> None:
    create_draft(api("netadmin"))
    create_draft(api("netadmin"), "second")
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(people.acme):
        AuditEntry.objects.update(actor="somebody@else.test")
    as_owner("UPDATE tenants_auditentry SET actor = 'somebody@else.test' WHERE number = 1")
    with tenant_scope(people.acme):
        assert list(audit.verify_chain()) == ["Entry 1 was changed after it was written."]
    with pytest.raises(SystemExit):
        call_command("verify_audit", tenant="acme")


def test_a_tenant_cannot_narrow_what_its_msp_may_do(people: People) -> None:
    Membership.objects.create(user=people.msp_admin, tenant=people.acme, role=Role.VIEWER)
    assert Principal(people.msp_admin).rights(people.acme) == frozenset(RIGHTS)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "not an address",
        f"{'a' * 290}@demo.test",
        "a@b",
        "a@ß.com",
        "a@\u200d.com",
        '"a b"@demo.test',
        '"\x01"@demo.test',
        "=?utf-8?q?a?=@demo.test",
    ],
)
def test_an_address_that_is_none_is_refused_by_api_and_page(
    client: Client, people: People, api: ApiFactory, email: str
) -> None:
    assert_problem(api("owner").post("t/acme/members/", {"email": email, "role": "viewer"}), 400)
    client.force_login(people.owner)
    answer = client.post("/t/acme/members/", {"email": email, "role": "viewer"})
    assert answer.status_code < 500 and not User.objects.filter(email=email.lower()).exists()
