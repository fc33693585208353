"""Drafts: edits, undo and redo, refusals, rebase, restore and pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning.errors import ObjectNotFound, StateConflict, ValidationFailed
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.selectors import listing
from provisioning.services import plans, revisions, runs
from provisioning.services.drafts import editing, history, lifecycle, overlay
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.drafts.rebase_merge import RebaseConflict, Resolution
from provisioning.snapshots import diff, document_export, queries, tenant_cache
from tenants import audit
from tenants.models import AuditEntry
from tenants.scope import ScopeError, scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, draft_with_document, provision_document

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture
def draft(people: People) -> Iterator[Draft]:
    with scope(people.acme):
        yield draft_with_document()


def names(draft: Draft, kind: str = "groups") -> list[str]:
    draft.refresh_from_db()
    return [row.name for row in queries.list_objects(queries.snapshot_of_draft(draft), kind)]


def test_sixty_edits_are_undone_and_redone_one_by_one(draft: Draft) -> None:
    for number in range(60):
        editing.add_object(draft, "groups", {"name": f"group-{number:02}"})
    everything = names(draft)
    for _ in range(60):
        history.undo_edit(draft)
    assert names(draft) == ["dev", "prod"]
    for _ in range(60):
        history.redo_edit(draft)
    assert names(draft) == everything
    with pytest.raises(StateConflict, match="nothing to redo"):
        history.redo_edit(draft)


def test_an_edit_after_an_undo_clears_redo(draft: Draft) -> None:
    editing.add_object(draft, "groups", {"name": "wrong"})
    history.undo_edit(draft)
    editing.add_object(draft, "groups", {"name": "right"})
    with pytest.raises(StateConflict):
        history.redo_edit(draft)
    assert names(draft) == ["dev", "prod", "right"]


def test_an_object_that_others_refer_to_cannot_be_removed(draft: Draft) -> None:
    group = next(row for row in queries.list_objects(queries.snapshot_of_draft(draft), "groups") if row.name == "prod")
    with pytest.raises(StateConflict, match="Group prod is in use") as refused:
        editing.remove_object(draft, "groups", group.uid)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [("in_use", "connectors/site-1")]
    assert "prod" in names(draft)


def test_equal_prefixes_in_a_segment_are_refused_and_nothing_changes(draft: Draft) -> None:
    before = document_export.export_document(queries.snapshot_of_draft(draft))
    twin = {**DOCUMENT["connectors"][0], "name": "twin"}
    with pytest.raises(ValidationFailed) as refused:
        editing.add_object(draft, "connectors", twin)
    assert "10.1.0.0/16" in refused.value.problems[0].message and "site-1" in refused.value.problems[0].message
    draft.refresh_from_db()
    assert document_export.export_document(queries.snapshot_of_draft(draft)) == before and draft.cursor == 1


def test_keys_are_assigned_once_and_in_the_order_of_the_names(draft: Draft) -> None:
    def keys(*names: str) -> list[str]:
        items = overlay.create_items("groups", names)
        overlay.write_overlay(draft, [overlay.BodyChange(item, None, {"name": item.key}) for item in items])
        return [item.key for item in items]

    assert keys("A b", "a-b", "other") == ["a-b", "a-b-2", "other"]
    assert keys("a b", "a-b-3", "A-B", "x") == ["a-b-4", "a-b-3", "a-b-5", "x"]
    assert keys(*["a b"] * 40) == [f"a-b-{number}" for number in range(6, 46)]
    assert keys("a b") == ["a-b-46"] and keys() == []
    items = overlay.create_items("groups", ["one", "two"])
    assert [item.number for item in items] == sorted(item.number for item in items)
    assert Item.objects.get(pk=items[1].number).uid == items[1].uid


def test_a_bulk_import_is_audited_by_object_and_the_hash_chain_verifies(draft: Draft) -> None:
    document = document_export.export_document(queries.snapshot_of_draft(draft))
    groups = [{"name": f"ü “{number}” \\", "description": "🏥\n\t"} for number in range(30)]
    editing.import_document(draft, {**document, "groups": [*document["groups"], *groups]})
    assert list(audit.verify_chain()) == []
    entries = AuditEntry.objects.order_by("-number")[:30]
    assert {entry.object_name for entry in entries} == {body["name"].strip() for body in groups}
    assert all(entry.before is None and entry.after["description"] == "🏥" for entry in entries)
    tenant_cache.clear()
    kept = {row.name: row for row in queries.list_objects(queries.snapshot_of_draft(draft), "groups")}
    assert {body["name"].strip() for body in groups} <= kept.keys()


def test_reverting_an_edit_by_hand_leaves_no_overlay(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("second")
        row = queries.list_objects(queries.snapshot_of_draft(draft), "groups")[0]
        editing.patch_object(draft, "groups", row.uid, {"description": "new"})
        assert Overlay.objects.filter(draft=draft).count() == 1
        editing.patch_object(draft, "groups", row.uid, {"description": ""})
        assert not Overlay.objects.filter(draft=draft).exists()


def two_drafts(people: People, mine: dict[str, Any], theirs: dict[str, Any]) -> tuple[Draft, str]:
    """Return a draft that changes site-1 on revision 1, while revision 2 changed it too; and the site's id."""
    provision_document(people.acme)
    with scope(people.acme):
        draft, other = lifecycle.create_draft("mine"), lifecycle.create_draft("other")
        site = queries.list_objects(queries.live_snapshot(), "connectors")[0]
        editing.patch_object(draft, "connectors", site.uid, mine)
        editing.patch_object(other, "connectors", site.uid, theirs)
        changed = document_export.export_document(queries.draft_snapshot(other.uid))
    provision_document(people.acme, "third", changed)
    return draft, site.uid


def body_of(draft: Draft, uid: str) -> dict[str, Any]:
    return queries.get_object(queries.draft_snapshot(draft.uid), "connectors", uid).body


def test_changes_of_different_fields_merge_and_can_still_be_undone(people: People) -> None:
    draft, uid = two_drafts(people, {"size": "large"}, {"description": "theirs"})
    with scope(people.acme):
        editing.patch_object(draft, "connectors", uid, {"preference": 7})
        rebase_draft(draft)
        body = body_of(draft, uid)
        assert (body["size"], body["description"], body["preference"]) == ("large", "theirs", 7)
        history.undo_edit(draft)
        body = body_of(draft, uid)
        assert (body["size"], body["description"], body["preference"]) == ("large", "theirs", 100)
        history.undo_edit(draft)
        assert body_of(draft, uid)["size"] == "small" and not Overlay.objects.filter(draft=draft).exists()
        history.redo_edit(draft)
        assert body_of(draft, uid)["size"] == "large"


def test_changes_of_the_same_field_conflict_until_one_is_chosen(people: People) -> None:
    draft, uid = two_drafts(people, {"size": "large", "preference": 7}, {"size": "medium", "description": "theirs"})
    with scope(people.acme):
        with pytest.raises(RebaseConflict) as refused:
            rebase_draft(draft)
        [conflict] = refused.value.extra["conflicts"]
        assert conflict == {
            "kind": "connectors",
            "id": uid,
            "key": "site-1",
            "name": "site-1",
            "path": "size",
            "base": "small",
            "mine": "large",
            "theirs": "medium",
            "reason": "",
        }
        assert refused.value.problems[0].path == "connectors/site-1.size"
        draft.refresh_from_db()
        assert draft.base_revision == 1
        rebase_draft(draft, [Resolution("connectors", uid, "size", "theirs")])
        body = body_of(draft, uid)
        assert (body["size"], body["description"], body["preference"]) == ("medium", "theirs", 7)
        draft.refresh_from_db()
        assert (draft.base_revision, draft.cursor) == (2, 1)


def test_an_object_removed_here_and_changed_in_live_is_a_conflict(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        site = queries.list_objects(queries.live_snapshot(), "connectors")[0]
        editing.remove_object(draft, "connectors", site.uid)
    bigger = [{**DOCUMENT["connectors"][0], "size": "large"}, DOCUMENT["connectors"][1]]
    provision_document(people.acme, "bigger", {**DOCUMENT, "connectors": bigger})
    with scope(people.acme):
        with pytest.raises(RebaseConflict) as refused:
            rebase_draft(draft)
        [conflict] = refused.value.extra["conflicts"]
        assert conflict["path"] == "" and conflict["mine"] is None and conflict["theirs"]["size"] == "large"
        rebase_draft(draft, [Resolution("connectors", site.uid, "", "mine")])
        assert [row.name for row in queries.list_objects(queries.draft_snapshot(draft.uid), "connectors")] == ["site-2"]


def test_a_removed_or_changed_object_is_restored_from_the_base_or_from_a_revision(people: People) -> None:
    provision_document(people.acme)
    bigger = [{**DOCUMENT["connectors"][0], "size": "large"}, DOCUMENT["connectors"][1]]
    provision_document(people.acme, "bigger", {**DOCUMENT, "connectors": bigger})
    with scope(people.acme):
        draft = lifecycle.create_draft("mine")
        site = queries.list_objects(queries.live_snapshot(), "connectors")[0]
        with pytest.raises(StateConflict, match="nothing to restore"):
            editing.restore_object(draft, "connectors", site.uid)
        editing.remove_object(draft, "connectors", site.uid)
        assert editing.restore_object(draft, "connectors", site.uid).body["size"] == "large"
        assert editing.restore_object(draft, "connectors", site.uid, 1).body["size"] == "small"
        assert body_of(draft, site.uid)["size"] == "small"
        history.undo_edit(draft)
        assert body_of(draft, site.uid)["size"] == "large"


def test_an_old_revision_is_restored_as_a_new_draft(people: People) -> None:
    provision_document(people.acme)
    provision_document(people.acme, "without", {**DOCUMENT, "connectors": DOCUMENT["connectors"][:1]})
    with scope(people.acme):
        assert [row.name for row in queries.list_objects(queries.live_snapshot(), "connectors")] == ["site-1"]
        back = revisions.restore_revision(1)
        assert names(back, "connectors") == ["site-1", "site-2"]
        assert [
            change["action"]
            for change in diff.diff_snapshots(queries.revision_snapshot(1), queries.revision_snapshot(2))
        ] == ["remove"]


def test_pages_of_a_draft_list_base_and_overlay_in_both_directions(people: People) -> None:
    groups = [{"name": f"g{number:03}"} for number in range(120)] + DOCUMENT["groups"]
    provision_document(people.acme, "many", {**DOCUMENT, "groups": groups})
    with scope(people.acme):
        draft = lifecycle.create_draft("more")
        for number in (7, 57):
            editing.add_object(draft, "groups", {"name": f"g{number:03}-x"})
        draft.refresh_from_db()
        snapshot = queries.snapshot_of_draft(draft)
        everything, cursor, pages = [], None, []
        while True:
            page = listing.list_page(snapshot, "groups", limit=25, cursor=cursor)
            pages.append(page)
            everything += [row.name for row in page.rows]
            if not (cursor := page.next):
                break
        assert everything == sorted(everything) and len(everything) == 124
        assert listing.list_page(snapshot, "groups", limit=25, cursor=pages[2].previous).rows == pages[1].rows


def test_a_tenant_scope_cannot_open_inside_another_tenants(people: People, draft: Draft) -> None:
    with pytest.raises(ScopeError), scope(people.globex):
        pass


def test_a_draft_of_another_tenant_is_not_found_and_no_scope_is_an_error(people: People) -> None:
    with scope(people.acme):
        uid = draft_with_document().uid
    with scope(people.globex), pytest.raises(ObjectNotFound):
        queries.draft_snapshot(uid)
    with pytest.raises(ScopeError):
        list(Draft.objects.all())


def test_policies_added_in_two_drafts_get_different_positions(draft: Draft) -> None:
    other = lifecycle.create_draft("another")
    editing.import_document(other, DOCUMENT)
    body = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": []}
    first = editing.add_object(draft, "policies", {"name": "mine", **body}).body["position"]
    second = editing.add_object(other, "policies", {"name": "theirs", **body}).body["position"]
    assert first < second and {first % 10, second % 10} == {0}


def test_a_policy_without_a_position_is_placed_last(draft: Draft) -> None:
    body = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": [], "position": None}
    editing.import_document(draft, DOCUMENT)
    first = editing.add_object(draft, "policies", {"name": "one", **body})
    second = editing.add_object(draft, "policies", {"name": "two", **body})
    assert first.body["position"] < second.body["position"]
    assert (
        editing.patch_object(draft, "policies", first.uid, {"position": None}).body["position"]
        > second.body["position"]
    )


def test_a_discarded_draft_is_restored_for_thirty_days_and_then_purged(draft: Draft) -> None:
    now = timezone.now()
    before = document_export.export_document(queries.snapshot_of_draft(draft))
    lifecycle.discard_draft(draft)
    lifecycle.create_draft(draft.name)
    lifecycle.purge_discarded(now + timedelta(days=29))
    restored = lifecycle.restore_draft(draft, now + timedelta(days=29))
    assert restored.name == f"{draft.name}-2" and restored.state == Draft.State.OPEN
    assert document_export.export_document(queries.snapshot_of_draft(restored)) == before
    with pytest.raises(StateConflict, match="only a discarded one"):
        lifecycle.restore_draft(restored, now)
    lifecycle.discard_draft(restored)
    with pytest.raises(StateConflict, match="more than 30 days ago"):
        lifecycle.restore_draft(restored, now + timedelta(days=31))
    lifecycle.purge_discarded(now + timedelta(days=31))
    assert not Edit.objects.filter(draft=restored).exists() and not Overlay.objects.filter(draft=restored).exists()


def test_names_of_drafts_that_never_went_live_are_free_again(people: People) -> None:
    with scope(people.acme):
        first = draft_with_document("first")
        expected = keys_of(first), plans.create_plan(first).text
        lifecycle.discard_draft(first)
        lifecycle.discard_draft(draft_with_document("second"))
        third = draft_with_document("third")
        assert (keys_of(third), plans.create_plan(third).text) == expected
        fourth = draft_with_document("fourth")  # the third one is open and holds the names
        assert keys_of(fourth) == [f"{key}-2" for key in expected[0]]


def test_an_object_that_is_removed_and_added_again_in_a_draft_keeps_its_key(draft: Draft) -> None:
    first = editing.add_object(draft, "groups", {"name": "lab"})
    editing.remove_object(draft, "groups", first.uid)
    again = editing.add_object(draft, "groups", {"name": "lab", "description": "again"})
    assert (again.key, again.uid) == ("lab", first.uid)
    for _ in range(3):
        history.undo_edit(draft)
    for _ in range(3):
        history.redo_edit(draft)
    kept = queries.get_object(queries.snapshot_of_draft(draft), "groups", first.uid)
    assert kept.body["description"] == "again"


def test_a_key_that_was_live_is_never_given_to_another_object(people: People) -> None:
    provision_document(people.acme)
    smaller = {**DOCUMENT, "connectors": DOCUMENT["connectors"][:1]}
    provision_document(people.acme, "second", smaller)
    with scope(people.acme):
        draft = lifecycle.create_draft("third")
        again = editing.add_object(draft, "connectors", DOCUMENT["connectors"][1])
        assert again.key == "site-2-2"


def test_a_restored_draft_whose_names_another_one_took_is_rebased_onto_it(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        restored = lifecycle.create_draft("restored")
        first = editing.add_object(restored, "groups", {"name": "lab", "description": "first"})
        lifecycle.discard_draft(restored)
        taker = lifecycle.create_draft("taker")
        assert editing.add_object(taker, "groups", {"name": "lab", "description": "second"}).uid == first.uid
        lifecycle.restore_draft(restored, timezone.now())
        plan = plans.create_plan(taker)
        runs.provision_plan(plan, plan.digest)
        with pytest.raises(RebaseConflict) as refused:
            plans.create_plan(restored)
        assert [problem.path for problem in refused.value.problems] == ["groups/lab"]
        resolution = Resolution("groups", first.uid, "", "mine")
        rebase_draft(restored, [resolution])
        assert [row.key for row in queries.list_objects(queries.snapshot_of_draft(restored), "groups")] == [
            "dev",
            "lab",
            "prod",
        ]


def keys_of(draft: Draft) -> list[str]:
    snapshot = queries.snapshot_of_draft(draft)
    return [row.key for kind in DOCUMENT for row in queries.list_objects(snapshot, kind)]
