"""Normalising and building the bodies of intent objects."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.intent import (
    KINDS,
    InvalidIntent,
    PrefixEntry,
    all_kinds,
    build_object,
    kind_of,
    load_intent,
    normalise_body,
    object_references,
)
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.values.addresses import prefix_range
from tests.core.body_problems import complaints, same
from tests.core.sample_networks import CATALOG, IntentBuilder, hospital_network, policy, site, vpc


def test_a_connector_gets_circuits_a_and_b_on_both_nodes() -> None:
    body = normalise_body("connectors", site("a", "eu", "sites", "10.0.0.0/24"), same)
    assert [(circuit["name"], circuit["node"], circuit["role"]) for circuit in body["circuits"]] == [
        ("A", 1, "active"),
        ("B", 2, "standby"),
    ]
    circuits = build_object("connectors", "u", 31, "a", body).circuits
    assert circuits[0].local != circuits[1].local and circuits[0].local.endswith("/30")


def test_circuit_b_can_be_the_active_one() -> None:
    body = {**site("a", "eu", None, "10.0.0.0/24"), "circuits": [{"name": "B", "role": "active"}]}
    assert [circuit["role"] for circuit in normalise_body("connectors", body, same)["circuits"]] == [
        "standby",
        "active",
    ]


def test_prefixes_ports_and_protocols_are_normalised() -> None:
    rule = {"action": "allow", "protocol": 6, "ports": [443, "80-90", "85 - 100"], "source": ["10.1.2.3"]}
    read = normalise_body("policies", policy("p", 1, "a", "b", rule), same)["rules"][0]
    assert read["protocol"] == "tcp" and read["ports"] == ["80-100", "443"]
    assert read["source"] == ["10.1.2.3/32"] and read["destination"] == ["any"] and read["name"] == "rule-1"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [("10.1.2.3/16", "host_bits"), ("10.1/16", "bad_prefix"), ("10.0.0.0/33", "bad_prefix"), ("", "bad_prefix")],
)
def test_a_bad_prefix_is_reported_with_its_path(prefix: str, code: str) -> None:
    codes = complaints("connectors", site("a", "eu", "sites", "10.0.0.0/24", prefix))
    assert codes == {"attachments[0].prefixes[1]": code}


def test_all_problems_of_a_body_are_reported_at_once() -> None:
    body = policy(
        "p",
        1,
        "a",
        "b",
        {"action": "allow", "protocol": "tcp", "ports": ["70000"]},
        {"action": "drop", "protocol": "tpc"},
        {"action": "inspect", "colour": 1},
        to=[],
    )
    assert complaints("policies", body) == {
        "rules[0].ports[0]": "bad_port",
        "rules[1].protocol": "bad_protocol",
        "rules[1].action": "not_one_of",
        "rules[2].services": "required",
        "rules[2].colour": "unknown_field",
        "to": "required",
    }


@pytest.mark.parametrize("port", [-1, 65536, 70000, "5-1", "", True, 1.5, None, {}, "٤٤٣"])
def test_an_invalid_port_is_refused(port: Any) -> None:
    rule = {"action": "allow", "protocol": "udp", "ports": [port]}
    assert complaints("policies", policy("p", 1, "a", "b", rule)) == {"rules[0].ports[0]": "bad_port"}


def test_a_name_without_an_object_is_an_unknown_reference() -> None:
    draw = hospital_network()
    assert complaints("connectors", site("a", "mars", "sites", "10.9.0.0/24"), draw.resolve) == {
        "exchange": "unknown_reference"
    }
    assert complaints("policies", policy("p", 1, "prod", "nobody"), draw.resolve) == {"to[0]": "unknown_reference"}


SETTINGS: dict[str, dict[str, Any]] = {
    "aws-vpc": {"account": "111122223333", "region": "eu-central-1", "vpc_id": "vpc-1"},
    "azure-vnet": {
        "subscription": "6f8a4d0e-0c5b-4c6e-9a53-0d1f6a3f7b21",
        "resource_group": "rg-network",
        "vnet": "vnet-prod",
        "region": "westeurope",
    },
    "gcp-vpc": {"project": "acme-prod-1", "network": "vpc-prod", "region": "europe-west3"},
    "ipsec-site": {"peer_addresses": ["198.51.100.7"], "credential": "hospital-a-key"},
    "sdwan": {"vendor": "cisco"},
    "direct-connect": {"connection_id": "dxcon-fg5678ab", "region": "eu-central-1"},
    "expressroute": {"circuit": "er-frankfurt"},
    "interconnect": {"attachments": ["vlan-a", "vlan-b"]},
    "colo": {"facility": "Interxion FRA1"},
    "internet-exit": {},
    "remote-access": {},
    "lab-site": {},
}


@pytest.mark.parametrize("kind", CONNECTOR_KINDS)
def test_every_kind_of_connector_reads_its_settings_and_fills_in_defaults(kind: str) -> None:
    prefixes = () if kind == "internet-exit" else ("10.0.0.0/24",)
    body = {**site("a", "eu", None, *prefixes), "kind": kind, "settings": SETTINGS[kind]}
    read = normalise_body("connectors", body, same)
    assert read["settings"].items() >= SETTINGS[kind].items()
    assert normalise_body("connectors", read, same) == read
    wrong = {**body, "settings": {**SETTINGS[kind], "secret": "s3cret"}}
    assert complaints("connectors", wrong) == {"settings.secret": "unknown_field"}


def test_an_unknown_kind_of_connector_is_reported_with_the_known_kinds() -> None:
    assert complaints("connectors", {**site("a", "eu", None, "10.0.0.0/24"), "kind": "tin-can"}) == {
        "kind": "not_one_of"
    }


def test_a_site_joins_several_segments_and_groups_but_none_twice() -> None:
    body = site("a", "eu", "sites", "10.0.0.0/24")
    more = [
        {"segment": "corp", "group": "labs", "prefixes": ["10.0.1.0/24"]},
        {"segment": "guest", "group": "sites", "prefixes": ["10.0.0.0/24"]},
    ]
    assert (
        len(normalise_body("connectors", {**body, "attachments": body["attachments"] + more}, same)["attachments"]) == 3
    )
    assert complaints("connectors", {**body, "attachments": body["attachments"] * 2}) == {"attachments[1]": "duplicate"}


def test_a_vpc_has_exactly_one_segment_and_names_its_vpc() -> None:
    body = vpc("v", "eu", "prod", "10.0.0.0/16", "vpc-1")
    other = {**body["attachments"][0], "segment": "guest", "prefixes": ["10.1.0.0/16"]}
    assert complaints("connectors", {**body, "attachments": [*body["attachments"], other]}) == {
        "attachments": "out_of_range"
    }
    assert complaints("connectors", {**vpc("v", "eu", "prod", "10.0.0.0/16", "vpc-1"), "settings": {}}) == {
        "settings.account": "required",
        "settings.region": "required",
        "settings.vpc_id": "required",
    }


def test_groups_cannot_be_named_any_or_internet() -> None:
    assert complaints("groups", {"name": "Internet"}) == {"name": "reserved_name"}


def test_a_connector_without_prefixes_is_refused_but_an_exit_has_none() -> None:
    assert complaints("connectors", site("a", "eu", None)) == {"attachments[0].prefixes": "required"}
    exit_body = {**site("x", "eu", None), "kind": "internet-exit"}
    assert normalise_body("connectors", exit_body, same)["attachments"][0]["prefixes"] == []


def test_references_of_a_policy_name_its_segments_sides_and_services() -> None:
    draw = hospital_network()
    row = next(row for row in draw.rows.values() if row[4]["name"] == "sites-to-prod")
    named = object_references("policies", row[4])
    assert ("segments", draw.resolve("segments", "corp")) in named
    assert ("groups", draw.resolve("groups", "prod")) in named
    assert ("services", draw.resolve("services", "fw")) in named


def test_normalising_twice_changes_nothing() -> None:
    for kind, _, _, _, body in hospital_network().rows.values():
        assert normalise_body(kind, body, same) == body


def test_a_stored_body_of_an_older_version_gets_the_newer_defaults() -> None:
    _, _, _, _, body = next(row for row in hospital_network().rows.values() if row[0] == "connectors")
    older = {field: value for field, value in body.items() if field not in ("billing_tags", "preference")}
    assert build_object("connectors", "u", 1, "k", older).preference == 100


def test_rules_name_prefix_lists_and_a_mistyped_prefix_is_reported_as_a_prefix() -> None:
    draw = hospital_network()
    uid = draw.add("prefix-lists", {"name": "offices", "entries": [{"prefix": "10.3.0.0/16", "le": 24}]})
    rule = {"action": "deny", "source": ["offices", "10.9.0.0/24"], "destination": ["nowhere"]}
    assert complaints("policies", policy("p", 1, "prod", "dev", rule), draw.resolve) == {
        "rules[0].destination[0]": "unknown_reference"
    }
    rule["destination"] = ["10.1/16"]
    assert complaints("policies", policy("p", 1, "prod", "dev", rule), draw.resolve) == {
        "rules[0].destination[0]": "bad_prefix"
    }
    rule["destination"] = ["any"]
    body = normalise_body("policies", policy("p", 1, "prod", "dev", rule), draw.resolve)
    assert body["rules"][0]["source"] == ["10.9.0.0/24", uid]
    assert ("prefix-lists", uid) in object_references("policies", body)
    prefixes = draw.network().prefixes
    assert prefixes.ranges((uid, "10.9.0.0/24")) == (prefix_range("10.3.0.0/16"), prefix_range("10.9.0.0/24"))
    assert prefixes.ranges(()) is None and prefixes.ranges(("gone",)) == ()


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"prefix": "10.0.0.0/8", "ge": 7}, "entries[0].ge"),
        ({"prefix": "10.0.0.0/8", "le": 33}, "entries[0].le"),
        ({"prefix": "2001:db8::/32", "le": 31}, "entries[0].le"),
        ({"prefix": "10.0.0.0/8", "ge": 24, "le": 16}, "entries[0].le"),
    ],
)
def test_lengths_of_a_prefix_list_lie_inside_its_prefix(entry: dict[str, Any], path: str) -> None:
    assert complaints("prefix-lists", {"name": "x", "entries": [entry]}) == {path: "out_of_range"}


@pytest.mark.parametrize(
    ("entry", "route", "holds"),
    [
        (PrefixEntry("10.0.0.0/8"), "10.0.0.0/8", True),
        (PrefixEntry("10.0.0.0/8"), "10.1.0.0/16", False),
        (PrefixEntry("10.0.0.0/8", le=16), "10.1.0.0/16", True),
        (PrefixEntry("10.0.0.0/8", le=16), "10.1.1.0/24", False),
        (PrefixEntry("10.0.0.0/8", ge=16), "10.0.0.0/8", False),
        (PrefixEntry("10.0.0.0/8", ge=16), "10.1.1.0/24", True),
        (PrefixEntry("10.0.0.0/8", ge=9, le=32), "11.0.0.0/9", False),
        (PrefixEntry("2001:db8::/32", le=48), "2001:db8:7::/48", True),
    ],
)
def test_an_entry_matches_its_prefix_or_the_lengths_within_it(entry: PrefixEntry, route: str, holds: bool) -> None:
    assert entry.holds(route) is holds


def test_a_prefix_list_cannot_be_named_like_an_address() -> None:
    assert complaints("prefix-lists", {"name": "10.0.0.0/8"}) == {"name": "reserved_name"}
    assert complaints("prefix-lists", {"name": "Any"}) == {"name": "reserved_name"}


def test_billing_tags_are_referenced_by_name_and_free_text_is_an_unknown_reference() -> None:
    draw = hospital_network()
    uid = draw.add("billing-tags", {"name": "research", "color": "#00aa55"})
    body = {**site("a", "eu", "sites", "10.9.0.0/24"), "billing_tags": ["research"]}
    read = normalise_body("connectors", body, draw.resolve)
    assert read["billing_tags"] == [uid] and ("billing-tags", uid) in object_references("connectors", read)
    assert complaints("connectors", {**body, "billing_tags": ["free text"]}, draw.resolve) == {
        "billing_tags[0]": "unknown_reference"
    }


def test_a_share_lists_the_groups_and_prefixes_of_each_side() -> None:
    body = {"name": "s", "a": {"segment": "corp", "groups": ["prod"]}, "b": {"segment": "guest"}}
    assert complaints("shares", body) == {"b": "required"}
    body["b"] = {"segment": "guest", "prefixes": ["10.1.0.0/24"]}
    share = build_object("shares", "u", 1, "s", normalise_body("shares", body, same))
    assert (share.direction, share.route_limit, share.a.groups) == ("both", 100, ("prod",))
    assert share.b.prefixes == ("10.1.0.0/24",)


NAT: dict[str, Any] = {"name": "n", "segment": "corp", "connector": "a", "position": 1, "direction": "outbound"}


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, {"source": "required"}),
        ({"source": {"type": "pool"}}, {"source.prefixes": "required"}),
        ({"source": {"prefixes": ["10.9.0.0/24"]}}, {"source": "required", "source.prefixes": "not_one_of"}),
        (
            {"destination": {"type": "static", "prefixes": ["10.9.0.0/24"], "port": 80}},
            {"destination.port": "bad_port"},
        ),
        ({"destination": {"type": "pool", "prefixes": ["10.9.0.0/24"]}}, {"destination.type": "not_one_of"}),
        ({"match": {"ports": [80]}, "source": {"type": "pool", "prefixes": ["10.9.0.1"]}}, {"match.ports": "bad_port"}),
    ],
)
def test_a_nat_rule_needs_a_translation_and_its_prefixes(more: dict[str, Any], codes: dict[str, str]) -> None:
    assert complaints("nat-rules", {**NAT, **more}) == codes


def test_problems_of_a_route_policy_name_its_rules() -> None:
    rules = [
        {"action": "deny", "set": {"med": 5}},
        {"action": "allow", "match": {"as_path": "^65001(", "communities": ["65000:100", "no-export"]}},
        {"action": "allow", "set": {"prepend": 11, "communities": ["70000:1"]}},
    ]
    body = {"name": "r", "segment": "corp", "direction": "in", "targets": ["a"], "rules": rules}
    assert complaints("route-policies", body) == {
        "rules[0].set": "not_one_of",
        "rules[1].match.as_path": "not_one_of",
        "rules[1].match.communities[1]": "not_one_of",
        "rules[2].set.prepend": "out_of_range",
        "rules[2].set.communities[0]": "not_one_of",
    }


def test_an_internet_app_listens_on_its_targets_port_and_is_ipv4_only() -> None:
    body: dict[str, Any] = {"name": "shop", "connector": "exit", "port": 443}
    body["target"] = {"connector": "a", "addresses": ["10.1.2.3"]}
    app = build_object("internet-apps", "u", 1, "shop", normalise_body("internet-apps", body, same))
    assert (app.protocol, app.target.port, app.source_nat, app.public_ip) == ("tcp", 443, True, None)
    assert complaints("internet-apps", {**body, "public_ip": "10.0.0.1"}) == {"public_ip": "bad_address"}
    body["public_ip"], body["target"]["addresses"] = "2001:db8::1", ["2001:db8::2"]
    assert complaints("internet-apps", body) == {"public_ip": "bad_address", "target.addresses[0]": "bad_address"}
    assert complaints("internet-apps", {**body, "name": "internet"})["name"] == "reserved_name"


@pytest.mark.parametrize("color", ["", " ", "red", "#2f6fe", "#2f6fedd"])
def test_a_color_is_written_in_one_way_or_left_out(color: str) -> None:
    assert complaints("segments", {"name": "corp", "color": color}) == {"color": "not_one_of"}
    assert normalise_body("segments", {"name": "corp", "color": None}, same)["color"] is None


def test_a_segments_stance_is_still_read_as_its_default_action() -> None:
    for stance, default_action in (("open", "allow"), ("closed", "deny")):
        for also in ({}, {"default_action": default_action}, {"default_action": None}):
            read = normalise_body("segments", {"name": "corp", "stance": stance, **also}, same)
            assert read["default_action"] == default_action and "stance" not in read
    assert normalise_body("segments", {"name": "corp", "stance": None}, same)["default_action"] == "allow"
    assert complaints("segments", {"name": "corp", "stance": "open", "default_action": "deny"}) == {
        "stance": "contradictory"
    }
    assert complaints("segments", {"name": "corp", "stance": ["ajar"]}) == {"stance": "not_one_of"}
    assert complaints("groups", {"name": "prod", "stance": "open"}) == {"stance": "unknown_field"}


def test_objects_of_every_kind_load_and_are_found_by_kind_and_name() -> None:
    draw = IntentBuilder()
    kinds = [kind.key for kind in all_kinds() if not kind.declaration.kinds_named() - {(kind.key,)}]
    assert {"exchanges", "segments", "groups", "prefix-lists", "billing-tags"} <= set(kinds)
    for kind in kinds:
        draw.add(kind, {**kind_of(kind).example, "name": "x"})
    intent = load_intent(draw.rows.values(), CATALOG)
    assert intent.of("prefix-lists") is intent.prefix_lists and len(intent.of("billing-tags")) == 1
    assert [kind for kind, _ in intent.items()] == kinds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("name", "description", "location", "size", "stance", "prefixes", "color", "kind", "exchange"),
        *("attachments", "default_action"),
        *("circuits", "settings", "position", "segments", "from", "to", "rules", "product", "placements", "zones"),
        *("expect", "protocol", "ports", "segment", "entries", "a", "b", "direction", "services", "route_limit"),
        *("connector", "match", "source", "destination", "targets", "port", "public_ip", "target", "billing_tags"),
    ]
)


@given(kind=st.sampled_from(KINDS), body=st.dictionaries(FIELDS, JSON, max_size=8) | JSON)
def test_arbitrary_json_never_crashes_normalising(kind: str, body: Any) -> None:
    try:
        normalise_body(kind, body, lambda _kind, wanted: str(uuid.uuid5(uuid.NAMESPACE_URL, wanted)))
    except InvalidIntent as error:
        assert error.problems and all(problem.message.endswith(".") for problem in error.problems)
