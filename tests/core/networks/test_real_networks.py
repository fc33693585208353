"""Networks that people published: accepted, and every flow that their sources decide is decided alike by all judges."""

from __future__ import annotations

import random

import pytest

from provisioning.core.check import check_network
from provisioning.core.reach import FlowTraces, check_assertions
from tests.core.networks.real_networks import NETWORKS, build_network, internet_packet, known_flows, sent_packet
from tests.core.reference_evaluator import ReferenceEvaluator
from tests.core.sample_networks import TODAY, IntentBuilder
from tests.core.test_node_sections import sections_agree
from tests.core.test_reference_evaluator import flows, presented, reach_agrees, trace_agrees

WARNINGS = {
    "aws-security-groups": [
        # 0.0.0.0/0 stands beside single addresses, and two ranges of ports cover a third.
        ("shadowed_rule", "policies/complete-sg-ingress/rules[3]"),
        ("shadowed_rule", "policies/complete-sg-ingress/rules[5]"),
        ("shadowed_rule", "policies/complete-sg-ingress-from-itself/rules[2]"),
        ("matches_nobody", "policies/complete-sg-ingress/rules[2].source[1]"),
        ("matches_nobody", "policies/complete-sg-ingress/rules[3].source[0]"),
        ("matches_nobody", "policies/complete-sg-ingress/rules[5].source[0]"),
    ],
    # The firewalls' own addresses are in networks of the core.
    "batfish-iptables": [
        ("overlapping_prefixes", "connectors/z2-firewall/attachments[1].prefixes[0]"),
        ("overlapping_prefixes", "connectors/z1-firewall/attachments[1].prefixes[0]"),
    ],
    # The route maps of the source are attached to nothing; where they stand here they meet no route.
    "azure-vwan": [
        ("never_matches", "route-policies/add-community/rules[0].match.prefixes"),
        ("never_matches", "route-policies/drop-prefixes/rules[0].match.prefixes"),
        ("never_matches", "route-policies/drop-prefixes/rules[1].match.prefixes"),
        ("never_matches", "route-policies/replace-aspath/rules[0].match.communities"),
    ],
    # Nobody has addresses in its prefix list; the router guards against what others might tell it.
    "batfish-hybrid-aws": [("never_matches", "route-policies/protect-loopback/rules[0].match.prefixes")],
    # The site announces all private addresses, and sources of the platform reach a VPC without an exchange.
    "gcp-nva": [
        *[
            ("overlapping_prefixes", f"connectors/{place}.prefixes[0]")
            for place in (
                "hub-0/attachments[0]",
                "prod-0/attachments[0]",
                "prod-0/attachments[1]",
                "dev-0/attachments[0]",
                "dmz/attachments[0]",
            )
        ],
        *[("matches_nobody", f"policies/network-policy-ingress/rules[{index}].source[0]") for index in (0, 1, 3)],
    ],
    # Communities and paths of peers are not seen, and the source's only network of the DMZ is hidden by NAT.
    "portal-terraform": [
        ("never_matches", "route-policies/inbound-approved/rules[1].match.as_path"),
        ("never_matches", "route-policies/outbound-prepend/rules[0].match.communities"),
        ("matches_nobody", "policies/advanced/rules[0].destination[0]"),
    ],
}
"""Network → code and path of each warning; the others have none."""
NOT_BUILT = ("cloud_side_by_hand", "not_in_effect")
"""Warnings of what provisioning leaves out for every network: clouds other than AWS, BGP."""


@pytest.fixture(scope="module", params=NETWORKS)
def real(request: pytest.FixtureRequest) -> tuple[str, IntentBuilder]:
    return request.param, build_network(request.param)


def test_the_network_is_accepted(real: tuple[str, IntentBuilder]) -> None:
    name, net = real
    problems = check_network(net.network())
    assert [problem for problem in problems if problem.severity == "error"] == []
    warnings = [(problem.code, problem.path) for problem in problems if problem.code not in NOT_BUILT]
    assert warnings == WARNINGS.get(name, [])


def test_its_assertions_hold(real: tuple[str, IntentBuilder]) -> None:
    results = check_assertions(real[1].network(), TODAY)
    assert [result for result in results if not result.holds] == []


def test_a_trace_says_what_the_source_says(real: tuple[str, IntentBuilder]) -> None:
    name, net = real
    traces = FlowTraces(net.network())
    wrong = [
        (query, expected, answer.disposition, answer.hops[-1].reason)
        for query, expected in known_flows(name)
        if (answer := traces.trace(query)).disposition != expected
    ]
    assert wrong == []


def test_all_judges_agree_about_the_known_flows_and_about_others(real: tuple[str, IntentBuilder]) -> None:
    name, net = real
    reference, rng = ReferenceEvaluator(net), random.Random(1)
    known = [sent for query, _ in known_flows(name) if (sent := sent_packet(reference, query))]
    trace_agrees(net, [*known, *flows(reference, rng, 200)])
    sections_agree(net, [*known, *flows(reference, rng, 100)])
    outside = [
        (segment, connector, reference.translated(segment, connector, packet)) for segment, connector, packet in known
    ]
    reach_agrees(net, [*outside, *presented(reference, rng, 100)])


def test_the_reference_evaluator_says_what_the_source_says(real: tuple[str, IntentBuilder]) -> None:
    name, net = real
    reference = ReferenceEvaluator(net)
    for query, expected in known_flows(name):
        sent = sent_packet(reference, query)
        outcome = reference.sent(*sent) if sent else reference.from_internet(internet_packet(reference, query))
        # From inside a segment another one, which no share joins, is nowhere.
        assert outcome.disposition in (expected, "no_route" if expected == "isolated" else expected), query
