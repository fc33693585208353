"""Blockers of a trace: all that stops a flow, and nothing that does not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import Blocker, Trace, trace_flow
from provisioning.core.reach.trace.waypoints import PassedWaypoint
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_text
from provisioning.core.values.text import slug
from tests.core.failing_case import format_failing_case
from tests.core.random_full_networks import full_networks
from tests.core.random_routes import routed_networks
from tests.core.reference_evaluator import ReferenceEvaluator
from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site
from tests.core.test_reference_evaluator import flows, reference_settings


def blockers(draw: IntentBuilder, *asked: Any, **more: Any) -> list[Blocker]:
    return list(trace_flow(draw.network(), *asked, **more).blockers)


def codes(draw: IntentBuilder, *asked: Any, **more: Any) -> list[tuple[str, str, str | None]]:
    return [(blocker.code, blocker.object, blocker.rule) for blocker in blockers(draw, *asked, **more)]


def test_a_delivered_flow_and_a_local_one_have_no_blockers() -> None:
    assert codes(hospital_network(), "hospital-b", "vpc-prod", "tcp", 443) == []
    assert codes(hospital_network(), "10.1.0.5", "10.1.0.9", "tcp", 443) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("hospital-b", "vpc-prod", "tcp", 8080), [("service_denies", "services/fw", None)]),
        (("lobby", "vpc-prod", "tcp", 443), [("isolated", "connectors/vpc-prod", None)]),
        (("lobby", "9.9.9.9", "tcp", 443), [("no_route", "segments/guest", None)]),
        (("internet", "vpc-prod", "tcp", 443), [("not_published", "connectors/vpc-prod", None)]),
        (("vpc-prod", "internet", "tcp", 80), [("default_action", "segments/corp", None)]),
        (("vpc-prod@10.2.0.1", "hospital-a", "icmp"), [("spoofed_source", "connectors/vpc-prod", None)]),
        (("hospital-a", "fd00::1", "icmp"), [("address_family", "connectors/hospital-a", None)]),
    ],
)
def test_a_blocker_names_the_object_to_change(asked: Any, expected: Any) -> None:
    assert codes(hospital_network(), *asked) == expected
    assert all(blocker.message and blocker.remedy for blocker in blockers(hospital_network(), *asked))


def test_every_tier_that_denies_and_the_service_behind_it_are_blockers() -> None:
    draw = hospital_network()
    mandatory = policy("mandatory-deny", 1, "any", "any", {"action": "deny", "protocol": "tcp", "ports": ["8080"]})
    draw.add("policies", {**mandatory, "tier": "mandatory"})
    draw.add("policies", policy("early-deny", 1, "any", "prod", {"action": "deny", "protocol": "tcp"}))
    assert codes(draw, "hospital-b", "vpc-prod", "tcp", 8080) == [
        ("rule_denies", "policies/mandatory-deny", "mandatory-deny/rule-1"),
        ("rule_denies", "policies/early-deny", "early-deny/rule-1"),
        ("service_denies", "services/fw", None),
    ]


def test_a_disabled_connector_is_to_be_enabled() -> None:
    draw = hospital_network()
    draw.edit("connectors", "vpc-dev", enabled=False)
    [blocker] = blockers(draw, "hospital-a", "vpc-dev", "icmp")
    assert (blocker.code, blocker.object, blocker.remedy) == ("no_address", "connectors/vpc-dev", "Enable it.")


def test_a_share_that_begins_on_the_other_side_is_a_blocker_beside_the_rules() -> None:
    draw = hospital_network()
    side = {
        "a": {"segment": "guest", "prefixes": ["10.9.0.0/16"]},
        "b": {"segment": "corp", "prefixes": ["10.3.0.0/16"]},
    }
    draw.add("connectors", site("kiosk", "eu", None, "10.9.0.0/16", segment="guest"))
    draw.add("shares", {"name": "kiosks", **side, "direction": "b-to-a"})
    deny = policy("no-kiosk", 9, "any", "any", {"action": "deny", "protocol": "tcp"})
    draw.add("policies", {**deny, "segments": ["corp"]})
    assert codes(draw, "kiosk", "hospital-a", "tcp", 443) == [
        ("share_direction", "shares/kiosks", None),
        ("rule_denies", "policies/no-kiosk", "no-kiosk/rule-1"),
    ]


def test_nat_and_route_policies_are_blockers_with_their_object() -> None:
    draw = hospital_network()
    body = {
        "name": "no-dev-routes",
        "segment": "corp",
        "direction": "out",
        "targets": ["hospital-a"],
        "rules": [{"action": "deny", "match": {"prefixes": ["10.2.0.0/16"]}}],
    }
    draw.add("route-policies", body)
    assert ("route_filtered", "route-policies/no-dev-routes", "no-dev-routes/rule-1") in codes(
        draw, "hospital-a", "10.2.0.1", "icmp"
    )
    draw = hospital_network()
    draw.add(
        "nat-rules",
        {
            "name": "pool",
            "connector": "vpc-dev",
            "segment": "corp",
            "direction": "outbound",
            "position": 1,
            "match": {"protocol": "any"},
            "source": {"type": "pool", "prefixes": ["100.64.0.0/24"]},
        },
    )
    [blocker] = [b for b in blockers(draw, "hospital-a", "100.64.0.9", "tcp", 443) if b.code == "nat_untranslated"]
    assert blocker.object == "connectors/vpc-dev" and "inbound NAT rule" in blocker.remedy


def test_via_and_avoid_say_whether_the_path_passes_them() -> None:
    draw = hospital_network()
    web = ("hospital-b", "vpc-prod", "tcp", 443)
    trace: Trace = trace_flow(draw.network(), *web, via=("fw", "hospital-b"), avoid=("us", "vpc-dev"))
    assert trace.via == (PassedWaypoint("service", "fw", True), PassedWaypoint("connector", "hospital-b", True))
    nodes = [hop.name for hop in trace.hops if hop.kind == "node"]
    assert trace.avoid == (PassedWaypoint("exchange", "us", True), PassedWaypoint("connector", "vpc-dev", False))
    [passed] = trace_flow(draw.network(), *web, via=(nodes[0],)).via
    assert passed == PassedWaypoint("node", nodes[0], True)
    with pytest.raises(InvalidIntent) as caught:
        trace_flow(draw.network(), "hospital-b", "vpc-prod", "icmp", avoid=("nowhere",))
    assert [problem.path for problem in caught.value.problems] == ["avoid"]


MENDED_CODES = {"rule_denies", "default_action", "service_denies", "service_unavailable", "route_filtered"}


def mend(net: IntentBuilder, blocker: Blocker) -> None:
    """Change what a blocker names, as little as its remedy says."""
    kind, key = blocker.object.split("/")
    row = next(row for row in net.rows.values() if (row[0], row[3]) == (kind, key))
    body = row[4]
    if blocker.code == "rule_denies":
        rules = [
            {**rule, "mode": "disabled"} if blocker.rule == f"{key}/{slug(rule['name'])}" else rule
            for rule in body["rules"]
        ]
        net.edit(kind, row[1], rules=rules)
    elif blocker.code == "default_action":
        net.edit(kind, row[1], default_action="allow")
    elif blocker.code == "route_filtered":
        rules = [{**rule, "action": "allow"} if blocker.rule == f"{key}/rule-{number}" else rule
                 for number, rule in enumerate(body["rules"], start=1)]  # fmt: skip
        net.edit(kind, row[1], rules=rules)
    elif blocker.code == "service_denies":
        net.edit(kind, row[1], settings={"default": "allow", "rules": []})
    else:
        placements = [{**placement, "min_instances": 1, "max_instances": 2} for placement in body["placements"]]
        net.edit(kind, row[1], placements=placements)


@reference_settings(60)
@given(st.one_of(full_networks(), routed_networks()), st.integers(0, 100))
def test_a_flow_passes_when_all_its_blockers_are_mended_and_not_while_one_is_left(
    net: IntentBuilder, seed: int
) -> None:
    reference, network = ReferenceEvaluator(net), Network(net.intent())
    for segment, connector, packet in flows(reference, random.Random(seed), 30):
        source, destination = address_text(packet.source), address_text(packet.destination)
        query = {"segment": segment, **packet.headers.question}
        trace = trace_flow(network, f"{connector}@{source}", destination, **query)
        passes = trace.disposition in ("delivered", "delivered_inspected", "local")
        assert passes == (not trace.blockers), format_failing_case(net, query=str(query), blockers=str(trace.blockers))
        if passes or any(b.code not in MENDED_CODES or "never covers" in b.message for b in trace.blockers):
            continue
        for left in (None, *trace.blockers):
            mended = net.copy()
            for blocker in trace.blockers:
                if blocker != left:
                    mend(mended, blocker)
            outcome = ReferenceEvaluator(mended).sent(segment, connector, packet)
            assert outcome.delivered == (left is None), format_failing_case(
                net, query=str(query), blockers=str(trace.blockers), left=str(left), outcome=str(outcome)
            )
