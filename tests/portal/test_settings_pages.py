"""Settings of a tenant and a person's profile, and the zone in which pages tell the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tenants import audit
from tenants.models import Notification, Tenant, User
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db
AT = datetime(2025, 7, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def viewer(people: People) -> Client:
    browser = Client()
    browser.force_login(people.viewer)
    return browser


def test_pages_tell_the_time_in_the_persons_zone_else_the_tenants_else_utc(people: People, viewer: Client) -> None:
    with scope(people.acme):
        Notification(user=people.viewer, text="Look", path="plans/", at=AT).save()

    def shown() -> str:
        return viewer.get("/t/acme/inbox/").content.decode()

    assert "1 Jul 2025, 23:30 " in shown() and ">UTC</span>" in shown()
    Tenant.objects.filter(pk=people.acme.pk).update(time_zone="Europe/Berlin")
    assert "2 Jul 2025, 01:30" in shown() and ">CEST</span>" in shown()
    User.objects.filter(pk=people.viewer.pk).update(time_zone="America/New_York")
    assert "1 Jul 2025, 19:30" in shown() and ">EDT</span>" in shown()


def test_days_and_months_that_are_charged_are_those_of_utc_in_every_zone(people: People) -> None:
    User.objects.filter(pk=people.owner.pk).update(time_zone="America/New_York")
    owner = Client()
    owner.force_login(people.owner)
    page = owner.get("/t/acme/usage/?from=2026-11-01&to=2026-11-30").content.decode()
    assert "1 Nov 2026 to 30 Nov 2026" in page and 'value="2026-11-01"' in page
    assert "days of UTC" in page


def test_days_of_the_audit_log_are_those_of_its_reader(people: People) -> None:
    User.objects.filter(pk=people.owner.pk).update(time_zone="Pacific/Auckland")  # 12 or 13 hours ahead
    owner = Client()
    owner.force_login(people.owner)
    with scope(people.acme):
        entry = audit.record("member.add", object_name="somebody")
    day = entry.at.astimezone(ZoneInfo("Pacific/Auckland")).date()
    page = owner.get(f"/t/acme/audit/?from={day}&to={day}").content.decode()
    assert "somebody" in page and "days of Pacific/Auckland" in page
    before = day - timedelta(days=1)
    assert "somebody" not in owner.get(f"/t/acme/audit/?to={before}").content.decode()
    for impossible in ("0001-01-01", "9999-12-31"):
        assert owner.get(f"/t/acme/audit/?from={impossible}&to={impossible}").status_code == 200


def test_the_pages_hold_what_is_set_and_the_state_it_was_read_in(people: People, viewer: Client) -> None:
    owner = Client()
    owner.force_login(people.owner)
    Tenant.objects.filter(pk=people.acme.pk).update(time_zone="Asia/Tokyo")
    page = owner.get("/t/acme/settings/").content.decode()
    assert "<option selected>Asia/Tokyo</option>" in page and "That of the first price book" in page
    tag = owner.get("/api/v1/t/acme/settings/")["ETag"]
    assert f"data-etag={tag}" in page.replace('data-etag="', 'data-etag="')
    profile = viewer.get("/t/acme/profile/").content.decode()
    assert "As in this network: Asia/Tokyo" in profile and "As in this network: inbox and mail" in profile
    assert f"data-etag={viewer.get('/api/v1/me/')['ETag']}" in profile


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("page", ["topology/", "topology/side/"])
def test_a_moment_at_the_end_of_time_is_now(viewer: Client, page: str, at: str) -> None:
    User.objects.update(time_zone="America/New_York")
    answer = viewer.get(f"/t/acme/{page}", {"at": at})
    assert answer.status_code == 200
