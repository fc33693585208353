"""Random route policies, and small networks in which many of them see the communities that others set."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.core.sample_networks import IntentBuilder, site

COMMUNITIES = (["65000:1"], ["65000:2"], ["65000:1", "65000:2"])
SITES = {"a": "corp", "b": "corp", "c": "corp", "d": "guest"}

sampled = st.sampled_from


@st.composite
def route_rules(draw: st.DrawFn, prefixes: list[str]) -> dict[str, Any]:
    match: dict[str, Any] = {"as_path": draw(sampled([None, None, None, "^65001$", "^$"]))}
    matched = draw(sampled(["prefixes", "communities", "both", "neither"]))
    if matched in ("prefixes", "both"):
        match["prefixes"] = draw(st.lists(sampled(prefixes), min_size=1, max_size=2, unique=True))
    if matched in ("communities", "both"):
        match["communities"] = draw(sampled(COMMUNITIES))
    if draw(st.booleans()):
        return {"match": match, "action": "deny"}
    return {"match": match, "action": "allow", "set": {"communities": draw(sampled([[], *COMMUNITIES]))}}


@st.composite
def routed_networks(draw: st.DrawFn) -> IntentBuilder:
    """Draw sites of one segment, a twin, and one that a share brings in, under several route policies."""
    net = IntentBuilder()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    for segment in ("corp", "guest"):
        net.add("segments", {"name": segment, "default_action": "allow"})
    for number, (name, segment) in enumerate(SITES.items()):
        peer = draw(sampled([None, None, 65001]))
        circuits = [{"name": "A", "bgp": {"peer_asn": peer} if peer else None}]
        body = site(name, "eu", None, f"10.{number}.0.0/16", f"10.{number}.1.0/24", segment=segment)
        net.add("connectors", {**body, "circuits": circuits, "redundancy_group": name})
    if draw(st.booleans()):
        twin = site("b2", "eu", None, "10.1.0.0/16", "10.4.0.0/24")
        net.add("connectors", {**twin, "redundancy_group": "b", "preference": draw(sampled([50, 200]))})
    sides = [{"segment": segment, "prefixes": ["10.0.0.0/12"]} for segment in ("corp", "guest")]
    net.add("shares", {"name": "all", "a": sides[0], "b": sides[1]})
    prefixes = [f"10.{number}.{rest}" for number in range(4) for rest in ("0.0/16", "1.0/24")]
    # One that sets communities and one that denies by them, between random ones, in any order.
    tag = {"match": {}, "action": "allow", "set": {"communities": draw(sampled(COMMUNITIES))}}
    untagged = {"match": {"communities": draw(sampled(COMMUNITIES))}, "action": draw(sampled(["deny", "allow"]))}
    drawn: list[tuple[str, list[dict[str, Any]]]] = [
        (draw(sampled(["in", "out"])), []) for _ in range(draw(st.integers(0, 3)))
    ]
    for index, (direction, rules) in enumerate(draw(st.permutations([("in", [tag]), ("out", [untagged]), *drawn]))):
        before, after = (draw(st.lists(route_rules(prefixes), max_size=1)) for _ in range(2))
        segment = draw(sampled(["corp", "corp", "corp", "guest"]))
        targets = draw(st.lists(sampled([name for name in SITES if SITES[name] == segment]), min_size=1, unique=True))
        body = {"name": f"r{index}", "segment": segment, "direction": direction, "targets": targets}
        net.add("route-policies", {**body, "rules": [*before, *rules, *after]})
    return net
