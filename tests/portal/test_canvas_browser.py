"""The canvas in a browser: drawing by drag, clicks and keyboard, dropping a firewall, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Canvas:
    page: Page
    draft: Any
    uids: dict[str, str]
    tenant_scope: Callable[[], Any]

    def policies(self) -> list[dict[str, Any]]:
        from provisioning.snapshots import queries

        with self.tenant_scope():
            return [row.body for row in queries.list_objects(queries.draft_snapshot(self.draft.uid), "policies")]

    def drag(self, source: str, target: str) -> None:
        start, end = (self.page.locator(where).first.bounding_box() for where in (source, target))
        assert start and end
        self.page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 12)
        self.page.mouse.down()
        self.page.mouse.move(start["x"] + start["width"] / 2 + 20, start["y"] + 40, steps=4)
        self.page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
        self.page.mouse.up()

    def add(self, ports: str = "8080") -> None:
        """Fill in the dialog of a new policy and add it."""
        expect(self.page.get_by_role("heading", name="Policy from prod to dev")).to_be_visible()
        self.page.get_by_role("textbox", name="Ports").fill(ports)
        self.page.get_by_role("button", name="Add to draft").click()


@pytest.fixture
def canvas(live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page) -> Canvas:
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        uids = create_sample_network(draft)
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/")
    return Canvas(page, draft, uids, lambda: tenant_scope(people.acme))


PROD, DEV = ".cv-card[data-name=prod]", ".cv-card[data-name=dev]"


def by_drag(canvas: Canvas) -> None:
    canvas.drag(PROD, DEV)


def by_two_clicks(canvas: Canvas) -> None:
    canvas.page.get_by_role("button", name="Start a policy from prod").click()
    canvas.page.locator(DEV).click()


def by_keyboard(canvas: Canvas) -> None:
    canvas.page.locator(f"{PROD} h3 button").focus()
    canvas.page.keyboard.press("p")
    columns = [canvas.page.locator(card).bounding_box() for card in (PROD, DEV)]
    assert columns[0] and columns[1]
    canvas.page.keyboard.press("ArrowRight" if columns[1]["x"] > columns[0]["x"] else "ArrowLeft")
    canvas.page.keyboard.press("Enter")


@pytest.mark.parametrize("way", [by_drag, by_two_clicks, by_keyboard])
def test_every_way_of_drawing_creates_the_same_policy(canvas: Canvas, way: Callable[[Canvas], None]) -> None:
    way(canvas)
    canvas.add()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("tcp/8080")
    (policy,) = canvas.policies()
    assert (policy["from"], policy["to"]) == ([canvas.uids["prod"]], [canvas.uids["dev"]])
    assert policy["segments"] == [canvas.uids["corp"]]
    assert [(rule["action"], rule["protocol"], rule["ports"]) for rule in policy["rules"]] == [
        ("allow", "tcp", ["8080"])
    ]


def test_a_wrong_port_is_reported_at_its_field_and_keeps_the_input(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add("70000")
    ports = canvas.page.get_by_role("textbox", name="Ports")
    expect(ports).to_have_attribute("aria-invalid", "true")
    expect(ports).to_have_value("70000")
    assert canvas.policies() == []


def test_a_firewall_dropped_on_a_line_inspects_it_and_undo_reverts_it(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("allow")
    canvas.drag(".cv-product", ".cv-chip")
    expect(canvas.page.get_by_text("Where shall it run?")).to_be_visible()
    canvas.page.get_by_role("button", name="Add to draft").click()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("inspect")
    assert canvas.policies()[0]["rules"][0]["action"] == "inspect"
    canvas.page.keyboard.press("Control+z")
    expect(canvas.page.locator(".cv-chip")).to_contain_text("allow")
    canvas.page.keyboard.press("Shift+Control+Z")
    expect(canvas.page.locator(".cv-chip")).to_contain_text("inspect")


def test_a_policy_is_edited_beside_the_canvas_and_its_url_opens_it_again(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add()
    canvas.page.locator(".cv-chip").click()
    canvas.page.get_by_role("button", name="Rule", exact=True).click()
    row = canvas.page.locator("[data-row]").nth(1)
    row.get_by_label("Name of the rule").fill("rest")
    row.get_by_label("Action").select_option("deny")
    row.get_by_role("button", name="Move rule up").click()
    canvas.page.get_by_role("button", name="Save to draft").click()
    expect(canvas.page.locator(".cv-chip")).to_contain_text("2 rules")
    assert [rule["name"] for rule in canvas.policies()[0]["rules"]] == ["rest", "main"]
    canvas.page.reload()
    expect(canvas.page.get_by_role("complementary", name="Policy prod-to-dev")).to_be_visible()


def test_a_removed_object_can_be_restored(canvas: Canvas, people: People) -> None:
    canvas.page.locator(".cv-card[data-name=prod] li button").click()
    canvas.page.get_by_role("button", name="Delete").click()
    expect(canvas.page.locator("#cv-board")).not_to_contain_text("site-prod")
    canvas.page.get_by_role("button", name="Undo the last edit").click()
    expect(canvas.page.locator("#cv-board")).to_contain_text("site-prod")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_canvas_page_never_scrolls_sideways(canvas: Canvas, width: int) -> None:
    canvas.page.set_viewport_size({"width": width, "height": 800})
    canvas.page.reload()
    assert canvas.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_failing_assertion_is_shown_beside_the_canvas_and_blocks_the_plan(canvas: Canvas) -> None:
    by_drag(canvas)
    canvas.add("22")
    expect(canvas.page.locator(".cv-chip")).to_contain_text("tcp/22")
    canvas.page.get_by_role("button", name="Assertion").click()
    url = canvas.page.get_by_role("complementary", name="New assertion")
    url.get_by_role("textbox", name="Name").fill("prod never reaches dev")
    for end, name in (("From", "prod"), ("To", "dev")):
        url.get_by_role("combobox", name=end, exact=True).fill(name)
        url.get_by_role("option", name=f"{name} group").click()
    url.get_by_role("button", name="Add to draft").click()
    expect(canvas.page.locator("#cv-palette")).to_contain_text("prod never reaches dev")
    answer = canvas.page.locator("#cv-checks")
    expect(answer).to_contain_text("Valid")
    expect(answer.get_by_role("link", name="1 assertion fails")).to_be_visible()
    canvas.page.get_by_role("button", name="Review", exact=True).click()
    expect(canvas.page.get_by_role("alert")).to_contain_text("“prod never reaches dev” does not hold: 10.")


def test_an_object_in_use_cannot_be_removed_and_links_to_its_users(canvas: Canvas) -> None:
    canvas.page.goto(f"{canvas.page.url}?select=groups/{canvas.uids['prod']}")
    canvas.page.get_by_role("button", name="Delete").click()
    answer = canvas.page.locator(".cw-toast")
    expect(answer).to_have_count(1)
    expect(answer.locator("p")).to_have_text("Group prod is in use. Change or remove what refers to it first.")
    users = answer.get_by_role("link")
    words = users.all_inner_texts()
    assert words and len(words) == len(set(words))
    users.first.click()
    expect(canvas.page.get_by_role("complementary")).to_contain_text("prod")
    assert "/objects/connectors/?select=" in canvas.page.url


def test_no_chip_covers_the_link_of_an_empty_segment(canvas: Canvas) -> None:
    from provisioning.services.drafts import editing

    with canvas.tenant_scope():
        for name in ("middle", "partner"):
            editing.add_object(canvas.draft, "segments", {"name": name, "default_action": "deny"})
        editing.add_object(canvas.draft, "groups", {"name": "vendors"})
        attachment = {"segment": "partner", "group": "vendors", "prefixes": ["10.9.0.0/24"]}
        vendor = {"name": "vendor", "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}
        editing.add_object(canvas.draft, "connectors", vendor)
        for number, group in enumerate(("prod", "dev")):
            sides = {"a": {"segment": "corp", "groups": [group]}, "b": {"segment": "partner", "groups": ["vendors"]}}
            editing.add_object(canvas.draft, "shares", {"name": f"share-{number}", "direction": "both", **sides})
    # Lanes are as low as they can be.
    canvas.page.set_viewport_size({"width": 1280, "height": 480})
    canvas.page.reload()
    expect(canvas.page.locator(".cv-chip")).to_have_count(2)
    link = canvas.page.get_by_role("region", name="Segment middle").get_by_role("link", name="Add a connector")
    box = link.bounding_box()
    assert box
    chips = [chip.bounding_box() for chip in canvas.page.locator(".cv-chip").all()]
    for chip in chips:
        assert chip
        apart = chip["x"] > box["x"] + box["width"] or chip["x"] + chip["width"] < box["x"]
        assert apart or chip["y"] > box["y"] + box["height"] or chip["y"] + chip["height"] < box["y"], (chip, box)
    link.click()
    canvas.page.wait_for_url("**/connectors/new/**")
