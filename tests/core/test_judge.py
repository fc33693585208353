"""The second judge: a naive evaluator on concrete packets, against everything the core says about them.

``make test`` looks at some hundred networks, ``make test-long`` at thousands. A failing case is told as short YAML.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provisioning.core.values.addresses import address_text
from provisioning.core.values.l4 import l4_index
from provisioning.core.nat import Packet as CorePacket
from provisioning.core.network import Network
from provisioning.core.reach import assertions, delta, reach, trace
from provisioning.core.reach.query import Reached
from tests.core.naive import V6, Fate, Naive, Packet
from tests.core.naive_edges import holds
from tests.core.naive_rows import number
from tests.core.networks import Drawing
from tests.core.random_edits import whole_edits
from tests.core.random_whole import whole_networks
from tests.core.story import story
from tests.core.told import Going, Reader, covers, expected, includes

pytestmark = pytest.mark.timeout(3600)
"""A case that fails takes minutes to shrink, and is told only then."""

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


def _internet_agrees(net: Drawing, seed: int) -> None:
    chance, naive, network = random.Random(seed), Naive(net), Network(net.intent())
    public = [number(text) for text in SOMEWHERE] + [naive.public(app.body) for app in naive.rows.of("internet-apps")]
    for _ in range(20):
        destination = chance.choice([one for one in public if one < V6])
        packet = Packet(number("198.51.100.77"), destination, chance.choice(["tcp", "udp"]), chance.choice([443, 444]))
        wanted = naive.from_internet(packet)
        told = trace(network, "internet", address_text(destination), packet.protocol, packet.port)
        assert (told.disposition, told.rule) == (wanted.disposition, wanted.rule), story(net, packet=str(packet))


@judged(150)
@given(whole_networks(), st.integers(0, 100))
def test_a_trace_says_what_the_plain_evaluator_says(net: Drawing, seed: int) -> None:
    _trace_agrees(net, seed, 100)
    _internet_agrees(net, seed)


def presented(naive: Naive, chance: random.Random, count: int) -> Iterator[tuple[str, str, Packet]]:
    """Flows as segments see them: sources from what connectors present."""
    known = addresses(naive)
    edges = [edge for row in naive.rows.of("segments") for edge in naive.edges(row.uid) if edge.sends]
    for _ in range(count if edges else 0):
        edge = chance.choice(edges)
        held = chance.choice(edge.sends)
        source = chance.choice([held.low, held.low + 9, held.high])
        alike = [one for one in known if (one >= V6) == (source >= V6)]
        yield edge.segment, edge.connector, Packet(source, chance.choice(alike), *chance.choice(PACKETS))


def going(naive: Naive, segment: str, connector: str, packet: Packet) -> Going:
    if segment not in naive.rows or connector not in naive.rows:
        return "", False, (), ""
    fate = naive.presented(segment, connector, packet)
    nothing = fate.disposition in ("denied_spoofed", "no_route", "isolated")
    return naive.place(segment, packet.destination), fate.delivered, fate.chain, "" if nothing else fate.disposition


def _reach_agrees(net: Drawing, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), Naive(net), Network(net.intent())
    told: dict[str, list[Reached]] = {}
    reader = Reader(network)
    for segment, connector, packet in presented(naive, chance, count):
        if connector not in told:
            told[connector] = reach(network, connector)
        where, delivered, chain, disposition = going(naive, segment, connector, packet)
        reader.generous = delivered
        if disposition == "local":
            continue
        rows = [
            row
            for row in told[connector]
            if row.segment == net.rows[segment][4]["name"]
            and includes(row, packet.protocol, packet.port, packet.source >= V6, reader.generous)
            and covers(network, reader, row, segment, where, connector, as_core(packet))
        ]
        chains = {row.via for row in rows}
        names = tuple(net.rows[uid][4]["name"] for uid in chain)
        agrees = names in chains if delivered else not rows
        assert agrees, story(net, packet=text_of(packet), fate=str((delivered, chain)), rows=str(rows))


def _delta_agrees(pair: tuple[Drawing, Drawing], seed: int, count: int) -> None:
    chance, naives = random.Random(seed), [Naive(net) for net in pair]
    networks = [Network(net.intent()) for net in pair]
    found = delta(*networks)
    for asked in (presented(naives[0], chance, count), presented(naives[1], chance, count)):
        for segment, connector, packet in asked:
            old, new = (going(naive, segment, connector, packet) for naive in naives)
            if "local" in (old[3], new[3]):
                continue
            words = expected(old, new)
            for word in ("allowed", "blocked", "inspected"):
                version = 0 if word == "blocked" else 1
                reader = Reader(networks[version])
                reader.generous = word in words
                where = (old, new)[version][0]
                name = pair[version].rows[segment][4]["name"] if segment in pair[version].rows else ""
                rows = [
                    row
                    for row in getattr(found, word)
                    if row.segment == name
                    and includes(row, packet.protocol, packet.port, packet.source >= V6, reader.generous)
                    and covers(networks[version], reader, row, segment, where, connector, as_core(packet))
                ]
                asked_for = {"packet": text_of(packet), "before": str(old), "after": str(new), "told": str(rows)}
                assert bool(rows) == (word in words), story(*pair, word=word, connector=connector, **asked_for)


def _assertions_agree(net: Drawing, seed: int, count: int) -> None:
    chance, naive, network = random.Random(seed), Naive(net), Network(net.intent())
    results = {result.uid: result for result in assertions(network)}
    for segment, connector, packet in presented(naive, chance, count):
        where, delivered, chain, disposition = going(naive, segment, connector, packet)
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
                assert not results[row.uid].holds, story(net, packet=text_of(packet), assertion=body["name"])


def as_core(packet: Packet) -> CorePacket:
    return CorePacket(packet.source, packet.destination, l4_index(packet.protocol, packet.port))


def text_of(packet: Packet) -> str:
    ends = f"{address_text(packet.source)} → {address_text(packet.destination)}"
    return f"{ends} {packet.protocol}/{packet.port}"


@judged(100)
@given(whole_networks(), st.integers(0, 100))
def test_what_can_be_reached_is_what_the_plain_evaluator_delivers(net: Drawing, seed: int) -> None:
    _reach_agrees(net, seed, 60)
    _assertions_agree(net, seed, 60)


@judged(100)
@given(whole_edits(), st.integers(0, 100))
def test_a_delta_is_what_the_plain_evaluator_sees_change(pair: tuple[Drawing, Drawing], seed: int) -> None:
    _delta_agrees(pair, seed, 40)


@pytest.mark.long
@judged(2_000)
@given(whole_networks(), st.integers(0, 10_000))
def test_traces_of_thousands_of_networks(net: Drawing, seed: int) -> None:
    _trace_agrees(net, seed, 200)
    _internet_agrees(net, seed)


@pytest.mark.long
@judged(2_000)
@given(whole_edits(), st.integers(0, 10_000))
def test_reachability_of_thousands_of_networks(pair: tuple[Drawing, Drawing], seed: int) -> None:
    _reach_agrees(pair[1], seed, 100)
    _assertions_agree(pair[1], seed, 100)
    _delta_agrees(pair, seed, 60)
