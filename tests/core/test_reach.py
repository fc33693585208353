"""All packets at once, held against a plain evaluator on packets that cut everywhere."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.addresses import address_number
from provisioning.core.flows import cell_of
from provisioning.core.network import Network
from provisioning.core.reach import Delta, FlowChange, assertions, delta, reach, trace
from provisioning.core.reach.atlas import AddressClass, Atlas
from tests.core.naive import fate, owner
from tests.core.networks import Drawing, hospital, policy, site
from tests.core.random_networks import ADDRESSES, PACKETS, edited, networks, plenty


def class_of(atlas: Atlas, address: str) -> AddressClass | None:
    number = address_number(address)
    held = [one for one in atlas.classes for (low, high), _ in one.stretches if low <= number <= high]
    assert len(held) <= 1, "classes are disjoint"
    return held[0] if held else None


@plenty
@given(networks(), st.integers(0, 1000))
def test_classes_and_traces_agree_with_the_plain_evaluator(net: Drawing, seed: int) -> None:
    chance = random.Random(seed)
    network = net.network()
    for uid, segment in network.intent.segments.items():
        atlas = Atlas([network.realm(uid)])
        for _ in range(40):
            source, destination = chance.choice(ADDRESSES), chance.choice(ADDRESSES)
            protocol, port = chance.choice(PACKETS)
            wanted = fate(net, uid, source, destination, protocol, port)
            told = trace(network, source, destination, protocol, port, segment.name)
            if wanted is None:
                assert told.disposition == "local"
                continue
            assert told.disposition.startswith("delivered") == wanted[0]
            assert (told.disposition == "delivered_inspected") == (wanted[0] and bool(wanted[1]))
            start, end = class_of(atlas, source), class_of(atlas, destination)
            if start is None or end is None:
                assert not wanted[0]
                continue
            cell = atlas.cells.mask(((cell_of(protocol, port),) * 2,)) or 0
            outcomes = [
                outcome
                for mask, outcome in atlas.verdicts(0, start, end)
                if any(low <= cell_of(protocol, port) <= high for low, high in atlas.cells.intervals(mask))
            ]
            assert len(outcomes) == 1 and cell >= 0
            (outcome,) = outcomes
            assert (outcome.delivered, outcome.chain if outcome.delivered else ()) == wanted
            if outcome.disposition != "no_route":
                assert outcome.disposition == told.disposition and outcome.rule == told.rule


def holds(network: Network, names: tuple[str, ...], segment: str, address: str) -> bool:
    """Whether labels include an address."""
    realm = network.realm(segment)
    member = realm.owner(address_number(address))
    if member is None:
        return "internet" in names
    group = network.intent.groups.get(member.attachment.group or "")
    connector = member.connector.name
    return bool({"any", connector, group and group.name} & {*names}) or any(
        name.startswith(f"{connector} (") for name in names
    )


def includes(change: FlowChange, protocol: str, port: int | None) -> bool:
    if change.protocol not in ("any", protocol):
        return change.protocol == "other" and protocol not in ("tcp", "udp")
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in change.ports]
    return not spans or any(low <= (port or 0) <= high for low, high in spans)


@plenty
@given(edited(), st.integers(0, 1000))
def test_the_delta_tells_every_changed_packet_and_its_examples_are_true(
    pair: tuple[Drawing, Drawing], seed: int
) -> None:
    chance = random.Random(seed)
    one, other = pair
    before, after = one.network(), other.network()
    found = delta(before, after)
    for uid, segment in before.intent.segments.items():
        for _ in range(60):
            packet = chance.choice(ADDRESSES), chance.choice(ADDRESSES), *chance.choice(PACKETS)
            old, new = (fate(net, uid, *packet) or (False, ()) for net in pair)
            local = any(fate(net, uid, *packet) is None for net in pair)
            # What was the internet's and becomes a member's is another place, and the other way round.
            there = [owner(net, uid, packet[1]) is not None for net in pair]
            old, new = (old if there[0] >= there[1] else (False, ())), (new if there[1] >= there[0] else (False, ()))
            if local or old == new:
                continue
            word = "inspected" if old[0] and new[0] else "blocked" if old[0] else "allowed"
            named = before if word == "blocked" else after
            assert any(
                change.segment == segment.name
                and includes(change, packet[2], packet[3])
                and holds(named, change.from_, uid, packet[0])
                and holds(named, change.to, uid, packet[1])
                and len(change.via) == (len(new[1]) if new[0] else 0)
                for change in getattr(found, word)
            ), (word, packet)
    for word, was, becomes in (("allowed", False, True), ("blocked", True, False), ("inspected", True, True)):
        for change in getattr(found, word):
            shown = change.example
            segment = next(uid for uid, one in before.intent.segments.items() if one.name == change.segment)
            if len({owner(net, segment, shown.destination) is None for net in pair}) == 2:
                continue
            for intent, delivered, rule in ((before, was, change.rule_before), (after, becomes, change.rule_after)):
                told = trace(intent, shown.source, shown.destination, shown.protocol, shown.port, change.segment)
                if told.disposition != "local":
                    assert told.disposition.startswith("delivered") == delivered, (word, change)
                    assert told.rule == rule


@plenty
@given(networks())
def test_a_network_does_not_differ_from_itself(net: Drawing) -> None:
    assert delta(net.network(), net.copy().network()) == Delta()


def told(change: FlowChange) -> tuple[Any, ...]:
    return change.from_, change.to, change.protocol, change.ports, change.via, change.rule_before, change.rule_after


def test_removing_a_deny_tells_who_may_reach_whom() -> None:
    after = hospital()
    after.remove("policies", "no-dev-in-prod")
    found = delta(hospital().network(), after.network())
    assert [told(one) for one in found.allowed] == [
        (("dev",), ("prod",), "any", (), (), "no-dev-in-prod/rule-1", None),
    ]
    assert found.blocked == found.inspected == ()


def test_sending_flows_through_a_firewall_is_told_as_inspected() -> None:
    after = hospital()
    after.edit("policies", "web-out", rules=[{"name": "web", "action": "inspect", "services": ["fw"]}])
    found = delta(hospital().network(), after.network())
    assert [told(one) for one in found.inspected] == [
        (("prod",), ("internet",), "tcp", ("443",), ("fw",), "web-out/web", "web-out/web")
    ]
    assert {one.to for one in found.allowed} == {("internet",)}


def test_a_new_site_is_told_by_its_name() -> None:
    after = hospital()
    after.add("connectors", site("clinic", "us", None, "10.6.0.0/16"))
    found = delta(hospital().network(), after.network())
    pairs = {(one.from_, one.to) for one in found.allowed}
    assert pairs == {(("clinic",), ("dev", "prod", "sites")), (("dev", "prod", "sites"), ("clinic",))}


def test_a_rule_about_part_of_a_site_names_the_part() -> None:
    after = hospital()
    rule = {"action": "deny", "destination": ["10.3.7.0/24"]}
    after.add("policies", policy("ward", 5, "dev", "sites", rule))
    (change,) = delta(hospital().network(), after.network()).blocked
    assert change.to == ("hospital-a (10.3.7.0/24)",) and change.example.destination == "10.3.7.1"


def test_everything_that_a_group_can_reach_is_listed_with_its_way() -> None:
    rows = {(one.to, one.protocol, one.ports, one.via) for one in reach(hospital().network(), "prod")}
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
def test_assertions_hold_or_show_what_breaks_them(
    start: str, end: str, expect: str, more: dict[str, Any], holds_: bool
) -> None:
    draw = hospital()
    draw.add("assertions", {"name": "asked", "from": start, "to": end, "expect": expect, **more})
    result = next(one for one in assertions(draw.network()) if one.name == "asked")
    assert result.holds == holds_ and bool(result.reason) != holds_
    if result.example:
        shown = result.example
        found = trace(draw.network(), shown.source, shown.destination, shown.protocol, shown.port)
        assert found.disposition.startswith("delivered") == (expect == "blocked")


def test_twenty_connectors_take_milliseconds() -> None:
    draw = hospital()
    for place in range(16):
        draw.add("connectors", site(f"s{place}", "eu", ("dev", "sites", None)[place % 3], f"10.{100 + place}.0.0/16"))
    after = draw.copy()
    after.remove("policies", "no-dev-in-prod")
    before, then = draw.network(), after.network()
    spent = []
    for _ in range(3):
        started = time.perf_counter()
        delta(before, then)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.05
