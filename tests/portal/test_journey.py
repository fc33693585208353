"""The one path, in a browser: draw a policy by dragging, review what it opens, provision, see the run succeed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.networks import draw

pytestmark = [pytest.mark.browser, pytest.mark.packets]


@pytest.fixture
def provisioned(live_lab: dict[str, str], people: People, within: Callable[..., Any]) -> None:
    """acme's network is live: prod and dev in a closed segment, nothing allowed between them."""
    from provisioning.models import Run
    from provisioning.services import drafts, plans, runs

    with within(people.acme):
        draft = drafts.create("first")
        draw(draft)
        plan = plans.make(draft)
        run = runs.provision(plan, plan.digest)
    deadline = time.monotonic() + 60
    while run.state in Run.GOING and time.monotonic() < deadline:
        time.sleep(0.2)
        with within(people.acme):
            run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED


def test_a_drawn_policy_is_reviewed_provisioned_and_carried_out(
    provisioned: None, live_portal: str, people: People, page: Page
) -> None:
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/")
    page.get_by_role("button", name=re.compile("draft", re.IGNORECASE)).first.click()
    page.get_by_role("textbox", name="Name").fill("open-dev")
    page.locator("#new-draft").get_by_role("button", name="Start draft").click()

    prod, dev = (page.locator(f".cv-card[data-name={name}]") for name in ("prod", "dev"))
    prod.drag_to(dev)
    page.get_by_role("textbox", name="Ports").fill("8080")
    page.get_by_role("button", name="Add to draft").click()
    expect(page.locator(".cv-chip")).to_contain_text("tcp/8080")

    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_role("heading", name="Plan for open-dev")).to_be_visible()
    expect(page.locator("#reach")).to_contain_text("prod can now reach dev in corp on tcp/8080")
    page.get_by_role("button", name=re.compile(r"Provision \d+ steps?")).click()

    expect(page.get_by_role("heading", name=re.compile("Run of revision 2"))).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Succeeded", timeout=20_000)
    expect(page.locator(".rn-step.is-failed")).to_have_count(0)
