"""The canvas answers where the eye is: the selected thing first, focus in its form, panel and board in step."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.test_canvas_browser import Canvas, by_drag
from tests.portal.test_canvas_browser import canvas as canvas

pytestmark = pytest.mark.browser


def add_failing_assertion(canvas: Canvas) -> None:
    from provisioning.services.drafts import editing

    with canvas.tenant_scope():
        assertion = {"name": "joined", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
        editing.add_object(canvas.draft, "assertions", assertion)
    canvas.page.reload()


def test_problems_are_one_collapsed_line_below_the_selected_object(canvas: Canvas) -> None:
    add_failing_assertion(canvas)
    panel, line = canvas.page.locator("#cv-side"), canvas.page.locator("#draft-problems summary")
    canvas.page.locator(".cv-card[data-name=prod] h3 button").click()
    expect(panel.get_by_role("heading", name="prod", exact=True)).to_be_in_viewport()
    expect(panel.get_by_label("Description")).to_be_in_viewport()
    expect(line).to_contain_text("1 problem to fix")
    expect(line).to_be_in_viewport()
    problem = canvas.page.locator("#draft-problems li").first
    expect(problem).to_be_hidden()
    canvas.page.locator("#cv-checks").get_by_role("link", name="1 assertion fails").click()
    expect(problem).to_be_visible()


@pytest.mark.parametrize(("key", "word"), [("x", "exchange"), ("s", "segment"), ("n", "group"), ("h", "share")])
def test_after_a_key_the_focus_is_in_the_form_that_it_opens(canvas: Canvas, key: str, word: str) -> None:
    canvas.page.locator("#cv-stage").focus()
    canvas.page.keyboard.press(key)
    panel = canvas.page.get_by_role("complementary", name=f"New {word}")
    expect(panel.get_by_role("textbox", name="Name")).to_be_focused()


def test_escape_cancels_a_policy_then_closes_the_panel_and_asks_for_what_is_half_typed(canvas: Canvas) -> None:
    page, heading = canvas.page, canvas.page.locator("#cv-heading")
    page.locator(".cv-card[data-name=prod] h3 button").click()
    expect(heading).to_have_text("prod")
    page.locator(".cv-card[data-name=prod] [data-connect]").first.click()
    expect(page.locator(".cv-card.is-picked")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".cv-card.is-picked")).to_have_count(0)
    expect(heading).to_have_text("prod")
    page.locator("#cv-side").get_by_label("Description").fill("half typed")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_role("complementary", name="This draft")).to_be_visible()


def test_the_list_of_keys_has_undo_and_redo(canvas: Canvas) -> None:
    canvas.page.keyboard.press("?")
    keys = canvas.page.locator("#shortcut-list")
    for word in ("Undo the last edit", "Redo the edit undone last", "Add an exchange", "Start a policy"):
        expect(keys).to_contain_text(word)


def test_the_form_closes_although_a_message_about_the_same_edit_overtakes_the_answer(canvas: Canvas) -> None:
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if not held and route.request.headers.get("hx-request"):
            held.append(route)
        else:
            route.continue_()

    canvas.page.keyboard.press("x")
    panel = canvas.page.get_by_role("complementary", name="New exchange")
    panel.get_by_role("textbox", name="Name").fill("ap")
    panel.get_by_label("Location").select_option(index=3)
    canvas.page.route("**/design/**", hold_first)
    panel.get_by_role("button", name="Add to draft").click()
    deadline = time.monotonic() + 10
    while not held and time.monotonic() < deadline:
        canvas.page.wait_for_timeout(20)
    message: dict[str, Any] = {"id": str(canvas.draft.uid)}
    canvas.page.evaluate("detail => document.body.dispatchEvent(new CustomEvent('changed:draft', {detail}))", message)
    expect(canvas.page.get_by_role("complementary", name="This draft")).to_contain_text("ap")
    expect(canvas.page.locator("#cv-palette")).to_contain_text("ap")
    held[0].continue_()


def test_a_chip_is_called_by_what_it_shows(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add("8080")
    chip = canvas.page.locator(".cv-chip")
    expect(chip).to_have_accessible_name("allow tcp/8080 : prod-to-dev: prod to dev, allow tcp/8080, new in this draft")


def test_an_icon_of_the_rail_shows_its_word(canvas: Canvas) -> None:
    link = canvas.page.locator(".cw-navlink[data-page=runs]")
    link.hover()
    box = link.locator("span").bounding_box()
    assert box and box["width"] > 20 and box["x"] > 40


def test_a_line_into_another_segment_opens_the_share_filled_in(canvas: Canvas) -> None:
    from provisioning.services.drafts import editing
    from provisioning.snapshots import queries

    with canvas.tenant_scope():
        editing.add_object(canvas.draft, "segments", {"name": "partner", "default_action": "deny"})
        attachment = {"segment": "partner", "group": None, "prefixes": ["10.9.0.0/24"]}
        vendor = {"name": "vendor", "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}
        editing.add_object(canvas.draft, "connectors", vendor)
    canvas.page.reload()
    canvas.drag(".cv-card[data-name=prod]", ".cv-card[data-name=vendor]")
    panel = canvas.page.get_by_role("complementary", name="New share")
    expect(panel.get_by_role("textbox", name="Name")).to_have_value("prod-to-vendor")
    panel.get_by_role("button", name="Add to draft").click()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("share")
    with canvas.tenant_scope():
        (share,) = [row.body for row in queries.list_objects(queries.draft_snapshot(canvas.draft.uid), "shares")]
    assert (share["a"]["groups"], share["b"]["prefixes"]) == ([canvas.uids["prod"]], ["10.9.0.0/24"])
    assert (share["a"]["segment"], share["direction"]) == (canvas.uids["corp"], "a-to-b")


def test_a_first_step_that_is_done_is_ticked(live_portal: str, people: People, tenant_scope: Any, page: Page) -> None:
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("first")
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/")
    steps = page.get_by_role("list", name="First steps")
    steps.get_by_role("button", name="1. Add an exchange").click()
    panel = page.get_by_role("complementary", name="New exchange")
    panel.get_by_role("textbox", name="Name").fill("eu")
    panel.get_by_role("button", name="Add to draft").click()
    expect(steps.get_by_role("button", name="Done: 1. Add an exchange")).to_be_visible()
    expect(steps.get_by_role("button", name="2. Add a segment")).to_be_visible()
    expect(page.get_by_role("complementary", name="This draft")).to_be_visible()


def test_the_lines_are_drawn_with_the_first_paint_of_the_cards(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add("8080")
    expect(canvas.page.locator(".cv-chip")).to_contain_text("tcp/8080")
    script = canvas.page.locator("script[src*='canvas.js']")
    expect(script).to_have_attribute("blocking", "render")
    canvas.page.reload(wait_until="commit")
    canvas.page.wait_for_selector(".cv-card", state="attached")
    painted = canvas.page.evaluate(
        """() => new Promise((resolve) => requestAnimationFrame(
             () => resolve(document.querySelectorAll('.cv-lines path').length)))"""
    )
    assert painted > 0
