"""Every page on a phone and on a desk: nothing is wider than the window or runs out of its panel, and
lists need no scrolling sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser import sign_in
from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network
from tests.portal.test_page_access import PAGES, address

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 320, "height": 840}
DESK: ViewportSize = {"width": 1440, "height": 840}
KINDS = ("connectors", "policies", "nat-rules", "shares", "assertions")
FRAGMENTS = ("draft-bar", "topology-side", "network-download")
WIDER = """() => [...document.querySelectorAll(".cw-stack")].filter(({ parentElement: list, offsetParent }) =>
    offsetParent && list.scrollWidth > list.clientWidth).map(({ parentElement }) => parentElement.ariaLabel)"""
SPILLING = """() => [...document.querySelectorAll(".cw-note")].filter((note) => {
    const right = ({ right }) => Math.floor(right);
    for (let around = note.parentElement; around; around = around.parentElement)
        if (right(note.getBoundingClientRect()) > right(around.getBoundingClientRect())) return true;
    return note.scrollWidth > note.clientWidth;
}).map(({ innerText }) => innerText)"""


@pytest.fixture
def page_paths(people: People, tenant_scope: Callable[..., Any]) -> list[str]:
    """Of every page, with something on those that show a draft and its plan."""
    from provisioning.services import plans
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        add_every_kind(draft)
        # Warned about with a path that has no place to break at.
        inner = [{"segment": "corp", "prefixes": ["10.1.0.128/25"]}]
        lab = {"name": "laboratory", "kind": "lab-site", "exchange": "us", "attachments": inner}
        editing.add_object(draft, "connectors", lab)
        plan = plans.create_plan(draft)
    root = f"design/{draft.uid}/"
    drafted = [f"{root}{view}" for view in ("", "rules/", "yaml/", "objects/", *(f"objects/{kind}/" for kind in KINDS))]
    listed = [address(name) for name in PAGES if name and name not in FRAGMENTS]
    return listed + [f"/t/acme/{path}" for path in (*drafted, f"plans/{plan.uid}/", f"connectors/?draft={draft.uid}")]


def test_no_page_or_list_scrolls_sideways(live_portal: str, people: People, page: Page, page_paths: list[str]) -> None:
    sign_in(page, live_portal, people.owner)
    results = []
    for where in page_paths:
        page.set_viewport_size(PHONE)
        page.goto(f"{live_portal}{where}")
        results += [(where, PHONE, name) for name in page.evaluate(WIDER)]
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            results += [(where, size, text) for text in page.evaluate(SPILLING)]
            if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
                results.append((where, size, "the page"))
    assert not results
