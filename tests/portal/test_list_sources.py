"""A prefix list with a source on its page: chosen in the form, refreshed by a button, read only afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from provisioning.models import ListRefresh
from provisioning.services import list_refresh
from provisioning.services.drafts import lifecycle
from tests.browser import sign_in as browse
from tests.people import People
from tests.provisioning.list_server import serve_lists

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.browser
def test_a_source_is_chosen_and_refreshed_into_the_draft(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("lists")
    browse(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/objects/prefix-lists/?select=new")
    panel = page.get_by_role("complementary")
    source = panel.get_by_role("region", name="Entries of the source")
    panel.get_by_role("textbox", name="Name").fill("feed")
    expect(panel.get_by_label("Address")).to_be_hidden()
    panel.get_by_label("Entries come from").select_option("aws")
    expect(panel.get_by_label("Services")).to_be_visible()
    panel.get_by_label("Entries come from").select_option("text")
    expect(panel.get_by_label("Services")).to_be_hidden()
    with serve_lists() as server:
        server.put("198.51.100.0/24", "203.0.113.0/24")
        panel.get_by_label("Address").fill(server.url())
        panel.get_by_role("button", name="Add to draft").click()
        page.get_by_role("link", name="feed").click()
        expect(source.get_by_text("never")).to_be_visible()
        expect(panel.get_by_role("button", name="Entry")).to_have_count(0)
        source.get_by_role("button", name="Refresh now").click()
        expect(source.get_by_text("now", exact=True)).to_be_visible()
        with tenant_scope(people.acme):
            pk = ListRefresh.objects.get().pk
        list_refresh.RefreshJob(people.acme).run(pk)
    expect(source.get_by_text("203.0.113.0/24")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as answered:
        panel.get_by_role("button", name="Save to draft").click()
    assert answered.value.json()["source"]["interval"] == 24
