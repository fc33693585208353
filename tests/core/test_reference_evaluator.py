"""Compare traces, reachable flows, deltas and assertions of the core with the reference evaluator, packet by packet.

``make test`` tries some hundred networks, ``make test-long`` thousands. A failing case is printed as short YAML.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows, trace_flow
from provisioning.core.reach.query import ReachableFlow
from provisioning.core.resolve.nat import Packet as CorePacket
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_text
from provisioning.core.values.l4 import l4_index
from tests.core.failing_case import format_failing_case
from tests.core.flow_headers import FLOW_HEADERS
from tests.core.flow_rows import FlowFate, RowMatcher, are_headers_included, expected_changes, is_covered
from tests.core.random_edits import edited_full_networks
from tests.core.random_full_networks import full_networks
from tests.core.reference_edges import ReferenceEdge, is_within
from tests.core.reference_evaluator import V6, ReferenceEvaluator, ReferenceOutcome, ReferencePacket, slug
from tests.core.reference_objects import is_selected, parse_address, prefix_span
from tests.core.sample_networks import TODAY, IntentBuilder

pytestmark = pytest.mark.timeout(3600)
"""Hypothesis takes minutes to shrink a failing case before it reports it."""

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


SentPacket = tuple[str, str, ReferencePacket]
"""Segment, the connector behind which a flow starts, and its packet."""


def reference_settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


def addresses(reference: ReferenceEvaluator) -> list[int]:
    """Return the first, inner and last address of every inside prefix and route, and the addresses just outside."""
    numbers = {parse_address(text) for text in OUTSIDE_ADDRESSES}
    for segment in reference.rows.of("segments"):
        for edge in reference.edges(segment.uid):
            for span in (*edge.inside, *edge.routes):
                numbers |= {span.low, span.low + 9, (span.low + span.high) // 2, span.high, span.high + 1}
    return sorted(number for number in numbers if number < 1 << 32 or V6 <= number < V6 + (1 << 128))


def flows(reference: ReferenceEvaluator, rng: random.Random, count: int) -> Iterator[SentPacket]:
    """Yield flows that start behind connectors, most from inside addresses."""
    known = addresses(reference)
    edges = [edge for row in reference.rows.of("segments") for edge in reference.edges(row.uid) if not edge.is_exit]
    for _ in range(count if edges else 0):
        edge = rng.choice(edges)
        span = rng.choice(edge.inside)
        inside = [address for address in known if address in span]
        source = rng.choice(known if rng.random() < 0.1 else inside)
        alike = [
            address for address in known if (address >= V6) == (source >= V6) and not is_within(edge.inside, address)
        ]
        reachable = [address for address in alike if reference.routed(edge.segment, address)]
        kind = rng.random()
        destination = rng.choice((kind < 0.7 and reachable) or (kind < 0.95 and alike) or known)
        yield edge.segment, edge.connector, ReferencePacket(source, destination, *rng.choice(FLOW_HEADERS))


def trace_agrees(net: IntentBuilder, sent: Iterable[SentPacket]) -> None:
    reference, network = ReferenceEvaluator(net), Network(net.intent())
    for segment, connector, packet in sent:
        source, destination = address_text(packet.source), address_text(packet.destination)
        expected = reference.sent(segment, connector, packet)
        trace = trace_flow(network, f"{connector}@{source}", destination, segment=segment, **packet.headers.question)
        traced = ReferenceOutcome(
            trace.disposition, trace.rule, trace.chain if trace.disposition.startswith("delivered") else ()
        )
        if traced != expected:
            asked = {
                "connector": net.rows[connector][4]["name"],
                "segment": net.rows[segment][4]["name"],
                "packet": text_of(packet),
                "wanted": str(expected),
                "traced": str(traced),
                "hops": [f"{hop.kind} {hop.name}: {hop.detail}; {hop.reason}" for hop in trace.hops],
            }
            raise AssertionError(format_failing_case(net, **asked))


def _internet_agrees(net: IntentBuilder, seed: int) -> None:
    rng, reference, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    public = [parse_address(text) for text in OUTSIDE_ADDRESSES] + [
        reference.public(app.body) for app in reference.rows.of("internet-apps")
    ]
    for _ in range(20):
        destination = rng.choice([address for address in public if address < V6])
        packet = ReferencePacket(
            parse_address("198.51.100.77"),
            destination,
            *(rng.choice(["tcp", "udp"]), rng.choice([443, 444]), rng.choice([53, 49152]), rng.choice([0, 46])),
        )
        expected = reference.from_internet(packet)
        way_in = reference.from_behind_a_member(packet)
        if expected.disposition == "no_route" and way_in is not None:
            expected = reference.sent(*way_in, packet)
        trace = trace_flow(network, "internet", address_text(destination), **packet.headers.question)
        assert (trace.disposition, trace.rule) == (expected.disposition, expected.rule), format_failing_case(
            net, packet=str(packet)
        )


@reference_settings(150)
@given(full_networks(), st.integers(0, 100))
def test_traces_agree_with_the_reference_evaluator(net: IntentBuilder, seed: int) -> None:
    trace_agrees(net, flows(ReferenceEvaluator(net), random.Random(seed), 100))
    _internet_agrees(net, seed)


def presented(reference: ReferenceEvaluator, rng: random.Random, count: int) -> Iterator[SentPacket]:
    """Yield packets after NAT: sources from the prefixes that connectors present."""
    known = addresses(reference)
    edges = [edge for row in reference.rows.of("segments") for edge in reference.edges(row.uid) if edge.sends]
    for _ in range(count if edges else 0):
        edge = rng.choice(edges)
        span = rng.choice(edge.sends)
        source = rng.choice([span.low, span.low + 9, span.high])
        alike = [address for address in known if (address >= V6) == (source >= V6)]
        yield edge.segment, edge.connector, ReferencePacket(source, rng.choice(alike), *rng.choice(FLOW_HEADERS))


def reference_fate(reference: ReferenceEvaluator, segment: str, connector: str, packet: ReferencePacket) -> FlowFate:
    if segment not in reference.rows or connector not in reference.rows:
        return "", False, (), ""
    fate = reference.presented(segment, connector, packet)
    nothing = fate.disposition in ("denied_spoofed", "no_route", "isolated")
    return (
        reference.destination_segment(segment, packet.destination),
        fate.delivered,
        fate.chain,
        "" if nothing else fate.disposition,
    )


def reach_agrees(net: IntentBuilder, sent: Iterable[SentPacket]) -> None:
    """sent: packets after NAT."""
    reference, network = ReferenceEvaluator(net), Network(net.intent())
    flows_of: dict[str, list[ReachableFlow]] = {}
    matcher = RowMatcher(network)
    for segment, connector, packet in sent:
        if connector not in flows_of:
            flows_of[connector] = reachable_flows(network, connector)
        destination_segment, delivered, chain, disposition = reference_fate(reference, segment, connector, packet)
        matcher.generous = delivered
        if disposition == "local":
            continue
        rows = [
            row
            for row in flows_of[connector]
            if row.segment == net.rows[segment][4]["name"]
            and are_headers_included(row, packet.headers, packet.source >= V6, matcher.generous)
            and is_covered(network, matcher, row, segment, destination_segment, connector, as_core(packet))
        ]
        chains = {row.via for row in rows}
        names = tuple(net.rows[uid][4]["name"] for uid in chain)
        agrees = names in chains if delivered else not rows
        assert agrees, format_failing_case(net, packet=text_of(packet), fate=str((delivered, chain)), rows=str(rows))


def _delta_agrees(pair: tuple[IntentBuilder, IntentBuilder], seed: int, count: int) -> None:
    rng, references = random.Random(seed), [ReferenceEvaluator(net) for net in pair]
    networks = [Network(net.intent()) for net in pair]
    reach_delta = compare_reachability(*networks)
    for sampled in (presented(references[0], rng, count), presented(references[1], rng, count)):
        for segment, connector, packet in sampled:
            old, new = (reference_fate(reference, segment, connector, packet) for reference in references)
            if "local" in (old[3], new[3]):
                continue
            words = expected_changes(old, new)
            for word in ("allowed", "blocked", "inspected"):
                version = 0 if word == "blocked" else 1
                matcher = RowMatcher(networks[version])
                matcher.generous = word in words
                destination_segment = (old, new)[version][0]
                name = pair[version].rows[segment][4]["name"] if segment in pair[version].rows else ""
                rows = [
                    row
                    for row in getattr(reach_delta, word)
                    if row.segment == name
                    and are_headers_included(row, packet.headers, packet.source >= V6, matcher.generous)
                    and is_covered(
                        networks[version], matcher, row, segment, destination_segment, connector, as_core(packet)
                    )
                ]
                details = {"packet": text_of(packet), "before": str(old), "after": str(new), "told": str(rows)}
                assert bool(rows) == (word in words), format_failing_case(
                    *pair, word=word, connector=connector, **details
                )


AssertedEnd = tuple[ReferenceEdge | None, int, set[str]]
"""The attachment, the address, and the names of one end of a packet."""


def _are_asserted(reference: ReferenceEvaluator, body: dict[str, Any], *ends: AssertedEnd) -> bool:
    """Return whether an assertion or an exception means both ends of a packet."""
    return all(_is_asserted(reference, text, *end) for text, end in zip((body["from"], body["to"]), ends, strict=True))


def _is_asserted(
    reference: ReferenceEvaluator, text: str, edge: ReferenceEdge | None, address: int, names: set[str]
) -> bool:
    if "/" in text:
        return address in prefix_span(text)
    if "=" in text:
        return edge is not None and is_selected(text, reference.rows.labels_of(edge.connector, edge.index))
    return text in names


def _assertions_agree(net: IntentBuilder, seed: int, count: int) -> None:
    rng, reference, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    results = {result.uid: result for result in check_assertions(network, TODAY)}
    for segment, connector, packet in presented(reference, rng, count):
        destination_segment, delivered, chain, disposition = reference_fate(reference, segment, connector, packet)
        start = reference.source(segment, connector, packet.source)
        if disposition == "local" or start is None or not disposition:
            continue
        end = reference.owner(destination_segment, packet.destination) if destination_segment != "beyond" else None
        starts, ends = (
            (edge.names if edge else set()) | ({"internet"} if reference.is_internet(edge, address) else set())
            for edge, address in ((start, packet.source), (end, packet.destination))
        )
        for row in reference.rows.of("assertions"):
            body = row.body
            rule_body = {**body, "source": ["any"], "destination": ["any"]}
            both = ((start, packet.source, starts), (end, packet.destination, ends))
            if not _are_asserted(reference, body, *both) or not reference.rows.matches(rule_body, packet):
                continue
            if any(
                each["until"] >= TODAY.isoformat()
                and _are_asserted(reference, each, *both)
                and reference.rows.matches({**each, "source": ["any"], "destination": ["any"]}, packet)
                for each in body["except"]
            ):
                continue
            broken = {"blocked": delivered, "reachable": not delivered, "inspected": not (delivered and chain)}
            if broken[body["expect"]]:
                assert not results[row.uid].holds, format_failing_case(
                    net, packet=text_of(packet), assertion=body["name"]
                )


def _internet_is_one_place(net: IntentBuilder, seed: int, count: int) -> None:
    """The internet in general and an address of it get the same answer, behind an exit and behind a default route."""
    rng, reference, network = random.Random(seed), ReferenceEvaluator(net), Network(net.intent())
    for segment, connector, packet in flows(reference, rng, count):
        if packet.source < V6:
            to_internet = replace(packet, destination=parse_address("198.51.100.10"))
            expected = reference.sent(segment, connector, to_internet)
            source = f"{connector}@{address_text(packet.source)}"
            trace = trace_flow(network, source, "internet", segment=segment, **packet.headers.question)
            traced = (trace.disposition, trace.rule)
            agrees = traced == (expected.disposition, expected.rule) or (traced[0], expected.disposition) == (
                "no_route",
                "denied_spoofed",
            )
            assert agrees, format_failing_case(
                net, packet=text_of(to_internet), wanted=str(expected), traced=str(traced)
            )


DEAD_RULES = ("matches_nobody", "shadowed_rule")


def _told_rules_decide_nothing(net: IntentBuilder, seed: int, count: int) -> None:
    """A rule that matches nobody or is shadowed, as a warning says, decides no packet."""
    rng, reference = random.Random(seed), ReferenceEvaluator(net)
    whole = [problem.path for problem in check_network(Network(net.intent())) if problem.code in DEAD_RULES]
    places = [match for path in whole if (match := re.fullmatch(r"policies/([^/]+)/rules\[(\d+)\]", path))]
    policies = {row.key: row.body for row in reference.rows.of("policies")}
    dead = {f"{key}/{slug(policies[key]['rules'][int(index)]['name'])}" for key, index in (m.groups() for m in places)}
    for segment, connector, packet in flows(reference, rng, count if dead else 0):
        decided = reference.sent(segment, connector, packet).rule
        assert decided not in dead, format_failing_case(net, packet=text_of(packet), rule=str(decided))


def as_core(packet: ReferencePacket) -> CorePacket:
    l4 = l4_index(packet.protocol, packet.port)
    return CorePacket(packet.source, packet.destination, l4, packet.source_port, packet.dscp)


def text_of(packet: ReferencePacket) -> str:
    ends = f"{address_text(packet.source)} → {address_text(packet.destination)}"
    return f"{ends} {packet.headers}"


@reference_settings(100)
@given(full_networks(), st.integers(0, 100))
def test_reachable_flows_and_assertions_agree_with_the_reference_evaluator(net: IntentBuilder, seed: int) -> None:
    reach_agrees(net, presented(ReferenceEvaluator(net), random.Random(seed), 60))
    _assertions_agree(net, seed, 60)
    _internet_is_one_place(net, seed, 20)
    _told_rules_decide_nothing(net, seed, 60)


@reference_settings(100)
@given(edited_full_networks(), st.integers(0, 100))
def test_deltas_agree_with_the_reference_evaluator(pair: tuple[IntentBuilder, IntentBuilder], seed: int) -> None:
    _delta_agrees(pair, seed, 40)


@pytest.mark.long
@reference_settings(2_000)
@given(full_networks(), st.integers(0, 10_000))
def test_traces_of_thousands_of_networks_agree_with_the_reference_evaluator(net: IntentBuilder, seed: int) -> None:
    trace_agrees(net, flows(ReferenceEvaluator(net), random.Random(seed), 200))
    _internet_agrees(net, seed)


@pytest.mark.long
@reference_settings(2_000)
@given(edited_full_networks(), st.integers(0, 10_000))
def test_reachability_of_thousands_of_networks_agrees_with_the_reference_evaluator(
    pair: tuple[IntentBuilder, IntentBuilder], seed: int
) -> None:
    reach_agrees(pair[1], presented(ReferenceEvaluator(pair[1]), random.Random(seed), 100))
    _assertions_agree(pair[1], seed, 100)
    _delta_agrees(pair, seed, 60)
