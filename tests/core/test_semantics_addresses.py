"""docs/semantics.md, “Addresses and members”: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows
from tests.core.sample_networks import TODAY, IntentBuilder, hospital_network, policy, site
from tests.core.trace_queries import only_problem, problems_with_code, run_trace, trace_disposition

# 1


def test_the_longest_prefix_wins() -> None:
    """“Inside a segment the longest prefix wins.”"""
    net = hospital_network()
    net.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    assert run_trace(net, "vpc-dev", "10.3.4.9").hops[-1].name == "annex"
    assert run_trace(net, "vpc-dev", "10.3.5.9").hops[-1].name == "hospital-a"


def test_equal_prefixes_are_an_error() -> None:
    """“Two connectors must not attach equal or overlapping-by-accident prefixes: equal ones are an error”; and
    “equal prefixes in a segment”, with both names."""
    net = hospital_network()
    net.add("connectors", site("copy", "us", None, "10.3.0.0/16"))
    problem = only_problem(net, "equal_prefixes")
    assert problem.severity == "error" and problem.path == "connectors/copy/attachments[0].prefixes[0]"
    assert all(name in problem.message for name in ("hospital-a", "copy", "10.3.0.0/16", "corp"))


@pytest.mark.parametrize(("preference", "owner"), [(200, "copy"), (100, "hospital-a"), (50, "hospital-a")])
def test_redundant_connectors_share_prefixes_by_preference(preference: int, owner: str) -> None:
    """“… unless both name the same `redundancy_group` (with `preference`s, equal for ECMP)”"""
    net = hospital_network()
    net.edit("connectors", "hospital-a", redundancy_group="clinic")
    twin = site("copy", "us", "sites", "10.3.0.0/16")
    net.add("connectors", {**twin, "redundancy_group": "clinic", "preference": preference})
    assert not problems_with_code(net, "equal_prefixes")
    assert run_trace(net, "vpc-dev", "10.3.0.1").hops[-1].name == owner
    assert trace_disposition(net, "copy@10.3.0.7", "vpc-dev") == "delivered", "the other one may send from it too"


@pytest.mark.parametrize(
    ("target", "inside", "disposition", "word"),
    [
        ("hospital-a", "10.3.4.0/24", "delivered", ""),
        ("annex", "10.3.4.0/24", "no_route", "so it has none"),
        ("annex", "10.3.0.0/16", "no_route", "so it has none"),
        ("hospital-a", "10.3.0.0/16", "no_route", "Replies are routed to"),
    ],
)
def test_a_route_filtered_from_a_connector_drops_its_packets_and_replies(
    target: str, inside: str, disposition: str, word: str
) -> None:
    """“Where two connectors may send from an address, its owner needs the route as well, since replies go to it”"""
    net = hospital_network()
    net.edit("connectors", "hospital-a", redundancy_group="clinic")
    net.add("connectors", {**site("annex", "us", "sites", inside), "redundancy_group": "clinic"})
    policy = {"name": "hide", "segment": "corp", "direction": "out", "targets": [target]}
    net.add("route-policies", {**policy, "rules": [{"action": "deny", "match": {"prefixes": ["10.2.0.0/16"]}}]})
    trace = run_trace(net, "annex@10.3.4.7", "vpc-dev")
    assert trace.disposition == disposition and word in trace.hops[-1].reason


def network_with_tags(*communities: str) -> IntentBuilder:
    """Return a network in which hospital-a tags its routes and hospital-b is not told what carries 65000:1."""
    net = hospital_network()
    tag = {"name": "tag", "segment": "corp", "direction": "in", "targets": ["hospital-a"]}
    net.add("route-policies", {**tag, "rules": [{"action": "allow", "set": {"communities": list(communities)}}]})
    hide = {"name": "hide", "segment": "corp", "direction": "out", "targets": ["hospital-b"]}
    rules = [{"action": "allow", "match": {"prefixes": ["10.1.0.0/16"]}},
             {"action": "deny", "match": {"communities": ["65000:1", "65000:2"]}}]  # fmt: skip
    net.add("route-policies", {**hide, "rules": rules})
    return net


def test_communities_that_one_route_policy_sets_are_matched_by_another() -> None:
    """“communities that a policy sets are seen by those after it, stay with the route in its segment”"""
    net = network_with_tags("65000:1", "65000:2")
    trace = run_trace(net, "hospital-b", "hospital-a")
    assert trace.disposition == "no_route"
    assert trace.hops[-1].reason.endswith("Rule 2 of route policy “hide” denies it.")
    [blocker] = trace.blockers
    assert (blocker.code, blocker.object, blocker.rule) == ("route_filtered", "route-policies/hide", "hide/rule-2")
    assert trace_disposition(net, "hospital-a", "hospital-b") == "no_route"
    assert trace_disposition(net, "vpc-dev", "hospital-a") == "delivered"
    reached = {row.to for row in reachable_flows(net.network(), "hospital-b")}
    assert reached and not any("hospital-a" in names or "sites" in names for names in reached)
    assert trace_disposition(network_with_tags("65000:2"), "hospital-b", "hospital-a") == "delivered"


def test_communities_pass_from_one_policy_of_a_target_to_the_next_and_through_shares() -> None:
    """“Every route policy of a target is asked, the oldest first”; communities “go through shares with it”"""
    net = hospital_network()
    side = {
        "a": {"segment": "corp", "prefixes": ["10.3.0.0/16"]},
        "b": {"segment": "guest", "prefixes": ["10.9.0.0/16"]},
    }
    net.add("connectors", site("kiosk", "eu", None, "10.9.0.0/16", segment="guest"))
    net.add("shares", {"name": "kiosks", **side})
    assert trace_disposition(net, "kiosk", "hospital-a") == "delivered"
    base: dict[str, Any] = {"segment": "corp", "direction": "in", "targets": ["hospital-a"]}
    first = {"action": "allow", "set": {"communities": ["65000:1"]}}
    second = {"action": "allow", "match": {"communities": ["65000:1"]}, "set": {"communities": ["65000:2"]}}
    net.add("route-policies", {**base, "name": "first", "rules": [first]})
    net.add("route-policies", {**base, "name": "second", "rules": [second]})
    rules = [{"action": "deny", "match": {"communities": ["65000:1", "65000:2"]}}]
    net.add(
        "route-policies", {"name": "hide", "segment": "guest", "direction": "out", "targets": ["kiosk"], "rules": rules}
    )
    assert trace_disposition(net, "kiosk", "hospital-a") == "no_route"
    net.edit("route-policies", "first", rules=[second])
    assert trace_disposition(net, "kiosk", "hospital-a") == "delivered"


@pytest.mark.parametrize(
    ("start", "end", "disposition"),
    [
        ("vpc-dev", "hospital-a", "no_route"),
        ("vpc-dev", "10.3.0.9", "no_route"),
        ("vpc-dev", "hospital-a@10.3.0.9", "no_route"),
        ("hospital-a", "vpc-dev", "denied_spoofed"),
    ],
)
def test_a_route_that_is_not_accepted_is_a_reason_of_its_own(start: str, end: str, disposition: str) -> None:
    """“Where a route is not accepted, the connector may not send from its addresses either”"""
    net = hospital_network()
    rules = [{"action": "deny", "match": {"prefixes": ["10.3.0.0/16"]}}]
    body = {"name": "refuse", "segment": "corp", "direction": "in", "targets": ["hospital-a"], "rules": rules}
    net.add("route-policies", body)
    trace = run_trace(net, start, end)
    assert trace.disposition == disposition and "is not accepted" in trace.hops[-1].reason
    blocker = trace.blockers[0]
    assert (blocker.code, blocker.object, blocker.rule) == ("route_rejected", "route-policies/refuse", "refuse/rule-1")


def test_a_longer_prefix_inside_another_ones_is_a_warning() -> None:
    """“a longer prefix inside a shorter one of another connector is a warning that names both”"""
    net = hospital_network()
    net.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    problem = only_problem(net, "overlapping_prefixes")
    assert problem.severity == "warning" and "annex" in problem.message and "hospital-a" in problem.message


def test_segments_may_use_the_same_addresses() -> None:
    """“Different segments may use the same addresses.”"""
    net = hospital_network()
    net.add("connectors", site("kiosk", "eu", None, "10.2.0.0/16", segment="guest"))
    assert not problems_with_code(net, "equal_prefixes")
    assert run_trace(net, "hospital-a", "10.2.0.1").hops[-1].name == "vpc-dev"
    assert run_trace(net, "lobby", "10.2.0.1", segment="guest").segment == "guest"


def test_the_default_route_is_exempt() -> None:
    """“The default route is exempt.”"""
    net = hospital_network()
    for name in ("north", "south"):
        net.add("connectors", site(name, "eu", None, "0.0.0.0/0"))
    assert not problems_with_code(net, "equal_prefixes") and not problems_with_code(net, "overlapping_prefixes")


# 2


def test_the_source_attachment_is_the_longest_match_of_the_connectors_own() -> None:
    """“A packet's source attachment is the longest match of its source address among that connector's attachments in
    the segment”"""
    net = hospital_network()
    ends = [("dev", "10.6.0.0/16"), ("prod", "10.6.7.0/24")]
    attachments = [{"segment": "corp", "group": group, "prefixes": [prefix]} for group, prefix in ends]
    net.add("connectors", {**site("lab", "eu", None), "attachments": attachments})
    assert trace_disposition(net, "lab@10.6.1.1", "vpc-prod") == "denied_by_rule", "no-dev-in-prod"
    assert trace_disposition(net, "lab@10.6.7.1", "vpc-prod") == "delivered", "it is prod itself"


def test_packets_from_other_sources_are_dropped_as_spoofed() -> None:
    """“none: dropped as spoofed”"""
    net = hospital_network()
    assert trace_disposition(net, "vpc-dev@10.1.0.9", "hospital-a") == "denied_spoofed"
    assert trace_disposition(net, "lobby@10.2.0.9", "10.1.0.1", segment="guest") == "denied_spoofed"


@pytest.mark.parametrize("end", ["10.4.7.7", "10.5.0.1"])
def test_traffic_inside_one_connector_is_local(end: str) -> None:
    """“Traffic inside one connector never reaches an exchange (`local`)”"""
    net = hospital_network()
    net.add("policies", policy("shut", 1, "any", "any", {"action": "deny"}))
    trace = run_trace(net, "10.4.0.1", end)
    assert trace.disposition == "local" and [hop.kind for hop in trace.hops] == ["connector"]


def test_a_policy_inside_one_connector_is_not_enforceable() -> None:
    """“a policy between two groups of one connector is warned about as not enforceable”"""
    net = hospital_network()
    for name in ("one", "two"):
        net.add("groups", {"name": name})
    ends = [("one", "10.6.0.0/24"), ("two", "10.6.1.0/24")]
    attachments = [{"segment": "corp", "group": group, "prefixes": [prefix]} for group, prefix in ends]
    net.add("connectors", {**site("lab", "eu", None), "attachments": attachments})
    net.add("policies", policy("p", 5, "one", "two", {"action": "deny"}))
    assert only_problem(net, "not_enforceable").severity == "warning"
    assert trace_disposition(net, "10.6.0.1", "10.6.1.1") == "local"


def network_with_clients() -> IntentBuilder:
    net = hospital_network()
    for name in ("staff", "guests"):
        net.add("groups", {"name": name})
    ends = [("staff", "10.6.0.0/24"), ("guests", "10.6.1.0/24")]
    attachments = [{"segment": "corp", "group": group, "prefixes": [prefix]} for group, prefix in ends]
    net.add("connectors", {**site("users", "eu", None), "kind": "remote-access", "attachments": attachments})
    return net


def test_flows_between_clients_of_remote_access_are_decided() -> None:
    """“flows between two of them, also of one attachment, cross it and are decided like any others”"""
    net = network_with_clients()
    before = net.network()
    net.add("policies", policy("apart", 1, "staff", "guests", {"action": "deny"}))
    net.add("policies", policy("guests", 2, "guests", "guests", {"action": "deny", "protocol": "tcp"}))
    between = ("users@10.6.0.1", "users@10.6.1.1")
    assert not problems_with_code(net, "not_enforceable")
    trace = run_trace(net, *between)
    assert (trace.disposition, trace.rule) == ("denied_by_rule", "apart/rule-1")
    assert [blocker.object for blocker in trace.blockers] == ["policies/apart"]
    assert trace_disposition(net, between[1], between[0]) == "delivered"
    assert trace_disposition(net, "10.6.1.1", "10.6.1.2", "tcp", 443) == "denied_by_rule"
    assert trace_disposition(net, "10.6.0.1", "10.6.0.2", "tcp", 443) == "delivered"
    blocked = compare_reachability(before, net.network()).blocked
    assert {(row.from_, row.to, row.protocol) for row in blocked} == {
        (("staff",), ("guests",), "any"),
        (("guests",), ("guests",), "tcp"),
    }
    reached = {row.to for row in reachable_flows(net.network(), "guests") if row.protocol == "tcp"}
    assert not any("guests" in names for names in reached)


@pytest.mark.parametrize(
    ("start", "end", "expect", "holds"),
    [
        ("staff", "guests", "blocked", True),
        ("staff", "staff", "blocked", False),
        ("guests", "staff", "reachable", True),
        ("users", "users", "reachable", False),
    ],
)
def test_assertions_are_about_flows_between_clients_of_remote_access(
    start: str, end: str, expect: str, holds: bool
) -> None:
    """“Clients of remote access are ends of their own, each with a tunnel to the exchange”"""
    net = network_with_clients()
    net.add("policies", policy("apart", 1, "staff", "guests", {"action": "deny"}))
    net.add("assertions", {"name": "asked", "from": start, "to": end, "expect": expect})
    results = {result.name: result.holds for result in check_assertions(net.network(), TODAY)}
    assert results["asked"] is holds


@pytest.mark.parametrize(("default_action", "disposition"), [("allow", "delivered"), ("deny", "denied_by_default")])
def test_members_of_a_group_follow_the_default_action(default_action: str, disposition: str) -> None:
    """“Members of one group follow the default action like everybody else.”"""
    net = hospital_network()
    net.edit("segments", "corp", default_action=default_action)
    assert trace_disposition(net, "hospital-a", "hospital-b") == disposition


# 3: two clinics with the same addresses inside; the first shows 100.64.0.0/24 in place of 10.9.0.0/24


def clinics() -> IntentBuilder:
    net = hospital_network()
    net.edit("segments", "corp", prefixes=[])
    for name, exchange in (("clinic-1", "eu"), ("clinic-2", "us")):
        net.add("connectors", site(name, exchange, "sites", "10.9.0.0/24"))
    body = {"segment": "corp", "connector": "clinic-1", "position": 1}
    out = {"match": {"source": ["10.9.0.0/24"]}, "source": {"type": "static", "prefixes": ["100.64.0.0/24"]}}
    net.add("nat-rules", {**body, **out, "name": "shown", "direction": "outbound"})
    return net


def inwards(net: IntentBuilder, **more: Any) -> IntentBuilder:
    body = {"segment": "corp", "connector": "clinic-1", "position": 2, "name": "inwards", "direction": "inbound"}
    match = {"destination": ["100.64.0.0/24"], **more.pop("match", {})}
    translated = {"type": "static", "prefixes": ["10.9.0.0/24"], **more}
    net.add("nat-rules", {**body, "match": match, "destination": translated})
    return net


def test_overlap_checks_use_presented_addresses() -> None:
    """“NAT belongs to the connector's edge: overlap checks … use the presented (outside) addresses”"""
    net = clinics()
    assert not problems_with_code(net, "equal_prefixes")
    net.remove("nat-rules", "shown")
    assert problems_with_code(net, "equal_prefixes")


def test_nat_pools_that_collide_are_an_error() -> None:
    """“NAT pools that collide”."""
    net = clinics()
    net.add("connectors", site("third", "us", None, "100.64.0.0/24"))
    problem = only_problem(net, "nat_collision")
    assert problem.severity == "error" and "third" in problem.message and "clinic-1" in problem.message


def test_routes_use_presented_addresses() -> None:
    """“routes … use the presented (outside) addresses”"""
    net = inwards(clinics())
    assert run_trace(net, "vpc-dev", "10.9.0.7").hops[-1].name == "clinic-2"
    assert run_trace(net, "vpc-dev", "100.64.0.7").hops[-1].name == "clinic-1"


@pytest.mark.parametrize(("source", "disposition"), [("10.9.0.0/24", "delivered"), ("100.64.0.0/24", "denied_by_rule")])
def test_policies_see_presented_addresses(source: str, disposition: str) -> None:
    """“policies … use the presented (outside) addresses”"""
    net = clinics()
    net.add("policies", policy("p", 1, "clinic-1", "vpc-dev", {"action": "deny", "source": [source]}))
    assert trace_disposition(net, "clinic-1@10.9.0.7", "vpc-dev") == disposition


def test_a_trace_shows_both_addresses() -> None:
    """“a trace shows both”"""
    net = inwards(clinics(), match={"protocol": "tcp", "ports": ["443"]}, port=8443)
    out = run_trace(net, "clinic-1@10.9.0.7", "vpc-dev")
    assert [hop.detail for hop in out.hops if hop.kind == "nat"] == ["source 10.9.0.7 → 100.64.0.7"]
    assert out.return_ is not None
    assert [hop.detail for hop in out.return_.hops if hop.kind == "nat"] == ["destination 100.64.0.7 → 10.9.0.7"]
    into = run_trace(net, "vpc-dev", "100.64.0.7", "tcp", 443)
    assert [hop.detail for hop in into.hops if hop.kind == "nat"] == ["destination 100.64.0.7:443 → 10.9.0.7:8443"]


def test_addresses_hidden_by_nat_are_reachable_only_through_an_inbound_rule() -> None:
    """“NAT belongs to the connector's edge”: without an inbound rule nothing gets in, whatever policies say."""
    net = clinics()
    assert trace_disposition(net, "vpc-dev", "100.64.0.7") == "no_route"
    inwards(net, match={"protocol": "tcp", "ports": ["443"]})
    assert trace_disposition(net, "vpc-dev", "100.64.0.7", "tcp", 443) == "delivered"
    assert trace_disposition(net, "vpc-dev", "100.64.0.7", "tcp", 80) == "no_route"


def test_shares_export_presented_addresses() -> None:
    """“shares … use the presented (outside) addresses”"""
    net = inwards(clinics())
    side = {"segment": "corp", "prefixes": ["10.9.0.0/24", "100.64.0.0/24"]}
    lobby = {"segment": "guest", "prefixes": ["10.1.0.0/16"]}
    net.add("connectors", site("desk", "us", None, "172.16.0.0/24", segment="guest"))
    net.add("shares", {"name": "s", "a": side, "b": {**lobby, "prefixes": ["172.16.0.0/24"]}})
    ends: dict[str, Any] = {"from_segment": "guest", "to_segment": "corp"}
    assert run_trace(net, "desk", "100.64.0.7", **ends).hops[-1].name == "clinic-1"
    assert run_trace(net, "desk", "10.9.0.7", **ends).hops[-1].name == "clinic-2"
