"""Drafts: edits that can be undone, refused where they would break the network, rebased where the world moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning.models import Draft, Overlay
from provisioning.selectors import views
from provisioning.services import drafts, revisions
from provisioning.services.errors import Changed, Conflict, Invalid, Missing
from provisioning.services.rebase import merge, rebase
from tenants.scope import ScopeError, scope
from tests.people import People
from tests.provisioning.network import DOCUMENT, drawn, provisioned

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture
def draft(people: People) -> Iterator[Draft]:
    with scope(people.acme):
        yield drawn()


def names(draft: Draft, kind: str = "groups") -> list[str]:
    draft.refresh_from_db()
    return [row.name for row in views.rows(views.of_draft(draft), kind)]


def test_sixty_edits_are_undone_and_redone_one_by_one(draft: Draft) -> None:
    for number in range(60):
        drafts.add(draft, "groups", {"name": f"group-{number:02}"})
    everything = names(draft)
    for _ in range(60):
        drafts.undo(draft)
    assert names(draft) == ["dev", "prod"]
    for _ in range(60):
        drafts.redo(draft)
    assert names(draft) == everything
    with pytest.raises(Conflict, match="nothing to redo"):
        drafts.redo(draft)


def test_an_edit_after_an_undo_ends_what_could_be_redone(draft: Draft) -> None:
    drafts.add(draft, "groups", {"name": "wrong"})
    drafts.undo(draft)
    drafts.add(draft, "groups", {"name": "right"})
    with pytest.raises(Conflict):
        drafts.redo(draft)
    assert names(draft) == ["dev", "prod", "right"]


def test_what_others_name_cannot_be_removed(draft: Draft) -> None:
    group = next(row for row in views.rows(views.of_draft(draft), "groups") if row.name == "prod")
    with pytest.raises(Conflict, match="site-1") as refused:
        drafts.remove(draft, "groups", group.uid)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [("in_use", "connectors/site-1")]
    assert "prod" in names(draft)


def test_equal_prefixes_in_a_segment_are_refused_and_nothing_changes(draft: Draft) -> None:
    before = views.document(views.of_draft(draft))
    twin = {**DOCUMENT["connectors"][0], "name": "twin"}
    with pytest.raises(Invalid) as refused:
        drafts.add(draft, "connectors", twin)
    assert "10.1.0.0/16" in refused.value.problems[0].message and "site-1" in refused.value.problems[0].message
    draft.refresh_from_db()
    assert views.document(views.of_draft(draft)) == before and draft.cursor == 1


def test_a_body_that_was_changed_in_between_is_not_overwritten(draft: Draft) -> None:
    row = views.rows(views.of_draft(draft), "groups")[0]
    drafts.patch(draft, "groups", row.uid, {"description": "mine"}, etag=row.etag)
    with pytest.raises(Changed):
        drafts.patch(draft, "groups", row.uid, {"description": "theirs"}, etag=row.etag)


def test_taking_an_edit_back_by_hand_leaves_no_overlay(people: People) -> None:
    provisioned(people.acme)
    with scope(people.acme):
        draft = drafts.create("second")
        row = views.rows(views.of_draft(draft), "groups")[0]
        drafts.patch(draft, "groups", row.uid, {"description": "new"})
        assert Overlay.objects.filter(draft=draft).count() == 1
        drafts.patch(draft, "groups", row.uid, {"description": ""})
        assert not Overlay.objects.filter(draft=draft).exists()


def test_two_drafts_that_touch_different_fields_are_merged_and_the_same_field_is_a_conflict(people: People) -> None:
    provisioned(people.acme)
    with scope(people.acme):
        mine, other = drafts.create("mine"), drafts.create("other")
        site = views.rows(views.live(), "connectors")[0]
        drafts.patch(mine, "connectors", site.uid, {"size": "large"})
        drafts.patch(other, "connectors", site.uid, {"size": "medium", "description": "theirs"})
        document = views.document(views.of_draft(views.draft(other.uid).draft or other))
    provisioned(people.acme, "third", {kind: document[kind] for kind in document})
    with scope(people.acme):
        with pytest.raises(Conflict) as refused:
            rebase(mine)
        assert refused.value.problems[0].path == "connectors/site-1.size"
        assert 'theirs: "medium"' in refused.value.problems[0].message
        drafts.patch(mine, "connectors", site.uid, {"size": "small"})
        rebase(mine)
        mine.refresh_from_db()
        body = views.get(views.of_draft(mine), "connectors", site.uid).body
        assert (body["size"], body["description"], mine.base_revision) == ("medium", "theirs", 2)


def test_a_three_way_merge_keeps_what_only_one_side_changed() -> None:
    base = {"name": "a", "size": "small", "description": ""}
    merged, conflicts = merge(base, {**base, "size": "large"}, {**base, "description": "x"})
    assert merged == {"name": "a", "size": "large", "description": "x"} and not conflicts
    assert merge(base, None, {**base, "size": "large"})[1]


def test_an_old_revision_is_restored_as_a_new_draft(people: People) -> None:
    provisioned(people.acme)
    provisioned(people.acme, "without", {**DOCUMENT, "connectors": DOCUMENT["connectors"][:1]})
    with scope(people.acme):
        assert [row.name for row in views.rows(views.live(), "connectors")] == ["site-1"]
        back = revisions.restore(1)
        assert names(back, "connectors") == ["site-1", "site-2"]
        assert [change["action"] for change in revisions.diff(1, 2)] == ["remove"]


def test_pages_of_a_draft_go_forth_and_back_over_base_and_overlay(people: People) -> None:
    groups = [{"name": f"g{number:03}"} for number in range(120)] + DOCUMENT["groups"]
    provisioned(people.acme, "many", {**DOCUMENT, "groups": groups})
    with scope(people.acme):
        draft = drafts.create("more")
        for number in (7, 57):
            drafts.add(draft, "groups", {"name": f"g{number:03}-x"})
        draft.refresh_from_db()
        view = views.of_draft(draft)
        everything, cursor, pages = [], None, []
        while True:
            page = views.page(view, "groups", limit=25, cursor=cursor)
            pages.append(page)
            everything += [row.name for row in page.rows]
            if not (cursor := page.next):
                break
        assert everything == sorted(everything) and len(everything) == 124
        assert views.page(view, "groups", limit=25, cursor=pages[2].previous).rows == pages[1].rows


def test_a_scope_does_not_open_inside_another_tenants(people: People, draft: Draft) -> None:
    with pytest.raises(ScopeError), scope(people.globex):
        pass


def test_a_draft_of_another_tenant_does_not_exist_and_no_tenant_is_an_error(people: People) -> None:
    with scope(people.acme):
        uid = drawn().uid
    with scope(people.globex), pytest.raises(Missing):
        views.draft(uid)
    with pytest.raises(ScopeError):
        list(Draft.objects.all())


def test_policies_drawn_in_two_drafts_do_not_meet_at_one_position(draft: Draft) -> None:
    other = drafts.create("another")
    drafts.put_document(other, DOCUMENT)
    body = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": []}
    first = drafts.add(draft, "policies", {"name": "mine", **body}).body["position"]
    second = drafts.add(other, "policies", {"name": "theirs", **body}).body["position"]
    assert first < second and {first % 10, second % 10} == {0}
