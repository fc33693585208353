"""Chromium for tests marked ``browser``: Debian's, driven by Playwright. Skipped by name where there is none."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a module. It ends with the module, because Playwright's loop would hold up later async tests."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is missing (apt-get install chromium)")
    # Playwright's loop runs in this thread; Django would take the tests' own queries for queries of a coroutine.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with playwright.chromium.launch(executable_path=chromium, args=FLAGS) as chromium_browser:
            yield chromium_browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of 1280 × 800; the test fails on any uncaught script error or refused content."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    fresh = context.new_page()
    fresh.set_default_timeout(10_000)
    wrong: list[str] = []
    fresh.on("pageerror", lambda error: wrong.append(str(error)))
    fresh.on(
        "console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield fresh
    context.close()
    assert not wrong, f"The page's scripts failed: {wrong}"


def log_in(page: Page, portal: str, email: str, password: str) -> None:
    """Sign in on the sign-in page."""
    page.goto(f"{portal}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/t/acme/"))


def sign_in(page: Page, portal: str, user: Any) -> None:
    """Put a session of this user into the browser, without the sign-in page."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": portal}])


def look(page: Page, name: str) -> None:
    """Keep pictures of a page, wide and narrow, dark and light, where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{folder}/{name}-{theme}-{width}.png", full_page=True)
