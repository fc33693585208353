"""Many rows of a list in a browser: selected by click, range and key, changed, removed and exported as one edit."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import look, sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser

SITES = 60


@pytest.fixture
def connectors_page(live_portal: str, people: People, tenant_scope: Any, page: Page) -> Page:
    """The connectors of a draft: 60 branches, and those of the sample network."""
    from provisioning.services.drafts import bulk, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        attachment = {"segment": "corp", "group": "prod"}
        bulk.apply_edits(
            draft,
            [
                {
                    "action": "create",
                    "kind": "connectors",
                    "body": {
                        "name": f"branch-{number:02}",
                        "kind": "lab-site",
                        "exchange": "eu",
                        "attachments": [{**attachment, "prefixes": [f"10.{100 + number}.0.0/16"]}],
                    },
                }
                for number in range(SITES)
            ],
        )
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/objects/connectors/?search=branch")
    return page


def row(page: Page, number: int) -> Any:
    return page.get_by_role("checkbox", name=f"Select branch-{number:02}")


def test_a_range_is_selected_by_shift_and_by_key_and_changed_in_one_edit(connectors_page: Page) -> None:
    page, bar = connectors_page, connectors_page.get_by_role("region", name="Selected connectors")
    expect(bar).to_be_hidden()
    row(page, 2).click()
    row(page, 5).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 connectors selected")
    page.get_by_role("link", name="branch-08").focus()
    page.keyboard.press("Shift+X")
    expect(bar).to_contain_text("7 connectors selected")
    page.keyboard.press("x")
    expect(bar).to_contain_text("6 connectors selected")
    look(page, "bulk-selected")
    bar.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Change", exact=True).select_option("groups")
    dialog.locator("select[name='actions.groups']").select_option("set")
    dialog.get_by_role("combobox", name="Groups").fill("dev")
    page.get_by_role("option", name="dev").click()
    look(page, "bulk-dialog")
    dialog.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("6 connectors changed. Undo takes it back in one step.")).to_be_visible()
    groups = page.locator("td[data-word=Groups]")
    expect(groups.get_by_text("dev", exact=True)).to_have_count(6)
    page.keyboard.press("Control+z")
    expect(groups.get_by_text("dev", exact=True)).to_have_count(0)


def test_a_label_is_put_on_many_connectors(connectors_page: Page) -> None:
    page, bar = connectors_page, connectors_page.get_by_role("region", name="Selected connectors")
    row(page, 2).click()
    row(page, 5).click(modifiers=["Shift"])
    bar.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Change", exact=True).select_option("labels")
    dialog.locator("select[name='actions.labels']").select_option("add")
    dialog.get_by_role("textbox", name="Labels").fill("env=prod, critical")
    dialog.get_by_role("button", name="Save to draft").click()
    expect(page.locator("td[data-word=Labels]").get_by_text("env=prod")).to_have_count(4)


def test_all_that_match_are_removed_and_what_cannot_go_says_who_needs_it(connectors_page: Page) -> None:
    page, bar = connectors_page, connectors_page.get_by_role("region", name="Selected connectors")
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(bar).to_contain_text("50 connectors selected")
    bar.get_by_role("button", name="Select all 60").click()
    expect(bar).to_contain_text("60 connectors selected")
    assert "search=branch" in (bar.get_by_role("link", name="CSV").get_attribute("href") or "")
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("60 connectors removed")).to_be_visible()
    expect(bar).to_be_hidden()
    page.goto(page.url.replace("connectors/?search=branch", "groups/"))
    page.get_by_role("checkbox", name="Select all on this page").check()
    groups = page.get_by_role("region", name="Selected groups")
    groups.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("refers to prod, which is removed.").first).to_be_visible()


def test_a_value_that_does_not_fit_stays_in_the_form_with_its_problem(connectors_page: Page) -> None:
    page = connectors_page
    row(page, 1).check()
    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Change", exact=True).select_option("exchange")
    dialog.get_by_role("button", name="Save to draft").click()
    expect(dialog.get_by_text("“value” is missing.")).to_be_visible()
    dialog.get_by_label("Change", exact=True).select_option("enabled")
    dialog.get_by_label("Enabled").select_option("off")
    dialog.get_by_role("button", name="Save to draft").click()
    expect(dialog).to_be_hidden()
