"""The page of central egress: what a draft lacks for it, the dry run, and the shares and the policy that it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser import look, sign_in
from tests.people import People
from tests.portal.sample_network import EVERY_KIND, EXIT, create_sample_network


@pytest.fixture
def drafted(people: People, tenant_scope: Callable[..., Any]) -> Callable[..., str]:
    """Return a function that makes a draft of (kind, body) after the sample network, and returns its page's address."""
    from provisioning.services.drafts import editing, lifecycle

    def make(*bodies: tuple[str, dict[str, Any]]) -> str:
        with tenant_scope(people.acme):
            draft = lifecycle.create_draft(f"egress {len(bodies)}")
            create_sample_network(draft)
            for kind, body in bodies:
                editing.add_object(draft, kind, body)
        return f"/t/acme/design/{draft.uid}/"

    return make


PARTNER = ("segments", EVERY_KIND["segments"])
SITE = {
    "name": "partner-site",
    "kind": "lab-site",
    "exchange": "us",
    "attachments": [{"segment": "partner", "prefixes": ["10.9.0.0/24"]}],
}
SERVICE = {
    "name": "fw",
    "product": "linux-firewall",
    "segments": ["corp"],
    "placements": [{"exchange": "eu", "min_instances": 1}],
}


def test_it_says_what_a_draft_lacks(
    people: People, drafted: Callable[..., str], sign_in: Callable[[Any], Client]
) -> None:
    client = sign_in(people.netadmin)
    alone = client.get(f"{drafted()}central-egress/").content.decode()
    assert "Central egress needs two segments" in alone and "This draft has one." in alone
    closed_in = client.get(f"{drafted(PARTNER)}central-egress/").content.decode()
    assert "No segment has a way to the internet" in closed_in and "kind=internet-exit" in closed_in
    where = drafted(PARTNER, ("connectors", EXIT))
    assert "Who leaves by whom" in client.get(f"{where}central-egress/").content.decode()
    assert sign_in(people.viewer).get(f"{where}central-egress/").status_code == 403


@pytest.mark.browser
def test_central_egress_is_tried_written_and_undone(
    page: Page, live_portal: str, people: People, drafted: Callable[..., str]
) -> None:
    where = live_portal + drafted(PARTNER, ("connectors", EXIT), ("connectors", SITE), ("services", SERVICE))
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{where}objects/shares/")
    page.get_by_role("link", name="Central egress").click()
    check = page.get_by_role("button", name="Check")
    check.click()
    expect(page.get_by_role("group", name="Spokes")).to_contain_text("Name at least one spoke")
    look(page, "egress-refused")
    page.get_by_label("partner").press("Space")
    page.get_by_label("fw").check()
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="What it writes: 2 to add")).to_be_focused()
    page.locator("summary", has_text="internet by corp: partner").click()
    look(page, "egress-tried")
    with page.expect_navigation():
        page.get_by_role("button", name="Write into the draft").click()
    expect(page.locator(".cv-chip", has_text="internet")).to_have_count(2)
    look(page, "egress-canvas")
    page.keyboard.press("Control+z")
    expect(page.locator(".cv-chip")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Central egress")).to_be_visible()
