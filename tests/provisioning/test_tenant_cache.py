"""The cache of networks in a process: unchanged objects are shared, never stale and never another tenant's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from provisioning.services.drafts import editing, history, lifecycle
from provisioning.snapshots import queries, tenant_cache
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, draft_with_document, provision_document

pytestmark = pytest.mark.django_db(databases=["default"])

GUESTS = {"name": "guests", "default_action": "allow", "prefixes": ["10.0.0.0/8"]}


def object_names(view: queries.Snapshot) -> set[str]:
    return {row.name for row in tenant_cache.load_objects(view)}


def test_an_edit_reuses_every_object_and_segment_that_it_does_not_change(people: People) -> None:
    provision_document(people.acme, document={**DOCUMENT, "segments": [*DOCUMENT["segments"], GUESTS]})
    with scope(people.acme):
        draft = lifecycle.create_draft("second")
        live = tenant_cache.load_network(queries.live_snapshot())
        resolved_segments = {resolved.segment.name: resolved for resolved in live.resolved_segments.values()}
        site = queries.list_objects(queries.live_snapshot(), "connectors")[0]
        editing.patch_object(draft, "connectors", site.uid, {"size": "large"})
        mine = tenant_cache.load_network(queries.draft_snapshot(draft.uid))
        assert tenant_cache.load_network(queries.draft_snapshot(draft.uid)) is mine
        assert mine.intent.connectors[site.uid].size == "large"
        assert live.intent.connectors[site.uid].size == "small"
        others = [uid for uid in live.intent.connectors if uid != site.uid]
        assert all(mine.intent.connectors[uid] is live.intent.connectors[uid] for uid in others)
        kept = {resolved.segment.name: resolved for resolved in mine.resolved_segments.values()}
        assert kept["guests"] is resolved_segments["guests"] and kept["corp"] is not resolved_segments["corp"]


def test_an_edit_reads_no_object_of_the_draft_again(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        tenant_cache.load_objects(queries.draft_snapshot(draft.uid))
        group = editing.add_object(draft, "groups", {"name": "one"})
        with CaptureQueriesContext(connection) as captured:
            assert "one" in object_names(queries.draft_snapshot(draft.uid))
            editing.patch_object(draft, "groups", group.uid, {"description": "changed"})
            objects = tenant_cache.load_objects(queries.draft_snapshot(draft.uid))
        lists = [query["sql"] for query in captured if query["sql"].startswith('SELECT "provisioning_overlay"."id"')]
        assert all("item_id" in sql or "uid" in sql for sql in lists), "only rows of the object are read"
        body = objects.body("groups", group.uid)
        assert body == {"name": "one", "description": "changed", "contains": [], "selector": None}
        tenant_cache.clear()
        assert list(tenant_cache.load_objects(queries.draft_snapshot(draft.uid))) == list(objects)


def test_a_new_revision_reuses_the_objects_of_its_draft(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        before = tenant_cache.load_intent(queries.live_snapshot())
    provision_document(people.acme, "second", {**DOCUMENT, "groups": [*DOCUMENT["groups"], {"name": "new"}]})
    with scope(people.acme):
        after = tenant_cache.load_intent(queries.live_snapshot())
        assert all(after.connectors[uid] is item for uid, item in before.connectors.items())
        assert "new" in object_names(queries.live_snapshot()) and "new" not in object_names(
            queries.revision_snapshot(1)
        )


def test_rolled_back_edits_are_not_cached(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        for name in ("one", "two"):
            with transaction.atomic():
                editing.add_object(draft, "groups", {"name": name})
                assert name in object_names(queries.draft_snapshot(draft.uid))
                transaction.set_rollback(True)
            draft.refresh_from_db()
            assert name not in object_names(queries.draft_snapshot(draft.uid))
        editing.add_object(draft, "groups", {"name": "three"})
        assert {"one", "two"}.isdisjoint(object_names(queries.draft_snapshot(draft.uid)))


def test_cached_snapshots_follow_undo_and_redo(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft, other = lifecycle.create_draft("mine"), lifecycle.create_draft("other")
        editing.add_object(draft, "groups", {"name": "mine"})
        assert "mine" in object_names(queries.draft_snapshot(draft.uid)) and "mine" not in object_names(
            queries.draft_snapshot(other.uid)
        )
        history.undo_edit(draft)
        assert "mine" not in object_names(queries.draft_snapshot(draft.uid))
        history.redo_edit(draft)
        assert "mine" in object_names(queries.draft_snapshot(draft.uid)) and "mine" not in object_names(
            queries.live_snapshot()
        )


def test_cached_objects_are_never_shared_between_tenants(people: People) -> None:
    """The tenants have equal revisions and names and are read in turn."""
    tenants = [people.acme, people.globex, people.initech]
    for number, tenant in enumerate(tenants):
        groups = [*DOCUMENT["groups"], {"name": f"only-{tenant.slug}"}]
        provision_document(
            tenant, document={**DOCUMENT, "groups": groups, "connectors": DOCUMENT["connectors"][: number % 2 + 1]}
        )
    seen: dict[str, set[int]] = {tenant.slug: set() for tenant in tenants}
    for _ in range(3):
        for tenant in tenants:
            with scope(tenant):
                assert {name for name in object_names(queries.live_snapshot()) if name.startswith("only-")} == {
                    f"only-{tenant.slug}"
                }
                network = tenant_cache.load_network(queries.live_snapshot())
                seen[tenant.slug] |= {id(item) for _, item in network.intent.items()}
                assert object_names(queries.Snapshot(1)) == {item.name for _, item in network.intent.items()}
    slugs = list(seen)
    assert all(seen[slug].isdisjoint(seen[other]) for slug in slugs for other in slugs if slug != other)
    assert {tenant.pk for tenant in tenants} <= set(tenant_cache.stats())


def test_the_cache_is_bounded_by_tenants_and_snapshots(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_cache, "MAX_TENANTS", 2)
    tenant_cache.clear()
    for tenant in (people.acme, people.globex, people.initech):
        with scope(tenant):
            for number in range(tenant_cache.MAX_SNAPSHOTS + 3):
                draft = lifecycle.create_draft(f"draft {number}")
                editing.add_object(draft, "groups", {"name": "x"})
                tenant_cache.load_network(queries.draft_snapshot(draft.uid))
    assert list(tenant_cache.stats()) == [people.globex.pk, people.initech.pk]
    for stats in tenant_cache.stats().values():
        assert (stats.snapshots, stats.networks) == (tenant_cache.MAX_SNAPSHOTS, tenant_cache.MAX_NETWORKS)


@contextmanager
def before_bodies_are_read(act: Callable[[], object]) -> Iterator[None]:
    """Run ``act`` once, after a reader has listed a draft's rows and before it reads their bodies."""
    pending = [act]

    def wrap(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if pending and "provisioning_overlay" in sql and '"body" IS NOT NULL' in sql:
            pending.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield
    assert not pending


def test_an_edit_during_a_read_does_not_enter_the_cache(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        before = object_names(queries.draft_snapshot(draft.uid))
        tenant_cache.clear()
        with before_bodies_are_read(lambda: editing.add_object(draft, "groups", {"name": "late"})):
            object_names(queries.draft_snapshot(draft.uid))
        assert "late" in object_names(queries.draft_snapshot(draft.uid))
        history.undo_edit(draft)
        assert object_names(queries.draft_snapshot(draft.uid)) == before


def test_rows_deleted_during_a_read_are_read_again(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        before = object_names(queries.draft_snapshot(draft.uid))
        editing.add_object(draft, "groups", {"name": "late"})
        tenant_cache.clear()
        with before_bodies_are_read(lambda: history.undo_edit(draft)):
            assert object_names(queries.draft_snapshot(draft.uid)) == before
