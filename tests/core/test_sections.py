"""Sections say the same as the model: read as an agent reads them, every packet meets the same fate."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.compile import compile
from provisioning.core.reach import trace
from tests.core.networks import Drawing, site
from tests.core.random_networks import ADDRESSES, PACKETS, networks, plenty


def within(ranges: list[str], address: str) -> bool:
    number = int(ipaddress.ip_address(address))
    spans = ([int(ipaddress.ip_address(edge)) for edge in text.split("-")] for text in ranges)
    return any(low <= number <= high for low, high in spans)


def names(section: Mapping[str, Any], listed: list[str], address: str) -> bool:
    inside = within(section["sets"]["any"], address)
    return ("internet" in listed and not inside) or any(
        within(section["sets"].get(name, []), address) for name in listed if name != "internet"
    )


def fits(rule: Mapping[str, Any], source: str, destination: str, protocol: str, port: int | None) -> bool:
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in rule["ports"]]
    return (
        rule["protocol"] in ("any", protocol)
        and (not spans or any(low <= (port or 0) <= high for low, high in spans))
        and (rule["source"] is None or within(rule["source"], source))
        and (rule["destination"] is None or within(rule["destination"], destination))
    )


def decided(section: Mapping[str, Any], packet: tuple[Any, ...]) -> tuple[bool, list[str]]:
    """(let through, service keys) by the rules of a section."""
    for rule in section["rules"]:
        if rule["action"] == "watch" or not fits(rule, *packet):
            continue
        if names(section, rule["from"], packet[0]) and names(section, rule["to"], packet[1]):
            return rule["action"] != "deny", rule["chain"]
    inside = all(within(section["sets"]["any"], address) for address in packet[:2])
    return inside and section["stance"] == "open", []


@plenty
@given(networks(), st.integers(0, 1000))
def test_sections_and_traces_agree(net: Drawing, seed: int) -> None:
    chance = random.Random(seed)
    network = net.network()
    intent = network.intent
    resources = compile(network)
    for segment in intent.segments.values():
        section = resources[f"segment/{segment.key}"].body
        for _ in range(30):
            packet = chance.choice(ADDRESSES), chance.choice(ADDRESSES), *chance.choice(PACKETS)
            told = trace(network, *packet, segment.name)
            if told.disposition in ("local", "no_route"):
                continue
            passes, chain = decided(section, packet)
            for key in chain if passes else ():
                instance = resources[f"service/{key}/eu/instance/1"].body
                first = next((rule["action"] for rule in instance["rules"] if fits(rule, *packet)), instance["default"])
                passes = passes and first == "allow"
            assert told.disposition.startswith("delivered") == passes
            assert (told.disposition == "delivered_inspected") == (passes and bool(chain))


def anchors(net: Drawing) -> dict[tuple[str, str, str], str]:
    found = {}
    for resource in compile(net.network()).values():
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
