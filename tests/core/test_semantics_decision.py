"""docs/semantics.md, “Decision”: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site
from tests.core.trace_queries import (
    anchor_of,
    only_problem,
    problems_with_code,
    run_trace,
    services_passed,
    trace_disposition,
)

DENY, ALLOW = {"action": "deny"}, {"action": "allow"}

# 4


def test_a_flow_is_decided_by_its_initiator() -> None:
    """“A flow is decided on its first packet, initiator → responder.”"""
    net = hospital_network()
    assert trace_disposition(net, "vpc-dev", "vpc-prod") == "denied_by_rule"
    back = run_trace(net, "vpc-prod", "vpc-dev")
    assert back.disposition == "delivered" and back.return_ is not None


@pytest.mark.parametrize(
    ("more", "start", "end", "denied"),
    [
        ({}, "sites", "dev", True),
        ({}, "hospital-a", "vpc-dev", True),
        ({}, "any", "any", True),
        ({}, "dev", "sites", False),
        ({}, "hospital-b", "dev", False),
        ({"enabled": False}, "sites", "dev", False),
        ({"segments": ["guest"]}, "sites", "dev", False),
        ({"segments": ["guest", "corp"]}, "sites", "dev", True),
    ],
)
def test_candidates_are_the_policies_that_name_both_ends(
    more: dict[str, Any], start: str, end: str, denied: bool
) -> None:
    """“Candidates are the enabled policies whose segments hold the flow's segment, whose `from` contains any
    group of the source attachment (or its connector, or `any`) and whose `to` contains one of the destination's.”"""
    net = hospital_network()
    net.add("policies", {**policy("p", 1, start, end, DENY), **more})
    assert trace_disposition(net, "hospital-a", "vpc-dev") == ("denied_by_rule" if denied else "delivered")


def test_an_attachment_is_in_named_selecting_and_containing_groups() -> None:
    """“An attachment is in the groups that it names, in those whose selector its labels meet (its own, and its
    connector's under other keys), and in those that contain one of these.”"""
    net = hospital_network()
    net.add("groups", {"name": "east", "selector": "site=east, floor!=1"})
    net.add("groups", {"name": "wards", "contains": ["east"]})
    net.add("policies", policy("p", 1, "wards", "dev", DENY))
    assert trace_disposition(net, "hospital-a", "vpc-dev") == "delivered"
    net.edit("connectors", "hospital-a", labels={"site": "east"})
    assert trace_disposition(net, "hospital-a", "vpc-dev") == "denied_by_rule"
    [attachment] = net.rows[net.uid_of("connectors", "hospital-a")][4]["attachments"]
    net.edit("connectors", "hospital-a", attachments=[{**attachment, "labels": {"floor": "1"}}])
    assert trace_disposition(net, "hospital-a", "vpc-dev") == "delivered"


@pytest.mark.parametrize(("first", "second", "rule"), [(1, 2, "one/rule-1"), (4, 3, "two/rule-1")])
def test_policies_are_tried_by_position(first: int, second: int, rule: str) -> None:
    """“inside a tier by policy `position`”"""
    net = hospital_network()
    net.add("policies", policy("one", first, "sites", "dev", DENY))
    net.add("policies", policy("two", second, "any", "any", ALLOW))
    assert run_trace(net, "hospital-a", "vpc-dev").rule == rule


@pytest.mark.parametrize(
    ("tiers", "rule"),
    [
        (("standard", "mandatory"), "two/rule-1"),
        (("baseline", "standard"), "two/rule-1"),
        (("mandatory", "baseline"), "one/rule-1"),
    ],
)
def test_tiers_are_tried_in_their_order(tiers: tuple[str, str], rule: str) -> None:
    """“They are tried by tier (`mandatory`, `standard`, `baseline`)”"""
    net = hospital_network()
    for name, position, tier, match in (("one", 1, tiers[0], DENY), ("two", 2, tiers[1], ALLOW)):
        net.add("policies", policy(name, position, "any", "any", match, tier=tier))
    assert run_trace(net, "hospital-a", "vpc-dev").rule == rule


def test_a_rule_that_passes_leaves_it_to_the_next_tier() -> None:
    """“A `pass` goes on with the next tier”"""
    net = hospital_network()
    passing = {"action": "pass", "protocol": "tcp", "ports": ["443"]}
    net.add("policies", policy("but-web", 1, "any", "any", passing, tier="mandatory"))
    net.add("policies", policy("nothing", 2, "any", "any", DENY, tier="mandatory"))
    net.add("policies", policy("last", 3, "any", "any", ALLOW, tier="baseline"))
    assert run_trace(net, "hospital-a", "vpc-dev", "tcp", 443).rule == "last/rule-1"
    assert run_trace(net, "hospital-a", "vpc-dev", "tcp", 22).rule == "nothing/rule-1"


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (("tcp", 443), "p/web"),
        (("tcp", 8050), "p/range"),
        (("tcp", 8101), "p/ward"),
        (("udp", 443), "p/ward"),
        (("icmp", None), "p/ward"),
    ],
)
def test_the_first_rule_that_matches_decides(asked: tuple[str, int | None], rule: str) -> None:
    """“inside a policy by rule order; the first rule that matches the first packet (protocol, destination ports or ICMP
    types, source ports, DSCP, both addresses) and is enforced decides”"""
    net = hospital_network()
    rules: list[dict[str, Any]] = [
        {"name": "seen", "action": "deny", "mode": "monitor"},
        {"name": "off", "action": "deny", "mode": "disabled"},
        {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]},
        {"name": "range", "action": "deny", "protocol": "tcp", "ports": ["8000-8100"]},
        {"name": "elsewhere", "action": "deny", "source": ["10.4.0.0/16"]},
        {"name": "ward", "action": "allow", "source": ["10.3.0.0/24"], "destination": ["10.2.0.0/24"]},
        {"name": "rest", "action": "deny"},
    ]
    net.add("policies", policy("p", 1, "any", "any", *rules))
    assert run_trace(net, "hospital-a@10.3.0.9", "10.2.0.9", *asked).rule == rule
    assert run_trace(net, "hospital-a@10.3.1.9", "10.2.0.9", "icmp").rule == "p/rest"


@pytest.mark.parametrize(("default_action", "disposition"), [("allow", "delivered"), ("deny", "denied_by_default")])
def test_without_a_match_the_default_action_decides(default_action: str, disposition: str) -> None:
    """“None: the segment's default action.”"""
    net = hospital_network()
    net.edit("segments", "corp", default_action=default_action)
    trace = run_trace(net, "hospital-a", "vpc-dev")
    assert (trace.disposition, trace.rule) == (disposition, None)


def test_rules_may_name_prefix_lists() -> None:
    """“In a rule, source/destination: prefixes, ranges (`10.1.0.5-10.1.0.9`), prefix-lists, "any".” An empty list
    matches nothing."""
    net = hospital_network()
    net.add("prefix-lists", {"name": "wards", "entries": [{"prefix": "10.3.0.0/24"}]})
    net.add("policies", policy("p", 1, "any", "any", {"action": "deny", "source": ["wards", "10.4.0.0/16"]}))
    assert trace_disposition(net, "hospital-a@10.3.0.9", "vpc-dev") == "denied_by_rule"
    assert trace_disposition(net, "hospital-a@10.3.1.9", "vpc-dev") == "delivered"
    net.edit("prefix-lists", "wards", entries=[])
    assert trace_disposition(net, "hospital-a@10.3.0.9", "vpc-dev") == "delivered"


# 6


def shared(**more: Any) -> IntentBuilder:
    """Return a network where guest (deny), with desk 172.16.0.0/24, imports prod of corp (allow) by share “records”."""
    net = hospital_network()
    net.add("groups", {"name": "desks"})
    net.add("connectors", site("desk", "us", "desks", "172.16.0.0/24", segment="guest"))
    net.remove("connectors", "lobby")
    a, b = {"segment": "corp", "groups": ["prod"]}, {"segment": "guest", "groups": ["desks"]}
    net.edit("services", "fw", segments=["corp", "guest"])
    net.add("shares", {"name": "records", "a": a, "b": b, **more})
    return net


def test_any_includes_imported_members() -> None:
    """“`any` means all connectors of the segment, those that shares bring into it included”"""
    net = shared()
    net.add("policies", policy("p", 1, "any", "any", DENY))
    assert trace_disposition(net, "desk", "vpc-prod") == "denied_by_rule"


def test_segments_reach_each_other_through_shares_only() -> None:
    """“Segments do not reach each other except through a share”"""
    net = shared()
    assert trace_disposition(net, "desk", "vpc-prod") == "delivered"
    assert trace_disposition(net, "desk", "vpc-dev") == "isolated", "the share names prod"
    assert trace_disposition(net, "desk", "10.2.0.1", to_segment="corp") == "isolated", "by its address too"
    net.remove("shares", "records")
    assert trace_disposition(net, "desk", "vpc-prod") == "isolated"


def test_shares_are_not_transitive() -> None:
    """“and shares are not transitive”"""
    net = shared()
    net.add("segments", {"name": "lab", "default_action": "allow"})
    net.add("connectors", site("bench", "eu", None, "172.17.0.0/24", segment="lab"))
    a, b = {"segment": "guest", "groups": ["desks"]}, {"segment": "lab", "prefixes": ["172.17.0.0/24"]}
    net.add("shares", {"name": "more", "a": a, "b": b})
    assert trace_disposition(net, "bench", "desk") == trace_disposition(net, "desk", "vpc-prod") == "delivered"
    assert trace_disposition(net, "bench", "vpc-prod") == "isolated"


@pytest.mark.parametrize(
    ("direction", "forward", "back"),
    [
        ("both", "delivered", "delivered"),
        ("a-to-b", "isolated", "delivered"),
        ("b-to-a", "delivered", "isolated"),
    ],
)
def test_a_share_says_who_may_initiate(direction: str, forward: str, back: str) -> None:
    """“A share names side `a` and side `b` (segment, groups, prefixes) and who may initiate.”"""
    net = shared(direction=direction)
    assert (trace_disposition(net, "desk", "vpc-prod"), trace_disposition(net, "vpc-prod", "desk")) == (forward, back)


@pytest.mark.parametrize(
    ("corp", "guest", "disposition", "rule"),
    [
        (None, None, "delivered", "share/records"),
        (None, DENY, "denied_by_rule", "guest/rule-1"),
        (DENY, None, "denied_by_rule", "corp/rule-1"),
        (ALLOW, DENY, "denied_by_rule", "guest/rule-1"),
        (DENY, ALLOW, "denied_by_rule", "corp/rule-1"),
        (ALLOW, None, "delivered", "corp/rule-1"),
        (ALLOW, ALLOW, "delivered", "guest/rule-1"),
    ],
)
def test_a_deny_in_either_segment_denies(corp: Any, guest: Any, disposition: str, rule: str) -> None:
    """“The source segment's policies are tried, then the destination's: a deny in either denies; where neither has a
    match, the share allows (in place of the default actions).”"""
    net = shared()
    for position, (segment, rule_body) in enumerate((("corp", corp), ("guest", guest))):
        if rule_body:
            net.add("policies", policy(segment, position, "desks", "prod", rule_body, segments=[segment]))
    trace = run_trace(net, "desk", "vpc-prod")
    assert (trace.disposition, trace.rule) == (disposition, rule)


def test_chains_concatenate_without_repeats() -> None:
    """“Service chains concatenate source, share, destination without repeats.”"""
    net = shared(services=["fw"])
    for name in ("ids", "proxy"):
        body = {"name": name, "product": "linux-firewall", "segments": ["corp", "guest"]}
        net.add("services", {**body, "placements": [{"exchange": "eu"}]})
    for segment, chain in (("guest", ["ids", "fw"]), ("corp", ["proxy", "ids"])):
        rule = {"action": "inspect", "services": chain}
        net.add("policies", policy(segment, len(segment), "desks", "prod", rule, segments=[segment]))
    trace = run_trace(net, "desk", "vpc-prod")
    assert (trace.disposition, services_passed(trace)) == ("delivered_inspected", ["ids", "fw", "proxy"])


def test_shared_prefixes_are_unique_in_the_receiving_segment() -> None:
    """“Prefixes seen through shares must be unique in the receiving segment after NAT.”"""
    net = shared()
    assert not problems_with_code(net, "share_overlap")
    net.add("connectors", site("clash", "us", None, "10.1.0.0/24", segment="guest"))
    assert only_problem(net, "share_overlap").severity == "error"


def test_a_share_of_a_segment_with_itself_is_an_error() -> None:
    """“a share that would loop”."""
    net = shared()
    net.edit("shares", "records", b={"segment": "corp", "groups": ["dev"]})
    assert only_problem(net, "share_loop").severity == "error"


# 7


def test_replies_pass_the_same_way_back() -> None:
    """“Replies of a permitted flow are permitted and pass the same service instances in reverse order”"""
    trace = run_trace(hospital_network(), "hospital-b", "vpc-prod", "tcp", 443)
    assert trace.return_ is not None
    assert [hop.name for hop in trace.return_.hops] == [hop.name for hop in trace.hops][::-1]


def test_both_ends_find_the_same_anchor() -> None:
    """“each stateful flow … has one node, found alike from both ends: rendezvous hash of (segment, unordered pair of
    attachments)”"""
    net = shared()
    pairs = [("hospital-a", "hospital-b"), ("vpc-dev", "hospital-b"), ("desk", "vpc-prod")]
    for first, second in pairs:
        assert anchor_of(run_trace(net, first, second)) == anchor_of(run_trace(net, second, first))


def test_an_inspected_flow_is_anchored_where_its_service_is() -> None:
    """“among the exchanges of the two ends, those of them where its services are placed”"""
    net = hospital_network()
    assert anchor_of(run_trace(net, "hospital-b", "vpc-prod", "tcp", 443)).startswith("eu/")
    net.add("connectors", site("miami", "us", None, "10.8.0.0/16"))
    assert anchor_of(run_trace(net, "miami", "hospital-b")).startswith("us/")


# 8


@pytest.mark.parametrize(("placed", "served"), [(["eu"], "eu"), (["us"], "us"), (["ie"], "ie")])
def test_a_flow_is_served_where_its_service_is_placed(placed: list[str], served: str) -> None:
    """“The placement for a flow: at the exchange of its anchor, which is one of its ends' where the service is placed
    there, else the nearest.”"""
    net = hospital_network()
    net.add("exchanges", {"name": "ie", "location": "aws-eu-west-1"})
    net.edit("services", "fw", placements=[{"exchange": exchange, "min_instances": 2} for exchange in placed])
    trace = run_trace(net, "hospital-b", "vpc-prod", "tcp", 443)
    assert anchor_of(trace).startswith(f"{served}/")
    assert all(f"fw/{served}/" in hop.detail for hop in trace.hops if hop.kind == "service")


def test_the_nearest_of_distant_placements_serves_a_flow() -> None:
    """“where they are at neither, the nearest to both that has them”"""
    net = hospital_network()
    net.add("exchanges", {"name": "ie", "location": "aws-eu-west-1"})
    net.edit("services", "fw", placements=[{"exchange": "us"}, {"exchange": "ie"}])
    trace = run_trace(net, "hospital-a", "vpc-prod", "tcp", 443)
    assert anchor_of(trace).startswith("ie/"), "both ends are in Frankfurt; Dublin is nearer than Virginia"


@pytest.mark.parametrize(("on_failure", "disposition"), [("closed", "service_unavailable"), ("open", "delivered")])
def test_a_service_without_instances_fails_open_or_closed(on_failure: str, disposition: str) -> None:
    """“`on_failure` (`closed` by default, or `open`) applies, per service of a chain, only when no placement has an
    instance.”"""
    net = hospital_network()
    net.edit("services", "fw", on_failure=on_failure, placements=[{"exchange": "eu", "min_instances": 0}])
    assert trace_disposition(net, "hospital-a", "vpc-prod", "tcp", 443) == disposition
    net.edit("services", "fw", placements=[{"exchange": "eu", "min_instances": 0}, {"exchange": "us"}])
    assert trace_disposition(net, "hospital-a", "vpc-prod", "tcp", 443) == "delivered_inspected"


def test_failing_open_lets_the_rest_of_the_chain_inspect() -> None:
    """“applies, per service of a chain”"""
    net = hospital_network()
    body = {"name": "ids", "product": "linux-firewall", "segments": ["corp"], "on_failure": "open"}
    net.add("services", {**body, "placements": [{"exchange": "eu", "min_instances": 0}]})
    net.add("policies", policy("p", 1, "dev", "sites", {"action": "inspect", "services": ["ids", "fw"]}))
    trace = run_trace(net, "vpc-dev", "hospital-a")
    assert (trace.disposition, services_passed(trace)) == ("delivered_inspected", ["fw"])
