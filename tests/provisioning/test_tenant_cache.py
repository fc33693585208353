"""Networks that a process keeps: shared where nothing changed, never out of date, never another tenant's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from provisioning.models import Draft, Plan
from provisioning.selectors import listing
from provisioning.services import plans
from provisioning.services.drafts import editing, history, lifecycle
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.bounded_cache import BoundedCache
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, draft_with_document, provision_document

pytestmark = pytest.mark.django_db(databases=["default"])

GUESTS = {"name": "guests", "default_action": "allow", "prefixes": ["10.0.0.0/8"]}


def named(view: queries.Snapshot) -> set[str]:
    return {row.name for row in tenant_cache.load_objects(view)}


def test_an_edit_keeps_every_object_and_every_realm_that_it_does_not_touch(people: People) -> None:
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


def test_a_new_revision_is_built_of_what_the_draft_had(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        before = tenant_cache.load_intent(queries.live_snapshot())
    provision_document(people.acme, "second", {**DOCUMENT, "groups": [*DOCUMENT["groups"], {"name": "new"}]})
    with scope(people.acme):
        after = tenant_cache.load_intent(queries.live_snapshot())
        assert all(after.connectors[uid] is item for uid, item in before.connectors.items())
        assert "new" in named(queries.live_snapshot()) and "new" not in named(queries.revision_snapshot(1))


def test_what_is_rolled_back_is_not_kept(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        for name in ("one", "two"):
            with transaction.atomic():
                editing.add_object(draft, "groups", {"name": name})
                assert name in named(queries.draft_snapshot(draft.uid))
                transaction.set_rollback(True)
            draft.refresh_from_db()
            assert name not in named(queries.draft_snapshot(draft.uid))
        editing.add_object(draft, "groups", {"name": "three"})
        assert {"one", "two"}.isdisjoint(named(queries.draft_snapshot(draft.uid)))


def test_undo_and_rebase_are_seen(people: People) -> None:
    provision_document(people.acme)
    with scope(people.acme):
        draft, other = lifecycle.create_draft("mine"), lifecycle.create_draft("other")
        editing.add_object(draft, "groups", {"name": "mine"})
        assert "mine" in named(queries.draft_snapshot(draft.uid)) and "mine" not in named(
            queries.draft_snapshot(other.uid)
        )
        history.undo_edit(draft)
        assert "mine" not in named(queries.draft_snapshot(draft.uid))
        history.redo_edit(draft)
        assert "mine" in named(queries.draft_snapshot(draft.uid)) and "mine" not in named(queries.live_snapshot())


def test_nothing_of_another_tenant_is_ever_served(people: People) -> None:
    """Same revisions, same names, asked in turns and by threads at once."""
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
                assert {name for name in named(queries.live_snapshot()) if name.startswith("only-")} == {
                    f"only-{tenant.slug}"
                }
                network = tenant_cache.load_network(queries.live_snapshot())
                seen[tenant.slug] |= {id(item) for _, item in network.intent.items()}
                assert named(queries.Snapshot(1)) == {item.name for _, item in network.intent.items()}
    slugs = list(seen)
    assert all(seen[one].isdisjoint(seen[other]) for one in slugs for other in slugs if one != other)
    assert {tenant.pk for tenant in tenants} <= set(tenant_cache.stats())


def test_little_is_kept(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
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


class YieldingKey:
    """A key that lets other threads run whenever it is looked up."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        time.sleep(0)
        return self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, YieldingKey) and other.number == self.number


def test_threads_may_ask_at_once() -> None:
    cache: BoundedCache[YieldingKey, int] = BoundedCache(3)

    def use(start: int) -> None:
        for number in range(500):
            key = YieldingKey((start + number) % 7)
            cache.put(key, number)
            cache.get(YieldingKey(number % 7))
            cache.get(key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert len(cache) == 3


def test_lists_are_found_ordered_and_counted_over_base_and_draft(people: People) -> None:
    rules = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": []}
    policies = [{"name": f"p{number}", "position": 100 - number, **rules} for number in range(9)]
    provision_document(people.acme, document={**DOCUMENT, "policies": policies})
    with scope(people.acme):
        draft = lifecycle.create_draft("second")
        view = queries.live_snapshot()
        by_name = {row.name: row for row in queries.list_objects(view, "policies")}
        editing.patch_object(draft, "policies", by_name["p3"].uid, {"position": 1, "to": ["any"]})
        editing.remove_object(draft, "policies", by_name["p5"].uid)
        editing.add_object(draft, "policies", {"name": "last", **rules})
        view = queries.draft_snapshot(draft.uid)

        def asked(**what: object) -> list[str]:
            found = listing.list_page(view, "policies", with_total=True, **what)  # type: ignore[arg-type]
            assert found.count == len(found.rows)
            return [row.name for row in found.rows]

        assert asked() == ["last", "p0", "p1", "p2", "p3", "p4", "p6", "p7", "p8"]
        assert asked(ordering="position") == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0", "last"]
        assert asked(ordering="-position", filters={"to": "any"}) == ["p3"]
        dev = next(row.uid for row in queries.list_objects(view, "groups") if row.name == "dev")
        prod = next(row.uid for row in queries.list_objects(view, "groups") if row.name == "prod")
        assert asked(filters={"to": dev, "from": prod, "enabled": "true"}) == sorted({*by_name, "last"} - {"p3", "p5"})
        assert asked(filters={"to": dev}, search="P6") == ["p6"]
        first = listing.list_page(view, "policies", limit=4, ordering="position", filters={"from": prod})
        second = listing.list_page(
            view, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=first.next
        )
        assert [row.name for row in (*first.rows, *second.rows)] == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0"]
        back = listing.list_page(
            view, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=second.previous
        )
        assert back.rows == first.rows
        assert listing.list_page(queries.revision_snapshot(1), "policies", with_total=True).count == 9
        site = queries.list_objects(view, "connectors")[0]
        corp = next(row.uid for row in queries.list_objects(view, "segments"))
        found = listing.list_page(
            view, "connectors", filters={"segment": corp, "group": prod, "kind": "lab-site"}, with_total=True
        )
        assert [row.uid for row in found.rows] == [site.uid] and found.count == 1


def processed(people: People, draft: Draft) -> Plan:
    plan = plans.create_plan(draft)
    assert plan.state == "computing" and plan.progress == "Waiting for a worker"
    plans.process_plan(people.acme, plan.pk)
    return Plan.objects.get(pk=plan.pk)


def test_a_large_network_is_planned_by_a_worker_exactly_as_a_small_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        small = plans.create_plan(draft)
        monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
        large = processed(people, draft)
        assert large.state == "ready" and large.digest == small.digest and large.progress == ""
        assert large.steps == small.steps and large.reachability == small.reachability
        small.refresh_from_db()
        assert small.state == "stale"


def test_a_network_that_is_invalid_fails_its_plan_with_problems(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    with scope(people.acme):
        draft = draft_with_document()
        never = {"name": "never", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
        editing.add_object(draft, "assertions", never)
        plan = processed(people, draft)
        assert plan.state == "failed" and [one["code"] for one in plan.problems] == ["assertion_failed"]


def test_a_plan_of_a_draft_that_was_edited_meanwhile_is_stale(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    real = plans.plan_computation.compute_plan

    def slow(found: Any, progress: Any) -> Any:
        done = real(found, progress)
        with scope(people.acme):
            editing.add_object(Draft.objects.get(pk=found.draft.pk), "groups", {"name": "late"})
        return done

    monkeypatch.setattr(plans.plan_computation, "compute_plan", slow)
    with scope(people.acme):
        plan = processed(people, draft_with_document())
        assert plan.state == "stale" and "was edited" in plan.moved[0]


def test_a_plan_whose_worker_died_is_taken_up_again_and_given_up_at_last(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    from django.utils import timezone

    with scope(people.acme):
        draft = draft_with_document()
        plan = plans.create_plan(draft)
        now = timezone.now()
        assert plans.due_plans(now) == [] and plans.due_plans(now + 2 * plans.WAKE_UP_TIMEOUT) == [plan.pk]
        here = plans.lease.current_worker().rpartition("/")[0].rpartition("/")[0]
        dead = {"lease_owner": f"{here}/999999999/1", "lease_until": now + plans.lease.LEASE_DURATION}
        Plan.objects.filter(pk=plan.pk).update(lease_number=1, **dead)
        assert plans.due_plans(now) == [plan.pk]
        Plan.objects.filter(pk=plan.pk).update(lease_owner=plans.lease.current_worker())
        assert plans.due_plans(now) == []
        Plan.objects.filter(pk=plan.pk).update(**dead)
        plans.process_plan(people.acme, plan.pk)
        plan.refresh_from_db()
        assert (plan.state, plan.lease_number) == ("ready", 2)
        plan = plans.create_plan(draft)
        Plan.objects.filter(pk=plan.pk).update(lease_number=plans.MAX_ATTEMPTS, **dead)
        plans.process_plan(people.acme, plan.pk)
        plan.refresh_from_db()
        assert plan.state == "failed" and plan.problems[0]["code"] == "worker_lost"


def test_what_a_resource_should_be_is_kept_once(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        first = plans.create_plan(draft)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM provisioning_resourcebody")
            before = cursor.fetchone()[0]
            editing.add_object(draft, "groups", {"name": "late"})
            second = plans.create_plan(draft)
            cursor.execute("SELECT count(*) FROM provisioning_resourcebody")
            assert cursor.fetchone()[0] == before
        assert first.steps == second.steps and first.digest != second.digest


@contextmanager
def before_bodies_are_read(act: Callable[[], object]) -> Iterator[None]:
    """Do something once, after a reader has listed a draft's rows and before it reads their bodies."""
    pending = [act]

    def wrap(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if pending and "provisioning_overlay" in sql and '"body" IS NOT NULL' in sql:
            pending.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield
    assert not pending


def test_an_edit_while_a_draft_is_read_does_not_get_into_what_is_kept(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        before = named(queries.draft_snapshot(draft.uid))
        tenant_cache.clear()
        with before_bodies_are_read(lambda: editing.add_object(draft, "groups", {"name": "late"})):
            named(queries.draft_snapshot(draft.uid))
        assert "late" in named(queries.draft_snapshot(draft.uid))
        history.undo_edit(draft)
        assert named(queries.draft_snapshot(draft.uid)) == before


def test_rows_that_go_while_a_draft_is_read_are_read_again(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document()
        before = named(queries.draft_snapshot(draft.uid))
        editing.add_object(draft, "groups", {"name": "late"})
        tenant_cache.clear()
        with before_bodies_are_read(lambda: history.undo_edit(draft)):
            assert named(queries.draft_snapshot(draft.uid)) == before
