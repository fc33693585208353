"""All packets at once, held against the decision of one packet after the other, on networks with everything in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.intent import INTERNET, Connector
from provisioning.core.reach import FlowChange, ReachabilityDelta, compare_reachability, reachable_flows
from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.comparison import FlowComparison
from provisioning.core.reach.compare.flow_kinds import InternetInbound
from provisioning.core.reach.query import flow_spaces
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_internet_inbound,
    decide_intra_segment,
)
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import V6_OFFSET, Range, address_number, is_public
from provisioning.core.values.l4 import is_in_family, l4_index
from tests.core.flow_rows import RowMatcher, expected_changes, is_covered, is_l4_included
from tests.core.random_edits import edited_full_networks
from tests.core.random_full_networks import full_networks
from tests.core.random_small_networks import PACKETS, many_examples
from tests.core.sample_networks import IntentBuilder, site

CLIENT = address_number("198.51.100.10")


def decide_single_packet(
    network: Network, resolved: ResolvedSegment, connector: Connector, packet: Packet
) -> tuple[str, FlowOutcome | None]:
    """(segment the flow ends in, outcome) of a flow behind whose sender NAT lies already; None: it goes nowhere."""
    start, end = resolved.source(connector, packet.source), resolved.owner(packet.destination)
    here = resolved.segment.uid
    if start is None or (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
        return here, None
    if not is_in_family(packet.l4, packet.source >= V6_OFFSET):
        return here, None
    if end is None:
        return here, decide_intra_segment(resolved, start, None, packet) if resolved.exits and is_public(
            packet.destination
        ) else None
    if end.connector.uid == connector.uid:
        return end.segment.uid, FlowOutcome("local")
    if end.segment.uid == here:
        return here, decide_intra_segment(resolved, start, end, packet)
    directed_share = resolved.directed_share(end.segment.uid, packet.source, packet.destination)
    if directed_share is None:
        return end.segment.uid, None
    return end.segment.uid, decide_inter_segment(
        resolved, network.resolved(end.segment.uid), directed_share, start, packet
    )


def addresses(network: Network) -> list[int]:
    """Some in every stretch that anything in the network cuts."""
    edges = {0, CLIENT, address_number("8.8.8.8")}
    for resolved in network.resolved_segments.values():
        held = [
            one
            for member in (*resolved.members, *resolved.imported_members)
            for one in (*member.ranges, *member.sources)
        ]
        rules = [rule for policy in resolved.policies for rule in policy.rules]
        named = [resolved.prefixes.ranges(names) or () for rule in rules for names in (rule.source, rule.destination)]
        for low, high in (*held, *(one for some in named for one in some)):
            edges |= {low, (low + high) // 2, high, high + 1}
    return sorted(edge for edge in edges if edge < 1 << 32 or V6_OFFSET <= edge < V6_OFFSET << 1)


def within(chance: random.Random, ranges: tuple[Range, ...]) -> int:
    low, high = chance.choice(ranges)
    return chance.choice([low, (low + high) // 2, high])


def atom(side: AddressAtoms, version: int, connector: str | None, address: int) -> int | None:
    """The atom of an address, for sources the one of its connector."""
    for place in range(len(side)):
        low, high = side.range(place)
        endpoint = int(side.endpoint[version][place])
        whose = side.endpoints[version][endpoint].connector
        if low <= address <= high and endpoint != NO_ENDPOINT and connector in (None, whose):
            return place
    return None


def evaluate_atom_pair(
    comparison: FlowComparison, row: int, column: int, l4: int
) -> tuple[bool, str | None, tuple[str, ...]]:
    """(delivered, rule, chain) of the one list of two atoms."""
    lists, evaluator = comparison.lists(np.array([row]), np.array([column])), comparison.evaluator(0, rules=True)
    assert evaluator is not None
    mask = comparison.rule_table.l4_bitmap.mask(((l4, l4),))
    for (hits,) in lists.iter_rules():
        for (rule, chain), mask_ in evaluator.evaluate(hits, mask).items():
            assert mask_ == mask
            return True, rule, chain
    return False, None, ()


@many_examples
@given(full_networks(), st.integers(0, 1000))
def test_lists_and_single_packets_agree(net: IntentBuilder, seed: int) -> None:
    chance, network = random.Random(seed), net.network()
    pool = addresses(network)
    kept = [(l4_index(*packet),) * 2 for packet in PACKETS]
    blocks: dict[tuple[str, str, bool], FlowComparison] = {}
    for flow_space in flow_spaces(network):
        key = (
            flow_space.segment.uid,
            flow_space.destination_segment.segment.uid,
            isinstance(flow_space, InternetInbound),
        )
        blocks[key] = FlowComparison([flow_space], asked=[(held,) for held in kept])
    for resolved in network.resolved_segments.values():
        here = resolved.segment.uid
        for _ in range(25 if resolved.members else 0):
            member = chance.choice(resolved.members)
            l4 = l4_index(*chance.choice(PACKETS))
            packet = Packet(chance.choice(pool), chance.choice(pool), l4)
            if member.sources and chance.random() < 0.8:
                packet = Packet(within(chance, member.sources), packet.destination, l4)
            there, outcome = decide_single_packet(network, resolved, member.connector, packet)
            comparison = blocks.get((here, there, False))
            found: tuple[bool, str | None, tuple[str, ...]] = (False, None, ())
            if comparison is not None:
                row = atom(comparison.sources, 0, member.connector.uid, packet.source)
                column = atom(comparison.destinations, 0, None, packet.destination)
                if row is not None and column is not None:
                    found = evaluate_atom_pair(comparison, row, column, l4)
            if outcome is None or not outcome.delivered:
                assert not found[0], (packet, outcome)
            else:
                assert found == (True, outcome.rule, outcome.chain), (packet, outcome)
        for app in resolved.apps:
            comparison = blocks[here, here, True]
            client = chance.choice([one for one in pool if one < V6_OFFSET])
            column = next(
                place
                for place in range(len(comparison.destinations))
                if comparison.destinations.endpoints[0][int(comparison.destinations.endpoint[0][place])].owner is app
            )
            row = atom(comparison.sources, 0, None, client)
            assert row is not None
            outcome = decide_internet_inbound(resolved, app, Packet(client, app.public, app.l4))
            found = evaluate_atom_pair(comparison, row, column, app.l4)
            assert found[0] == outcome.delivered and (not found[0] or found[1:] == (outcome.rule, outcome.chain))


# The delta


def flow(network: Network, uid: str, name: str, packet: Packet) -> tuple[str, bool, tuple[str, ...], str]:
    """(where, delivered, chain, disposition) of what a connector (by uid) sends into a segment; "" where it is not."""
    connector = network.intent.connectors.get(name)
    if uid not in network.intent.segments or connector is None:
        return "", False, (), ""
    resolved = network.resolved(uid)
    there, outcome = decide_single_packet(network, resolved, connector, packet)
    beyond = resolved.owner(packet.destination) is None
    where = "beyond" if beyond else there
    if outcome is None:
        return where, False, (), "nothing"
    return where, outcome.delivered, outcome.chain if outcome.delivered else (), outcome.disposition


@many_examples
@given(edited_full_networks(), st.integers(0, 1000))
def test_the_delta_tells_exactly_what_changes(pair: tuple[IntentBuilder, IntentBuilder], seed: int) -> None:
    chance = random.Random(seed)
    before, after = (draw.network() for draw in pair)
    found = compare_reachability(before, after)
    assert compare_reachability(before, Network(after.intent, before)) == found
    pool = sorted({*addresses(before), *addresses(after)})
    readers = RowMatcher(before), RowMatcher(after)
    connectors = sorted({**before.intent.connectors, **after.intent.connectors})
    for uid in sorted({**before.intent.segments, **after.intent.segments}):
        segment = (before.intent.segments.get(uid) or after.intent.segments[uid]).name
        for _ in range(30):
            name = chance.choice(connectors)
            protocol, port = chance.choice(PACKETS)
            packet = Packet(chance.choice(pool), chance.choice(pool), l4_index(protocol, port))
            sent = [one for network in (before, after) for one in _sources(network, uid, name)]
            if sent and chance.random() < 0.9:
                packet = Packet(within(chance, chance.choice(sent)), packet.destination, packet.l4)
            old, new = (flow(network, uid, name, packet) for network in (before, after))
            if "local" in (old[3], new[3]) or (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
                continue
            words = expected_changes(old, new)
            for word in ("allowed", "blocked", "inspected"):
                version = 0 if word == "blocked" else 1
                network, reader = (before, after)[version], readers[version]
                reader.generous = word in words
                where = (old, new)[version][0]
                telling = [
                    change
                    for change in getattr(found, word)
                    if change.segment == segment
                    and is_l4_included(change, protocol, port, packet.source >= V6_OFFSET, reader.generous)
                    and is_covered(network, reader, change, uid, where, name, packet)
                ]
                assert bool(telling) == (word in words), (word, words, packet, name, telling)
                assert all(len(change.via) == len(new[2]) for change in telling if word != "blocked")


def _sources(network: Network, uid: str, name: str) -> Iterator[tuple[Range, ...]]:
    connector = network.intent.connectors.get(name)
    if connector and uid in network.intent.segments:
        yield from (one.sources for one in network.resolved(uid).members_of(connector) if one.sources)


@many_examples
@given(edited_full_networks())
def test_every_example_of_a_delta_is_true(pair: tuple[IntentBuilder, IntentBuilder]) -> None:
    before, after = (draw.network() for draw in pair)
    found = compare_reachability(before, after)
    for word, was, becomes in (("allowed", False, True), ("blocked", True, False), ("inspected", True, True)):
        for change in getattr(found, word):
            shown = change.example
            assert is_l4_included(change, shown.protocol, shown.port, ":" in shown.source)
            for network, delivered, rule in (
                (before, was, change.rule_before),
                (after, becomes, change.rule_after),
            ):
                outcomes = list(_outcomes(network, change))
                if delivered:
                    assert any(one.delivered and one.rule == rule for one in outcomes), (word, change)


def _outcomes(network: Network, change: FlowChange) -> Iterator[FlowOutcome]:
    """Of the example, from every connector that may send it."""
    shown = change.example
    packet = Packet(
        address_number(shown.source), address_number(shown.destination), l4_index(shown.protocol, shown.port)
    )
    segment = next((one for one in network.intent.segments.values() if one.name == change.segment), None)
    if segment is None:
        return
    resolved = network.resolved(segment.uid)
    if change.from_[0].startswith(INTERNET):
        yield from (
            decide_internet_inbound(resolved, app, packet) for app in resolved.apps if app.public == packet.destination
        )
        return
    for connector in network.intent.connectors.values():
        _, outcome = decide_single_packet(network, resolved, connector, packet)
        if outcome:
            yield outcome


@many_examples
@given(full_networks())
def test_a_network_does_not_differ_from_itself(net: IntentBuilder) -> None:
    assert compare_reachability(net.network(), net.copy().network()) == ReachabilityDelta()


@many_examples
@given(full_networks())
def test_what_can_reach_somebody_is_what_reaches_them(net: IntentBuilder) -> None:
    network = net.network()
    there = {key(one) for group in ("any",) for one in reachable_flows(network, group)}
    back = {
        key(one)
        for one in (*reachable_flows(network, "any", towards=True), *reachable_flows(network, "internet", towards=True))
    }
    apps = {one for one in back if str(one[0][0]).startswith(INTERNET)}
    assert {one[2:] for one in there} == {one[2:] for one in back - apps}


def key(one: Any) -> tuple[Any, ...]:
    names = ("from_", "to", "segment", "to_segment", "protocol", "ports", "via", "rule")
    return tuple(getattr(one, name) for name in names)


def test_shares_that_show_an_address_twice_are_asked_all_the_same() -> None:
    """``check`` refuses such a network, but an undo over a newer base can lead to one."""
    net = IntentBuilder()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    for name in ("old", "here", "other"):
        net.add("segments", {"name": name, "default_action": "allow"})
    net.add("groups", {"name": "g"})
    empty = net.copy()
    net.add("connectors", site("home", "eu", None, "10.0.0.0/8", segment="here"))
    attached = {"old": ["10.1.2.3/32"], "other": ["10.0.0.0/7"]}
    attachments = [{"segment": name, "group": "g", "prefixes": prefixes} for name, prefixes in attached.items()]
    net.add("connectors", {**site("twice", "eu", "g"), "attachments": attachments})
    for name, prefix in (("old", "10.0.0.0/8"), ("other", "10.1.2.3/32")):
        sides = {"a": {"segment": "here", "prefixes": [prefix]}, "b": {"segment": name, "groups": ["g"]}}
        net.add("shares", {"name": f"with {name}", **sides, "direction": "a-to-b" if name == "old" else "both"})
    assert "share_overlap" in {problem.code for problem in check_network(net.network())}
    assert compare_reachability(empty.network(), net.network()).allowed
    assert compare_reachability(net.network(), empty.network()).blocked
