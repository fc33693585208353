"""The whole path in a browser: draw a policy, review its plan, provision, see the run succeed, see the bill."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing import services
from billing.demo import ensure_demo_prices
from tenants.models import User
from tests.browser import log_in
from tests.node_reports import keep_next_reports
from tests.people import People
from tests.portal.sample_network import create_sample_network
from tests.system.clients import LabCommands

pytestmark = [pytest.mark.browser, pytest.mark.packets]

DEV, SENT = "10.2.0.1", 100_000_000


@pytest.fixture
def provisioned(live_lab: dict[str, str], people: People, tenant_scope: Callable[..., Any]) -> None:
    """Make acme's network live: prod and dev in a denying segment, with nothing allowed between them."""
    from provisioning.models import Run
    from provisioning.services import plans, runs
    from provisioning.services.drafts import lifecycle

    ensure_demo_prices()
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("first")
        create_sample_network(draft)
        plan = plans.create_plan(draft)
        run = runs.provision_plan(plan, plan.digest)
    deadline = time.monotonic() + 60
    while run.state in Run.ACTIVE and time.monotonic() < deadline:
        time.sleep(0.2)
        with tenant_scope(people.acme):
            run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED


def test_a_drawn_policy_is_reviewed_provisioned_applied_and_billed(
    provisioned: None,
    live_lab: dict[str, str],
    live_portal: str,
    people: People,
    password: Callable[[User], str],
    tenant_scope: Callable[..., Any],
    page: Page,
) -> None:
    lab = LabCommands(live_lab, "acme")
    assert not lab.connects("site-prod", DEV, 8080)

    log_in(page, live_portal, people.netadmin.email, password(people.netadmin))
    page.goto(f"{live_portal}/t/acme/design/")
    page.get_by_role("button", name=re.compile("draft", re.IGNORECASE)).first.click()
    page.get_by_role("textbox", name="Name").fill("open-dev")
    page.locator("#new-draft").get_by_role("button", name="Start draft").click()
    page.wait_for_url(f"{live_portal}/t/acme/design/*-*/")  # loaded: what answers to a drag is in place

    prod, dev = (page.locator(f".cv-card[data-name={name}]") for name in ("prod", "dev"))
    prod.drag_to(dev)
    page.get_by_role("textbox", name="Ports").fill("8080")
    page.get_by_role("button", name="Add to draft").click()
    expect(page.locator(".cv-chip")).to_contain_text("tcp/8080")

    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_role("heading", name="Plan for open-dev")).to_be_visible()
    expect(page.locator("#reach")).to_contain_text("prod can now reach dev in corp on tcp/8080")
    assert not lab.connects("site-prod", DEV, 8080), "before Provision nothing may change"
    page.get_by_role("button", name=re.compile(r"Provision \d+ steps?")).click()

    expect(page.get_by_role("heading", name=re.compile("Run of revision 2"))).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Succeeded", timeout=20_000)
    expect(page.locator(".rn-step.is-failed")).to_have_count(0)
    assert lab.connects("site-prod", DEV, 8080)
    assert not lab.connects("site-prod", DEV, 22)
    assert not lab.connects("site-dev", "10.1.0.1", 8080)

    # Its bytes: on the topology while they flow, then in usage and on the draft invoice.
    page.goto(f"{live_portal}/t/acme/topology/?view=table")
    expect(page.locator("[data-live]")).to_contain_text("Live")
    echo = lab.begin_echo("site-prod", DEV, 8080, SENT)
    rate = page.locator("tr[data-thing='connector/site-prod'] [data-way='forth']")
    expect(rate).to_contain_text("Mb/s", timeout=30_000)
    assert lab.done(echo) >= SENT
    metered(people, tenant_scope)
    page.goto(f"{live_portal}/t/acme/usage/?by=subject&meter=gb_exchange_out")
    expect(page.get_by_role("row", name=re.compile("site-dev"))).to_contain_text(re.compile(r"0\.1"))
    page.goto(f"{live_portal}/t/acme/invoices/")
    page.get_by_role("link", name=re.compile("DRAFT-")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("DRAFT-")
    expect(page.locator("main")).to_contain_text("Data egress")


def metered(people: People, tenant_scope: Callable[..., Any]) -> None:
    """Collect metering samples of what was counted until now; nodes report every two seconds."""
    time.sleep(2.5)
    keep_next_reports()
    time.sleep(2.5)
    with tenant_scope(people.acme):
        services.meter_usage(timezone.now())
