"""The session ends in the middle of every sort of form on every page: the text stays, with a way to sign in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, TimeoutError

from provisioning.core.intent import KINDS
from provisioning.services import cloud_accounts
from tests.browser import sign_in
from tests.people import People

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCRIPT = Path(__file__).with_name("half_typed_forms.js").read_text()
KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s" * 40}


def first_object(page: Page, url: str) -> list[str]:
    """Return the id of an object of the list at ``url``, if there is one."""
    return re.findall(r"select=([0-9a-f-]{36})", page.request.get(url).text())[:1]


def test_nothing_typed_is_lost_where_the_session_ends_in_any_form(
    live_portal: str, people: People, page: Page, page_paths: list[str], tenant_scope: Callable[..., Any]
) -> None:
    with tenant_scope(people.acme):
        cloud_accounts.add_account(
            name="prod", provider="aws", account_id="123456789012", regions=["eu-central-1"], credentials=KEYS
        )
    root = next(path for path in page_paths if path.endswith("/yaml/")).removesuffix("yaml/")
    sign_in(page, live_portal, people.owner)
    draft = root.split("/")[-2]
    lists = [f"{root}objects/{kind}/" for kind in KINDS]
    more = [f"{root}import/connectors/", "/t/acme/cloud-accounts/?add=aws"]
    more += [f"/t/acme/connectors/new/?draft={draft}&kind=lab-site", *(f"{path}?select=new" for path in lists)]
    more += [f"{path}?select={uid}" for path in lists for uid in first_object(page, live_portal + path)]
    tried: set[str] = set()
    lost = []
    page.on("dialog", lambda question: question.accept())  # leaving the page with something half typed
    for path in [*page_paths, *more]:
        sign_in(page, live_portal, people.owner)
        page.goto(f"{live_portal}{path}")
        page.evaluate(SCRIPT)
        sorts = [sort for sort in page.evaluate("() => halfTyped.sorts()") if sort not in tried]
        if not sorts:
            continue
        tried.update(sorts)
        Session.objects.all().delete()
        for sort in sorts:
            page.evaluate("sort => halfTyped.send(sort)", sort)
            try:
                page.wait_for_function("() => halfTyped.isTold()", timeout=4000)
            except TimeoutError:
                lost.append((path, sort, page.url))
                break
            page.evaluate("() => halfTyped.forget()")
    assert not lost
    assert len(tried) >= 40, sorted(tried)
    assert "POST /t/acme/members/{id}/ " in tried
