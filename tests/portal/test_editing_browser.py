"""What is half typed, and two people in one draft: nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import look, sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser


@pytest.fixture
def draft(people: People, tenant_scope: Callable[..., Any]) -> Any:
    from provisioning.services.drafts import lifecycle
    from tenants.actor import Actor, acting

    with tenant_scope(people.acme), acting(Actor(people.netadmin.email)):
        new_draft = lifecycle.create_draft("rollout")
        create_sample_network(new_draft)
        new_draft.refresh_from_db()
    return new_draft


@pytest.fixture
def design(live_portal: str, draft: Any, people: People, page: Page) -> str:
    """Return the base URL of the draft's pages; netadmin is signed in."""
    sign_in(page, live_portal, people.netadmin)
    return f"{live_portal}/t/acme/design/{draft.uid}/"


@pytest.fixture
def second_page(browser: Browser, live_portal: str, people: People) -> Iterator[Page]:
    """A page of another browser, in which secadmin is signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    other = context.new_page()
    other.set_default_timeout(10_000)
    sign_in(other, live_portal, people.secadmin)
    yield other
    context.close()


def open_group(page: Page, design: str, name: str) -> None:
    page.goto(f"{design}objects/groups/")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("complementary", name=name)).to_be_visible()


def group_body(people: People, tenant_scope: Any, draft: Any, name: str) -> dict[str, Any]:
    from provisioning.snapshots import queries

    with tenant_scope(people.acme):
        rows = queries.list_objects(queries.draft_snapshot(draft.uid), "groups")
        body: dict[str, Any] = next(row.body for row in rows if row.name == name)
    return body


def test_two_browsers_on_one_object_keep_both_edits(
    page: Page, second_page: Page, people: People, tenant_scope: Any, draft: Any, design: str
) -> None:
    for browser_page in (page, second_page):
        open_group(browser_page, design, "prod")
    page.get_by_label("Description").fill("the clinics' servers")
    second_page.get_by_label("Name", exact=True).fill("production")
    page.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("Saved in this draft.")).to_be_attached()
    second_page.get_by_role("button", name="Save to draft").click()
    notice = second_page.get_by_role("alert")
    expect(notice).to_contain_text("Changed by netadmin@demo.test since you opened it")
    expect(notice).to_contain_text("Description is the clinics' servers")
    second_page.get_by_role("button", name="Save both").click()
    expect(second_page.get_by_text("Saved in this draft.")).to_be_attached()
    assert group_body(people, tenant_scope, draft, "production")["description"] == "the clinics' servers"


def test_a_field_that_two_people_changed_is_shown_with_both_values(
    page: Page, second_page: Page, people: People, tenant_scope: Any, draft: Any, design: str
) -> None:
    for browser_page, words in ((page, "first"), (second_page, "second")):
        open_group(browser_page, design, "prod")
        browser_page.get_by_label("Description").fill(words)
    page.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("Saved in this draft.")).to_be_attached()
    second_page.get_by_role("button", name="Save to draft").click()
    field = second_page.get_by_role("group", name="Description")
    expect(field).to_contain_text("Keep mine: second")
    field.get_by_label("Take theirs: first").check()
    second_page.get_by_role("button", name="Save these values").click()
    expect(second_page.get_by_text("Saved in this draft.")).to_be_attached()
    assert group_body(people, tenant_scope, draft, "prod")["description"] == "first"


def keep_editing(page: Page) -> None:
    expect(page.get_by_role("dialog", name="Discard unsaved changes to prod?")).to_be_visible()
    page.get_by_role("button", name="Keep editing").click()
    expect(page.get_by_label("Description")).to_have_value("half ty")


@pytest.mark.parametrize("view", ["objects", "canvas"])
def test_a_half_typed_form_asks_before_it_goes(page: Page, draft: Any, design: str, view: str) -> None:
    page.goto(f"{design}objects/groups/" if view == "objects" else design)
    if view == "objects":
        page.get_by_role("link", name="prod", exact=True).click()
    else:
        page.locator(".cv-card[data-name=prod] [data-select]").first.click()
    page.get_by_label("Description").fill("half ty")
    if view == "objects":
        page.get_by_role("link", name="dev", exact=True).click()
    else:
        page.locator(".cv-card[data-name=dev] [data-select]").first.click()
    keep_editing(page)
    page.get_by_role("link", name="Plans", exact=True).click()
    keep_editing(page)
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.evaluate("location.reload()")
    assert asked.value.type == "beforeunload"
    page.get_by_role("link", name="Plans", exact=True).click()
    page.get_by_role("button", name="Discard changes").click()
    page.wait_for_url("**/plans/")


def test_a_change_by_somebody_else_leaves_what_is_typed(
    page: Page, people: People, tenant_scope: Any, draft: Any, design: str
) -> None:
    from provisioning.services.drafts import editing

    open_group(page, design, "prod")
    page.get_by_label("Description").fill("half ty")
    with tenant_scope(people.acme):
        editing.add_object(draft, "groups", {"name": "printers"})
    expect(page.get_by_role("link", name="printers", exact=True)).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("half ty")


def test_a_half_typed_dialog_asks_before_escape_closes_it(page: Page, live_portal: str, people: People) -> None:
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/")
    page.get_by_role("button", name="Start a draft").click()
    page.get_by_label("Name").fill("roll")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Discard unsaved changes to New draft?")).to_be_visible()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_draft_bar_is_mine_and_a_discarded_draft_is_restored(
    page: Page, second_page: Page, people: People, tenant_scope: Any, draft: Any, design: str
) -> None:
    second_page.goto(design.split("/design/")[0] + "/topology/")
    expect(second_page.get_by_role("region", name="Draft", exact=True)).to_have_count(0)
    page.goto(design.split("/design/")[0] + "/topology/")
    page.get_by_role("region", name="Draft").get_by_role("button", name="Discard draft rollout").click()
    dialog = page.get_by_role("dialog", name="Discard the draft rollout?")
    expect(dialog).to_contain_text(f"{draft.cursor} edits by netadmin")
    expect(dialog).to_contain_text("restored for 30 days")
    dialog.get_by_role("button", name="Discard", exact=True).click()
    page.wait_for_url("**/design/")
    page.get_by_role("button", name="Restore draft rollout").click()
    page.wait_for_url(f"**/design/{draft.uid}/")
    expect(page.locator(".cv-card[data-name=prod]").first).to_be_visible()


def test_undo_says_what_was_undone(page: Page, people: People, tenant_scope: Any, draft: Any, design: str) -> None:
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        editing.add_object(draft, "groups", {"name": "printers"})
    page.goto(f"{design}objects/groups/")
    page.get_by_role("button", name="Undo the last edit").click()
    expect(page.get_by_text("Undone: group printers added")).to_be_visible()
    page.goto(design.split("/design/")[0] + "/plans/")
    page.get_by_role("button", name="Redo the edit undone last").click()
    expect(page.get_by_text("Redone: group printers added")).to_be_visible()


def test_the_draft_bar_says_who_else_is_here(
    page: Page, second_page: Page, people: People, draft: Any, design: str
) -> None:
    page.goto(design)
    second_page.goto(f"{design}objects/groups/")
    expect(page.get_by_text("secadmin is here too")).to_be_visible()
    expect(second_page.get_by_text("netadmin is here too")).to_be_visible()
    second_page.goto(design.split("/design/")[0] + "/plans/")
    expect(page.get_by_text("secadmin is here too")).to_be_hidden()


def test_a_selector_says_whom_it_selects_while_it_is_typed(page: Page, design: str) -> None:
    page.goto(f"{design}?select=new/groups")
    selector = page.get_by_label("Selects by labels")
    selector.fill("!legacy")
    expect(page.get_by_text("Selects 2 attachments: site-dev, site-prod")).to_be_visible()
    selector.fill("env in (")
    expect(page.get_by_text("is not a requirement")).to_be_visible()
    page.locator("#edit-name").fill("current")
    selector.fill("!legacy")
    page.get_by_role("button", name="Add to draft").click()
    page.locator(".cv-card[data-name=current] h3 button").click()
    members = page.get_by_role("region", name="Members")
    expect(members).to_contain_text("2 by labels")
    look(page, "group-members")
    members.get_by_role("button", name="site-dev").click()
    expect(page.get_by_role("region", name="Groups")).to_contain_text("!legacy")


def test_a_member_by_name_is_taken_out_of_its_group_in_the_panel(page: Page, design: str) -> None:
    page.goto(design)
    page.locator(".cv-card[data-name=prod] h3 button").click()
    members = page.get_by_role("region", name="Members")
    expect(members).to_contain_text("1 by name")
    members.get_by_role("button", name="Take site-prod out of prod").click()
    expect(members).to_contain_text("Nobody yet.")
