"""The canvas with many connectors, zoomed, and on small screens."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.portal.test_canvas_browser import Canvas, by_drag
from tests.portal.test_canvas_browser import canvas as canvas

pytestmark = pytest.mark.browser

LONG_NAME = "a-name-of-78-letters-" + "x" * 57


def add_stores(canvas: Canvas, number: int = 30) -> None:
    from provisioning.services.drafts import editing

    with canvas.tenant_scope():
        for each in range(number):
            attachment = {"segment": "corp", "group": None, "prefixes": [f"10.30.{each}.0/24"]}
            name = f"store-{each:03}" if each else LONG_NAME
            site = {"name": name, "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}
            editing.add_object(canvas.draft, "connectors", site)
    canvas.page.reload()


def box(element: Locator) -> Any:
    bounding_box = element.bounding_box()
    assert bounding_box
    return bounding_box


def test_many_connectors_are_one_card_that_opens_and_is_searched(canvas: Canvas) -> None:
    add_stores(canvas)
    card = canvas.page.locator(".cv-card.is-exchange")
    expect(card.locator(".cv-member")).to_have_count(6)
    card.get_by_role("link", name="24 more").click()
    expect(card.locator(".cv-member")).to_have_count(30)
    canvas.page.get_by_role("searchbox", name="Find on the canvas").fill("store-01")
    expect(card.locator(".cv-member")).to_have_count(10)
    expect(canvas.page.locator(".cv-card")).to_have_count(1)
    assert "find=store-01" in canvas.page.url
    canvas.page.reload()
    expect(card.locator(".cv-member")).to_have_count(10)


def test_a_large_network_collapses_to_segments_that_open_and_are_searched(canvas: Canvas) -> None:
    from provisioning.services.drafts import bulk

    adds = [{"kind": "segments", "body": {"name": f"vrf-{number}", "prefixes": []}} for number in range(12)]
    adds += [{"kind": "groups", "body": {"name": f"app-{number}"}} for number in range(60)]
    for number in range(240):
        attachment = {
            "segment": f"vrf-{number % 12}",
            "group": f"app-{number % 60}",
            "prefixes": [f"10.40.{number}.0/24"],
        }
        site = {"name": f"site-{number:03}", "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}
        adds.append({"kind": "connectors", "body": site})
    with canvas.tenant_scope():
        bulk.apply_edits(canvas.draft, [{"action": "create", **add} for add in adds])
    page = canvas.page
    page.reload()
    expect(page.locator(".cv-card")).to_have_count(0)
    lane = page.get_by_role("region", name="Segment vrf-7, only in this draft")
    expect(lane).to_contain_text("20 connectors")
    lane.get_by_role("link", name="Show what is in vrf-7").click()
    expect(lane.locator(".cv-card")).to_have_count(5)
    expect(lane.locator(".cv-member")).to_have_count(20)
    lane.get_by_role("link", name="Collapse vrf-7").click()
    expect(page.locator(".cv-card")).to_have_count(0)
    page.get_by_role("searchbox", name="Find on the canvas").fill("site-123")
    expect(page.locator(".cv-member")).to_have_count(1)


def test_a_policy_starts_at_a_connector_in_the_card_of_its_exchange(canvas: Canvas) -> None:
    add_stores(canvas)
    canvas.page.get_by_role("button", name="Start a policy from store-001").click()
    canvas.page.locator(".cv-card[data-name=prod]").click()
    expect(canvas.page.get_by_role("heading", name="Policy from store-001 to prod")).to_be_visible()


def test_a_long_name_stays_inside_its_card_and_is_its_title(canvas: Canvas) -> None:
    add_stores(canvas, 1)
    card = canvas.page.locator(f".cv-card[data-name='{LONG_NAME}']")
    name = card.get_by_role("button", name=LONG_NAME, exact=True)
    expect(name).to_have_attribute("title", LONG_NAME)
    assert box(name)["x"] + box(name)["width"] <= box(card)["x"] + box(card)["width"]


@pytest.mark.parametrize("key", ["-", "+", "0"])
def test_lines_meet_their_cards_at_every_zoom(canvas: Canvas, key: str) -> None:
    by_drag(canvas)
    canvas.add()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("tcp/8080")
    canvas.page.locator("#cv-stage").focus()
    canvas.page.keyboard.press(key)
    start, card = box(canvas.page.locator(".cv-end").first), box(canvas.page.locator(".cv-card[data-name=prod]"))
    middle = start["x"] + start["width"] / 2
    assert min(abs(middle - card["x"]), abs(middle - card["x"] - card["width"])) < 2
    assert card["y"] <= start["y"] <= card["y"] + card["height"]


def test_the_whole_network_fits_into_the_stage(canvas: Canvas) -> None:
    add_stores(canvas)
    canvas.page.locator(".cv-card.is-exchange").get_by_role("link", name="24 more").click()
    expect(canvas.page.locator(".cv-member")).to_have_count(32)
    canvas.page.get_by_role("button", name="Fit the whole network").click()
    board, stage = box(canvas.page.locator("#cv-board")), box(canvas.page.locator("#cv-stage"))
    assert board["height"] <= stage["height"] + 1 and board["width"] <= stage["width"] + 1


def test_chosen_segments_are_shown_alone(canvas: Canvas) -> None:
    from provisioning.services.drafts import editing

    with canvas.tenant_scope():
        editing.add_object(canvas.draft, "segments", {"name": "partner", "default_action": "deny"})
    canvas.page.reload()
    canvas.page.get_by_role("button", name="Segments all 2").click()
    canvas.page.get_by_role("checkbox", name="partner").check()
    expect(canvas.page.locator(".cv-lane")).to_have_count(1)
    expect(canvas.page.get_by_role("button", name="Segments 1 of 2")).to_be_visible()
    hint, header = canvas.page.locator(".cv-hint"), canvas.page.locator(".cv-lane > header")
    assert box(hint)["y"] - box(header)["y"] < 60


@pytest.mark.parametrize(("width", "height"), [(390, 844), (720, 450)])
def test_small_screens_reach_add_undo_redo_discard_and_details(canvas: Canvas, width: int, height: int) -> None:
    page = canvas.page
    page.set_viewport_size({"width": width, "height": height})
    page.reload()
    page.get_by_role("button", name="rollout").first.click()
    for name in ("Undo the last edit", "Redo the edit undone last", "Discard"):
        expect(page.locator("#drafts").get_by_role("button", name=name)).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator(".cv-card[data-name=prod] h3 button").click()
    expect(page.locator("#cv-heading")).to_be_in_viewport()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Group", exact=True).click()
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    expect(page.get_by_role("textbox", name="Name")).to_be_in_viewport()
