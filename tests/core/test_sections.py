"""Sections say the same as the model: read as an agent reads them, every packet meets the same fate."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.values.addresses import address_number, address_text
from provisioning.core.compile import compile_network
from provisioning.core.reach import trace
from tests.core import naive
from tests.core.naive import Naive
from tests.core.networks import Drawing, site
from tests.core.paper_agent import Fate, Packet, PaperAgent
from tests.core.random_networks import networks, plenty
from tests.core.random_whole import whole_networks
from tests.core.story import story
from tests.core.test_judge import flows, judged

WORDS = {"denied_spoofed": "spoofed", "delivered_inspected": "delivered", "service_unavailable": "denied"}
TOLD = ("denied_by_rule", "delivered", "delivered_inspected")
"""Dispositions whose rule counts."""


def _sections_agree(net: Drawing, seed: int, count: int) -> None:
    network = net.network()
    agent, keys = PaperAgent(compile_network(network)), {uid: row[3] for uid, row in net.rows.items()}
    for segment, connector, flow in flows(Naive(net), random.Random(seed), count):
        packet = Packet(flow.source, flow.destination, flow.protocol, flow.port)
        source, destination = address_text(packet.source), address_text(packet.destination)
        told = trace(network, f"{connector}@{source}", destination, packet.protocol, packet.port, segment)
        word = WORDS.get(told.disposition, told.disposition)
        delivered = word == "delivered"
        wanted = Fate(
            "denied" if word.startswith("denied") else word,
            told.rule if told.disposition in TOLD else None,
            tuple(keys[uid] for uid in told.chain) if delivered else (),
        )
        found = agent.sent(keys[segment], keys[connector], packet)
        if found != wanted:
            asked = {"connector": net.rows[connector][4]["name"], "segment": net.rows[segment][4]["name"]}
            asked["packet"] = f"{source} → {destination} {packet.protocol}/{packet.port}"
            raise AssertionError(story(net, **asked, traced=str(wanted), sections=str(found)))


@judged(60)
@given(whole_networks(), st.integers(0, 100))
def test_sections_and_traces_agree(net: Drawing, seed: int) -> None:
    _sections_agree(net, seed, 60)


@pytest.mark.long
@judged(2_000)
@given(whole_networks(), st.integers(0, 10_000))
def test_sections_and_traces_of_thousands_of_networks(net: Drawing, seed: int) -> None:
    _sections_agree(net, seed, 100)


@judged(40)
@given(whole_networks(), st.sampled_from(["8.8.8.8", "10.1.0.1", "203.0.113.3"]))
def test_sections_and_traces_agree_about_the_internet(net: Drawing, client: str) -> None:
    network = net.network()
    agent = PaperAgent(compile_network(network))
    apps = [app for realm in network.realms.values() for app in realm.apps]
    for app in apps:
        packet = Packet(address_number(client), app.public, app.app.protocol, app.app.port)
        wanted = Naive(net).from_internet(naive.Packet(*packet))
        found = agent.from_internet(packet)
        assert found.word == WORDS.get(wanted.disposition, wanted.disposition).partition("_")[0], story(net)


def anchors(net: Drawing) -> dict[tuple[str, str, str], str]:
    found = {}
    for resource in compile_network(net.network()).values():
        if resource.kind == "exchange.segment":
            for one in resource.body["members"]:
                for other in resource.body["members"]:
                    low, high = sorted((one["class"], other["class"]))
                    pair = resource.body["segment"], one["connector"], other["connector"]
                    found[pair] = resource.body["anchors"][f"{low}.{high}"]
    return found


@plenty
@given(networks(), st.sampled_from(["red", "blue", None]), st.sampled_from(["eu", "us"]))
def test_a_new_site_moves_nobody_elses_anchor(net: Drawing, group: str | None, exchange: str) -> None:
    before = anchors(net)
    net.add("connectors", site("newcomer", exchange, group, "10.77.0.0/16"))
    after = anchors(net)
    assert {pair: after[pair] for pair in before} == before


@judged(30)
@given(whole_networks())
def test_every_pair_of_ends_that_may_meet_has_an_anchor(net: Drawing) -> None:
    for resource in compile_network(net.network()).values():
        if resource.kind == "exchange.segment":
            section = resource.body
            for one in section["members"]:
                for other in (*section["members"], *section["guests"]):
                    low, high = sorted((one["class"], other["class"]))
                    assert f"{low}.{high}" in section["anchors"]
