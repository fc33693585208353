"""Compare the evaluation of all packets at once with the decision of single packets, on full random networks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.intent import INTERNET, Connector
from provisioning.core.reach import FlowChange, ReachabilityDelta, compare_reachability, reachable_flows
from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.comparison import FlowComparison
from provisioning.core.reach.compare.flow_kinds import Hairpin, InternetInbound
from provisioning.core.reach.query import flow_spaces
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_intra_segment,
    decide_to_application,
)
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import V6_OFFSET, Range, address_number
from provisioning.core.values.headers import HeaderMatch
from provisioning.core.values.l4 import begins_flow, is_in_family, l4_index
from tests.core.flow_headers import FLOW_HEADERS, ICMP_TYPES, FlowHeaders
from tests.core.flow_rows import RowMatcher, are_headers_included, expected_changes, is_covered
from tests.core.random_edits import edited_full_networks
from tests.core.random_full_networks import full_networks
from tests.core.random_small_networks import many_examples
from tests.core.sample_networks import IntentBuilder, site

CLIENT = address_number("198.51.100.10")


def decide_single_packet(
    network: Network, resolved: ResolvedSegment, connector: Connector, packet: Packet
) -> tuple[str, FlowOutcome | None]:
    """Return (segment the flow ends in, outcome) of a packet after its sender's NAT; outcome None: it is dropped."""
    start, end = resolved.source(connector, packet.source), resolved.owner(packet.destination)
    segment = resolved.segment.uid
    if start is None or (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
        return segment, None
    if not is_in_family(packet.l4, packet.source >= V6_OFFSET) or not begins_flow(packet.l4):
        return segment, None
    if end is None:
        if app := resolved.find_app(packet.destination, packet.l4):
            return segment, decide_to_application(resolved, start, app, packet)
        carried = resolved.exits and resolved.is_on_internet(packet.destination)
        return segment, decide_intra_segment(resolved, start, None, packet) if carried else None
    if end.connector.uid == connector.uid and not connector.has_clients:
        return end.segment.uid, FlowOutcome("local")
    if end.segment.uid == segment:
        return segment, decide_intra_segment(resolved, start, end, packet)
    directed_share = resolved.directed_share(end.segment.uid, packet.source, packet.destination)
    if directed_share is None:
        return end.segment.uid, None
    return end.segment.uid, decide_inter_segment(
        resolved, network.resolved(end.segment.uid), directed_share, start, packet
    )


def addresses(network: Network) -> list[int]:
    """Return addresses on both sides of every boundary that members and rules of the network draw."""
    edges = {0, CLIENT, address_number("8.8.8.8")}
    edges |= {app.public for resolved in network.resolved_segments.values() for app in resolved.apps}
    for resolved in network.resolved_segments.values():
        presented = [
            range_
            for member in (*resolved.members, *resolved.imported_members)
            for range_ in (*member.ranges, *member.sources)
        ]
        rules = [rule for policy in resolved.policies for rule in policy.rules]
        named = [resolved.prefixes.ranges(names) or () for rule in rules for names in (rule.source, rule.destination)]
        for low, high in (*presented, *(range_ for ranges in named for range_ in ranges)):
            edges |= {low, (low + high) // 2, high, high + 1}
    return sorted(edge for edge in edges if edge < 1 << 32 or V6_OFFSET <= edge < V6_OFFSET << 1)


def within(rng: random.Random, ranges: tuple[Range, ...]) -> int:
    low, high = rng.choice(ranges)
    return rng.choice([low, (low + high) // 2, high])


def atom(side: AddressAtoms, version: int, connector: str | None, address: int) -> int | None:
    """Return the index of the atom that holds an address; for sources, of the atom of its connector."""
    for index in range(len(side)):
        low, high = side.range(index)
        endpoint = int(side.endpoint[version][index])
        whose = side.endpoints[version][endpoint].connector
        if low <= address <= high and endpoint != NO_ENDPOINT and connector in (None, whose):
            return index
    return None


def packet_with(source: int, destination: int, headers: FlowHeaders) -> Packet:
    l4 = l4_index(headers.protocol, headers.number)
    return Packet(source, destination, l4, headers.source_port, headers.dscp)


def match_of(packet: Packet) -> HeaderMatch:
    l4, source_port, dscp = ((number, number) for number in packet.headers)
    return HeaderMatch((l4,), (source_port,), (dscp,))


def shown_headers(change: FlowChange) -> FlowHeaders:
    shown = change.example
    number = shown.port or ICMP_TYPES.get((shown.protocol, shown.icmp_type or ""), 0)
    return FlowHeaders(shown.protocol, number, shown.source_port or 49152, shown.dscp)


def evaluate_atom_pair(
    comparison: FlowComparison, row: int, column: int, packet: Packet
) -> tuple[bool, str | None, tuple[str, ...]]:
    """Return (delivered, rule, chain) of the only rule list of two atoms."""
    lists, evaluator = comparison.lists(np.array([row]), np.array([column])), comparison.evaluator(0, rules=True)
    assert evaluator is not None
    mask = comparison.rule_table.l4_bitmap.mask(match_of(packet))
    for (hits,) in lists.iter_rules():
        for (rule, chain), mask_ in evaluator.evaluate(hits, mask).items():
            assert mask_ == mask
            return True, rule, chain
    return False, None, ()


@many_examples
@given(full_networks(), st.integers(0, 1000))
def test_rule_lists_and_single_packets_agree(net: IntentBuilder, seed: int) -> None:
    rng, network = random.Random(seed), net.network()
    pool = addresses(network)
    kept = [match_of(packet_with(0, 0, headers)) for headers in FLOW_HEADERS]
    blocks: dict[tuple[str, str, type | None], FlowComparison] = {}
    for flow_space in flow_spaces(network):
        key = (
            flow_space.segment.uid,
            flow_space.destination_segment.segment.uid,
            type(flow_space) if isinstance(flow_space, InternetInbound | Hairpin) else None,
        )
        blocks[key] = FlowComparison([flow_space], asked=kept)
    for resolved in network.resolved_segments.values():
        segment = resolved.segment.uid
        for _ in range(25 if resolved.members else 0):
            member = rng.choice(resolved.members)
            packet = packet_with(rng.choice(pool), rng.choice(pool), rng.choice(FLOW_HEADERS))
            if member.sources and rng.random() < 0.8:
                packet = replace(packet, source=within(rng, member.sources))
            destination_segment, outcome = decide_single_packet(network, resolved, member.connector, packet)
            kind = Hairpin if resolved.find_app(packet.destination, packet.l4) else None
            comparison = blocks.get((segment, destination_segment, kind))
            evaluated: tuple[bool, str | None, tuple[str, ...]] = (False, None, ())
            if comparison is not None:
                row = atom(comparison.sources, 0, member.connector.uid, packet.source)
                column = atom(comparison.destinations, 0, None, packet.destination)
                if row is not None and column is not None:
                    evaluated = evaluate_atom_pair(comparison, row, column, packet)
            if outcome is None or not outcome.delivered:
                assert not evaluated[0], (packet, outcome)
            else:
                assert evaluated == (True, outcome.rule, outcome.chain), (packet, outcome)
        for app in resolved.apps:
            comparison = blocks[segment, segment, InternetInbound]
            client = rng.choice([address for address in pool if address < V6_OFFSET])
            column = next(
                index
                for index in range(len(comparison.destinations))
                if comparison.destinations.endpoints[0][int(comparison.destinations.endpoint[0][index])].owner is app
            )
            row = atom(comparison.sources, 0, None, client)
            assert row is not None
            outcome = decide_to_application(resolved, None, app, packet := Packet(client, app.public, app.l4))
            evaluated = evaluate_atom_pair(comparison, row, column, packet)
            assert evaluated[0] == outcome.delivered and (
                not evaluated[0] or evaluated[1:] == (outcome.rule, outcome.chain)
            )


# The delta


def flow(network: Network, uid: str, name: str, packet: Packet) -> tuple[str, bool, tuple[str, ...], str]:
    """Return (where, delivered, chain, disposition) of a packet that a connector (by uid) sends into a segment.

    ``where`` is "" if the network has no such connector or segment.
    """
    connector = network.intent.connectors.get(name)
    if uid not in network.intent.segments or connector is None:
        return "", False, (), ""
    resolved = network.resolved(uid)
    destination_segment, outcome = decide_single_packet(network, resolved, connector, packet)
    where = "beyond" if resolved.owner(packet.destination) is None else destination_segment
    if app := resolved.find_app(packet.destination, packet.l4):
        # An application with another target is another destination.
        where = f"{app.app.uid} {app.target.connector.uid} {app.addresses} {app.port}"
    if outcome is None:
        return where, False, (), "nothing"
    return where, outcome.delivered, outcome.chain if outcome.delivered else (), outcome.disposition


@many_examples
@given(edited_full_networks(), st.integers(0, 1000))
def test_the_delta_lists_exactly_the_flows_that_change(pair: tuple[IntentBuilder, IntentBuilder], seed: int) -> None:
    rng = random.Random(seed)
    before, after = (draw.network() for draw in pair)
    delta = compare_reachability(before, after)
    assert compare_reachability(before, Network(after.intent, before)) == delta
    pool = sorted({*addresses(before), *addresses(after)})
    readers = RowMatcher(before), RowMatcher(after)
    connectors = sorted({**before.intent.connectors, **after.intent.connectors})
    for uid in sorted({**before.intent.segments, **after.intent.segments}):
        segment = (before.intent.segments.get(uid) or after.intent.segments[uid]).name
        for _ in range(30):
            name = rng.choice(connectors)
            headers = rng.choice(FLOW_HEADERS)
            packet = packet_with(rng.choice(pool), rng.choice(pool), headers)
            presented = [ranges for network in (before, after) for ranges in _sources(network, uid, name)]
            if presented and rng.random() < 0.9:
                packet = replace(packet, source=within(rng, rng.choice(presented)))
            old, new = (flow(network, uid, name, packet) for network in (before, after))
            if "local" in (old[3], new[3]) or (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
                continue
            words = expected_changes(old, new)
            for word in ("allowed", "blocked", "inspected"):
                version = 0 if word == "blocked" else 1
                network, reader = (before, after)[version], readers[version]
                reader.generous = word in words
                where = (old, new)[version][0]
                rows = [
                    change
                    for change in getattr(delta, word)
                    if change.segment == segment
                    and are_headers_included(change, headers, packet.source >= V6_OFFSET, reader.generous)
                    and is_covered(network, reader, change, uid, where, name, packet)
                ]
                assert bool(rows) == (word in words), (word, words, packet, name, rows)
                assert all(len(change.via) == len(new[2]) for change in rows if word != "blocked")


def _sources(network: Network, uid: str, name: str) -> Iterator[tuple[Range, ...]]:
    connector = network.intent.connectors.get(name)
    if connector and uid in network.intent.segments:
        yield from (member.sources for member in network.resolved(uid).members_of(connector) if member.sources)


@many_examples
@given(edited_full_networks())
def test_every_example_of_a_delta_is_decided_as_its_row_says(pair: tuple[IntentBuilder, IntentBuilder]) -> None:
    before, after = (draw.network() for draw in pair)
    delta = compare_reachability(before, after)
    for word, was, becomes in (("allowed", False, True), ("blocked", True, False), ("inspected", True, True)):
        for change in getattr(delta, word):
            shown = change.example
            assert are_headers_included(change, shown_headers(change), ":" in shown.source)
            for network, delivered, rule in (
                (before, was, change.rule_before),
                (after, becomes, change.rule_after),
            ):
                outcomes = list(_outcomes(network, change))
                if delivered:
                    assert any(outcome.delivered and outcome.rule == rule for outcome in outcomes), (word, change)


def _outcomes(network: Network, change: FlowChange) -> Iterator[FlowOutcome]:
    """Yield the outcome of a change's example from every connector that may send it."""
    shown = change.example
    packet = packet_with(address_number(shown.source), address_number(shown.destination), shown_headers(change))
    segment = next((segment for segment in network.intent.segments.values() if segment.name == change.segment), None)
    if segment is None:
        return
    resolved = network.resolved(segment.uid)
    if change.from_[0].startswith(INTERNET):
        yield from (
            decide_to_application(resolved, None, app, packet)
            for app in resolved.apps
            if app.public == packet.destination
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
def test_flows_towards_members_are_the_flows_from_members(net: IntentBuilder) -> None:
    network = net.network()
    forward = {key(row) for group in ("any",) for row in reachable_flows(network, group)}
    back = {
        key(row)
        for row in (*reachable_flows(network, "any", towards=True), *reachable_flows(network, "internet", towards=True))
    }
    apps = {row for row in back if str(row[0][0]).startswith(INTERNET)}
    assert {row[2:] for row in forward} == {row[2:] for row in back - apps}


def key(row: Any) -> tuple[Any, ...]:
    headers = ("protocol", "ports", "icmp_types", "source_ports", "dscp")
    names = ("from_", "to", "segment", "to_segment", *headers, "via", "rule")
    return tuple(getattr(row, name) for name in names)


def test_shares_that_export_an_address_twice_can_be_compared() -> None:
    """``check`` refuses such a network, but an undo on a newer base can create one."""
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
