"""Reachability deltas, reachable flows and assertions, on networks that a person can read."""

from __future__ import annotations

import time
from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import (
    FlowChange,
    ReachabilityDelta,
    check_assertions,
    compare_reachability,
    reachable_flows,
    trace_flow,
)
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import HTTPS, TODAY, IntentBuilder, hospital_network, policy, site


def change_summary(change: FlowChange) -> tuple[Any, ...]:
    """Return who, to whom, protocol, ports, services and the deciding rules of a change."""
    return change.from_, change.to, change.protocol, change.ports, change.via, change.rule_before, change.rule_after


def test_removing_a_deny_lists_the_flows_it_allows() -> None:
    after = hospital_network()
    after.remove("policies", "no-dev-in-prod")
    delta = compare_reachability(hospital_network().network(), after.network())
    assert [change_summary(change) for change in delta.allowed] == [
        (("dev",), ("prod",), "any", (), (), "no-dev-in-prod/rule-1", None),
    ]
    assert delta.blocked == delta.inspected == ()


def test_flows_sent_through_a_firewall_are_listed_as_inspected() -> None:
    after = hospital_network()
    after.edit("policies", "web-out", rules=[{"name": "web", "action": "inspect", "services": ["fw"]}])
    delta = compare_reachability(hospital_network().network(), after.network())
    assert [change_summary(change) for change in delta.inspected] == [
        (("prod",), ("internet",), "tcp", ("443",), ("fw",), "web-out/web", "web-out/web")
    ]
    assert {change.to for change in delta.allowed} == {("internet",)}


def test_a_new_site_is_listed_by_its_name() -> None:
    after = hospital_network()
    after.add("connectors", site("clinic", "us", None, "10.6.0.0/16"))
    delta = compare_reachability(hospital_network().network(), after.network())
    pairs = {(change.from_, change.to) for change in delta.allowed}
    assert pairs == {(("clinic",), ("dev", "prod", "sites")), (("dev", "prod", "sites"), ("clinic",))}


def test_a_rule_about_part_of_a_site_names_the_part() -> None:
    after = hospital_network()
    rule = {"action": "deny", "destination": ["10.3.7.0/24"]}
    after.add("policies", policy("ward", 5, "dev", "sites", rule))
    (change,) = compare_reachability(hospital_network().network(), after.network()).blocked
    assert change.to == ("hospital-a (10.3.7.0/24)",) and change.example.destination == "10.3.7.1"


def test_reachable_flows_of_a_group_list_destinations_ports_and_services() -> None:
    rows = {(row.to, row.protocol, row.ports, row.via) for row in reachable_flows(hospital_network().network(), "prod")}
    assert (("internet",), "tcp", ("443",), ()) in rows
    assert (("dev", "sites"), "any", (), ()) in rows


@pytest.mark.parametrize(
    ("start", "end", "expect", "more", "holds_"),
    [
        ("dev", "prod", "blocked", {}, True),
        ("dev", "sites", "blocked", {}, False),
        ("sites", "prod", "inspected", {"protocol": "tcp", "ports": ["443"]}, True),
        ("sites", "prod", "inspected", {"protocol": "tcp", "ports": ["443", "8080"]}, False),
        ("sites", "prod", "reachable", {"protocol": "icmp"}, True),
        ("sites", "prod", "reachable", {}, False),
        ("prod", "internet", "reachable", {"protocol": "tcp", "ports": ["443"]}, True),
        ("dev", "internet", "blocked", {}, True),
        ("internet", "any", "blocked", {}, True),
        ("lobby", "prod", "reachable", {}, False),
        ("lobby", "prod", "blocked", {}, True),
    ],
)
def test_assertions_hold_or_give_an_example_that_breaks_them(
    start: str, end: str, expect: str, more: dict[str, Any], holds_: bool
) -> None:
    draw = hospital_network()
    draw.add("assertions", {"name": "asked", "from": start, "to": end, "expect": expect, **more})
    result = next(result for result in check_assertions(draw.network(), TODAY) if result.name == "asked")
    assert result.holds == holds_ and bool(result.reason) != holds_
    if result.example:
        shown = result.example
        trace = trace_flow(draw.network(), shown.source, shown.destination, shown.protocol, shown.port)
        assert trace.disposition.startswith("delivered") == (expect == "blocked")


def test_the_example_of_a_row_is_a_packet_that_a_member_can_send() -> None:
    draw = hospital_network()
    draw.add("connectors", site("ward", "us", None, "fd00:7::/48", "10.7.0.0/16"))
    draw.add("connectors", site("clinic", "us", None, "fd00:8::/48", "10.8.0.0/16"))
    ping = [{"name": protocol, "action": "allow", "protocol": protocol} for protocol in ("icmp", "icmpv6")]
    low = {"name": "low", "action": "allow", "protocol": "udp", "ports": ["0-20"]}
    draw.add("policies", policy("here", 1, "ward", "clinic", *ping, low, {"name": "rest", "action": "deny"}))
    shown = [
        row.example for row in reachable_flows(draw.network(), "ward") if row.to == ("clinic",) or "clinic" in row.to[0]
    ]
    assert {(example.protocol, example.port, ":" in example.source) for example in shown} == {
        ("icmp", None, False),
        ("icmpv6", None, True),
        ("udp", 1, False),
        ("udp", 1, True),
    }
    for expect, packet in (("blocked", ("icmp", None)), ("reachable", ("tcp", 443))):
        draw.add("assertions", {"name": expect, "from": "ward", "to": "clinic", "expect": expect})
        (result,) = (result for result in check_assertions(draw.network(), TODAY) if result.name == expect)
        assert result.example and (result.example.protocol, result.example.port) == packet


def test_ping_is_icmp_over_ipv4_and_icmpv6_over_ipv6() -> None:
    draw = hospital_network()
    for name, net in (("ward", 7), ("clinic", 8)):
        draw.add("connectors", site(name, "us", None, f"10.{net}.0.0/16", f"fd00:{net}::/48"))
    for protocol, source in (("icmp", "10.7.0.1"), ("icmpv6", "fd00:7::1")):
        draw.add("assertions", {"name": protocol, "from": "ward", "to": "clinic", "protocol": protocol,
                                "expect": "reachable"})  # fmt: skip
        trace = trace_flow(draw.network(), "ward", "clinic", protocol)
        assert trace.disposition == "delivered" and trace.hops[0].detail.startswith(f"{source} ")
    foreign = [("icmpv6", "10.8.0.1"), ("icmp", "fd00:8::1")]
    assert {trace_flow(draw.network(), "ward", end, protocol).disposition for protocol, end in foreign} == {"no_route"}
    only = [{"action": "deny", "protocol": "icmp", "source": ["fd00::/16"]},
            {"action": "deny", "protocol": "icmpv6", "source": ["10.0.0.0/8"]}]  # fmt: skip
    draw.add("policies", policy("never-met", 1, "any", "any", *only))
    assert all(result.holds for result in check_assertions(draw.network(), TODAY) if result.name.startswith("icmp"))
    assert {row.protocol for row in reachable_flows(draw.network(), "ward")} == {"any"}


def test_comparing_twenty_connectors_takes_milliseconds() -> None:
    draw = hospital_network()
    for index in range(16):
        draw.add("connectors", site(f"s{index}", "eu", ("dev", "sites", None)[index % 3], f"10.{100 + index}.0.0/16"))
    after = draw.copy()
    after.remove("policies", "no-dev-in-prod")
    before, then = draw.network(), after.network()
    spent = []
    for _ in range(3):
        started = time.perf_counter()
        compare_reachability(before, then)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.05


def partners(**share: Any) -> IntentBuilder:
    """Return the hospital network with a share that lets its sites initiate flows to a laboratory's segment."""
    draw = hospital_network()
    draw.add("segments", {"name": "partner", "default_action": "deny"})
    draw.add("groups", {"name": "labs"})
    draw.add("connectors", site("labor", "us", "labs", "10.99.0.0/16", segment="partner"))
    body = {
        "name": "to-labs",
        "a": {"segment": "corp", "groups": ["sites"]},
        "b": {"segment": "partner", "groups": [], "prefixes": ["10.99.1.0/24"]},
        "direction": "a-to-b",
    }
    draw.add("shares", {**body, **share})
    return draw


def test_a_share_allows_one_direction_between_the_members_of_its_sides() -> None:
    without = partners()
    without.remove("shares", "to-labs")
    (change,) = compare_reachability(without.network(), partners().network()).allowed
    assert (change.segment, change.to_segment) == ("corp", "partner")
    assert (change.from_, change.to) == (("sites",), ("labor (10.99.1.0/24)",))
    assert (change.rule_before, change.rule_after) == (None, "share/to-labs")
    both = compare_reachability(partners().network(), partners(direction="both").network())
    assert [(change.segment, change.from_) for change in both.allowed] == [("partner", ("labor (10.99.1.0/24)",))]


def test_a_deny_in_either_segment_overrides_a_share() -> None:
    after = partners()
    no_telnet = policy("no-telnet", 1, "any", "labs", {"action": "deny", "protocol": "tcp", "ports": ["23"]})
    after.add("policies", {**no_telnet, "segments": ["partner"]})
    (change,) = compare_reachability(partners().network(), after.network()).blocked
    assert change.ports == ("23",) and change.rule_after == "no-telnet/rule-1" and change.to_segment == "partner"


def test_a_share_through_a_firewall_is_listed_as_inspected_where_the_firewall_allows() -> None:
    delta = compare_reachability(partners().network(), partners(services=["fw"]).network())
    assert {change.via for change in delta.inspected} == {("fw",)}
    assert [(change.ports, change.rule_after) for change in delta.blocked] == [(("8080",), "share/to-labs")]


def published(**fields: Any) -> IntentBuilder:
    draw = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443}
    body = {"name": "shop", "connector": "exit-eu", "protocol": "tcp", "port": 443, "target": target, **fields}
    draw.add("internet-apps", body)
    draw.add("policies", policy("shop-in", 40, "internet", "shop", HTTPS))
    return draw


def test_the_internet_reaches_an_application_that_a_policy_allows() -> None:
    closed = published()
    closed.remove("policies", "shop-in")
    (change,) = compare_reachability(closed.network(), published().network()).allowed
    assert (change.from_, change.to, change.ports) == (("internet",), ("shop",), ("443",))
    assert change.rule_after == "shop-in/rule-1"
    (row,) = reachable_flows(published().network(), "internet")
    assert row.to == ("shop",) and row.rule == "shop-in/rule-1"
    back = {
        row.to for row in reachable_flows(published().network(), "vpc-prod", towards=True) if row.from_ == ("internet",)
    }
    assert back == {("shop",)}


def test_an_assertion_about_the_internet_covers_applications() -> None:
    for expect, holds in (("blocked", False), ("reachable", True)):
        draw = published()
        body = {"name": "asked", "from": "internet", "to": "prod", "protocol": "tcp", "ports": ["443"]}
        draw.add("assertions", {**body, "expect": expect})
        result = next(result for result in check_assertions(draw.network(), TODAY) if result.name == "asked")
        assert result.holds == holds


def test_a_policy_from_a_group_to_an_application_opens_its_public_address() -> None:
    before, after = published(), published()
    after.add("policies", policy("front", 41, "dev", "shop", HTTPS))
    (change,) = compare_reachability(before.network(), after.network()).allowed
    assert (change.from_, change.to, change.ports) == (("dev",), ("shop",), ("443",))
    assert (change.fate_before, change.rule_after) == ("denied_by_default", "front/rule-1")
    rows = [row for row in reachable_flows(after.network(), "vpc-dev") if row.to == ("shop",)]
    assert [row.rule for row in rows] == ["front/rule-1"]


def test_an_assertion_covers_what_reaches_a_target_by_its_applications_public_address() -> None:
    https = {"protocol": "tcp", "ports": ["443"]}
    for opened in (False, True):
        draw = published()
        draw.add("assertions", {"name": "apart", "from": "dev", "to": "prod", "expect": "blocked", **https})
        draw.add("assertions", {"name": "joined", "from": "sites", "to": "prod", "expect": "reachable", **https})
        if opened:
            draw.add("policies", policy("front", 41, "dev", "shop", HTTPS))
        holds = {result.name: result.holds for result in check_assertions(draw.network(), TODAY)}
        assert holds["apart"] != opened, "it is another way to the same target"
        assert holds["joined"], "nobody has to be let in there, where the target itself is reached"


def test_an_assertion_about_all_segments_covers_shares() -> None:
    for draw, holds in ((partners(), False), (partners(direction="b-to-a"), True)):
        draw.add("assertions", {"name": "asked", "from": "sites", "to": "labs", "expect": "blocked"})
        result = next(result for result in check_assertions(draw.network(), TODAY) if result.name == "asked")
        assert result.holds == holds and bool(result.example) != holds


def test_reachable_flows_towards_a_member_are_queried_by_name_or_address() -> None:
    network = partners().network()
    rows = reachable_flows(network, "labs", towards=True)
    assert [(row.from_, row.segment, row.to_segment) for row in rows] == [(("sites",), "corp", "partner")]
    assert reachable_flows(network, "10.99.1.7", towards=True)[0].to == ("labor (10.99.1.7/32)",)
    assert {row.to for row in reachable_flows(network, "8.8.8.8", towards=True)} == {("internet (8.8.8.8/32)",)}
    # No share exports this address, and no exit leads to private addresses.
    assert reachable_flows(network, "10.99.2.7", towards=True) == []
    assert {row.from_ for row in reachable_flows(network, "10.3.7.0/24")} == {("hospital-a (10.3.7.0/24)",)}
    with pytest.raises(InvalidIntent):
        reachable_flows(network, "nobody")


def test_a_redundant_site_adds_its_flows_and_blocks_no_others() -> None:
    before = hospital_network()
    before.edit("connectors", "hospital-a", redundancy_group="a")
    after = before.copy()
    twin = {**site("hospital-a2", "us", "sites", "10.3.0.0/16"), "redundancy_group": "a", "preference": 50}
    after.add("connectors", twin)
    delta = compare_reachability(before.network(), after.network())
    assert {change.from_ for change in delta.allowed} == {("hospital-a2",)} and not delta.blocked


def test_a_delta_lists_both_address_families_and_never_mixes_them() -> None:
    after = hospital_network()
    after.add("connectors", site("clinic", "us", None, "fd00:6::/48"))
    assert compare_reachability(hospital_network().network(), after.network()) == ReachabilityDelta()
    both = after.copy()
    both.add("connectors", site("ward", "us", None, "fd00:7::/48"))
    delta = compare_reachability(after.network(), both.network())
    assert {(change.from_, change.to) for change in delta.allowed} == {
        (("ward",), ("clinic",)),
        (("clinic",), ("ward",)),
    }
    assert {change.example.source for change in delta.allowed} == {"fd00:7::1", "fd00:6::1"}


def test_moving_a_policy_lists_the_flows_decided_by_another_rule() -> None:
    before = hospital_network()
    before.add("policies", policy("https", 30, "dev", "prod", HTTPS))
    after = before.copy()
    after.edit("policies", "https", position=5)
    (change,) = compare_reachability(before.network(), after.network()).allowed
    assert (change.ports, change.rule_before, change.rule_after) == (("443",), "no-dev-in-prod/rule-1", "https/rule-1")


def test_a_renamed_group_changes_no_flow_and_is_listed_by_its_new_name() -> None:
    before, after = hospital_network(), hospital_network()
    after.edit("groups", "dev", name="development")
    assert compare_reachability(before.network(), after.network()) == ReachabilityDelta()
    opened = after.copy()
    opened.remove("policies", "no-dev-in-prod")
    network = after.network()
    for _ in range(2):
        network = Network(opened.intent(), network)
        assert compare_reachability(before.network(), network).allowed[0].from_ == ("development",)


def test_sites_that_swap_prefixes_list_the_flows_blocked_between_them() -> None:
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    draw.add("segments", {"name": "corp", "default_action": "allow"})
    draw.add("connectors", site("one", "eu", None, "10.3.0.0/16", "10.1.0.0/16"))
    draw.add("connectors", site("two", "eu", None, "10.2.0.0/16"))
    after = draw.copy()
    after.edit("segments", "corp", default_action="deny")
    after.edit("connectors", "one", attachments=site("one", "eu", None, "10.3.0.0/16", "10.2.0.0/16")["attachments"])
    after.edit("connectors", "two", attachments=site("two", "eu", None, "10.1.0.0/16")["attachments"])
    # Flows that were or become local are not compared; all others have another sender.
    delta = compare_reachability(draw.network(), after.network())
    assert not delta.allowed and {change.from_ for change in delta.blocked} == {("one (10.1.0.0/16)", "two")}


def test_unchanged_flows_are_not_compared_again() -> None:
    before, draw = partners().network(), partners()
    draw.remove("policies", "no-dev-in-prod")
    planned = Network(draw.intent(), before)
    first = compare_reachability(before, planned)
    draw.edit("segments", "guest", default_action="allow")
    again = compare_reachability(before, Network(draw.intent(), planned))
    assert first.allowed and all(before is after for before, after in zip(first.allowed, again.allowed, strict=True))


def test_addresses_of_a_site_are_named_as_rules_write_them() -> None:
    """A set that several rules cut is told by its whole prefix, and one that leaves something out by what it leaves."""
    draw = hospital_network()
    draw.edit("segments", "corp", default_action="deny")
    draw.edit("policies", "no-dev-in-prod", enabled=False)
    wide = {"name": "ssh", "action": "allow", "protocol": "tcp", "ports": ["22"], "source": ["10.2.0.0/17"]}
    narrow = {"name": "low", "action": "allow", "protocol": "tcp", "ports": ["10"], "source": ["10.2.0.0/20"]}
    draw.add("policies", policy("cut", 1, "dev", "hospital-a", wide, narrow))
    rows = {row.ports: row for row in reachable_flows(draw.network(), "dev")}
    assert rows["22",].from_ == ("vpc-dev (10.2.0.0/17)",) and rows["10",].from_ == ("vpc-dev (10.2.0.0/20)",)
    assert rows["22",].example.source == rows["10",].example.source == "10.2.0.1"

    barred = {"name": "not-there", "action": "deny", "destination": ["10.3.0.9/32"]}
    draw.add("policies", policy("most", 0, "dev", "hospital-a", barred, {"action": "allow"}))
    draw.add("policies", policy("out", 2, "dev", "internet",
                                {"name": "not", "action": "deny", "destination": ["1.2.3.4/32"]}, HTTPS))  # fmt: skip
    named = {row.to for row in reachable_flows(draw.network(), "dev")}
    assert named == {("hospital-a (without 10.3.0.9/32)",), ("internet (without 1.2.3.4/32)",)}


def test_one_of_several_attachments_is_named_by_its_prefix_and_what_it_leaves_out() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "labs"})
    attached = [{"segment": "corp", "prefixes": ["10.7.0.0/24"], "group": "labs"},
                {"segment": "corp", "prefixes": ["10.8.0.0/24"]}]  # fmt: skip
    draw.add("connectors", {**site("campus", "us", None), "attachments": attached})
    draw.add("policies", policy("first", 1, "dev", "campus", {"action": "deny", "destination": ["10.7.0.8/32"]}))
    draw.add("policies", policy("second", 2, "dev", "campus", {"action": "deny", "destination": ["10.8.0.0/24"]}))
    (named,) = {name for row in reachable_flows(draw.network(), "dev") for name in row.to if "campus" in name}
    assert named == "campus (10.7.0.0/24 without 10.7.0.8/32)"
