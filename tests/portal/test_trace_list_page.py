"""The page of many flows: a pasted list is answered line by line, filtered, and exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.people import People
from tests.portal.sample_network import create_sample_network

FLOWS = """# web
site-prod -> site-dev tcp 443
site-dev,10.1.0.1,22

site-prod → nobody udp 53
from where to
"""


@pytest.fixture
def post_list(
    people: People, tenant_scope: Callable[..., Any], sign_in: Callable[[Any], Client]
) -> Callable[..., HttpResponse]:
    """Return a function that posts fields of the form, as a viewer."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
    client = sign_in(people.viewer)

    def post(flows: str, **fields: str) -> HttpResponse:
        client.get("/t/acme/traces/")
        token = client.cookies["csrftoken"].value
        form = {"version": f"drafts/{draft.uid}", "flows": flows, "csrfmiddlewaretoken": token, **fields}
        answer: Any = client.post("/t/acme/traces/", form)
        assert answer.status_code == 200
        return answer

    return post


def text(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def test_each_line_is_answered_or_says_what_is_wrong_with_it(post_list: Callable[..., HttpResponse]) -> None:
    page = text(post_list(FLOWS))
    assert "0 of 4 flows arrive" in page and "2 could not be read" in page
    assert "There is no connector “nobody”" in page and "site-prod → nobody udp 53" in page
    assert "Add a rule that allows it to a policy" in page and "site-dev,10.1.0.1,22" in page


def test_a_list_can_be_reduced_to_what_does_not_arrive(post_list: Callable[..., HttpResponse]) -> None:
    flows = "site-prod -> 10.1.0.9 icmp\nsite-dev -> 10.1.0.1 tcp 22"
    assert "1 of 2 flows arrive" in text(post_list(flows)) and "10.1.0.9</td>" in text(post_list(flows))
    denied = text(post_list(flows, show="denied"))
    assert "1 of 2 flows arrive" in denied and "10.1.0.9</td>" not in denied
    assert "Every flow arrives." in text(post_list("site-prod -> 10.1.0.9 icmp", show="denied"))


def test_the_answers_are_a_table_too(post_list: Callable[..., HttpResponse]) -> None:
    answer = post_list(FLOWS, **{"as": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines()[0].startswith("from,to,protocol,port,")
    again = post_list(answer.content.decode().replace("from where to", ""), **{"as": "csv"})
    assert again.content.decode().count("denied_by_default") == answer.content.decode().count("denied_by_default")


def test_without_a_list_the_page_says_what_it_is_for(people: People, sign_in: Callable[[Any], Client]) -> None:
    page = text(sign_in(people.viewer).get("/t/acme/traces/"))  # type: ignore[arg-type]
    assert "Do these flows arrive?" in page and "10.1.0.5 -&gt; 10.2.0.1 tcp 443" in page


def test_a_table_that_cannot_be_read_names_the_line(post_list: Callable[..., HttpResponse]) -> None:
    assert "Line 2: This row has more cells" in text(post_list("from,to\na,b,c\n"))
