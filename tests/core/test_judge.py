"""The second judge: a naive evaluator on concrete packets, against everything the core says about them.

``make test`` looks at some hundred networks, ``make test-long`` at thousands. A failing case is told as short YAML.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provisioning.core.addresses import address_text
from provisioning.core.network import Network
from provisioning.core.reach import trace
from tests.core.naive import V6, Fate, Naive, Packet
from tests.core.naive_edges import holds, number
from tests.core.networks import Drawing
from tests.core.random_whole import whole_networks
from tests.core.story import story

PACKETS = [("tcp", 22), ("tcp", 85), ("tcp", 443), ("tcp", 444), ("tcp", 9000), ("udp", 80), ("udp", 53)]
PACKETS += [("icmp", 0), ("47", 0), ("icmpv6", 0)]
SOMEWHERE = ["8.8.8.8", "9.0.0.0", "10.3.0.1", "100.64.8.7", "198.18.3.4", "2001:db8::1", "203.0.113.1", "203.0.113.3"]


def judged(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


def addresses(naive: Naive) -> list[int]:
    """First, inner and last addresses of everything that is presented, hidden or listed, and those just outside."""
    found = {number(text) for text in SOMEWHERE}
    for segment in naive.rows.of("segments"):
        for edge in naive.edges(segment.uid):
            for held in (*edge.inside, *edge.routes):
                found |= {held.low, held.low + 9, (held.low + held.high) // 2, held.high, held.high + 1}
    return sorted(found)


def flows(naive: Naive, chance: random.Random, count: int) -> Iterator[tuple[str, str, Packet]]:
    """(segment, connector, packet) of flows that begin behind connectors; most from addresses that are there."""
    known = addresses(naive)
    edges = [edge for row in naive.rows.of("segments") for edge in naive.edges(row.uid) if not edge.is_exit]
    for _ in range(count if edges else 0):
        edge = chance.choice(edges)
        held = chance.choice(edge.inside)
        inside = [one for one in known if one in held]
        source = chance.choice(known if chance.random() < 0.1 else inside)
        alike = [one for one in known if (one >= V6) == (source >= V6) and not holds(edge.inside, one)]
        there = [one for one in alike if naive.owner(edge.segment, one) or naive.guest(edge.segment, one)]
        kind = chance.random()
        destination = chance.choice((kind < 0.7 and there) or (kind < 0.95 and alike) or known)
        yield edge.segment, edge.connector, Packet(source, destination, *chance.choice(PACKETS))


def _trace_agrees(net: Drawing, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), Naive(net), Network(net.intent())
    for segment, connector, packet in flows(naive, chance, count):
        source, destination = address_text(packet.source), address_text(packet.destination)
        wanted = naive.sent(segment, connector, packet)
        told = trace(network, f"{connector}@{source}", destination, packet.protocol, packet.port, segment)
        found = Fate(told.disposition, told.rule, told.chain if told.disposition.startswith("delivered") else ())
        if found != wanted:
            asked = {
                "connector": net.rows[connector][4]["name"],
                "segment": net.rows[segment][4]["name"],
                "packet": f"{source} → {destination} {packet.protocol}/{packet.port}",
                "wanted": str(wanted),
                "traced": str(found),
                "hops": [f"{hop.kind} {hop.name}: {hop.detail}; {hop.reason}" for hop in told.hops],
            }
            raise AssertionError(story(net, **asked))


@judged(100)
@given(whole_networks(), st.integers(0, 100))
def test_a_trace_says_what_the_plain_evaluator_says(net: Drawing, seed: int) -> None:
    _trace_agrees(net, seed, 100)


@pytest.mark.long
@judged(2_000)
@given(whole_networks(), st.integers(0, 10_000))
def test_traces_of_thousands_of_networks(net: Drawing, seed: int) -> None:
    _trace_agrees(net, seed, 200)
