"""Rendering sections to nftables, routes and links, without a kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from provisioning.agent import nft
from provisioning.agent.address_families import nft_interval, route_prefixes
from provisioning.agent.counter_totals import REPORTS_AFTER_END, CounterTotals
from provisioning.agent.desired import NftTable
from provisioning.agent.document import NodeDocument, parse_section
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.render import RenderedNode, render_node
from provisioning.core.node_document import SectionJson
from provisioning.core.values.addresses import intersect, parse_ranges
from tests.core.sample_networks import IntentBuilder, policy, site
from tests.lab import compiled_documents
from tests.lab.handwritten_network import HandwrittenNetwork, Site, policy_rule

SITES = (Site("prod", "eu", "10.1.0.0/16"), Site("dev", "us", "10.2.0.0/16"), Site("exit", "eu", kind="internet-exit"))
NETWORK = HandwrittenNetwork(
    SITES,
    rules={
        "corp": [
            policy_rule("c:prod", "c:dev", "inspect", chain=["fw"], protocol="tcp", ports=["443", "8000-8100"]),
            {**policy_rule("c:dev", "any", "deny"), "source": ["10.2.7.0-10.2.7.255"]},
            policy_rule("c:prod", "internet", protocol="udp", ports=["53"]),
        ]
    },
    instances={"fw": ["eu/1", "eu/2"]},
)
KEY = "acme/exchange/eu/1/segment/corp"


def document(network: HandwrittenNetwork, node: str = "aws-eu-central-1/1") -> NodeDocument:
    return parse_document(network.documents()[node])


def parse_document(sections: dict[str, SectionJson]) -> NodeDocument:
    return NodeDocument(1, {key: parse_section(key, section) for key, section in sections.items()}, "", "", "")


def render_network(network: HandwrittenNetwork, memory: MarkAllocation | None = None) -> RenderedNode:
    return render_node(document(network), {KEY: memory} if memory else {}, "x.")


@pytest.mark.parametrize("namespace", ["x.acme.corp", "x.acme.fw.1", "x.acme.corp.c3a12"])
def test_the_rules_of_a_namespace_are_as_reviewed(namespace: str, nft_snapshot: SnapshotAssertion) -> None:
    assert nft_text(render_network(NETWORK).namespaces[namespace].rules) == nft_snapshot


def nft_text(rules: NftTable) -> str:
    return nft.render_transaction(rules, {"chain": set(), "set": set(), "map": set(), "counter": set()})


@pytest.mark.parametrize("namespace", ["acme.corp", "acme.partner", "acme.corp.c9a3", "acme.corp.apps"])
def test_the_rules_of_shares_nat_and_applications_are_as_reviewed(
    namespace: str, nft_snapshot: SnapshotAssertion
) -> None:
    network = clinic().network()
    documents = compiled_documents.compile_documents(network)
    namespaces: dict[str, Any] = {}
    for node in ("aws-eu-central-1/1", "aws-us-east-1/1"):
        namespaces |= render_node(parse_document(documents[node]), {}, "").namespaces
    assert nft_text(namespaces[namespace].rules) == nft_snapshot


def test_a_section_without_hairpin_sources_leads_members_to_no_application() -> None:
    sections = home_sections(without="hairpin_source")
    rules = nft_text(render_node(parse_document(sections), {}, "").namespaces["acme.corp"].rules)
    assert "published" not in rules and "no-route" in rules
    rules = nft_text(render_node(parse_document(home_sections()), {}, "").namespaces["acme.corp"].rules)
    assert "published" in rules


def home_sections(without: str = "") -> dict[str, Any]:
    """Return the sections of the clinic's application home, its applications without one field."""
    sections: dict[str, Any] = dict(compiled_documents.compile_documents(clinic().network())["aws-us-east-1/1"])
    for key, section in sections.items():
        if section["kind"] == "exchange.segment":
            apps = [{name: value for name, value in app.items() if name != without} for app in section["body"]["apps"]]
            sections[key] = {**section, "body": {**section["body"], "apps": apps}}
    return sections


def clinic() -> IntentBuilder:
    """Return two segments with a share, a site behind a NAT pool and an application, in IPv4 and IPv6."""
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    draw.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    draw.add("segments", {"name": "corp"})
    draw.add("segments", {"name": "partner", "default_action": "deny"})
    draw.add("groups", {"name": "red"})
    draw.add("connectors", site("app", "eu", "red", "10.1.0.0/16", "fd10:1::/48"))
    draw.add("connectors", site("supplier", "us", "red", "10.2.0.0/16", "fd10:2::/48", segment="partner"))
    twin = site("twin", "us", None, "10.1.0.0/16")
    draw.edit("connectors", "app", redundancy_group="app", preference=200)
    draw.add("connectors", {**twin, "redundancy_group": "app"})
    draw.add("connectors", site("clinic", "eu", None, "10.3.0.0/16"))
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": "us",
                            "attachments": [{"segment": "corp"}]})  # fmt: skip
    look = {"action": "deny", "protocol": "tcp", "ports": ["22"]}
    draw.add("policies", policy("theirs", 1, "any", "supplier", look, segments=["partner"]))
    far = {"segment": "partner", "groups": ["red"], "prefixes": []}
    draw.add("shares", {"name": "records", "a": {"segment": "corp", "groups": ["red"], "prefixes": []}, "b": far})
    base = {"segment": "corp", "connector": "clinic"}
    draw.add("nat-rules", {"name": "out", **base, "position": 1, "direction": "outbound",
                           "source": {"type": "pool", "prefixes": ["172.20.0.0/31"]}})  # fmt: skip
    draw.add("nat-rules", {"name": "in", **base, "position": 2, "direction": "inbound",
                           "match": {"destination": ["172.20.1.1/32"], "protocol": "tcp", "ports": ["443"]},
                           "destination": {"type": "static", "prefixes": ["10.3.0.7/32"], "port": 8443}})  # fmt: skip
    draw.add("internet-apps", {"name": "shop", "connector": "exit", "protocol": "tcp", "port": 443,
                               "target": {"connector": "app", "addresses": ["10.1.2.3", "10.1.2.4"],
                                          "port": 8443}})  # fmt: skip
    draw.add("policies", policy("shop", 2, "internet", "shop", {"action": "allow"}))
    return draw


def test_an_overlapping_source_keeps_its_number_when_others_are_added_or_removed() -> None:
    memory = MarkAllocation().with_overlapping_sources(["one red", "two "])
    assert memory.with_overlapping_sources(["two ", "three "]).overlapping_sources == {
        "one red": 1,
        "two ": 2,
        "three ": 3,
    }
    assert MarkAllocation(overlapping_sources={str(n): n for n in range(1, 128)}).with_overlapping_sources(
        ["new"]
    ).overlapping_sources == {"new": 1}
    given_before = MarkAllocation(overlapping_sources={"one": 1, "late": 127}).with_overlapping_sources(["one", "late"])
    assert given_before.overlapping_sources == {"one": 1, "late": 2}
    with pytest.raises(ValueError, match="more than 114"):
        MarkAllocation().with_overlapping_sources(map(str, range(128)))


def test_an_equal_document_renders_equally_and_keeps_its_generation() -> None:
    first = render_network(NETWORK)
    again = render_network(NETWORK, first.mark_allocations[KEY])
    assert again.namespaces == first.namespaces
    assert again.mark_allocations == first.mark_allocations


def test_a_changed_rule_or_a_new_site_starts_a_generation() -> None:
    memory = render_network(NETWORK).mark_allocations[KEY]
    changed = render_network(NETWORK.with_changes(default_action={"corp": "deny"}), memory).mark_allocations[KEY]
    grown = render_network(
        NETWORK.with_changes(sites=(*SITES, Site("more", "us", "10.9.0.0/16"))), memory
    ).mark_allocations[KEY]
    assert changed.generation == grown.generation == memory.generation + 1


def test_chains_and_instances_keep_their_numbers_when_others_are_added_or_removed() -> None:
    memory = render_network(NETWORK).mark_allocations[KEY]
    more = render_network(
        NETWORK.with_changes(instances={"fw": ["eu/1", "eu/2", "eu/1"], "ads": ["eu/1"]}), memory
    ).mark_allocations[KEY]
    assert more.chains.items() >= memory.chains.items()
    assert more.slots.items() >= memory.slots.items()
    assert len({more.slots[f"fw/eu/{i}"] for i in (1, 2, 3)}) == 3


def test_every_set_that_a_rule_names_is_declared() -> None:
    """This includes the sets of routes that a route policy filters."""
    draw = clinic()
    keep_out = {"match": {"prefixes": ["10.1.0.0/16"]}, "action": "deny"}
    draw.add("route-policies", {"name": "apart", "segment": "corp", "direction": "out", "targets": ["clinic"],
                                "rules": [keep_out]})  # fmt: skip
    documents = compiled_documents.compile_documents(draw.network())
    for sections in documents.values():
        for namespace in render_node(parse_document(sections), {}, "").namespaces.values():
            empty: dict[str, set[str]] = {kind: set() for kind in ("chain", "set", "map", "counter")}
            assert "add table" in nft.render_transaction(namespace.rules, empty)
    rules = render_node(parse_document(documents["aws-eu-central-1/1"]), {}, "").namespaces["acme.corp"].rules
    assert rules.elements["filtered"] and "@filtered drop" in " ".join(rules.chains["leave"][1])


def test_an_invalid_section_fails_alone() -> None:
    broken = document(NETWORK.with_changes(default_action={"corp": "allow", "lab": "allow"}))
    section = broken.sections["acme/segment/lab"]
    body: dict[str, Any] = {**section.body}
    del body["mesh"]
    sections = {**broken.sections, section.key: replace(section, body=body)}
    result = render_node(NodeDocument(1, sections, "", "", ""), {}, "x.")
    assert set(result.failed) == {section.key, "acme/exchange/eu/1/segment/lab"}
    assert "x.acme.corp" in result.namespaces


def test_a_section_of_a_kind_that_the_agent_does_not_know_fails_alone() -> None:
    sections = NETWORK.documents()["aws-eu-central-1/1"]
    known = next(iter(sections.values()))
    rendered = render_node(parse_document({**sections, "acme/tunnel": {**known, "kind": "exchange.tunnel"}}), {})
    assert rendered.failed == {"acme/tunnel": "this agent knows no sections of kind exchange.tunnel: upgrade it"}
    assert rendered.namespaces.keys() == render_node(parse_document(sections), {}).namespaces.keys()


def test_ranges_merge_intersect_and_convert_to_prefixes() -> None:
    joined = parse_ranges(["10.0.0.0/24", "10.0.1.0-10.0.1.255", "10.0.4.7"])
    assert [nft_interval(span) for span in joined] == ["10.0.0.0-10.0.1.255", "10.0.4.7"]
    assert route_prefixes(joined) == ["10.0.0.0/23", "10.0.4.7/32"]
    assert route_prefixes(intersect(joined, parse_ranges(["10.0.1.128/25"]))) == ["10.0.1.128/25"]


def test_totals_keep_growing_when_kernel_counters_are_reset() -> None:
    totals = CounterTotals()
    assert totals.update({"a": 10}) == {"a": 10}
    assert totals.update({}) == {"a": 10}
    assert totals.update({"a": 3}) == {"a": 13}
    assert CounterTotals(totals.base, totals.last).update({"a": 5}) == {"a": 15}


def test_the_last_total_of_a_counter_that_is_gone_is_reported_for_two_minutes() -> None:
    totals = CounterTotals()
    totals.update({"a": 10, "b": 1})
    for _ in range(REPORTS_AFTER_END):
        assert totals.update({"b": 2}) == {"a": 10, "b": 2}
        totals = CounterTotals.from_json(totals.as_json())
    assert totals.update({"b": 2}) == {"b": 2}
    assert totals.update({"a": 3, "b": 2}) == {"a": 13, "b": 2}
