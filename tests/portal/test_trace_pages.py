"""Trace and reach pages: the result names the deciding rule, and the URL holds the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network


@pytest.fixture
def get_page(
    people: People, tenant_scope: Callable[..., Any], sign_in: Callable[[Any], Client]
) -> Callable[[str], str]:
    """Return a function that gets a page of acme by path; {draft}, {site}, {prod} and {dev} in it are replaced."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        names = create_sample_network(draft)
        add_every_kind(draft)
    client = sign_in(people.viewer)

    def page(path: str) -> str:
        values = {"draft": f"drafts/{draft.uid}", "site": names["site-prod"], **names}
        answer = client.get(f"/t/acme/{path.format(**values)}")
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    return page


def test_a_trace_names_the_rule_with_a_link_to_it(get_page: Callable[[str], str]) -> None:
    page = get_page("trace/?version={draft}&from={site}&to=site-dev&port=443")
    assert "site-prod reaches site-dev on tcp/443" in page and "policy web, rule web" in page
    assert "/objects/policies/?select=" in page
    denied = get_page("trace/?version={draft}&from=site-dev&to=10.1.0.1&port=22")
    assert "does not reach" in denied and "Denied by default" in denied


def test_an_invalid_trace_query_is_explained_on_the_page(get_page: Callable[[str], str]) -> None:
    assert "There is no connector “nobody”" in get_page("trace/?version={draft}&from=nobody&to=site-dev&port=443")
    assert "Say which port" in get_page("trace/?version={draft}&from=site-prod&to=site-dev")


def test_reach_shows_both_directions_and_an_empty_live_network(get_page: Callable[[str], str]) -> None:
    assert "What prod can reach" in get_page("reach/?version={draft}&of={prod}")
    assert "What can reach dev" in get_page("reach/?version={draft}&of={dev}&way=to")
    assert "This cannot be answered" in get_page("reach/?of={prod}")
