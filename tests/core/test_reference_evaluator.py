"""The second judge: a naive evaluator on concrete packets, against everything the core says about them.

``make test`` looks at some hundred networks, ``make test-long`` at thousands. A failing case is told as short YAML.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows, trace_flow
from provisioning.core.reach.query import ReachableFlow
from provisioning.core.resolve.nat import Packet as CorePacket
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_text
from provisioning.core.values.l4 import l4_index
from tests.core.failing_case import format_failing_case
from tests.core.flow_rows import FlowFate, RowMatcher, expected_changes, is_covered, is_l4_included
from tests.core.random_edits import edited_full_networks
from tests.core.random_full_networks import full_networks
from tests.core.reference_edges import is_within
from tests.core.reference_evaluator import V6, ReferenceEvaluator, ReferenceOutcome, ReferencePacket
from tests.core.reference_objects import parse_address
from tests.core.sample_networks import IntentBuilder

pytestmark = pytest.mark.timeout(3600)
"""A case that fails takes minutes to shrink, and is told only then."""

PACKETS = [("tcp", 22), ("tcp", 85), ("tcp", 443), ("tcp", 444), ("tcp", 9000), ("udp", 80), ("udp", 53)]
PACKETS += [("icmp", 0), ("47", 0), ("icmpv6", 0)]
OUTSIDE_ADDRESSES = [
    "8.8.8.8",
    "9.0.0.0",
    "10.3.0.1",
    "100.64.8.7",
    "198.18.3.4",
    "2001:db8::1",
    "203.0.113.1",
    "203.0.113.3",
]


def reference_settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


def addresses(naive: ReferenceEvaluator) -> list[int]:
    """First, inner and last addresses of everything that is presented, hidden or listed, and those just outside."""
    found = {parse_address(text) for text in OUTSIDE_ADDRESSES}
    for segment in naive.rows.of("segments"):
        for edge in naive.edges(segment.uid):
            for held in (*edge.inside, *edge.routes):
                found |= {held.low, held.low + 9, (held.low + held.high) // 2, held.high, held.high + 1}
    return sorted(found)


def flows(naive: ReferenceEvaluator, chance: random.Random, count: int) -> Iterator[tuple[str, str, ReferencePacket]]:
    """(segment, connector, packet) of flows that begin behind connectors; most from addresses that are there."""
    known = addresses(naive)
    edges = [edge for row in naive.rows.of("segments") for edge in naive.edges(row.uid) if not edge.is_exit]
    for _ in range(count if edges else 0):
        edge = chance.choice(edges)
        held = chance.choice(edge.inside)
        inside = [one for one in known if one in held]
        source = chance.choice(known if chance.random() < 0.1 else inside)
        alike = [one for one in known if (one >= V6) == (source >= V6) and not is_within(edge.inside, one)]
        there = [one for one in alike if naive.owner(edge.segment, one) or naive.imported_member(edge.segment, one)]
        kind = chance.random()
        destination = chance.choice((kind < 0.7 and there) or (kind < 0.95 and alike) or known)
        yield edge.segment, edge.connector, ReferencePacket(source, destination, *chance.choice(PACKETS))


def _trace_agrees(net: IntentBuilder, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    for segment, connector, packet in flows(naive, chance, count):
        source, destination = address_text(packet.source), address_text(packet.destination)
        wanted = naive.sent(segment, connector, packet)
        told = trace_flow(network, f"{connector}@{source}", destination, packet.protocol, packet.port, segment)
        found = ReferenceOutcome(
            told.disposition, told.rule, told.chain if told.disposition.startswith("delivered") else ()
        )
        if found != wanted:
            asked = {
                "connector": net.rows[connector][4]["name"],
                "segment": net.rows[segment][4]["name"],
                "packet": f"{source} → {destination} {packet.protocol}/{packet.port}",
                "wanted": str(wanted),
                "traced": str(found),
                "hops": [f"{hop.kind} {hop.name}: {hop.detail}; {hop.reason}" for hop in told.hops],
            }
            raise AssertionError(format_failing_case(net, **asked))


def _internet_agrees(net: IntentBuilder, seed: int) -> None:
    chance, naive, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    public = [parse_address(text) for text in OUTSIDE_ADDRESSES] + [
        naive.public(app.body) for app in naive.rows.of("internet-apps")
    ]
    for _ in range(20):
        destination = chance.choice([one for one in public if one < V6])
        packet = ReferencePacket(
            parse_address("198.51.100.77"), destination, chance.choice(["tcp", "udp"]), chance.choice([443, 444])
        )
        wanted = naive.from_internet(packet)
        told = trace_flow(network, "internet", address_text(destination), packet.protocol, packet.port)
        assert (told.disposition, told.rule) == (wanted.disposition, wanted.rule), format_failing_case(
            net, packet=str(packet)
        )


@reference_settings(150)
@given(full_networks(), st.integers(0, 100))
def test_a_trace_says_what_the_plain_evaluator_says(net: IntentBuilder, seed: int) -> None:
    _trace_agrees(net, seed, 100)
    _internet_agrees(net, seed)


def presented(
    naive: ReferenceEvaluator, chance: random.Random, count: int
) -> Iterator[tuple[str, str, ReferencePacket]]:
    """Flows as segments see them: sources from what connectors present."""
    known = addresses(naive)
    edges = [edge for row in naive.rows.of("segments") for edge in naive.edges(row.uid) if edge.sends]
    for _ in range(count if edges else 0):
        edge = chance.choice(edges)
        held = chance.choice(edge.sends)
        source = chance.choice([held.low, held.low + 9, held.high])
        alike = [one for one in known if (one >= V6) == (source >= V6)]
        yield edge.segment, edge.connector, ReferencePacket(source, chance.choice(alike), *chance.choice(PACKETS))


def reference_fate(naive: ReferenceEvaluator, segment: str, connector: str, packet: ReferencePacket) -> FlowFate:
    if segment not in naive.rows or connector not in naive.rows:
        return "", False, (), ""
    fate = naive.presented(segment, connector, packet)
    nothing = fate.disposition in ("denied_spoofed", "no_route", "isolated")
    return naive.place(segment, packet.destination), fate.delivered, fate.chain, "" if nothing else fate.disposition


def _reach_agrees(net: IntentBuilder, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    told: dict[str, list[ReachableFlow]] = {}
    reader = RowMatcher(network)
    for segment, connector, packet in presented(naive, chance, count):
        if connector not in told:
            told[connector] = reachable_flows(network, connector)
        where, delivered, chain, disposition = reference_fate(naive, segment, connector, packet)
        reader.generous = delivered
        if disposition == "local":
            continue
        rows = [
            row
            for row in told[connector]
            if row.segment == net.rows[segment][4]["name"]
            and is_l4_included(row, packet.protocol, packet.port, packet.source >= V6, reader.generous)
            and is_covered(network, reader, row, segment, where, connector, as_core(packet))
        ]
        chains = {row.via for row in rows}
        names = tuple(net.rows[uid][4]["name"] for uid in chain)
        agrees = names in chains if delivered else not rows
        assert agrees, format_failing_case(net, packet=text_of(packet), fate=str((delivered, chain)), rows=str(rows))


def _delta_agrees(pair: tuple[IntentBuilder, IntentBuilder], seed: int, count: int) -> None:
    chance, naives = random.Random(seed), [ReferenceEvaluator(net) for net in pair]
    networks = [Network(net.intent()) for net in pair]
    found = compare_reachability(*networks)
    for asked in (presented(naives[0], chance, count), presented(naives[1], chance, count)):
        for segment, connector, packet in asked:
            old, new = (reference_fate(naive, segment, connector, packet) for naive in naives)
            if "local" in (old[3], new[3]):
                continue
            words = expected_changes(old, new)
            for word in ("allowed", "blocked", "inspected"):
                version = 0 if word == "blocked" else 1
                reader = RowMatcher(networks[version])
                reader.generous = word in words
                where = (old, new)[version][0]
                name = pair[version].rows[segment][4]["name"] if segment in pair[version].rows else ""
                rows = [
                    row
                    for row in getattr(found, word)
                    if row.segment == name
                    and is_l4_included(row, packet.protocol, packet.port, packet.source >= V6, reader.generous)
                    and is_covered(networks[version], reader, row, segment, where, connector, as_core(packet))
                ]
                asked_for = {"packet": text_of(packet), "before": str(old), "after": str(new), "told": str(rows)}
                assert bool(rows) == (word in words), format_failing_case(
                    *pair, word=word, connector=connector, **asked_for
                )


def _assertions_agree(net: IntentBuilder, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    results = {result.uid: result for result in check_assertions(network)}
    for segment, connector, packet in presented(naive, chance, count):
        where, delivered, chain, disposition = reference_fate(naive, segment, connector, packet)
        start = naive.source(segment, connector, packet.source)
        if disposition == "local" or start is None or not disposition:
            continue
        end = naive.owner(where, packet.destination) if where != "beyond" else None
        ends = end.names if end else {"internet"}
        for row in naive.rows.of("assertions"):
            body = row.body
            asked = {**body, "source": ["any"], "destination": ["any"]}
            if body["from"] not in start.names or body["to"] not in ends or not naive.rows.matches(asked, packet):
                continue
            broken = {"blocked": delivered, "reachable": not delivered, "inspected": not (delivered and chain)}
            if broken[body["expect"]]:
                assert not results[row.uid].holds, format_failing_case(
                    net, packet=text_of(packet), assertion=body["name"]
                )


def as_core(packet: ReferencePacket) -> CorePacket:
    return CorePacket(packet.source, packet.destination, l4_index(packet.protocol, packet.port))


def text_of(packet: ReferencePacket) -> str:
    ends = f"{address_text(packet.source)} → {address_text(packet.destination)}"
    return f"{ends} {packet.protocol}/{packet.port}"


@reference_settings(100)
@given(full_networks(), st.integers(0, 100))
def test_what_can_be_reached_is_what_the_plain_evaluator_delivers(net: IntentBuilder, seed: int) -> None:
    _reach_agrees(net, seed, 60)
    _assertions_agree(net, seed, 60)


@reference_settings(100)
@given(edited_full_networks(), st.integers(0, 100))
def test_a_delta_is_what_the_plain_evaluator_sees_change(pair: tuple[IntentBuilder, IntentBuilder], seed: int) -> None:
    _delta_agrees(pair, seed, 40)


@pytest.mark.long
@reference_settings(2_000)
@given(full_networks(), st.integers(0, 10_000))
def test_traces_of_thousands_of_networks(net: IntentBuilder, seed: int) -> None:
    _trace_agrees(net, seed, 200)
    _internet_agrees(net, seed)


@pytest.mark.long
@reference_settings(2_000)
@given(edited_full_networks(), st.integers(0, 10_000))
def test_reachability_of_thousands_of_networks(pair: tuple[IntentBuilder, IntentBuilder], seed: int) -> None:
    _reach_agrees(pair[1], seed, 100)
    _assertions_agree(pair[1], seed, 100)
    _delta_agrees(pair, seed, 60)
