"""A draft that moved to a newer revision: resolutions that decide nothing are refused, and undo goes on."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.models import Draft
from provisioning.selectors import document, networks, views
from provisioning.services import drafts, overlay
from provisioning.services.rebase import Conflicting, Resolution, rebase
from tenants.models import AuditEntry
from tenants.scope import scope
from tests.people import People
from tests.provisioning.network import DOCUMENT, provisioned

pytestmark = pytest.mark.django_db(databases=["default"])

OLD = {**DOCUMENT, "groups": [*DOCUMENT["groups"], {"name": "old"}]}
NOBODY = "00000000-0000-4000-8000-000000000000"


def site(name: str, group: str | None, prefix: str = "10.3.0.0/16") -> dict[str, Any]:
    attachment = {"segment": "corp", "group": group, "prefixes": [prefix]}
    return {"name": name, "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}


def uid_of(draft: Draft, kind: str, name: str) -> str:
    return next(row.uid for row in views.rows(views.draft(draft.uid), kind) if row.name == name)


def stands(draft: Draft) -> dict[str, Any]:
    """The draft's document, after making sure that it holds together and can be put back as it is."""
    draft.refresh_from_db()
    view = views.of_draft(draft)
    assert overlay.errors(networks.network(view)) == []
    found = document.document(view)
    assert drafts.put_document(draft, found, dry_run=True) == []
    return found


def states(draft: Draft) -> list[dict[str, Any]]:
    """What the draft was after each of its edits, by undoing all of them; redoing leads through the same."""
    rebase(draft)
    draft.refresh_from_db()
    found = [stands(draft)]
    steps = draft.cursor
    for _ in range(steps):
        drafts.undo(draft)
        found.append(stands(draft))
    assert found[-1] == document.document(views.live())
    for earlier in reversed(found[:-1]):
        drafts.redo(draft)
        assert stands(draft) == earlier
    return found[::-1]


def groups_of(states: list[dict[str, Any]], name: str) -> list[Any]:
    """The group of a connector in each state; absent where it is not there."""
    return [
        next((one["attachments"][0]["group"] for one in state["connectors"] if one["name"] == name), "absent")
        for state in states
    ]


def conflicting(people: People) -> tuple[Draft, str]:
    provisioned(people.acme)
    with scope(people.acme):
        draft, other = drafts.create("mine"), drafts.create("other")
        uid = uid_of(draft, "connectors", "site-1")
        drafts.patch(draft, "connectors", uid, {"size": "large", "preference": 7})
        drafts.patch(other, "connectors", uid, {"size": "medium", "description": "theirs"})
        changed = document.document(views.draft(other.uid))
    provisioned(people.acme, "third", changed)
    return draft, uid


def test_a_resolution_that_decides_nothing_is_refused_and_nothing_is_moved(people: People) -> None:
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
            with pytest.raises(Conflicting) as refused:
                rebase(draft, [size, wrong])
            assert [(one.code, one.path) for one in refused.value.problems] == [(code, path)]
            assert refused.value.more["conflicts"] == []
        draft.refresh_from_db()
        assert draft.base_revision == 1 and AuditEntry.objects.count() == before
        with pytest.raises(Conflicting) as refused:
            rebase(draft, [Resolution("connectors", uid, "sizes", "mine")])
        assert [one.code for one in refused.value.problems] == ["not_in_conflict", "conflict"]
        assert [one["path"] for one in refused.value.more["conflicts"]] == ["size"]
        rebase(draft, [size])
        draft.refresh_from_db()
        with pytest.raises(Conflicting, match="or no longer"):
            rebase(draft, [size])


def test_undo_goes_on_where_live_removed_what_an_earlier_state_named(people: People) -> None:
    provisioned(people.acme, document=OLD)
    with scope(people.acme):
        draft = drafts.create("mine")
        drafts.add(draft, "connectors", site("new", "old"))
        drafts.add(draft, "groups", {"name": "between"})
        uid = uid_of(draft, "connectors", "new")
        drafts.patch(draft, "connectors", uid, {"attachments": site("new", "prod")["attachments"]})
        drafts.add(draft, "groups", {"name": "after"})
    provisioned(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        found = states(draft)
        assert groups_of(found, "new") == ["absent", "prod", "prod", "prod"]
        named = [[one["name"] for one in state["groups"]] for state in found]
        assert named[0] == named[1] == ["dev", "prod"]
        assert named[2:] == [["between", "dev", "prod"], ["after", "between", "dev", "prod"]]


def test_what_could_be_redone_and_named_what_live_removed_is_left_out(people: People) -> None:
    provisioned(people.acme, document=OLD)
    with scope(people.acme):
        draft = drafts.create("mine")
        drafts.add(draft, "groups", {"name": "first"})
        drafts.add(draft, "connectors", site("new", "old"))
        drafts.add(draft, "connectors", site("other", "first", "10.4.0.0/16"))
        drafts.undo(draft)
        drafts.undo(draft)
    provisioned(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        rebase(draft)
        drafts.redo(draft)
        assert [one["name"] for one in stands(draft)["connectors"]] == ["other", "site-1", "site-2"]
        with pytest.raises(drafts.Conflict, match="nothing to redo"):
            drafts.redo(draft)


def test_undo_does_not_remove_what_live_names_by_now(people: People) -> None:
    provisioned(people.acme, document=OLD)
    with scope(people.acme):
        draft = drafts.create("mine")
        uid = uid_of(draft, "groups", "old")
        drafts.remove(draft, "groups", uid)
        drafts.restore(draft, "groups", uid)
        drafts.patch(draft, "groups", uid, {"description": "kept"})
    provisioned(people.acme, "uses", {**OLD, "connectors": [*OLD["connectors"], site("theirs", "old")]})
    with scope(people.acme):
        found = states(draft)
        assert len(found) == 2 and groups_of(found, "theirs") == ["old", "old"]


def test_a_chain_of_references_is_undone_together(people: People) -> None:
    segments = [*OLD["segments"], {"name": "lab", "stance": "open", "prefixes": ["10.0.0.0/8"]}]
    provisioned(people.acme, document={**OLD, "segments": segments})
    rules = {"segments": ["lab"], "from": ["first"], "to": ["first"], "rules": []}
    with scope(people.acme):
        draft = drafts.create("mine")
        drafts.add(draft, "groups", {"name": "first"})
        drafts.add(draft, "policies", {"name": "inside", **rules})
        uid = uid_of(draft, "policies", "inside")
        drafts.patch(draft, "policies", uid, {"segments": ["corp"], "from": ["prod"], "to": ["dev"]})
        drafts.remove(draft, "groups", uid_of(draft, "groups", "first"))
    provisioned(people.acme, "without", DOCUMENT)
    with scope(people.acme):
        found = states(draft)
        assert [[one["segments"] for one in state["policies"]] for state in found] == [[], [], [["corp"]], [["corp"]]]
        assert ["first" in {one["name"] for one in state["groups"]} for state in found] == [False, True, True, False]
