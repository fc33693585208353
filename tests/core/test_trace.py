"""Traces of single packets, with their reasons."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import Trace, reachable_flows, trace_flow
from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site


def run_trace(*asked: Any, draw: IntentBuilder | None = None) -> Trace:
    return trace_flow((draw or hospital_network()).network(), *asked)


@pytest.mark.parametrize(
    ("asked", "disposition", "rule"),
    [
        (("hospital-b", "vpc-prod", "tcp", 443), "delivered_inspected", "sites-to-prod/web"),
        (("hospital-b", "vpc-prod", "tcp", 8080), "denied_by_service", "sites-to-prod/web"),
        (("hospital-a", "vpc-prod", "tcp", 22), "denied_by_rule", "sites-to-prod/ssh"),
        (("hospital-a", "vpc-prod", "icmp"), "delivered", None),
        (("vpc-dev", "vpc-prod", "udp", 53), "denied_by_rule", "no-dev-in-prod/rule-1"),
        (("vpc-prod", "internet", "tcp", 443), "delivered", "web-out/web"),
        (("vpc-prod", "internet", "tcp", 80), "denied_by_default", None),
        (("vpc-prod", "9.9.9.9", "tcp", 443), "delivered", "web-out/web"),
        (("internet", "vpc-prod", "tcp", 443), "no_route", None),
        (("lobby", "vpc-prod", "tcp", 443), "isolated", None),
        (("lobby", "9.9.9.9", "tcp", 443), "no_route", None),
        (("10.1.0.5", "10.1.0.9", "tcp", 443), "local", None),
        (("10.4.0.5", "10.5.0.9", "tcp", 443), "local", None),
        (("vpc-prod@10.2.0.1", "hospital-a", "icmp"), "denied_spoofed", None),
        (("10.2.0.1", "10.3.0.1", "tcp", 1), "delivered", None),
    ],
)
def test_a_trace_gives_the_disposition_and_the_deciding_rule(asked: Any, disposition: str, rule: str | None) -> None:
    trace = run_trace(*asked)
    assert (trace.disposition, trace.rule) == (disposition, rule)
    assert (trace.return_ is not None) == disposition.startswith("delivered")
    if trace.return_ is None:
        assert trace.hops[-1].reason, "a packet that is dropped has a reason"


def test_replies_pass_the_same_hops_in_reverse() -> None:
    trace = run_trace("hospital-b", "vpc-prod", "tcp", 443)
    kinds = [hop.kind for hop in trace.hops]
    # If the anchor is an end's home node, both visits are one hop.
    assert "".join(kind[0] for kind in kinds) in ("cnsnc", "cnnsnc", "cnsnnc", "cnnsnnc")
    assert trace.return_ is not None
    assert [hop.name for hop in trace.return_.hops] == [hop.name for hop in reversed(trace.hops)]


def test_both_directions_of_a_pair_have_the_same_anchor() -> None:
    names = ("hospital-a", "hospital-b", "vpc-prod", "vpc-dev")

    def anchor(start: str, end: str) -> str:
        return next(hop.name for hop in run_trace(start, end, "icmp").hops if "owner node" in hop.detail)

    for start in names:
        for end in names:
            if start != end:
                assert anchor(start, end) == anchor(end, start)


def test_equal_addresses_in_two_segments_are_different_members() -> None:
    draw = hospital_network()
    draw.add("connectors", site("kiosk", "eu", None, "10.2.0.0/16", segment="guest"))
    assert run_trace("10.1.0.1", "10.2.0.1", "icmp", draw=draw).disposition == "delivered"
    guest = run_trace("10.1.0.1", "10.2.0.1", "icmp", None, "guest", draw=draw)
    assert (guest.disposition, guest.hops[0].name) == ("denied_by_default", "lobby")


def test_the_longest_prefix_owns_an_address() -> None:
    draw = hospital_network()
    draw.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    assert run_trace("10.3.4.9", "vpc-prod", "icmp", draw=draw).disposition == "denied_by_rule"
    # A connector may send from all its own prefixes; replies go to the longest prefix in the segment.
    sent = run_trace("hospital-a@10.3.4.9", "vpc-prod", "tcp", 443, draw=draw)
    assert sent.disposition == "delivered_inspected" and sent.return_ is not None
    assert sent.return_.hops[-1].name == "annex"
    assert run_trace("hospital-a@10.200.0.1", "vpc-prod", "icmp", draw=draw).disposition == "denied_spoofed"


@pytest.mark.parametrize(("on_failure", "disposition"), [("closed", "service_unavailable"), ("open", "delivered")])
def test_a_service_without_instances_fails_open_or_closed(on_failure: str, disposition: str) -> None:
    draw = hospital_network()
    draw.edit("services", "fw", on_failure=on_failure, placements=[{"exchange": "eu", "min_instances": 0}])
    assert run_trace("hospital-a", "vpc-prod", "tcp", 443, draw=draw).disposition == disposition


def test_a_watch_rule_counts_and_evaluation_continues() -> None:
    draw = hospital_network()
    draw.add("policies", policy("watch", 1, "any", "any", {"action": "watch"}))
    assert run_trace("hospital-a", "vpc-prod", "tcp", 22, draw=draw).disposition == "denied_by_rule"


def test_a_disabled_connector_neither_sends_nor_receives() -> None:
    draw = hospital_network()
    draw.edit("connectors", "vpc-dev", enabled=False)
    assert run_trace("hospital-a", "vpc-dev", "icmp", draw=draw).disposition == "no_route"
    assert run_trace("vpc-dev", "hospital-a", "icmp", draw=draw).disposition == "no_route"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (("nobody", "vpc-prod", "icmp"), "from"),
        (("vpc-prod", "10.1.2.300", "icmp"), "to"),
        (("vpc-prod", "vpc-dev", "tcp"), "port"),
        (("vpc-prod", "vpc-dev", "tcp", 70000), "port"),
        (("vpc-prod", "vpc-dev", "smoke"), "protocol"),
        (("vpc-prod", "vpc-dev", "icmp", None, "nowhere"), "segment"),
    ],
)
def test_an_invalid_query_names_the_wrong_field(asked: Any, path: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        run_trace(*asked)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_connector_may_have_a_name_that_reads_as_an_address_behind_another() -> None:
    draw = hospital_network()
    draw.add("connectors", site("hospital-a@10.3.0.1", "eu", "dev", "10.77.0.0/16"))
    trace = run_trace("hospital-a@10.3.0.1", "vpc-dev", "icmp", draw=draw)
    assert (trace.disposition, trace.hops[0].name) == ("delivered", "hospital-a@10.3.0.1")
    assert run_trace("hospital-a@10.3.0.9", "vpc-dev", "icmp", draw=draw).hops[0].name == "hospital-a"


def hidden_ward() -> IntentBuilder:
    """Return the hospital with a ward whose addresses NAT hides behind one, and a disabled connector."""
    draw = hospital_network()
    draw.add("connectors", site("ward", "us", None, "192.168.1.0/24"))
    draw.add("connectors", {**site("closed", "us", None, "10.77.0.0/24"), "enabled": False})
    pool = {"type": "pool", "prefixes": ["100.64.9.0/32"]}
    draw.add(
        "nat-rules",
        {
            "name": "hide",
            "position": 1,
            "segment": "corp",
            "connector": "ward",
            "direction": "outbound",
            "source": pool,
        },
    )
    return draw


def test_a_private_source_that_one_connector_hides_is_followed_from_there() -> None:
    draw = hidden_ward()
    trace = run_trace("192.168.1.7", "vpc-dev", "tcp", 443, draw=draw)
    assert trace.disposition == "delivered"
    assert [(hop.kind, hop.name) for hop in trace.hops[:2]] == [("connector", "ward"), ("nat", "hide")]
    draw.add("connectors", site("twin", "us", None, "192.168.1.0/24", segment="guest"))
    trace = run_trace("192.168.1.7", "lobby", "tcp", 443, draw=draw)
    assert trace.hops[0].name == "twin", "it is the guest's in its segment"
    trace = run_trace("192.168.1.7", "vpc-dev", "tcp", 443, "guest", draw=draw)
    assert (trace.disposition, trace.hops[0].kind, trace.hops[0].name) == ("isolated", "connector", "twin")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("10.99.0.1", "Nobody has 10.99.0.1: no connector is attached with it, and no host on the internet has it."),
        ("fd00:9::1", "Nobody has fd00:9::1: no connector is attached with it, and no host on the internet has it."),
        ("10.77.0.1", "10.77.0.1 is “closed”'s, which is disabled."),
    ],
)
def test_a_private_source_that_nobody_has_is_not_the_internets(address: str, reason: str) -> None:
    trace = run_trace(address, "vpc-dev", "tcp", 443, draw=hidden_ward())
    assert (trace.disposition, [(hop.kind, hop.name, hop.reason) for hop in trace.hops]) == (
        "no_route", [("address", address, reason)],
    )  # fmt: skip
    for towards in (True, False):
        with pytest.raises(InvalidIntent) as refused:
            reachable_flows(hidden_ward().network(), address, towards)
        assert [(problem.code, problem.message) for problem in refused.value.problems] == [("unknown_address", reason)]


def test_a_hidden_address_is_told_by_who_hides_it() -> None:
    draw = hidden_ward()
    message = (
        "192.168.1.7 is hidden behind “ward”: NAT or a route policy keeps it from others. Ask from ward@192.168.1.7."
    )
    with pytest.raises(InvalidIntent) as refused:
        reachable_flows(draw.network(), "192.168.1.7")
    assert refused.value.problems[0].message == message
    reason = run_trace("vpc-dev", "192.168.1.7", "tcp", 443, draw=draw).hops[-1].reason
    assert reason == "192.168.1.7 is hidden behind “ward”; an inbound NAT rule would have to lead to it."
    second = site("annex", "us", None, "192.168.1.0/24")
    draw.add("connectors", second)
    pool = {"type": "pool", "prefixes": ["100.64.9.1/32"]}
    hide = {"segment": "corp", "connector": "annex", "direction": "outbound", "source": pool}
    draw.add("nat-rules", {"name": "hide-2", "position": 2, **hide})
    reason = run_trace("192.168.1.7", "vpc-dev", "tcp", 443, draw=draw).hops[-1].reason
    assert "“ward”, “annex”" in reason and "ward@192.168.1.7 or annex@192.168.1.7" in reason
