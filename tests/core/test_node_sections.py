"""Compare the sections that agents get with traces of the model, packet by packet."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.reach import trace_flow
from provisioning.core.values.addresses import address_number, address_text
from provisioning.drivers import compile_network
from tests.core import reference_evaluator
from tests.core.failing_case import format_failing_case
from tests.core.random_full_networks import full_networks
from tests.core.random_small_networks import many_examples, small_networks
from tests.core.reference_evaluator import ReferenceEvaluator
from tests.core.sample_networks import IntentBuilder, site
from tests.core.section_evaluator import SectionEvaluator, SectionOutcome, SectionPacket
from tests.core.test_reference_evaluator import SentPacket, flows, reference_settings

SECTION_WORDS = {"denied_spoofed": "spoofed", "delivered_inspected": "delivered", "service_unavailable": "denied"}
DISPOSITIONS_WITH_RULE = ("denied_by_rule", "delivered", "delivered_inspected")
"""Dispositions whose rule is compared."""


def sections_agree(net: IntentBuilder, sent: Iterable[SentPacket]) -> None:
    network = net.network()
    agent, keys = SectionEvaluator(compile_network(network)), {uid: row[3] for uid, row in net.rows.items()}
    for segment, connector, flow in sent:
        packet = SectionPacket(flow.source, flow.destination, *flow.headers)
        source, destination = address_text(packet.source), address_text(packet.destination)
        trace = trace_flow(network, f"{connector}@{source}", destination, segment=segment, **flow.headers.question)
        word = SECTION_WORDS.get(trace.disposition, trace.disposition)
        delivered = word == "delivered"
        expected = SectionOutcome(
            "denied" if word.startswith("denied") else word,
            trace.rule if trace.disposition in DISPOSITIONS_WITH_RULE else None,
            tuple(keys[uid] for uid in trace.chain) if delivered else (),
        )
        outcome = agent.sent(keys[segment], keys[connector], packet)
        if outcome != expected:
            asked = {"connector": net.rows[connector][4]["name"], "segment": net.rows[segment][4]["name"]}
            asked["packet"] = f"{source} → {destination} {packet.protocol}/{packet.port}"
            raise AssertionError(format_failing_case(net, **asked, traced=str(expected), sections=str(outcome)))


@reference_settings(60)
@given(full_networks(), st.integers(0, 100))
def test_sections_and_traces_agree(net: IntentBuilder, seed: int) -> None:
    sections_agree(net, flows(ReferenceEvaluator(net), random.Random(seed), 60))


@pytest.mark.long
@reference_settings(2_000)
@given(full_networks(), st.integers(0, 10_000))
def test_sections_and_traces_of_thousands_of_networks_agree(net: IntentBuilder, seed: int) -> None:
    sections_agree(net, flows(ReferenceEvaluator(net), random.Random(seed), 100))


@reference_settings(40)
@given(full_networks(), st.sampled_from(["8.8.8.8", "10.1.0.1", "203.0.113.3"]))
def test_sections_and_traces_agree_about_the_internet(net: IntentBuilder, client: str) -> None:
    network = net.network()
    agent = SectionEvaluator(compile_network(network))
    apps = [app for resolved in network.resolved_segments.values() for app in resolved.apps]
    for app in apps:
        flow = (address_number(client), app.public, app.app.protocol, app.app.port)
        packet = SectionPacket(*flow)
        expected = ReferenceEvaluator(net).from_internet(reference_evaluator.ReferencePacket(*flow))
        outcome = agent.from_internet(packet)
        assert outcome.word == SECTION_WORDS.get(expected.disposition, expected.disposition).partition("_")[0], (
            format_failing_case(net)
        )


def anchors(net: IntentBuilder) -> dict[tuple[str, str, str], str]:
    anchor_by_pair = {}
    for resource in compile_network(net.network()).values():
        if resource.kind == "exchange.segment":
            for first in resource.body["members"]:
                for second in resource.body["members"]:
                    low, high = sorted((first["anchor_class"], second["anchor_class"]))
                    pair = resource.body["segment"], first["connector"], second["connector"]
                    anchor_by_pair[pair] = resource.body["anchors"][f"{low}.{high}"]
    return anchor_by_pair


@many_examples
@given(small_networks(), st.sampled_from(["red", "blue", None]), st.sampled_from(["eu", "us"]))
def test_a_new_site_moves_no_existing_anchor(net: IntentBuilder, group: str | None, exchange: str) -> None:
    before = anchors(net)
    net.add("connectors", site("newcomer", exchange, group, "10.77.0.0/16"))
    after = anchors(net)
    assert {pair: after[pair] for pair in before} == before


@reference_settings(30)
@given(full_networks())
def test_every_pair_of_members_has_an_anchor(net: IntentBuilder) -> None:
    for resource in compile_network(net.network()).values():
        if resource.kind == "exchange.segment":
            section = resource.body
            for first in section["members"]:
                for second in (*section["members"], *section["imported_members"]):
                    low, high = sorted((first["anchor_class"], second["anchor_class"]))
                    assert f"{low}.{high}" in section["anchors"]
