"""Networks that a process keeps: shared where nothing changed, never out of date, never another tenant's."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from provisioning.models import Draft, Plan
from provisioning.selectors import listing, networks, views
from provisioning.services import drafts, plans
from tenants.scope import scope
from tests.people import People
from tests.provisioning.network import DOCUMENT, drawn, provisioned

pytestmark = pytest.mark.django_db(databases=["default"])

GUESTS = {"name": "guests", "stance": "open", "prefixes": ["10.0.0.0/8"]}


def named(view: views.View) -> set[str]:
    return {row.name for row in networks.content(view)}


def test_an_edit_keeps_every_object_and_every_realm_that_it_does_not_touch(people: People) -> None:
    provisioned(people.acme, document={**DOCUMENT, "segments": [*DOCUMENT["segments"], GUESTS]})
    with scope(people.acme):
        draft = drafts.create("second")
        live = networks.network(views.live())
        resolved_segments = {resolved.segment.name: resolved for resolved in live.resolved_segments.values()}
        site = views.rows(views.live(), "connectors")[0]
        drafts.patch(draft, "connectors", site.uid, {"size": "large"})
        mine = networks.network(views.draft(draft.uid))
        assert networks.network(views.draft(draft.uid)) is mine
        assert mine.intent.connectors[site.uid].size == "large"
        assert live.intent.connectors[site.uid].size == "small"
        others = [uid for uid in live.intent.connectors if uid != site.uid]
        assert all(mine.intent.connectors[uid] is live.intent.connectors[uid] for uid in others)
        kept = {resolved.segment.name: resolved for resolved in mine.resolved_segments.values()}
        assert kept["guests"] is resolved_segments["guests"] and kept["corp"] is not resolved_segments["corp"]


def test_a_new_revision_is_built_of_what_the_draft_had(people: People) -> None:
    provisioned(people.acme)
    with scope(people.acme):
        before = networks.intent(views.live())
    provisioned(people.acme, "second", {**DOCUMENT, "groups": [*DOCUMENT["groups"], {"name": "new"}]})
    with scope(people.acme):
        after = networks.intent(views.live())
        assert all(after.connectors[uid] is item for uid, item in before.connectors.items())
        assert "new" in named(views.live()) and "new" not in named(views.revision(1))


def test_what_is_rolled_back_is_not_kept(people: People) -> None:
    with scope(people.acme):
        draft = drawn()
        for name in ("one", "two"):
            with transaction.atomic():
                drafts.add(draft, "groups", {"name": name})
                assert name in named(views.draft(draft.uid))
                transaction.set_rollback(True)
            draft.refresh_from_db()
            assert name not in named(views.draft(draft.uid))
        drafts.add(draft, "groups", {"name": "three"})
        assert {"one", "two"}.isdisjoint(named(views.draft(draft.uid)))


def test_undo_and_rebase_are_seen(people: People) -> None:
    provisioned(people.acme)
    with scope(people.acme):
        draft, other = drafts.create("mine"), drafts.create("other")
        drafts.add(draft, "groups", {"name": "mine"})
        assert "mine" in named(views.draft(draft.uid)) and "mine" not in named(views.draft(other.uid))
        drafts.undo(draft)
        assert "mine" not in named(views.draft(draft.uid))
        drafts.redo(draft)
        assert "mine" in named(views.draft(draft.uid)) and "mine" not in named(views.live())


def test_nothing_of_another_tenant_is_ever_served(people: People) -> None:
    """Same revisions, same names, asked in turns and by threads at once."""
    tenants = [people.acme, people.globex, people.initech]
    for number, tenant in enumerate(tenants):
        groups = [*DOCUMENT["groups"], {"name": f"only-{tenant.slug}"}]
        provisioned(
            tenant, document={**DOCUMENT, "groups": groups, "connectors": DOCUMENT["connectors"][: number % 2 + 1]}
        )
    seen = {tenant.slug: set() for tenant in tenants}
    for _ in range(3):
        for tenant in tenants:
            with scope(tenant):
                assert {name for name in named(views.live()) if name.startswith("only-")} == {f"only-{tenant.slug}"}
                network = networks.network(views.live())
                seen[tenant.slug] |= {id(item) for _, item in network.intent.items()}
                assert named(views.View(1)) == {item.name for _, item in network.intent.items()}
    slugs = list(seen)
    assert all(seen[one].isdisjoint(seen[other]) for one in slugs for other in slugs if one != other)
    assert len({id(networks._shelves[tenant.pk]) for tenant in tenants}) == 3


def test_little_is_kept(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "MOST_TENANTS", 2)
    networks.forget()
    for tenant in (people.acme, people.globex, people.initech):
        with scope(tenant):
            for number in range(networks.MOST_CONTENTS + 3):
                draft = drafts.create(f"draft {number}")
                drafts.add(draft, "groups", {"name": "x"})
                networks.network(views.draft(draft.uid))
    assert list(networks._shelves) == [people.globex.pk, people.initech.pk]
    for shelf in networks._shelves.values():
        assert len(shelf.contents) <= networks.MOST_CONTENTS and len(shelf.networks) <= networks.MOST_NETWORKS


def test_threads_may_ask_at_once() -> None:
    kept: networks.OrderedDict = networks.OrderedDict()
    problems: list[Exception] = []

    def use(start: int) -> None:
        try:
            for number in range(3000):
                networks._put(kept, (start + number) % 17, number, 5)
                networks._get(kept, number % 17)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=use, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems and len(kept) <= 5


def test_lists_are_found_ordered_and_counted_over_base_and_draft(people: People) -> None:
    rules = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": []}
    policies = [{"name": f"p{number}", "position": 100 - number, **rules} for number in range(9)]
    provisioned(people.acme, document={**DOCUMENT, "policies": policies})
    with scope(people.acme):
        draft = drafts.create("second")
        view = views.live()
        by_name = {row.name: row for row in views.rows(view, "policies")}
        drafts.patch(draft, "policies", by_name["p3"].uid, {"position": 1, "to": ["any"]})
        drafts.remove(draft, "policies", by_name["p5"].uid)
        drafts.add(draft, "policies", {"name": "last", **rules})
        view = views.draft(draft.uid)

        def asked(**what: object) -> list[str]:
            found = listing.page(view, "policies", total=True, **what)  # type: ignore[arg-type]
            assert found.count == len(found.rows)
            return [row.name for row in found.rows]

        assert asked() == ["last", "p0", "p1", "p2", "p3", "p4", "p6", "p7", "p8"]
        assert asked(ordering="position") == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0", "last"]
        assert asked(ordering="-position", filters={"to": "any"}) == ["p3"]
        dev = next(row.uid for row in views.rows(view, "groups") if row.name == "dev")
        prod = next(row.uid for row in views.rows(view, "groups") if row.name == "prod")
        assert asked(filters={"to": dev, "from": prod, "enabled": "true"}) == sorted({*by_name, "last"} - {"p3", "p5"})
        assert asked(filters={"to": dev}, search="P6") == ["p6"]
        first = listing.page(view, "policies", limit=4, ordering="position", filters={"from": prod})
        second = listing.page(view, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=first.next)
        assert [row.name for row in (*first.rows, *second.rows)] == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0"]
        back = listing.page(
            view, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=second.previous
        )
        assert back.rows == first.rows
        assert listing.page(views.revision(1), "policies", total=True).count == 9
        site = views.rows(view, "connectors")[0]
        corp = next(row.uid for row in views.rows(view, "segments"))
        found = listing.page(
            view, "connectors", filters={"segment": corp, "group": prod, "kind": "lab-site"}, total=True
        )
        assert [row.uid for row in found.rows] == [site.uid] and found.count == 1


def worked(people: People, draft: Draft) -> Plan:
    plan = plans.make(draft)
    assert plan.state == "computing" and plan.progress == "Waiting for a worker"
    plans.work(people.acme, plan.pk)
    return Plan.objects.get(pk=plan.pk)


def test_a_large_network_is_planned_by_a_worker_exactly_as_a_small_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(people.acme):
        draft = drawn()
        small = plans.make(draft)
        monkeypatch.setattr(plans, "AT_ONCE", 0)
        large = worked(people, draft)
        assert large.state == "ready" and large.digest == small.digest and large.progress == ""
        assert large.steps == small.steps and large.reachability == small.reachability
        small.refresh_from_db()
        assert small.state == "stale"


def test_a_network_that_is_invalid_fails_its_plan_with_problems(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "AT_ONCE", 0)
    with scope(people.acme):
        draft = drawn()
        never = {"name": "never", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
        drafts.add(draft, "assertions", never)
        plan = worked(people, draft)
        assert plan.state == "failed" and [one["code"] for one in plan.problems] == ["assertion_failed"]


def test_a_plan_of_a_draft_that_was_edited_meanwhile_is_stale(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "AT_ONCE", 0)
    real = plans.planning.compute

    def slow(found, progress):
        done = real(found, progress)
        with scope(people.acme):
            drafts.add(Draft.objects.get(pk=found.draft.pk), "groups", {"name": "late"})
        return done

    monkeypatch.setattr(plans.planning, "compute", slow)
    with scope(people.acme):
        plan = worked(people, drawn())
        assert plan.state == "stale" and "was edited" in plan.moved[0]


def test_a_plan_whose_worker_died_is_taken_up_again_and_given_up_at_last(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "AT_ONCE", 0)
    from django.utils import timezone

    with scope(people.acme):
        draft = drawn()
        plan = plans.make(draft)
        now = timezone.now()
        assert plans.due(now) == [] and plans.due(now + 2 * plans.LOST) == [plan.pk]
        here = plans.lease.me().rpartition("/")[0].rpartition("/")[0]
        dead = {"lease_owner": f"{here}/999999999/1", "lease_until": now + plans.lease.LEASE}
        Plan.objects.filter(pk=plan.pk).update(lease_number=1, **dead)
        assert plans.due(now) == [plan.pk]
        Plan.objects.filter(pk=plan.pk).update(lease_owner=plans.lease.me())
        assert plans.due(now) == []
        Plan.objects.filter(pk=plan.pk).update(**dead)
        plans.work(people.acme, plan.pk)
        plan.refresh_from_db()
        assert (plan.state, plan.lease_number) == ("ready", 2)
        plan = plans.make(draft)
        Plan.objects.filter(pk=plan.pk).update(lease_number=plans.MOST_ATTEMPTS, **dead)
        plans.work(people.acme, plan.pk)
        plan.refresh_from_db()
        assert plan.state == "failed" and plan.problems[0]["code"] == "worker_lost"


def test_what_a_resource_should_be_is_kept_once(people: People) -> None:
    with scope(people.acme):
        draft = drawn()
        first = plans.make(draft)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM provisioning_content")
            before = cursor.fetchone()[0]
            drafts.add(draft, "groups", {"name": "late"})
            second = plans.make(draft)
            cursor.execute("SELECT count(*) FROM provisioning_content")
            assert cursor.fetchone()[0] == before
        assert first.steps == second.steps and first.digest != second.digest


def test_an_edit_while_a_draft_is_read_does_not_get_into_what_is_kept(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, left = networks._entries, ["late"]

    def slow(rows):
        if left:
            drafts.add(draft, "groups", {"name": left.pop()})
        return plain(rows)

    with scope(people.acme):
        draft = drawn()
        before = named(views.draft(draft.uid))
        networks.forget()
        monkeypatch.setattr(networks, "_entries", slow)
        named(views.draft(draft.uid))
        assert "late" in named(views.draft(draft.uid)) and not left
        drafts.undo(draft)
        assert named(views.draft(draft.uid)) == before


def test_rows_that_go_while_a_draft_is_read_are_read_again(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, left = networks._entries, ["undo"]

    def slow(rows):
        if left and left.pop():
            drafts.undo(draft)
        return plain(rows)

    with scope(people.acme):
        draft = drawn()
        before = named(views.draft(draft.uid))
        drafts.add(draft, "groups", {"name": "late"})
        networks.forget()
        monkeypatch.setattr(networks, "_entries", slow)
        assert named(views.draft(draft.uid)) == before
