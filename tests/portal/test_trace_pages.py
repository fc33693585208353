"""Trace and reach pages: the result names the deciding rule, and the URL holds the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network

PUBLISHED_APP = {
    "name": "booking",
    "connector": "exit",
    "port": 8443,
    "target": {"connector": "site-prod", "addresses": ["10.1.0.10"], "port": 443},
}


@pytest.fixture
def get_page(
    people: People, tenant_scope: Callable[..., Any], sign_in: Callable[[Any], Client]
) -> Callable[[str], str]:
    """Return a function that gets a page of acme by path; {draft}, {site}, {prod} and {dev} in it are replaced."""
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        names = create_sample_network(draft)
        add_every_kind(draft)
        editing.add_object(draft, "internet-apps", PUBLISHED_APP)
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


def test_a_trace_shows_source_port_icmp_type_and_dscp_that_it_asked_with(get_page: Callable[[str], str]) -> None:
    where = "trace/?version={draft}&from={site}&to=site-dev"
    plain = get_page(f"{where}&port=443")
    assert "Asked from source port 49152 with DSCP 0." in plain and 'name="source_port"' in plain
    marked = get_page(f"{where}&port=443&source_port=1024&dscp=EF")
    assert "on tcp/443 from source port 1024 with DSCP EF" in marked and "with DSCP 46." in marked
    pinged = get_page(f"{where}&protocol=icmp&icmp_type=timestamp-request")
    assert "on icmp/timestamp-request" in pinged and "source port 49152" not in pinged
    assert "is not a type of icmp" in get_page(f"{where}&protocol=icmp&icmp_type=ping")


def test_an_invalid_trace_query_is_explained_on_the_page(get_page: Callable[[str], str]) -> None:
    assert "There is no connector “nobody”" in get_page("trace/?version={draft}&from=nobody&to=site-dev&port=443")
    assert "Use 0 to 65535" in get_page("trace/?version={draft}&from=site-prod&to=site-dev&port=65536")


def test_a_trace_of_tcp_without_a_port_asks_for_443_and_one_to_an_application_for_its_own(
    get_page: Callable[[str], str],
) -> None:
    assert "on tcp/443" in get_page("trace/?version={draft}&from=site-prod&to=site-dev")
    assert "/443" not in get_page("trace/?version={draft}&from=site-prod&to=site-dev&protocol=icmp")
    with_app = get_page("trace/?version={draft}&from=internet&to=booking")
    assert "booking on tcp" in with_app and "tcp/443" not in with_app


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        (
            "from=prod&to=site-dev",
            "“prod” is a group; a trace runs between two connectors or addresses. Name one of its connectors",
        ),
        (
            "from=corp&to=site-dev",
            "“corp” is a segment; a trace runs between two connectors or addresses. Name one of its connectors",
        ),
        ("from=eu&to=site-dev", "such as “colo-fra”"),
        ("from=site-prd&to=site-dev", "Did you mean connector “site-prod”?"),
        ("from=10.1.0.1&to=Site-Dev", "Did you mean connector “site-dev”?"),
    ],
)
def test_a_name_that_is_no_end_of_a_flow_is_answered_with_what_to_name(
    get_page: Callable[[str], str], query: str, advice: str
) -> None:
    assert advice in get_page("trace/?version={draft}&" + query)


def test_reach_takes_a_typed_name_and_says_what_a_segment_is(get_page: Callable[[str], str]) -> None:
    assert "What prod can reach" in get_page("reach/?version={draft}&of=prod")
    assert "“corp” is a segment" in get_page("reach/?version={draft}&of=corp")


def test_reach_shows_both_directions_and_an_empty_live_network(get_page: Callable[[str], str]) -> None:
    assert "What prod can reach" in get_page("reach/?version={draft}&of={prod}")
    assert "What can reach dev" in get_page("reach/?version={draft}&of={dev}&way=to")
    assert "This cannot be answered" in get_page("reach/?of={prod}")


def test_a_denied_trace_lists_what_stops_it_with_the_remedy(get_page: Callable[[str], str]) -> None:
    page = get_page("trace/?version={draft}&from=site-dev&to=10.1.0.1&port=22")
    assert "What stops it" in page and "Add a rule that allows it to a policy" in page
    assert "/objects/segments/?select=" in page


def test_a_trace_says_whether_the_path_passes_what_was_asked(get_page: Callable[[str], str]) -> None:
    page = get_page("trace/?version={draft}&from=site-prod&to=site-dev&port=443&via=site-dev&avoid=site-prod")
    assert "The path passes connector “site-dev”." in page and "The path passes connector “site-prod”." in page
    assert "no service, exchange, node or connector “mars”" in get_page(
        "trace/?version={draft}&from=site-prod&to=site-dev&port=443&via=mars"
    )
