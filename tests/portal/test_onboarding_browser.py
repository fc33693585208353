"""The first ten minutes in a browser: from sign-in to a trace that is delivered, with every press counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from billing.demo import ensure_demo_prices
from tenants.models import User
from tests.browser import log_in, sign_in
from tests.people import People

MAX_PRESSES = 12
COUNT_PRESSES = """
for (const type of ["click", "keydown"]) {
  addEventListener(type, (event) => {
    if (event.isTrusted && (type === "click" || event.key === "Enter")) {
      sessionStorage.setItem("presses", Number(sessionStorage.getItem("presses") ?? 0) + 1);
    }
  }, true);
}
"""


@pytest.mark.browser
@pytest.mark.packets
def test_from_sign_in_to_a_delivered_trace_takes_twelve_presses_at_most(
    live_lab: dict[str, str],
    live_portal: str,
    people: People,
    password: Callable[[User], str],
    page: Page,
) -> None:
    ensure_demo_prices()
    log_in(page, live_portal, people.netadmin.email, password(people.netadmin))
    page.add_init_script(COUNT_PRESSES)
    page.reload()
    page.get_by_role("button", name="Set up a first network").click()
    page.get_by_label("Exchange near").select_option(label="Frankfurt, AWS eu-central-1")
    page.get_by_label("Kind of the sites").select_option("lab-site")
    page.get_by_role("button", name="Make the draft").click()
    page.get_by_role("button", name="Review", exact=True).click()
    page.get_by_role("button", name=re.compile(r"Provision \d+ steps?")).click()
    page.get_by_role("link", name="Trace site-a → site-b").click(timeout=60_000)
    verdict = page.locator("#tr-verdict")
    expect(verdict).to_contain_text("Delivered")
    expect(verdict).to_contain_text("site-a reaches site-b on tcp/443")
    presses = int(page.evaluate("sessionStorage.getItem('presses')"))
    selects = 2 * 2  # opened and chosen; Playwright presses nothing for it
    assert presses >= 4
    assert presses + selects <= MAX_PRESSES


@pytest.mark.browser
def test_a_refused_field_of_the_first_network_is_told_in_the_dialog_and_leaves_no_draft(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    from provisioning.models import Draft

    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/topology/")
    page.get_by_role("button", name="Set up a first network").click()
    page.get_by_label("Exchange near").select_option(label="London, GCP europe-west2")
    page.get_by_label("Kind of the sites").select_option("lab-site")
    prefixes = page.locator("#fn-site-prefixes-2")
    prefixes.fill("10.2.0.0/99")
    page.get_by_role("button", name="Make the draft").click()
    expect(prefixes).to_have_attribute("aria-invalid", "true")
    with tenant_scope(people.acme):
        assert not Draft.objects.exists()
