"""A session that ends in the middle of a form: what is typed stays, and goes on after signing in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.people import PASSWORD, People

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("path", "open_dialog", "field", "text", "send"),
    [
        ("members/", "", "Email", "new@demo.test", "Invite"),  # sent by the browser itself
        ("settings/tokens/", "", "Name", "ci", "Create the token"),  # sent by htmx
        ("design/", "Start a draft", "Name", "rollout", "Start draft"),  # sent by our scripts
    ],
)
def test_what_is_typed_survives_the_end_of_the_session(
    live_portal: str,
    people: People,
    page: Page,
    password: Callable[..., str],
    path: str,
    open_dialog: str,
    field: str,
    text: str,
    send: str,
) -> None:
    password(people.owner)
    sign_in(page, live_portal, people.owner)
    page.goto(f"{live_portal}/t/acme/{path}")
    if open_dialog:
        page.get_by_role("button", name=open_dialog).first.click()
    page.get_by_label(field, exact=True).fill(text)
    Session.objects.all().delete()
    page.get_by_role("button", name=send).click()
    expect(page.get_by_text("You were signed out").first).to_be_visible()
    expect(page.get_by_label(field, exact=True)).to_have_value(text)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in").first.click()
    again = opened.value
    again.get_by_label("Email").fill(people.owner.email)
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Sign in").click()
    again.wait_for_url(f"**/t/acme/{path}")
    again.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("You are signed in again.")).to_be_visible()
    page.get_by_role("button", name=send).click()
    expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("You were signed out").first).to_be_hidden()
