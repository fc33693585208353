"""Every page on a phone and on a desk: nothing is wider than the window or runs out of its panel, and
lists need no scrolling sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser import sign_in
from tests.people import People

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 320, "height": 840}
DESK: ViewportSize = {"width": 1440, "height": 840}
ZOOMED: ViewportSize = {"width": 720, "height": 420}
"""A desk at 200 %."""
WIDER = """() => [...document.querySelectorAll(".cw-stack")].filter(({ parentElement: list, offsetParent }) =>
    offsetParent && list.scrollWidth > list.clientWidth).map(({ parentElement }) => parentElement.ariaLabel)"""
CUT_OFF = """() => [...document.querySelectorAll(".cw-toolbar, .cw-draft")].filter(({ scrollWidth, clientWidth }) =>
    scrollWidth > clientWidth).map(({ className }) => className)"""
"""Bars with something that only scrolling sideways brings to sight: undo, discard, add, Draft and Live are in them."""
SPILLING = """() => [...document.querySelectorAll(".cw-note")].filter((note) => {
    const right = ({ right }) => Math.floor(right);
    for (let around = note.parentElement; around; around = around.parentElement)
        if (right(note.getBoundingClientRect()) > right(around.getBoundingClientRect())) return true;
    return note.scrollWidth > note.clientWidth;
}).map(({ innerText }) => innerText)"""


def test_no_page_or_list_scrolls_sideways(live_portal: str, people: People, page: Page, page_paths: list[str]) -> None:
    sign_in(page, live_portal, people.owner)
    results = []
    for where in page_paths:
        page.set_viewport_size(PHONE)
        page.goto(f"{live_portal}{where}")
        results += [(where, PHONE, name) for name in page.evaluate(WIDER)]
        for size in (PHONE, ZOOMED, DESK):
            page.set_viewport_size(size)
            results += [(where, size, name) for name in page.evaluate(CUT_OFF)]
            results += [(where, size, text) for text in page.evaluate(SPILLING)]
            if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
                results.append((where, size, "the page"))
    assert not results


def test_a_label_of_two_lines_grows_its_row_on_a_phone(live_portal: str, people: People, page: Page) -> None:
    sign_in(page, live_portal, people.owner)
    page.set_viewport_size(PHONE)
    page.goto(f"{live_portal}/t/acme/members/")
    fits = """cell => {
        cell.dataset.word = "vs previous 30 days of the month";
        return cell.scrollHeight <= cell.clientHeight;
    }"""
    assert page.locator(".cw-stack td[data-word]").first.evaluate(fits)
