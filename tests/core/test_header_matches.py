"""Source ports, ICMP types and DSCP: how they are written, what they match, and how they are told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from provisioning.core.check.header_classes import MAX_CLASSES
from provisioning.core.intent import InvalidIntent, normalise_body
from provisioning.core.plan.describe.rules import format_rule
from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows
from provisioning.core.reach.compare.l4_bitmap import L4Bitmap
from provisioning.core.reach.trace.trace_flow import trace_flow
from provisioning.core.values.headers import EVERY_SOURCE_PORT, HeaderMatch, partition
from provisioning.core.values.l4 import ALL_L4, l4_ranges
from tests.core.sample_networks import IntentBuilder, hospital_network, policy
from tests.core.trace_queries import problems_with_code

ENDS = ("10.3.0.9", "10.2.0.9")


def network_with_rules(*rules: dict[str, Any]) -> IntentBuilder:
    net = hospital_network()
    net.add("policies", policy("p", 1, "any", "any", *({"action": "deny", **rule} for rule in rules)))
    return net


def read_rule(**rule: Any) -> dict[str, Any]:
    body = policy("p", 1, "any", "any", {"action": "deny", **rule})
    read: dict[str, Any] = normalise_body("policies", body, lambda kind, name: name)["rules"][0]
    return read


@pytest.mark.parametrize(
    ("rule", "field", "stored"),
    [
        ({"protocol": "udp", "source_ports": ["500-600", 123, "ntp", "124"]}, "source_ports", ["123-124", "500-600"]),
        ({"protocol": ["tcp", "udp"], "source_ports": ["dns"]}, "source_ports", ["53"]),
        ({"protocol": "tcp", "source_ports": ["0-65535"]}, "source_ports", ["any"]),
        ({"protocol": "icmp", "icmp_types": ["13", 8, "Echo-Request", 250]}, "icmp_types",
         ["echo-request", "timestamp-request", "250"]),
        ({"protocol": "icmpv6", "icmp_types": ["echo-request"]}, "icmp_types", ["echo-request"]),
        ({"protocol": 1, "icmp_types": ["any", 8]}, "icmp_types", ["any"]),
        ({"dscp": "ef"}, "dscp", 46),
        ({"dscp": "26"}, "dscp", 26),
        ({"dscp": None}, "dscp", None),
    ],
)  # fmt: skip
def test_source_ports_icmp_types_and_dscp_are_stored_in_one_form(rule: dict[str, Any], field: str, stored: Any) -> None:
    assert read_rule(**rule)[field] == stored


@pytest.mark.parametrize(
    ("rule", "code", "path"),
    [
        ({"source_ports": ["53"]}, "bad_port", "source_ports"),
        ({"protocol": ["tcp", "icmp"], "source_ports": ["53"]}, "bad_port", "source_ports"),
        ({"protocol": ["tcp", "udp"], "source_ports": ["ntp"]}, "bad_port", "source_ports[0]"),
        ({"protocol": "tcp", "source_ports": [70000]}, "bad_port", "source_ports[0]"),
        ({"protocol": "tcp", "icmp_types": [8]}, "bad_icmp_type", "icmp_types"),
        ({"protocol": ["icmp", "icmpv6"], "icmp_types": [8]}, "bad_icmp_type", "icmp_types"),
        ({"protocol": "icmp", "icmp_types": [8, "ping"]}, "bad_icmp_type", "icmp_types[1]"),
        ({"protocol": "icmp", "icmp_types": [True]}, "bad_icmp_type", "icmp_types[0]"),
        ({"protocol": "icmp", "icmp_types": []}, "required", "icmp_types"),
        ({"dscp": 64}, "bad_dscp", "dscp"),
        ({"dscp": "gold"}, "bad_dscp", "dscp"),
    ],
)
def test_what_no_packet_has_is_refused(rule: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        read_rule(**rule)
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [(code, f"rules[0].{path}")]


def test_a_trace_asks_about_an_ordinary_flow_where_nothing_is_said_and_shows_what_it_asked() -> None:
    """“Whoever asks about a flow without a source port, ICMP type or DSCP asks about an ordinary one: from source port
    49152, an echo request, DSCP 0; the answer says so.”"""
    rules = ({"protocol": "udp", "source_ports": ["53"]}, {"protocol": "icmp", "icmp_types": [13]}, {"dscp": "EF"})
    network = network_with_rules(*rules).network()
    asked: list[tuple[dict[str, Any], str]] = [
        ({"protocol": "udp", "port": 99}, ""),
        ({"protocol": "udp", "port": 99, "source_port": 53}, "rule-1"),
        ({"protocol": "icmp"}, ""),
        ({"protocol": "icmp", "icmp_type": "timestamp-request"}, "rule-2"),
        ({"protocol": "icmp", "dscp": 46}, "rule-3"),
    ]
    for question, rule in asked:
        assert (trace_flow(network, *ENDS, **question).rule or "").removeprefix("p/") == rule, question
    packet = trace_flow(network, *ENDS, protocol="udp", port=99).packet
    assert (packet.source_port, packet.icmp_type, packet.dscp) == (49152, None, 0)
    packet = trace_flow(network, *ENDS, protocol="icmp", dscp="AF11").packet
    assert (packet.port, packet.source_port, packet.icmp_type, packet.dscp) == (None, None, "echo-request", 10)


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({"protocol": "icmp", "source_port": 53}, "source_port"),
        ({"protocol": "tcp", "port": 443, "icmp_type": 8}, "icmp_type"),
        ({"protocol": "icmp", "icmp_type": 256}, "icmp_type"),
        ({"protocol": "icmp", "dscp": 64}, "dscp"),
    ],
)
def test_a_trace_of_what_no_packet_has_is_refused(question: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        trace_flow(hospital_network().network(), *ENDS, **question)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_icmp_that_answers_begins_no_flow_and_rules_about_it_match_nobody() -> None:
    """“Answers, and errors about a flow, pass with that flow, and no rule is about them; a rule that names only their
    types matches nobody.”"""
    net = network_with_rules({"protocol": "icmp", "icmp_types": ["echo-reply", 3]})
    trace = trace_flow(net.network(), *ENDS, protocol="icmp", icmp_type="echo-reply")
    assert trace.disposition == "no_route" and trace.blockers[0].code == "icmp_type"
    [problem] = problems_with_code(net, "matches_nobody")
    assert problem.path == "policies/p/rules[0]" and "begins no flow" in problem.message


def test_reach_and_delta_say_what_else_a_flow_must_have() -> None:
    before = hospital_network()
    before.edit("segments", "corp", default_action="deny")
    after = before.copy()
    rules: list[dict[str, Any]] = [
        {"protocol": "tcp", "ports": ["4444"], "source_ports": ["1024-65535"]},
        {"protocol": "icmp", "icmp_types": ["timestamp-request"]},
        {"protocol": "udp", "ports": ["5060"], "dscp": "EF"},
    ]
    ends = ("hospital-a", "vpc-dev")
    after.add("policies", policy("p", 1, *ends, *({"action": "allow", **rule} for rule in rules)))
    told = {
        (change.protocol, change.ports, change.icmp_types, change.source_ports, change.dscp)
        for change in compare_reachability(before.network(), after.network()).allowed
    }
    expected: set[tuple[Any, ...]] = {
        ("tcp", ("4444",), (), ("1024-65535",), ()),
        ("icmp", (), ("timestamp-request",), (), ()),
        ("udp", ("5060",), (), (), ("EF",)),
    }
    assert told == expected
    reached = reachable_flows(after.network(), "hospital-a")
    assert expected <= {(row.protocol, row.ports, row.icmp_types, row.source_ports, row.dscp) for row in reached}
    [marked] = [row for row in reached if row.dscp]
    assert (marked.example.dscp, marked.example.port) == (46, 5060)


def test_an_assertion_asks_about_some_source_ports_and_excuses_a_code_point() -> None:
    net = hospital_network()
    net.edit("segments", "corp", default_action="deny")
    rule = {"action": "allow", "protocol": "udp", "ports": ["53"], "source_ports": ["53"]}
    net.add("policies", policy("p", 1, "hospital-a", "vpc-dev", rule))
    asked = {"from": "hospital-a", "to": "vpc-dev", "protocol": "udp", "ports": ["53"], "expect": "blocked"}
    net.add("assertions", {**asked, "name": "ephemeral", "source_ports": ["1024-65535"]})
    net.add("assertions", {**asked, "name": "any port"})
    excused = {"protocol": "udp", "dscp": 0, "reason": "best effort", "until": "2027-01-01"}
    net.add("assertions", {**asked, "name": "but for best effort", "except": [excused]})
    results = {result.name: result for result in check_assertions(net.network(), date(2026, 12, 1))}
    assert results["ephemeral"].holds and not results["any port"].holds
    example = results["but for best effort"].example
    assert example is not None and (example.source_port, example.dscp) == (53, 1)


@pytest.mark.parametrize(
    ("first", "second", "shadowed"),
    [
        ({"protocol": "tcp", "source_ports": ["1-1000"]}, {"protocol": "tcp", "source_ports": ["53"]}, True),
        ({"protocol": "tcp", "source_ports": ["1-1000"]}, {"protocol": "tcp", "ports": ["53"]}, False),
        ({"protocol": "icmp", "icmp_types": [8, 13]}, {"protocol": "icmp", "icmp_types": ["echo-request"]}, True),
        ({"protocol": "icmp", "icmp_types": [8]}, {"protocol": "icmp"}, False),
        ({"protocol": "icmp"}, {"protocol": "icmp", "icmp_types": [8], "dscp": 46}, True),
        ({"protocol": "tcp", "dscp": 46}, {"protocol": "tcp", "dscp": 10}, False),
    ],
)
def test_a_rule_is_shadowed_by_one_that_takes_its_headers_too(
    first: dict[str, Any], second: dict[str, Any], shadowed: bool
) -> None:
    told = problems_with_code(network_with_rules(first, second), "shadowed_rule")
    assert ["policies/p/rules[1]"] * shadowed == [problem.path for problem in told if "policies/p/" in problem.path]


def test_all_code_points_and_source_ports_together_shadow_a_rule_for_every_one() -> None:
    rules: list[dict[str, Any]] = [{"dscp": dscp} for dscp in range(64)]
    assert problems_with_code(network_with_rules(*rules, {}), "shadowed_rule")
    halves = [{"protocol": "tcp", "source_ports": ports} for ports in (["0-1023"], ["1024-65535"])]
    assert problems_with_code(network_with_rules(*halves, {"protocol": "tcp"}), "shadowed_rule")


def test_source_ports_and_code_points_are_cut_into_so_many_parts_at_most() -> None:
    count = MAX_CLASSES // 2
    rules = [{"protocol": "tcp", "source_ports": [str(3 * number)]} for number in range(1, count)]
    assert not problems_with_code(network_with_rules(*rules[:-1]), "too_many_source_ports")
    [problem] = problems_with_code(network_with_rules(*rules, {"dscp": 46}), "too_many_source_ports")
    assert problem.severity == "error" and problem.path == f"policies/p/rules[{count - 1}]"


def test_a_plan_says_source_ports_icmp_types_and_dscp_of_a_rule() -> None:
    rule: dict[str, Any] = {"action": "allow", "source": None, "destination": None}
    ports = {"l4": [{"protocol": "tcp", "ports": ["443"]}], "source_ports": ["1024-65535"], "dscp": 46}
    assert format_rule({**rule, **ports}) == "allow tcp 443 from source port 1024-65535 with DSCP EF"
    types = {"l4": [{"protocol": "icmp", "ports": [], "icmp_types": [8, 200]}]}
    assert format_rule({**rule, **types}) == "allow icmp echo-request, 200"


def test_a_bitmap_has_a_bit_for_each_part_of_ports_source_ports_and_code_points() -> None:
    web = HeaderMatch(l4_ranges("tcp", ("443",)), ((1024, 65535),), ((46, 46),))
    bitmap = L4Bitmap([web, HeaderMatch(ALL_L4)])
    assert [*bitmap.matches(bitmap.mask(web))] == [web]
    assert [*bitmap.matches(bitmap.full)] == [HeaderMatch(ALL_L4)]
    [rest, *_] = bitmap.matches(bitmap.full & ~bitmap.mask(web))
    assert rest.source_ports == EVERY_SOURCE_PORT
    described = [
        (part.ports, part.source_ports, part.dscp) for part in bitmap.describe(bitmap.full & ~bitmap.mask(web))
    ]
    assert (("443",), ("0-1023",), ("EF",)) in described and (("443",), (), ("0-45", "47-63")) in described
    assert partition(((0, 9),), [((2, 3), (7, 7)), ((2, 2),)]) == [
        ((0, 1), (4, 6), (8, 9)),
        ((2, 2),),
        ((3, 3), (7, 7)),
    ]
