"""Trace and reach in a browser: a name that was typed and not chosen counts, however soon Enter comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser


@pytest.fixture
def version(live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page) -> str:
    """Sign in; return how the address of a page names the draft with the sample network."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
    sign_in(page, live_portal, people.viewer)
    return f"?version=drafts/{draft.uid}"


def test_names_that_are_typed_and_not_chosen_are_traced(live_portal: str, version: str, page: Page) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}")
    page.get_by_role("combobox", name="From", exact=True).fill("site-prod")
    page.get_by_role("combobox", name="To", exact=True).fill("site-dev")
    page.get_by_role("button", name="Trace", exact=True).click()
    expect(page.locator("#tr-verdict")).to_contain_text("site-prod does not reach site-dev on tcp/443")


def test_tab_leads_from_one_end_of_the_flow_to_the_other(live_portal: str, version: str, page: Page) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}")
    page.get_by_role("combobox", name="From", exact=True).click()
    for key in ("site-prod", "Tab", "site-dev", "Enter"):
        page.keyboard.press(key) if key in ("Tab", "Enter") else page.keyboard.type(key)
    expect(page.locator("#tr-verdict")).to_contain_text("site-prod does not reach site-dev on tcp/443")


def test_what_is_typed_is_swapped_too(live_portal: str, version: str, page: Page) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}&to=site-dev")
    page.get_by_role("combobox", name="From", exact=True).fill("10.1.0.1")
    page.get_by_role("button", name="Swap from and to").click()
    page.get_by_role("button", name="Trace", exact=True).click()
    expect(page.locator("#tr-verdict")).to_contain_text("site-dev does not reach 10.1.0.1")


def test_a_name_sent_by_enter_before_the_list_arrives_is_traced(live_portal: str, version: str, page: Page) -> None:
    def never(route: Route) -> None:
        """Leave the lists of names unanswered."""

    page.goto(f"{live_portal}/t/acme/trace/{version}&from=site-prod")
    page.route("**/connectors/?search*", never)
    page.get_by_role("combobox", name="To", exact=True).fill("site-dev")
    page.keyboard.press("Enter")
    expect(page.locator("#tr-verdict")).to_contain_text("site-prod does not reach site-dev")


def test_a_group_that_is_typed_says_what_to_name_instead(live_portal: str, version: str, page: Page) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}&to=site-dev")
    page.get_by_role("combobox", name="From", exact=True).fill("prod")
    page.get_by_role("button", name="Trace", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("“prod” is a group")
    expect(page.get_by_role("alert")).to_contain_text("such as “site-prod”")


def test_an_end_that_is_missing_is_said_at_its_field_and_nothing_is_sent(
    live_portal: str, version: str, page: Page
) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}")
    page.get_by_role("combobox", name="From", exact=True).fill("site-prod")
    page.get_by_role("button", name="Trace", exact=True).click()
    end = page.get_by_role("combobox", name="To", exact=True)
    expect(end).to_be_focused()
    expect(end).to_have_accessible_description("Say where the flow goes.")
    end.fill("site-dev")
    page.get_by_role("button", name="Trace", exact=True).click()
    expect(page.locator("#tr-verdict")).to_contain_text("site-prod does not reach site-dev")
    page.goto(f"{live_portal}/t/acme/reach/{version}")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Say whose flows.")).to_be_visible()


def test_a_pasted_list_is_answered_by_keyboard_and_led_to_from_the_trace(
    live_portal: str, version: str, page: Page
) -> None:
    page.goto(f"{live_portal}/t/acme/trace/{version}")
    page.get_by_role("link", name="Many flows").click()
    page.get_by_role("textbox", name="Flows").fill("site-prod -> site-dev tcp 443\nsite-prod nobody udp 53")
    page.get_by_role("checkbox", name="Only what does not arrive").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="0 of 2 flows arrive")).to_be_visible()
    expect(page.get_by_role("cell", name="There is no connector “nobody”")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "traces.csv"
