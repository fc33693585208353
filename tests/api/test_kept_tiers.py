"""Tiers of policies that a tenant keeps for some: nobody else changes what is in them, in whatever way they try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioning.errors import Forbidden
from provisioning.services import plans, runs
from provisioning.services.drafts import editing, large_documents, lifecycle
from provisioning.services.drafts.large_documents import DocumentImportJob
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.drafts.rebase_merge import Resolution
from provisioning.snapshots import document_export, queries
from tenants.actor import Actor, acting
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_object, create_sample_network, get_document
from tests.people import ApiClient, ApiFactory, People
from tests.provisioning.small_network import DOCUMENT, provision_document

pytestmark = pytest.mark.django_db
RULE = {"name": "web", "action": "deny", "protocol": "tcp", "ports": ["443"]}
GUARD = {"name": "guard", "tier": "mandatory", "segments": ["corp"], "from": ["any"], "to": ["prod"], "rules": [RULE]}


def keep(api: ApiFactory, owner: str = "security", tier: str = "mandatory", by: str = "owner") -> None:
    answer = api(by).patch("t/acme/settings/", {"tiers": {tier: owner}})
    assert answer.json()["tiers"][tier] == owner


def guarded_draft(api: ApiFactory) -> tuple[ApiClient, str, str]:
    """Return a network admin, their draft, and in it the path of a mandatory policy of a security admin."""
    keep(api)
    netadmin = api("netadmin")
    where = create_sample_network(netadmin)
    guard = create_object(api("secadmin"), where, "policies", GUARD).json()
    return netadmin, where, f"{where}policies/{guard['id']}/"


def document_without_guard(client: ApiClient, where: str) -> Any:
    document = get_document(client, where)
    document["policies"] = [row for row in document["policies"] if row["name"] != "guard"]
    return document


Attempt = Callable[[ApiClient, str, str], Any]
ATTEMPTS: dict[str, Attempt] = {
    "create": lambda client, where, guard: client.post(f"{where}policies/", {**GUARD, "name": "mine"}),
    "change": lambda client, where, guard: client.patch(guard, {"enabled": False}),
    "leave the tier": lambda client, where, guard: client.patch(guard, {"tier": "standard"}),
    "remove": lambda client, where, guard: client.delete(guard),
    "move out": lambda client, where, guard: client.post(f"{guard}move/", {"tier": "baseline"}),
    "clone": lambda client, where, guard: client.post(f"{guard}clone/"),
    "undo": lambda client, where, guard: client.post(f"{where}undo/"),
    "document": lambda client, where, guard: client.put(where + "intent/", document_without_guard(client, where)),
    "edits": lambda client, where, guard: client.post(
        f"{where}edits/", {"edits": [{"action": "remove", "kind": "policies", "id": guard.split("/")[-2]}]}
    ),
    "selected": lambda client, where, guard: client.post(
        f"{where}policies/bulk/", {"matching": {}, "action": "set", "field": "enabled", "value": False}
    ),
    "selected, dry": lambda client, where, guard: client.post(
        f"{where}policies/bulk/?dry_run=true", {"ids": [guard.split("/")[-2]], "action": "remove"}
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_what_is_kept_is_changed_by_nobody_else(api: ApiFactory, attempt: Attempt) -> None:
    netadmin, where, guard = guarded_draft(api)
    before = get_document(netadmin, where)
    body = assert_problem(attempt(netadmin, where, guard), 403)
    assert {problem["code"] for problem in body["problems"]} == {"lacks_mandatory"}
    assert "owners and security admins" in body["detail"] and "Ask one of them" in body["detail"]
    assert get_document(netadmin, where) == before


@pytest.mark.parametrize("person", ["secadmin", "owner", "msp_admin", "msp_engineer", "operator"])
def test_those_it_is_kept_for_change_it(api: ApiFactory, person: str) -> None:
    _, where, guard = guarded_draft(api)
    assert api(person).patch(guard, {"description": "SEC-7"}).status_code == 200
    assert api(person).post(f"{where}undo/").status_code == 200


def test_other_edits_go_on_beside_it(api: ApiFactory) -> None:
    netadmin, where, _ = guarded_draft(api)
    create_object(netadmin, where, "policies", {**GUARD, "name": "mine", "tier": "standard"})
    document = get_document(netadmin, where)
    document["groups"].append({"name": "more"})
    assert netadmin.put(where + "intent/", document).status_code == 200
    assert netadmin.post(f"{where}undo/").status_code == 200


def test_without_the_setting_every_editor_changes_every_tier(api: ApiFactory) -> None:
    netadmin = api("netadmin", scopes=["view", "edit"])
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "policies", GUARD)


def test_a_token_changes_a_kept_tier_only_where_it_says_so(api: ApiFactory) -> None:
    _, _, guard = guarded_draft(api)
    assert_problem(api("secadmin", scopes=["view", "edit"]).patch(guard, {"enabled": False}), 403)
    assert api("secadmin", scopes=["view", "edit", "mandatory"]).patch(guard, {"enabled": False}).status_code == 200


def test_a_tier_of_the_msp_is_given_back_by_the_msp_only(api: ApiFactory) -> None:
    _, _, guard = guarded_draft(api)
    keep(api, "msp")
    for person in ("owner", "secadmin"):
        assert_problem(api(person).patch(guard, {"enabled": False}), 403)
    body = assert_problem(api("owner").patch("t/acme/settings/", {"tiers": {"mandatory": "editors"}}), 403)
    assert body["problems"][0]["path"] == "tiers.mandatory"
    assert api("msp_engineer").patch(guard, {"enabled": False}).status_code == 200
    keep(api, "editors", by="msp_admin")
    assert api("netadmin").patch(guard, {"enabled": True}).status_code == 200


def test_a_tenant_without_an_msp_gives_it_nothing(api: ApiFactory) -> None:
    body = assert_problem(api("stranger").patch("t/initech/settings/", {"tiers": {"baseline": "msp"}}), 400)
    assert body["problems"][0]["path"] == "tiers.baseline"


def test_a_worker_imports_with_the_rights_of_who_sent_the_document(people: People) -> None:
    people.acme.tiers = {"mandatory": "security"}
    people.acme.save()
    document = {**DOCUMENT, "policies": [{**GUARD, "position": 10}]}
    for rights, state in ((frozenset({"view", "edit"}), "failed"), (frozenset({"edit", "mandatory"}), "done")):
        with scope(people.acme), acting(Actor("somebody@demo.test", rights=rights)):
            started = large_documents.start_import(lifecycle.create_draft(state), document, dry_run=False)
        with scope(people.acme):
            DocumentImportJob(people.acme).run(started.pk)
            assert large_documents.get_import(started.uid).state == state
    with scope(people.acme):
        editing.import_document(lifecycle.create_draft("ours"), document)


def test_a_conflict_about_what_is_kept_is_decided_by_its_keepers(people: People) -> None:
    policies = {"policies": [{**GUARD, "position": 10}]}
    provision_document(people.acme, "first", {**DOCUMENT, **policies})
    people.acme.tiers = {"mandatory": "security"}
    people.acme.save()
    with scope(people.acme):
        draft, other = (lifecycle.create_draft(name) for name in ("mine", "other"))
        [guard] = queries.list_objects(queries.draft_snapshot(draft.uid), "policies")
        editing.patch_object(draft, "policies", guard.uid, {"description": "mine"})
        editing.patch_object(other, "policies", guard.uid, {"description": "theirs"})
        changed = document_export.export_document(queries.draft_snapshot(other.uid))
    provision_document(people.acme, "second", changed)
    choice = [Resolution("policies", guard.uid, "description", "theirs")]
    with scope(people.acme):
        with acting(Actor("netadmin@demo.test", rights=frozenset({"edit"}))), pytest.raises(Forbidden):
            rebase_draft(draft, choice)
        with acting(Actor("secadmin@demo.test", rights=frozenset({"edit", "mandatory"}))):
            rebase_draft(draft, choice)


def test_edits_from_before_a_tier_was_kept_do_not_go_live_without_the_right(people: People) -> None:
    provision_document(people.acme, "first", {**DOCUMENT, "policies": [{**GUARD, "position": 10}]})
    with scope(people.acme), acting(Actor(people.netadmin.email)):
        draft = lifecycle.create_draft("open it")
        [guard] = queries.list_objects(queries.draft_snapshot(draft.uid), "policies")
        editing.patch_object(draft, "policies", guard.uid, {"enabled": False})
        plan = plans.create_plan(draft)
    people.acme.tiers = {"mandatory": "security"}
    people.acme.save()
    with scope(people.acme):
        with pytest.raises(Forbidden, match="owners and security admins"):
            runs.provision_plan(plan, plan.digest)
        people.acme.tiers = {}
        people.acme.save()
    with scope(people.acme):
        runs.provision_plan(plan, plan.digest)
