"""Drafts rebased on a newer revision: resolutions that decide nothing are refused, and undo still works."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.models import Draft
from provisioning.services.drafts import editing, history, lifecycle, overlay
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.drafts.rebase_merge import RebaseConflict, Resolution
from provisioning.snapshots import document_export, queries, tenant_cache
from tenants.models import AuditEntry
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, provision_document

pytestmark = pytest.mark.django_db(databases=["default"])

OLD = {**DOCUMENT, "groups": [*DOCUMENT["groups"], {"name": "old"}]}
NOBODY = "00000000-0000-4000-8000-000000000000"


def site(name: str, group: str | None, prefix: str = "10.3.0.0/16") -> dict[str, Any]:
    attachment = {"segment": "corp", "group": group, "prefixes": [prefix]}
    return {"name": name, "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}


def uid_of(draft: Draft, kind: str, name: str) -> str:
    return next(row.uid for row in queries.list_objects(queries.draft_snapshot(draft.uid), kind) if row.name == name)


def exported(draft: Draft) -> dict[str, Any]:
    """Return the draft's document after checking that it has no errors and imports unchanged."""
    draft.refresh_from_db()
    snapshot = queries.snapshot_of_draft(draft)
    assert overlay.network_errors(tenant_cache.load_network(snapshot)) == []
    document = document_export.export_document(snapshot)
    assert editing.import_document(draft, document, dry_run=True) == []
    return document


def states(draft: Draft) -> list[dict[str, Any]]:
    """Rebase a draft; return its documents after each edit, by undoing all edits. Redo must give the same documents."""
    rebase_draft(draft)
    draft.refresh_from_db()
    documents = [exported(draft)]
    steps = draft.cursor
    for _ in range(steps):
        history.undo_edit(draft)
        documents.append(exported(draft))
    assert documents[-1] == document_export.export_document(queries.live_snapshot())
    for earlier in reversed(documents[:-1]):
        history.redo_edit(draft)
        assert exported(draft) == earlier
    return documents[::-1]


def groups_of(states: list[dict[str, Any]], name: str) -> list[Any]:
    """Return the group of a connector in each state; ``absent`` where the connector does not exist."""
    return [
        next((site["attachments"][0]["groups"][0] for site in state["connectors"] if site["name"] == name), "absent")
        for state in states
    ]


def conflicting(people: People) -> tuple[Draft, str]:
    provision_document(people.acme)
    with scope(people.acme):
        draft, other = lifecycle.create_draft("mine"), lifecycle.create_draft("other")
        uid = uid_of(draft, "connectors", "site-1")
        editing.patch_object(draft, "connectors", uid, {"size": "large", "preference": 7})
        editing.patch_object(other, "connectors", uid, {"size": "medium", "description": "theirs"})
        changed = document_export.export_document(queries.draft_snapshot(other.uid))
    provision_document(people.acme, "third", changed)
    return draft, uid


def test_a_resolution_that_decides_nothing_is_refused_and_the_draft_stays(people: People) -> None:
    draft, uid = conflicting(people)
    size = Resolution("connectors", uid, "size", "theirs")
    with scope(people.acme):
        dev = uid_of(draft, "groups", "dev")
        before = AuditEntry.objects.count()
        for wrong, code, path in (
            (Resolution("connectors", NOBODY, "size", "mine"), "unknown_reference", "resolutions[1].id"),
            (Resolution("groups", uid, "size", "mine"), "unknown_reference", "resolutions[1].id"),
            (Resolution("connectors", uid, "sizes", "mine"), "not_in_conflict", "resolutions[1].path"),
            (Resolution("connectors", uid, "preference", "mine"), "not_in_conflict", "resolutions[1].path"),
            (Resolution("groups", dev, "", "mine"), "not_in_conflict", "resolutions[1].path"),
            (Resolution("connectors", uid, "size", "mine"), "duplicate", "resolutions[1]"),
        ):
            with pytest.raises(RebaseConflict) as refused:
                rebase_draft(draft, [size, wrong])
            assert [(problem.code, problem.path) for problem in refused.value.problems] == [(code, path)]
            assert refused.value.extra["conflicts"] == []
        draft.refresh_from_db()
        assert draft.base_revision == 1 and AuditEntry.objects.count() == before
        with pytest.raises(RebaseConflict) as refused:
            rebase_draft(draft, [Resolution("connectors", uid, "sizes", "mine")])
        assert [problem.code for problem in refused.value.problems] == ["not_in_conflict", "conflict"]
        assert [conflict["path"] for conflict in refused.value.extra["conflicts"]] == ["size"]
        rebase_draft(draft, [size])
        draft.refresh_from_db()
        with pytest.raises(RebaseConflict, match="or no longer"):
            rebase_draft(draft, [size])


def test_undo_works_after_live_removed_an_object_an_earlier_state_named(people: People) -> None:
    provision_document(people.acme, document=OLD)
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        editing.add_object(draft, "connectors", site("new", "old"))
        editing.add_object(draft, "groups", {"name": "between"})
        uid = uid_of(draft, "connectors", "new")
        editing.patch_object(draft, "connectors", uid, {"attachments": site("new", "prod")["attachments"]})
        editing.add_object(draft, "groups", {"name": "after"})
    provision_document(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        after_edits = states(draft)
        assert groups_of(after_edits, "new") == ["absent", "prod", "prod", "prod"]
        named = [[group["name"] for group in state["groups"]] for state in after_edits]
        assert named[0] == named[1] == ["dev", "prod"]
        assert named[2:] == [["between", "dev", "prod"], ["after", "between", "dev", "prod"]]


def test_redo_omits_edits_that_name_objects_live_removed(people: People) -> None:
    provision_document(people.acme, document=OLD)
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        editing.add_object(draft, "groups", {"name": "first"})
        editing.add_object(draft, "connectors", site("new", "old"))
        editing.add_object(draft, "connectors", site("other", "first", "10.4.0.0/16"))
        history.undo_edit(draft)
        history.undo_edit(draft)
    provision_document(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        rebase_draft(draft)
        history.redo_edit(draft)
        assert [site["name"] for site in exported(draft)["connectors"]] == ["other", "site-1", "site-2"]
        with pytest.raises(editing.StateConflict, match="nothing to redo"):
            history.redo_edit(draft)


def test_undo_does_not_remove_an_object_that_live_refers_to(people: People) -> None:
    provision_document(people.acme, document=OLD)
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        uid = uid_of(draft, "groups", "old")
        editing.remove_object(draft, "groups", uid)
        editing.restore_object(draft, "groups", uid)
        editing.patch_object(draft, "groups", uid, {"description": "kept"})
    provision_document(people.acme, "uses", {**OLD, "connectors": [*OLD["connectors"], site("theirs", "old")]})
    with scope(people.acme):
        after_edits = states(draft)
        assert len(after_edits) == 2 and groups_of(after_edits, "theirs") == ["old", "old"]


def test_a_chain_of_references_is_undone_together(people: People) -> None:
    segments = [*OLD["segments"], {"name": "lab", "default_action": "allow", "prefixes": ["10.0.0.0/8"]}]
    provision_document(people.acme, document={**OLD, "segments": segments})
    rules = {"segments": ["lab"], "from": ["first"], "to": ["first"], "rules": []}
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        editing.add_object(draft, "groups", {"name": "first"})
        editing.add_object(draft, "policies", {"name": "inside", **rules})
        uid = uid_of(draft, "policies", "inside")
        editing.patch_object(draft, "policies", uid, {"segments": ["corp"], "from": ["prod"], "to": ["dev"]})
        editing.remove_object(draft, "groups", uid_of(draft, "groups", "first"))
    provision_document(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        after_edits = states(draft)
        assert [[policy["segments"] for policy in state["policies"]] for state in after_edits] == [
            [],
            [],
            [["corp"]],
            [["corp"]],
        ]
        assert ["first" in {group["name"] for group in state["groups"]} for state in after_edits] == [
            False,
            True,
            True,
            False,
        ]


def invalid_together(people: People) -> tuple[Draft, str]:
    """Return a draft that adds a connector in the group old, which live has removed, and the group's uid."""
    provision_document(people.acme, document=OLD)
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        group = uid_of(draft, "groups", "old")
        editing.add_object(draft, "connectors", site("site-3", "old"))
        editing.add_object(draft, "groups", {"name": "new"})
    provision_document(people.acme, "second", DOCUMENT)
    return draft, group


def test_a_rebase_to_an_invalid_network_names_the_objects_of_both_sides(people: People) -> None:
    draft, group = invalid_together(people)
    with scope(people.acme):
        with pytest.raises(RebaseConflict, match="would create an invalid network") as refused:
            rebase_draft(draft)
        conflicts = {conflict["name"]: conflict for conflict in refused.value.extra["conflicts"]}
        assert conflicts.keys() == {"site-3", "old"}
        assert conflicts["old"]["mine"] and conflicts["old"]["theirs"] is None and conflicts["old"]["reason"]
        connector = conflicts["site-3"]["id"]
        keep = [Resolution("groups", group, "", "mine"), Resolution("connectors", connector, "", "mine")]
        rebase_draft(draft, keep)
        draft.refresh_from_db()
        assert {"old", "new"} <= {row["name"] for row in exported(draft)["groups"]}
        for _ in range(draft.cursor):
            history.undo_edit(draft)
            exported(draft)
        assert exported(draft) == document_export.export_document(queries.live_snapshot())


def test_a_rebase_takes_live_for_a_whole_object_that_would_be_invalid(people: People) -> None:
    draft, _ = invalid_together(people)
    with scope(people.acme):
        connector = uid_of(draft, "connectors", "site-3")
        rebase_draft(draft, [Resolution("connectors", connector, "", "theirs")])
        document = exported(draft)
        assert [row["name"] for row in document["groups"]] == ["dev", "new", "prod"]
        assert "site-3" not in {row["name"] for row in document["connectors"]}


def test_all_conflicts_of_a_rebase_are_told_at_once(people: People) -> None:
    provision_document(people.acme, document=OLD)
    with scope(people.acme):
        draft, other = lifecycle.create_draft("mine"), lifecycle.create_draft("other")
        site_1, old = uid_of(draft, "connectors", "site-1"), uid_of(draft, "groups", "old")
        editing.patch_object(draft, "connectors", site_1, {"size": "large"})
        editing.add_object(draft, "connectors", site("site-3", "old"))
        editing.patch_object(other, "connectors", site_1, {"size": "medium"})
        editing.remove_object(other, "groups", old)
        changed = document_export.export_document(queries.draft_snapshot(other.uid))
    provision_document(people.acme, "third", changed)
    with scope(people.acme), pytest.raises(RebaseConflict) as refused:
        rebase_draft(draft)
    met = {(conflict["name"], conflict["path"]) for conflict in refused.value.extra["conflicts"]}
    assert met == {("site-1", "size"), ("site-3", ""), ("old", "")}
