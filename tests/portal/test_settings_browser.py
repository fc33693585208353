"""Settings and profile: saved in place; what another changed meanwhile is shown beside one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tenants import preferences
from tenants.actor import Actor, acting
from tenants.models import Tenant, User
from tests.browser import look, sign_in
from tests.people import People

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_settings_of_two_people_are_both_kept_or_decided(
    live_portal: str, people: People, page: Page, tenant_scope: Callable[..., Any]
) -> None:
    sign_in(page, live_portal, people.owner)
    page.goto(f"{live_portal}/t/acme/settings/")
    look(page, "settings")
    zone = page.get_by_label("Time zone")
    zone.select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved the settings.")).to_be_visible()
    zone.select_option("Europe/Paris")
    with tenant_scope(people.acme), acting(Actor("msp@demo.test")):
        preferences.change_settings(preferences.lock_tenant(), {"time_zone": "Asia/Tokyo"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed by msp@demo.test since you opened it")).to_be_visible()
    look(page, "settings-changed")
    page.get_by_label("Take theirs: Asia/Tokyo").check()
    page.get_by_role("button", name="Save these values").click()
    expect(page.get_by_text("Saved the settings.").last).to_be_visible()
    expect(zone).to_have_value("Asia/Tokyo")
    assert Tenant.objects.get(pk=people.acme.pk).time_zone == "Asia/Tokyo"


def test_a_profile_takes_the_networks_choices_until_it_has_its_own(
    live_portal: str, people: People, page: Page
) -> None:
    sign_in(page, live_portal, people.viewer)
    page.goto(f"{live_portal}/t/acme/profile/")
    page.get_by_label("Name").fill("Vera View")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_label("A plan is approved or rejected").select_option("Nothing")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved your profile.")).to_be_visible()
    look(page, "profile")
    viewer = User.objects.get(pk=people.viewer.pk)
    assert (viewer.name, viewer.time_zone) == ("Vera View", "America/New_York")
    assert viewer.notifications == {"plan_decided": "nothing"}
