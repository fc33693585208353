"""What assertions may be about, and what they excuse until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from provisioning.core.check.expiry import check_expiry
from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import AssertionResult, check_assertions
from tests.core.sample_networks import TODAY, IntentBuilder, hospital_network, policy, site
from tests.core.trace_queries import problems_with_code

EVERYTHING: Mapping[str, Any] = {}
PING = {"protocol": "icmp"}
APP = {
    "name": "portal",
    "connector": "exit-eu",
    "port": 443,
    "target": {"connector": "vpc-prod", "addresses": ["10.1.0.10"], "port": 8443},
}


def check(
    draw: IntentBuilder, start: str, end: str, expect: str, fields: Mapping[str, Any] = EVERYTHING, today: date = TODAY
) -> AssertionResult:
    """Add an assertion to the network and return what it comes to."""
    net = draw.copy()
    net.add("assertions", {"name": "asked", "from": start, "to": end, "expect": expect, **fields})
    return next(result for result in check_assertions(net.network(), today) if result.name == "asked")


def labelled_network() -> IntentBuilder:
    draw = hospital_network()
    draw.edit("connectors", "vpc-prod", labels={"env": "prod"})
    draw.edit("connectors", "vpc-dev", labels={"env": "dev"})
    return draw


@pytest.mark.parametrize("end", ["10.2.0.0/16", "10.2.0.5", "env=dev", "env in (prod, dev)", "has-key=", "internet"])
def test_ends_that_are_no_objects_are_no_broken_references(end: str) -> None:
    net = labelled_network()
    excuse = {"from": end, "to": end, "reason": "TICKET-7", "until": "2027-01-31"}
    net.add("assertions", {"name": "asked", "from": end, "to": end, "expect": "blocked", "except": [excuse]})
    assert problems_with_code(net, "unknown_reference") == []


@pytest.mark.parametrize(
    ("start", "end", "expect", "more", "holds"),
    [
        ("10.2.0.0/16", "10.1.0.0/16", "blocked", {}, True),
        ("10.2.0.5", "vpc-prod", "blocked", {}, True),
        ("10.3.0.0/24", "10.1.0.7", "blocked", {"protocol": "icmp"}, False),
        ("10.3.0.0/24", "10.1.0.7", "reachable", {**PING, "segment": "corp"}, True),
        ("env=dev", "env=prod", "blocked", {}, True),
        ("env in (prod, dev)", "sites", "reachable", {"protocol": "icmp"}, True),
        ("env=test", "any", "blocked", {}, True),
        ("env=test", "any", "reachable", {}, False),
        ("env=prod", "internet", "reachable", {"protocol": "tcp", "ports": ["443"]}, True),
        ("10.1.0.0/16", "9.9.9.9", "reachable", {"protocol": "tcp", "ports": ["443"], "segment": "corp"}, True),
        ("10.1.0.0/16", "9.9.9.9", "blocked", {"protocol": "tcp", "ports": ["443"]}, False),
        ("10.99.0.1", "any", "reachable", {}, False),
    ],
)
def test_ends_are_prefixes_labels_and_addresses_too(
    start: str, end: str, expect: str, more: dict[str, Any], holds: bool
) -> None:
    result = check(labelled_network(), start, end, expect, more)
    assert result.holds == holds, result.sentence


@pytest.mark.parametrize("start", ["internet", "vpc-dev"])
def test_an_application_is_reached_where_a_policy_allows_it(start: str) -> None:
    draw = hospital_network()
    draw.add("internet-apps", APP)
    asked = {"protocol": "tcp", "ports": ["443"]}
    assert check(draw, start, "portal", "blocked", asked).holds
    assert not check(draw, start, "portal", "reachable", asked).holds
    allow = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    draw.add("policies", policy("published", 1, start, "portal", allow))
    assert check(draw, start, "portal", "reachable", asked).holds
    assert not check(draw, start, "portal", "blocked", asked).holds


def excused(**fields: Any) -> dict[str, Any]:
    return {"reason": "NET-7: backup until the move", "until": "2026-12-05", **fields}


def test_an_exception_excuses_its_flows_and_no_others() -> None:
    draw = hospital_network()
    assert not check(draw, "sites", "prod", "blocked", PING).holds
    both = [excused(**{"from": "hospital-a"}), excused(**{"from": "10.4.0.0/15"})]
    assert check(draw, "sites", "prod", "blocked", {**PING, "except": both}).holds
    result = check(draw, "sites", "prod", "blocked", {**PING, "except": both[:1]})
    assert not result.holds and result.example and result.example.source.startswith(("10.4.", "10.5."))
    other_protocol = [excused(protocol="udp")]
    assert not check(draw, "sites", "prod", "blocked", {**PING, "except": other_protocol}).holds


def test_an_exception_holds_through_its_last_day() -> None:
    asked: dict[str, Any] = {"protocol": "icmp", "except": [excused()]}
    assert check(hospital_network(), "sites", "prod", "blocked", asked, date(2026, 12, 5)).holds
    assert not check(hospital_network(), "sites", "prod", "blocked", asked, date(2026, 12, 6)).holds


def test_ends_that_have_no_segment_in_common_may_be_excused() -> None:
    draw = hospital_network()
    draw.add("connectors", site("annex", "eu", "sites", "10.9.0.0/16", segment="guest"))
    assert "no segment in common" in check(draw, "sites", "prod", "reachable", PING).reason
    assert check(draw, "sites", "prod", "reachable", {**PING, "except": [excused(**{"from": "annex"})]}).holds


@pytest.mark.parametrize(
    ("days", "code"), [(15, None), (14, "expires_soon"), (0, "expires_soon"), (-1, "expired"), (-400, "expired")]
)
def test_an_exception_is_warned_of_in_its_last_14_days_and_when_it_has_ended(days: int, code: str | None) -> None:
    draw = hospital_network()
    until = (TODAY + timedelta(days)).isoformat()
    draw.add(
        "assertions",
        {"name": "kept", "from": "dev", "to": "prod", "expect": "blocked", "except": [excused(until=until)]},
    )
    problems = [problem for problem in check_expiry(draw.intent(), TODAY) if problem.path.startswith("assertions/kept")]
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all("NET-7" in problem.message and problem.severity == "warning" for problem in problems)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"from": "nobody"}, "from"),
        ({"from": "10.1.0.5/16"}, "from"),
        ({"to": "env in (prod"}, "to"),
        ({"except": [{"reason": "x", "until": "soon"}]}, "except[0].until"),
        ({"except": [{"reason": "", "until": "2027-01-01"}]}, "except[0].reason"),
        ({"except": [{"until": "2027-01-01"}]}, "except[0].reason"),
        ({"except": [{"reason": "x"}]}, "except[0].until"),
    ],
)
def test_what_is_wrong_with_an_assertion_is_said_at_its_field(fields: dict[str, Any], path: str) -> None:
    body = {"name": "asked", "from": "dev", "to": "prod", "expect": "blocked", "probe": False, **fields}
    with pytest.raises(InvalidIntent) as caught:
        hospital_network().add("assertions", body)
    assert [problem.path for problem in caught.value.problems] == [path]
