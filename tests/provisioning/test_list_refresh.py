"""A list with a source follows it: each change is a draft with its plan, which provisions itself within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Edit, ListRefresh, Plan, Run
from provisioning.services import list_refresh, list_sources, plans, runs
from provisioning.services.drafts import bulk, editing, lifecycle
from provisioning.snapshots import queries
from tenants.actor import Actor, acting
from tenants.models import AuditEntry, Notification, Tenant
from tenants.scope import scope
from tests.people import People
from tests.provisioning.list_server import ListServer, serve_lists
from tests.provisioning.small_network import DOCUMENT, finish_run, provision_document

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

FIRST = [f"198.51.{number}.0/24" for number in range(20)]


@pytest.fixture
def server() -> Iterator[ListServer]:
    with serve_lists() as served:
        yield served


def document(server: ListServer, entries: list[str] = FIRST, **source: Any) -> dict[str, Any]:
    rules = [{"name": "feed", "action": "deny", "protocol": "tcp", "ports": ["443"], "destination": ["feed"]}]
    return {
        **DOCUMENT,
        "prefix-lists": [
            {
                "name": "feed",
                "entries": [{"prefix": prefix} for prefix in entries],
                "source": {"url": server.url(), **source},
            }
        ],
        "policies": [
            {"name": "out", "position": 10, "segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": rules}
        ],
    }


def provision(tenant: Tenant, server: ListServer, **source: Any) -> None:
    provision_document(tenant, "first", document(server, **source))


def refresh_now(tenant: Tenant, draft: Draft | None = None) -> ListRefresh:
    """Run every refresh that is due, as workers would, after asking for that of the list."""
    with scope(tenant):
        ListRefresh.objects.filter(draft=draft).update(due_at=timezone.now())
        due = list_sources.due_refreshes(timezone.now())
    for pk in due:
        list_refresh.RefreshJob(tenant).run(pk)
    with scope(tenant):
        return ListRefresh.objects.select_related("waiting_draft", "plan").get(draft=draft)


def prefixes(snapshot: queries.Snapshot) -> list[str]:
    [stored] = queries.list_objects(snapshot, "prefix-lists")
    return [entry["prefix"] for entry in stored.body["entries"]]


def live_prefixes(tenant: Tenant) -> list[str]:
    with scope(tenant):
        return prefixes(queries.live_snapshot())


def test_a_change_waits_in_a_draft_with_its_plan_and_those_who_may_provision_are_told(
    people: People, server: ListServer
) -> None:
    server.put(*FIRST, etag='"1"')
    provision(people.acme, server)
    first = refresh_now(people.acme)
    assert first.waiting_draft is None
    assert first.fetched_at is not None
    assert first.error == ""
    server.put(*FIRST, "203.0.113.0/24", etag='"2"')
    refresh = refresh_now(people.acme)
    assert live_prefixes(people.acme) == FIRST
    with scope(people.acme):
        draft = refresh.waiting_draft
        assert draft is not None
        assert (draft.name, draft.author) == ("Refresh of feed", "system")
        assert prefixes(queries.snapshot_of_draft(draft)) == [*FIRST, "203.0.113.0/24"]
        plan = Plan.objects.get(draft=draft)
        assert plan.state == Plan.State.READY
        told = Notification.objects.filter(path=f"plans/{plan.uid}/")
        assert people.netadmin in [each.user for each in told]
        assert people.viewer not in [each.user for each in told]
        assert told[0].text == "The refresh of prefix list feed waits to be provisioned."
        with acting(Actor(people.netadmin.email)):
            run = runs.provision_plan(plan, plan.digest)
    finish_run(people.acme, run)
    assert live_prefixes(people.acme) == [*FIRST, "203.0.113.0/24"]
    assert refresh_now(people.acme).waiting_draft_id == draft.pk  # 304: nothing more to do
    assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, '"1"', '"2"']


def test_a_newer_refresh_takes_the_place_of_the_one_that_waits(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    with scope(people.acme):
        own = lifecycle.create_draft("Refresh of feed 2")
    server.put(*FIRST, "203.0.113.0/24")
    first = refresh_now(people.acme).waiting_draft
    assert refresh_now(people.acme).waiting_draft == first  # the same file again
    server.put(*FIRST, "203.0.113.128/25")
    second = refresh_now(people.acme).waiting_draft
    assert first is not None
    assert second not in (first, None)
    with scope(people.acme):
        assert list(Draft.objects.filter(state="open").order_by("pk")) == [own, second]
        assert Draft.objects.get(pk=first.pk).state == Draft.State.DISCARDED
    server.put(*FIRST)
    assert refresh_now(people.acme).waiting_draft is None
    with scope(people.acme):
        assert list(Draft.objects.filter(state="open")) == [own]


def test_a_waiting_draft_that_people_edited_is_kept_and_refreshed(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    server.put(*FIRST, "203.0.113.0/24")
    draft = refresh_now(people.acme).waiting_draft
    assert draft is not None
    with scope(people.acme), acting(Actor(people.netadmin.email)):
        editing.add_object(draft, "groups", {"name": "more"})
    server.put(*FIRST, "203.0.113.128/25")
    assert refresh_now(people.acme).waiting_draft == draft
    with scope(people.acme):
        assert prefixes(queries.snapshot_of_draft(draft))[-1] == "203.0.113.128/25"
        writers = list(Edit.objects.filter(draft=draft).values_list("author", flat=True))
        assert writers == ["system", people.netadmin.email, "system"]


def test_what_people_discarded_does_not_come_back_until_the_source_changes_or_somebody_asks(
    people: People, server: ListServer
) -> None:
    provision(people.acme, server)
    server.put(*FIRST, "203.0.113.0/24")
    draft = refresh_now(people.acme).waiting_draft
    assert draft is not None
    with scope(people.acme):
        lifecycle.discard_draft(draft)
    assert not refresh_now(people.acme).is_waiting
    with scope(people.acme):
        [stored] = queries.list_objects(queries.live_snapshot(), "prefix-lists")
        known = ListRefresh.objects.get()
        with acting(Actor(people.netadmin.email)):
            list_sources.request_refresh(queries.live_snapshot(), stored.uid)
    asked = refresh_now(people.acme)
    assert asked.is_waiting
    assert asked.changed_at == known.changed_at


def test_a_refresh_within_its_bounds_provisions_itself(people: People, server: ListServer) -> None:
    provision(people.acme, server, provision_within=2)
    server.put(*FIRST, "203.0.113.0/24")
    refresh_now(people.acme)
    assert live_prefixes(people.acme) == [*FIRST, "203.0.113.0/24"]
    with scope(people.acme):
        run = Run.objects.latest("pk")
        assert run.author == "system"
        assert Notification.objects.count() == 0
    finish_run(people.acme, run)
    server.put(*FIRST[3:], "203.0.113.0/24")
    refresh = refresh_now(people.acme)
    assert refresh.is_waiting
    with scope(people.acme):
        text = Notification.objects.latest("pk").text
    assert text == (
        "The refresh of prefix list feed waits to be provisioned. 3 entries come and go, 2 may by themselves."
    )


def test_a_refresh_that_allows_something_waits_for_people(people: People, server: ListServer) -> None:
    server.put(*FIRST, "10.2.0.0/16")
    provision(people.acme, server, provision_within=5)
    network = document(server, provision_within=5)
    network["policies"][0]["rules"].append({"name": "rest", "action": "allow"})
    network["prefix-lists"][0].pop("entries", None)
    provision_document(people.acme, "second", network)
    refresh_now(people.acme)
    with scope(people.acme):
        if waiting := Run.objects.exclude(state="succeeded").first():
            finish_run(people.acme, waiting)
    server.put(*FIRST)
    assert refresh_now(people.acme).is_waiting
    assert "10.2.0.0/16" in live_prefixes(people.acme)
    with scope(people.acme):
        assert "It would allow" in Notification.objects.latest("pk").text


def test_what_a_source_sends_never_stops_its_failure_from_being_recorded(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    server.put("198.51.100.0/24\x00")
    refresh = refresh_now(people.acme)
    assert refresh.failures == 1 and "\N{REPLACEMENT CHARACTER}" in refresh.error


def test_a_plan_that_a_worker_computes_is_decided_once_it_is_ready(
    people: People, server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision(people.acme, server, provision_within=2)
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    server.put(*FIRST, "203.0.113.0/24")
    plan = refresh_now(people.acme).plan
    assert plan is not None
    assert plan.state == Plan.State.COMPUTING
    with scope(people.acme):
        assert list_sources.due_refreshes(timezone.now()) == []
    plans.PlanJob(people.acme).run(plan.pk)
    with scope(people.acme):
        [due] = list_sources.due_refreshes(timezone.now())
    list_refresh.RefreshJob(people.acme).run(due)
    assert live_prefixes(people.acme) == [*FIRST, "203.0.113.0/24"]
    with scope(people.acme):
        assert list_sources.due_refreshes(timezone.now()) == []


@pytest.mark.parametrize("obstacle", ["approval", "assertion", "run"])
def test_a_refresh_waits_for_people_where_something_speaks_against_it(
    people: People, server: ListServer, obstacle: str
) -> None:
    network = document(server, provision_within=5)
    if obstacle == "assertion":
        flow = {"from": "site-1", "to": "10.2.0.0/16", "protocol": "tcp", "ports": ["443"]}
        network["assertions"] = [{"name": "a", **flow, "expect": "reachable"}]
        network["policies"][0]["rules"].append({"name": "rest", "action": "allow"})
    provision_document(people.acme, "first", network)
    run = None
    if obstacle == "run":
        with scope(people.acme):
            draft = lifecycle.create_draft("other")
            editing.add_object(draft, "segments", {"name": "lab"})
            plan = plans.create_plan(draft)
            run = runs.provision_plan(plan, plan.digest)
    if obstacle == "approval":
        Tenant.objects.filter(pk=people.acme.pk).update(requires_approval=True)
        people.acme.refresh_from_db()
    server.put(*FIRST, "10.2.0.0/16")
    assert refresh_now(people.acme).is_waiting
    assert live_prefixes(people.acme) == FIRST
    with scope(people.acme):
        text = Notification.objects.latest("pk").text
    reason = {"approval": "A second person has to approve it.", "assertion": "“a”", "run": "Another run is going"}
    assert reason[obstacle] in text, text
    if run:
        finish_run(people.acme, run)
        refresh_now(people.acme)  # tried again with the next refresh
        assert "10.2.0.0/16" in live_prefixes(people.acme)


def test_an_empty_or_much_smaller_file_is_refused_and_told(people: People, server: ListServer) -> None:
    provision(people.acme, server, provision_within=1000)
    for lines, message in (
        ((), "lists nothing that is asked for"),
        (FIRST[:9], "lists 9 prefixes where the list has 20"),
    ):
        server.put(*lines)
        refresh = refresh_now(people.acme)
        assert message in refresh.error
        assert not refresh.is_waiting
    assert live_prefixes(people.acme) == FIRST
    with scope(people.acme):
        [told] = Notification.objects.filter(user=people.netadmin)
        assert told.text.startswith("Prefix list feed is not refreshed: The file lists nothing")
        assert AuditEntry.objects.filter(action="list.refresh_fail").count() == 1


def test_failures_to_fetch_wait_longer_each_time_and_are_told_once(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    waits = []
    for _ in range(5):
        refresh = refresh_now(people.acme)
        assert refresh.error == "127.0.0.1 answered 404 Not Found."
        assert refresh.due_at is not None
        waits.append(round((refresh.due_at - timezone.now()) / timedelta(minutes=15)))
        with scope(people.acme):
            assert Notification.objects.filter(user=people.netadmin).count() == int(refresh.failures >= 3)
    assert waits == [1, 2, 4, 8, 16]
    server.put(*FIRST)
    refresh = refresh_now(people.acme)
    assert (refresh.failures, refresh.error) == (0, "")


def test_a_crash_ends_a_refresh_where_people_see_it(
    people: People, server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision(people.acme, server)
    monkeypatch.setattr(list_refresh, "fetch_file", lambda *args, **kwargs: 1 / 0)
    assert refresh_now(people.acme).error == list_refresh.INTERNAL_ERROR


def test_a_worker_that_died_is_replaced_and_its_answer_refused(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    server.put(*FIRST, "203.0.113.0/24")
    job = list_refresh.RefreshJob(people.acme)
    with scope(people.acme):
        refresh = ListRefresh.objects.get()
        first = job.claim(refresh.pk)
        assert first is not None
        assert job.claim(refresh.pk) is None
        assert list_sources.due_refreshes(timezone.now() + timedelta(seconds=20)) == []
        ListRefresh.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert list_sources.due_refreshes(timezone.now()) == []  # not at once: it may be the file that ends workers
    refresh_now(people.acme)
    job.in_scope(job.record, first, list_refresh.FetchedList(list_refresh.FetchedFile(b""), []))
    with scope(people.acme):
        assert ListRefresh.objects.get().error == ""


def test_a_tenant_has_few_refreshes_at_once(
    people: People, server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_refresh, "MAX_AT_ONCE", 1)
    network = document(server)
    network["prefix-lists"].append({**network["prefix-lists"][0], "name": "other"})
    provision_document(people.acme, "first", network)
    job = list_refresh.RefreshJob(people.acme)
    with scope(people.acme):
        first, second = list_sources.due_refreshes(timezone.now())
        assert job.claim(first) is not None
        assert job.claim(second) is None
        assert list_sources.due_refreshes(timezone.now()) == [second]


def test_a_list_in_a_draft_is_filled_when_asked_for_by_who_asked(people: People, server: ListServer) -> None:
    server.put("198.51.100.0/24")
    with scope(people.acme), acting(Actor(people.netadmin.email)):
        draft = lifecycle.create_draft("new")
        body = {"name": "feed", "source": {"url": server.url()}}
        stored = editing.add_object(draft, "prefix-lists", body)
        list_sources.request_refresh(queries.snapshot_of_draft(draft), stored.uid)
    refresh = refresh_now(people.acme, draft)
    assert (refresh.error, refresh.due_at) == ("", None)
    with scope(people.acme):
        draft.refresh_from_db()
        assert prefixes(queries.snapshot_of_draft(draft)) == ["198.51.100.0/24"]
        edit = Edit.objects.filter(draft=draft).latest("number")
        assert (edit.author, edit.summary) == (
            people.netadmin.email,
            "prefix list feed refreshed from its source",
        )
        assert list_sources.due_refreshes(timezone.now() + timedelta(days=40)) == []


def test_a_list_without_a_source_cannot_be_refreshed(people: People) -> None:
    with scope(people.acme):
        draft = lifecycle.create_draft("new")
        stored = editing.add_object(draft, "prefix-lists", {"name": "feed", "entries": [{"prefix": "10.0.0.0/8"}]})
        with pytest.raises(ValidationFailed, match="has no source"):
            list_sources.request_refresh(queries.snapshot_of_draft(draft), stored.uid)


def test_entries_of_a_source_are_not_written_by_hand(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    with scope(people.acme):
        draft = lifecycle.create_draft("new")
        [stored] = queries.list_objects(queries.live_snapshot(), "prefix-lists")
        by_hand = {"entries": [{"prefix": "10.0.0.0/8"}]}
        edit = {"action": "change", "kind": "prefix-lists", "id": stored.uid, "body": by_hand}
        for write in (
            lambda: editing.patch_object(draft, "prefix-lists", stored.uid, by_hand),
            lambda: editing.replace_object(draft, "prefix-lists", stored.uid, {**stored.body, **by_hand}),
            lambda: bulk.apply_edits(draft, [edit]),
            lambda: bulk.import_table(draft, "prefix-lists", b"name,prefix\nfeed,10.0.0.0/8\n"),
            lambda: editing.import_document(draft, document(server, ["10.0.0.0/8"])),
        ):
            with pytest.raises(ValidationFailed, match="The entries of this list come from its source") as refused:
                write()
            assert refused.value.problems[0].code == "from_source"
        without = {**document(server, interval=12)}
        del without["prefix-lists"][0]["entries"]
        editing.import_document(draft, without)
        assert prefixes(queries.snapshot_of_draft(draft)) == FIRST
        editing.patch_object(draft, "prefix-lists", stored.uid, {"source": None, **by_hand})
        draft.refresh_from_db()
        assert prefixes(queries.snapshot_of_draft(draft)) == ["10.0.0.0/8"]


def test_a_list_that_lost_its_source_is_not_fetched_any_more(people: People, server: ListServer) -> None:
    provision(people.acme, server)
    with scope(people.acme):
        assert ListRefresh.objects.count() == 1
    without = document(server)
    without["prefix-lists"][0]["source"] = None
    provision_document(people.acme, "second", without)
    with scope(people.acme):
        assert ListRefresh.objects.count() == 0
