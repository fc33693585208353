"""Settings of a tenant, a person's profile and inbox: who may read and change what."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import PriceBook
from tenants.models import AuditEntry, Mail, Notification
from tenants.notifications import EVENTS, notify
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem
from tests.people import ApiFactory, People

pytestmark = pytest.mark.django_db
SETTINGS = "t/acme/settings/"


def test_settings_are_read_by_all_and_changed_by_who_manages_members(api: ApiFactory, people: People) -> None:
    read = api("viewer").get(SETTINGS)
    assert read.json() == {
        "requires_approval": False,
        "currency": None,
        "time_zone": "UTC",
        "notifications": dict.fromkeys(EVENTS, "mail"),
        "tiers": {"mandatory": "editors", "baseline": "editors"},
    }
    change: dict[str, Any] = {"time_zone": "Europe/Berlin", "notifications": {"plan_decided": "inbox"}}
    assert_problem(api("viewer").patch(SETTINGS, change), 403)
    changed = api("owner").patch(SETTINGS, change, if_match=read["ETag"])
    assert changed.json()["notifications"] == {**dict.fromkeys(EVENTS, "mail"), "plan_decided": "inbox"}
    assert api("viewer").get(SETTINGS)["ETag"] == changed["ETag"]
    assert api("globex_owner").get("t/globex/settings/").json()["time_zone"] == "UTC"
    with scope(people.acme):
        entry = AuditEntry.objects.get(action="tenant.change")
        assert entry.before == {"time_zone": "UTC", "notifications": {}}
        assert entry.after == {"time_zone": "Europe/Berlin", "notifications": {"plan_decided": "inbox"}}


def test_settings_that_another_changed_meanwhile_are_not_written_over(api: ApiFactory) -> None:
    tag = api("owner").get(SETTINGS)["ETag"]
    api("msp_admin").patch(SETTINGS, {"time_zone": "Asia/Tokyo"})
    body = assert_problem(api("owner").patch(SETTINGS, {"time_zone": "Europe/Paris"}, if_match=tag), 412)
    assert body["changed_by"] == "msp@demo.test"


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"time_zone": "Mars/Olympus"}, 400, "time_zone"),
        ({"time_zone": "/etc/passwd"}, 400, "time_zone"),
        ({"currency": "XYZ"}, 400, "currency"),
        ({"notifications": {"approval_requested": "nothing"}}, 400, "notifications.approval_requested"),
        ({"notifications": {"moon_rises": "mail"}}, 400, "notifications.moon_rises"),
    ],
)
def test_a_wrong_setting_names_its_field(api: ApiFactory, change: dict[str, Any], status: int, path: str) -> None:
    body = assert_problem(api("owner").patch(SETTINGS, change), status)
    assert [problem["path"] for problem in body["problems"]] == [path]


def test_the_currency_is_that_of_the_price_book_and_nothing_is_converted(api: ApiFactory, people: People) -> None:
    assert api("owner").patch(SETTINGS, {"currency": "USD"}).json()["currency"] == "USD"
    PriceBook.objects.create(name="MSP for Acme", currency="EUR", seller=people.msp, buyer_tenant=people.acme)
    assert api("owner").get(SETTINGS).json()["currency"] == "EUR"
    body = assert_problem(api("owner").patch(SETTINGS, {"currency": "USD"}), 409)
    assert "“MSP for Acme” is in EUR" in body["detail"] and f"Ask {people.msp.name} for a price book" in body["detail"]
    assert api("owner").patch(SETTINGS, {"currency": "EUR"}).status_code == 200


def test_a_person_changes_their_own_profile_and_goes_before_the_tenant(api: ApiFactory, people: People) -> None:
    viewer = api("viewer")
    read = viewer.get("me/")
    assert (read.json()["time_zone"], read.json()["notifications"]) == (None, dict.fromkeys(EVENTS))
    change = {"name": "Vera View", "time_zone": "America/New_York", "notifications": {"plan_decided": "nothing"}}
    changed = viewer.patch("me/", change, if_match=read["ETag"]).json()
    assert (changed["name"], changed["time_zone"]) == ("Vera View", "America/New_York")
    assert changed["notifications"]["plan_decided"] == "nothing"
    assert_problem(viewer.patch("me/", {"name": "x"}, if_match=read["ETag"]), 412)
    with scope(people.acme):
        assert notify([people.viewer], "plan_decided", "Look", "plans/") == [people.viewer]
        people.viewer.refresh_from_db()
        assert notify([people.viewer], "plan_decided", "Look again", "plans/") == []
    back = viewer.patch("me/", {"time_zone": None, "notifications": {"plan_decided": None}}).json()
    assert (back["time_zone"], back["notifications"]["plan_decided"]) == (None, None)
    assert_problem(api("viewer", scopes=["view"]).patch("me/", {"name": "x"}), 403)
    assert_problem(viewer.patch("me/", {"name": "a\nb\u0007"}), 400)


def test_notifications_go_where_tenant_and_person_want_them(api: ApiFactory, people: People) -> None:
    api("owner").patch(SETTINGS, {"notifications": {"plan_decided": "inbox"}})
    api("viewer").patch("me/", {"notifications": {"plan_decided": "mail"}})
    people.acme.refresh_from_db()
    people.viewer.refresh_from_db()
    with scope(people.acme):
        notify([people.viewer, people.finance], "plan_decided", "Look", "plans/")
        assert Notification.objects.count() == 2
    assert [mail.to for mail in Mail.objects.all()] == [people.viewer.email]


@pytest.fixture
def told(people: People) -> None:
    with scope(people.acme):
        notify([people.viewer, people.owner], "plan_decided", "First", "plans/")
        notify([people.viewer], "plan_decided", "Second", "plans/")


def test_an_inbox_is_its_persons_in_one_tenant(api: ApiFactory, people: People, told: None) -> None:
    viewer = api("viewer")
    rows = viewer.get("t/acme/inbox/").json()["results"]
    assert [(row["text"], row["state"], row["path"]) for row in rows] == [
        ("Second", "unread", "/t/acme/plans/"),
        ("First", "unread", "/t/acme/plans/"),
    ]
    where = f"t/acme/inbox/{rows[0]['id']}/"
    assert_problem(api("owner").get(where), 404)
    assert_problem(api("owner").patch(where, {"state": "read"}), 404)
    assert_problem(api("stranger").get("t/acme/inbox/"), 404)
    assert [row["text"] for row in api("owner").get("t/acme/inbox/").json()["results"]] == ["First"]
    assert api("msp_admin").get("t/globex/inbox/").json()["results"] == []


def test_entries_of_an_inbox_are_marked_one_by_one_or_all(api: ApiFactory, told: None) -> None:
    viewer = api("viewer")
    second, _ = viewer.get("t/acme/inbox/").json()["results"]
    where = f"t/acme/inbox/{second['id']}/"
    marked = viewer.patch(where, {"state": "read"}, if_match=viewer.get(where)["ETag"])
    assert marked.json()["state"] == "read" and marked.json()["read_at"]
    assert [row["text"] for row in viewer.get("t/acme/inbox/?state=unread").json()["results"]] == ["First"]
    assert viewer.patch(where, {"state": "unread"}).json()["read_at"] is None
    assert viewer.post("t/acme/inbox/read/").status_code == 204
    assert viewer.get("t/acme/inbox/?state=unread").json()["results"] == []
    assert len(api("owner").get("t/acme/inbox/?state=unread").json()["results"]) == 1
