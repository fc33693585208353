"""Compiling intent to resources."""

from __future__ import annotations

import json
import random
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.intent import load_intent
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import body_references, canonical_json
from provisioning.drivers import compile_network
from tests.core.random_edits import edited_full_networks
from tests.core.random_full_networks import full_networks
from tests.core.random_small_networks import many_examples
from tests.core.sample_networks import CATALOG, IntentBuilder, hospital_network, partner_network, policy, site
from tests.core.test_intent import SETTINGS


def test_every_dependency_and_reference_names_a_resource() -> None:
    resources = compile_network(hospital_network().network())
    for resource in resources.values():
        assert {address for address, _ in body_references(resource.body)} <= set(resource.depends)
        assert set(resource.depends) <= resources.keys()


def test_a_vpc_gets_its_gateway_tables_tunnels_attachment_and_routes() -> None:
    resources = compile_network(hospital_network().network())
    base = "aws/111122223333/eu-central-1"
    assert {address for address in resources if address.startswith("aws/")} == {
        f"{base}/tgw",
        f"{base}/cgw/eu/1",
        f"{base}/cgw/eu/2",
        f"{base}/segment/corp/spoke",
        f"{base}/segment/corp/exchange",
        f"{base}/segment/corp/vpn/eu/1",
        f"{base}/segment/corp/vpn/eu/2",
        *(f"{base}/vpc/{vpc}/{noun}" for vpc in ("vpc-0a1", "vpc-0a2") for noun in ("attachment", "routes")),
    }
    # Production may go out to the internet, development may not.
    assert resources[f"{base}/vpc/vpc-0a1/routes"].body["prefixes"] == ["0.0.0.0/0", "10.0.0.0/8"]
    assert resources[f"{base}/vpc/vpc-0a2/routes"].body["prefixes"] == ["10.0.0.0/8"]
    cidrs = [
        cidr for number in (1, 2) for cidr in resources[f"{base}/segment/corp/vpn/eu/{number}"].body["inside_cidrs"]
    ]
    assert len(set(cidrs)) == 4


def test_a_segment_has_one_section_for_all_nodes_and_a_vrf_for_each_node() -> None:
    resources = compile_network(hospital_network().network())
    nodes = ("eu/1", "eu/2", "us/1", "us/2")
    expected = {f"exchange/{node}/segment/{segment}" for node in nodes for segment in ("corp", "guest")}
    assert {address for address, resource in resources.items() if resource.kind == "exchange.vrf"} == expected
    assert {address for address, resource in resources.items() if resource.kind == "exchange.segment"} == {
        "segment/corp",
        "segment/guest",
    }
    section = resources["segment/corp"].body
    assert [node["node"] for node in section["mesh"]] == list(nodes)
    assert len({node["index"] for node in section["mesh"]}) == 4
    assert section["rules"][0]["chain"] == ["fw"] and section["rules"][0]["l4"][0]["ports"] == ["443", "8000-8100"]
    own = resources["exchange/us/2/segment/corp"].body
    assert set(own) == {"version", "nodes", "segment", "node", "index", "services"}
    assert [instance["id"] for instance in own["services"]["fw"]["instances"]] == ["fw/eu/1", "fw/eu/2"]
    assert set(section["exits"]) == {"eu", "us"}
    assert section["address_sets"]["g:sites"] == ["10.3.0.0-10.5.255.255"]


def test_every_pair_of_classes_has_one_anchor_and_inspected_pairs_have_it_at_the_firewall() -> None:
    draw = hospital_network()
    draw.add("policies", policy("b-to-b", 15, "hospital-b", "dev", {"action": "inspect", "services": ["fw"]}))
    section = compile_network(draw.network())["segment/corp"].body
    classes = sorted({member["anchor_class"] for member in section["members"]})
    assert set(section["anchors"]) == {f"{low}.{high}" for low, high in combinations_with_replacement(classes, 2)}
    by_name = {member["connector"]: member["anchor_class"] for member in section["members"]}
    for start, end in (("hospital-b", "vpc-prod"), ("hospital-b", "vpc-dev"), ("hospital-a", "vpc-prod")):
        low, high = sorted((by_name[start], by_name[end]))
        assert section["anchors"][f"{low}.{high}"].startswith("eu/")
    low, high = sorted((by_name["vpc-prod"], by_name["exit-eu"]))
    assert section["anchors"][f"{low}.{high}"] == "eu/1"


def test_links_have_short_interface_names_and_unique_addresses() -> None:
    draw = hospital_network()
    for index in range(40):
        draw.add("connectors", site(f"s{index}", "eu", "sites", f"10.100.{index}.0/24"))
    links = [link for resource in compile_network(draw.network()).values() for link in resource.body.get("links", ())]
    assert all(len(link["interface"]) <= 15 for link in links)
    link_addresses = [(link["node"], link["segment"], link["local"]) for link in links]
    assert len(set(link_addresses)) == len(link_addresses)


def test_two_connectors_whose_numbers_collide_get_different_link_addresses() -> None:
    rows = list(hospital_network().rows.values())
    kind, _, number, _, body = next(row for row in rows if row[4]["name"] == "hospital-a")
    prefixes = [{**body["attachments"][0], "prefixes": ["10.200.0.0/16"]}]
    far = {**body, "name": "far", "attachments": prefixes}
    draw = [*rows, (kind, "other", number + 2047, "far", far)]
    resources = compile_network(Network(load_intent(draw, CATALOG)))
    links = [resources[f"connector/{name}"].body["links"][0] for name in ("hospital-a", "far")]
    assert links[0]["local"] != links[1]["local"]
    alone = compile_network(hospital_network().network())["connector/hospital-a"].body["links"][0]
    assert links[0] == alone


def test_a_disabled_connector_and_policy_are_left_out() -> None:
    draw = hospital_network()
    draw.edit("connectors", "vpc-dev", enabled=False)
    draw.edit("policies", "no-dev-in-prod", enabled=False)
    resources = compile_network(draw.network())
    assert not any("vpc-0a2" in address or "vpc-dev" in address for address in resources)
    section = resources["segment/corp"].body
    assert "vpc-dev" not in canonical_json(section) and "no-dev-in-prod" not in canonical_json(section)


def test_a_rename_changes_no_resource() -> None:
    draw = hospital_network()
    before = compile_network(draw.network())
    for kind, name in (("connectors", "vpc-prod"), ("groups", "prod"), ("segments", "corp"), ("exchanges", "eu")):
        draw.edit(kind, name, name=f"{name} renamed")
    assert compile_network(draw.network()) == before


@given(st.randoms(use_true_random=False))
def test_compiling_does_not_depend_on_the_order_of_rows(rng: random.Random) -> None:
    rows = list(hospital_network().rows.values())
    expected = compile_network(Network(load_intent(rows, CATALOG)))
    rng.shuffle(rows)
    again = compile_network(Network(load_intent(rows, CATALOG)))
    assert again == expected and list(again) == list(expected)


def test_member_ranges_are_disjoint_and_the_longest_prefix_wins() -> None:
    draw = hospital_network()
    draw.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    members = compile_network(draw.network())["segment/corp"].body["members"]
    ranges = {member["connector"]: member["ranges"] for member in members}
    assert ranges["annex"] == ["10.3.4.0-10.3.4.255"]
    assert ranges["hospital-a"] == ["10.3.0.0-10.3.3.255", "10.3.5.0-10.3.255.255"]


def test_an_equal_network_loaded_over_the_first_compiles_to_the_same_resources() -> None:
    """Derived values taken over refer to the first network's objects, which are equal but not identical."""
    first = hospital_network().network()
    check_network(first)
    again = {
        address: canonical_json(resource.body)
        for address, resource in compile_network(Network(hospital_network().intent(), first)).items()
    }
    assert again == {
        address: canonical_json(resource.body)
        for address, resource in compile_network(hospital_network().network()).items()
    }


# Every kind


def every_kind() -> IntentBuilder:
    """Return the partners' network with a share, NAT, a route policy, an application and a failover exchange."""
    draw = partner_network()
    lists = [{"prefix": "10.3.8.0/22"}, {"prefix": "10.3.12.0/22"}]
    draw.add("prefix-lists", {"name": "labs", "entries": lists})
    sides = {"a": {"segment": "guest", "prefixes": ["172.20.4.0/24"]}, "b": {"segment": "corp", "groups": ["prod"]}}
    draw.add("shares", {"name": "billing", **sides, "direction": "a-to-b"})
    checked = {"name": "checked", "action": "inspect", "services": ["ids"], "source": ["labs"]}
    ids = {"name": "ids", "product": "linux-firewall", "placements": [{"exchange": "us"}], "segments": ["guest"]}
    zone = {"name": "outside", "segment": "guest", "groups": ["insurers"]}
    draw.add("services", {**ids, "zones": [zone]})
    draw.add("policies", policy("guests", 70, "any", "prod", checked, segments=["guest"]))
    draw.add("policies", policy("insured", 80, "insurers", "any", {"action": "deny"}, segments=["guest"]))
    shown = {"type": "static", "prefixes": ["100.64.3.0/24"]}
    out = {"segment": "corp", "connector": "hospital-a", "direction": "outbound", "match": {"source": ["10.3.0.0/24"]}}
    draw.add("nat-rules", {"name": "hide", "position": 10, **out, "source": shown})
    deny = {"match": {"prefixes": ["10.2.0.0/16"]}, "action": "deny"}
    routes = {"segment": "corp", "direction": "out", "targets": ["sites"], "rules": [deny]}
    draw.add("route-policies", {"name": "no-dev", **routes})
    target = {"connector": "vpc-prod", "addresses": ["10.1.0.10"], "port": 8443}
    draw.add("internet-apps", {"name": "portal", "connector": "exit-eu", "port": 443, "target": target})
    https = {"action": "allow", "protocol": "tcp", "ports": ["443"]}
    draw.add("policies", policy("patients", 5, "internet", "portal", https))
    draw.edit("connectors", "hospital-a", failover_exchange="us")
    return draw


def test_flows_of_a_share_are_decided_in_the_older_segment() -> None:
    resources = compile_network(every_kind().network())
    host, other = resources["segment/corp"].body, resources["segment/guest"].body
    (guest,) = host["imported_members"]
    assert (guest["connector"], guest["segment"], guest["ranges"]) == ("clearing", "guest", ["172.20.4.0-172.20.4.255"])
    assert guest["id"] == len(host["members"]) + 1
    low, high = sorted((guest["anchor_class"], host["members"][0]["anchor_class"]))
    assert f"{low}.{high}" in host["anchors"]
    assert host["shares"] == [
        {
            "id": "share/billing",
            "chain": [],
            "a": {"segment": "guest", "ranges": ["172.20.4.0-172.20.4.255"]},
            "b": {"segment": "corp", "ranges": ["10.1.0.0-10.1.255.255"]},
            "initiate": ["a"],
        }
    ]
    assert (
        other["imported_members"] == other["shares"] == []
        and host["deciding_peers"] == []
        and other["peer_rules"] == {}
    )
    assert other["deciding_peers"] == [
        {"segment": "corp", "number": host["number"], "ranges": ["10.1.0.0-10.1.255.255"]},
    ]
    assert (
        "172.20.4.0-172.20.4.255" in host["address_sets"]["any"]
        and "10.1.0.0-10.1.255.255" in other["address_sets"]["any"]
    )


def test_the_deciding_segment_has_the_peers_rules_that_can_match_and_its_services_have_arms_in_both() -> None:
    resources = compile_network(every_kind().network())
    foreign = resources["segment/corp"].body["peer_rules"]["guest"]
    assert [rule["id"] for rule in foreign["rules"]] == ["log/seen", "guests/checked"]
    assert foreign["address_sets"] == {
        "any": ["10.1.0.0-10.1.255.255", "172.20.4.0-172.20.4.255"],
        "g:prod": ["10.1.0.0-10.1.255.255"],
    }
    instance = resources["service/ids/us/instance/1"]
    assert [arm["segment"] for arm in instance.body["segments"]] == ["corp", "guest"]
    assert instance.body["zones"] == [{"name": "outside", "segment": "guest", "groups": ["insurers"]}]
    assert set(resources["exchange/us/1/segment/corp"].body["services"]) == {"fw", "ids"}
    assert set(resources["exchange/us/1/segment/guest"].body["services"]) == {"ids"}
    assert {"exchange/us/1/segment/corp", "exchange/us/1/segment/guest"} <= set(instance.depends)


def test_a_failover_exchange_gets_standby_circuits_of_its_own() -> None:
    resource = compile_network(every_kind().network())["connector/hospital-a"]
    links = {link["circuit"]: link for link in resource.body["links"]}
    assert [(name, link["node"], link["role"]) for name, link in links.items()] == [
        ("A", "eu/1", "active"),
        ("B", "eu/2", "standby"),
        ("C", "us/1", "standby"),
        ("D", "us/2", "standby"),
    ]
    assert len({link["local"] for link in links.values()}) == 4
    assert {"exchange/us", "exchange/us/1/segment/corp", "exchange/us/2/segment/corp"} <= set(resource.depends)
    assert resource.body["failover_exchange"] == "us"


def test_failover_circuits_take_no_address_in_use_at_the_failover_exchange() -> None:
    draw = hospital_network()
    for index in range(30):
        exchange, other = ("eu", "us") if index % 2 else ("us", "eu")
        body = site(f"s{index}", exchange, "sites", f"10.100.{index}.0/24")
        draw.add("connectors", {**body, "failover_exchange": other})
    links = [link for resource in compile_network(draw.network()).values() for link in resource.body.get("links", ())]
    link_addresses = [(link["node"], link["segment"], link["local"]) for link in links]
    assert len(set(link_addresses)) == len(link_addresses)
    number = draw.rows[draw.uid_of("connectors", "s0")][2]
    own = [link["local"] for link in links if link["interface"].startswith(f"c{number}")]
    assert len(set(own)) == 4, "nor one that its own other circuits have"


def test_a_link_lists_inside_and_presented_addresses_nat_rules_and_filtered_routes() -> None:
    (link, *_) = compile_network(every_kind().network())["connector/hospital-a"].body["links"]
    assert link["inside"] == ["10.3.0.0/16"] and "100.64.3.0-100.64.3.255" in link["presented"]
    (rule,) = link["nat_rules"]
    assert (rule["id"], rule["direction"], rule["source"]) == ("nat/hide", "outbound", ["10.3.0.0-10.3.0.255"])
    assert rule["to_source"] == {"type": "static", "from": ["10.3.0.0/24"], "to": ["100.64.3.0/24"]}
    assert rule["to_destination"] == {"type": "none", "from": [], "to": [], "port": None}
    assert link["filtered_routes"] == ["10.2.0.0-10.2.255.255"]
    (policy_,) = link["route_policies"]["out"]
    assert policy_["id"] == "routes/no-dev" and link["route_policies"]["in"] == []
    assert policy_["rules"][0]["prefixes"] == [{"prefix": "10.2.0.0/16", "ge": None, "le": None}]


def test_an_application_is_in_its_segment_and_only_its_target_gets_the_route_to_clients() -> None:
    resources = compile_network(every_kind().network())
    (app,) = resources["segment/corp"].body["apps"]
    assert app == {
        "id": "app:portal",
        "exit": 5,
        "home": "eu/1",
        "public": "203.0.113.1",
        "protocol": "tcp",
        "port": 443,
        "targets": ["10.1.0.10"],
        "target_port": 8443,
        "source_nat": "100.127.255.3",
        "hairpin_source": "100.127.255.3",
    }
    section = resources["segment/corp"].body
    assert section["address_sets"]["app:portal"] == ["203.0.113.1-203.0.113.1"] and section["rules"][0]["to"] == [
        "app:portal"
    ]
    base = "aws/111122223333/eu-central-1/vpc"
    # Every VPC routes the imported prefixes to the segment; policies and the share decide.
    assert resources[f"{base}/vpc-0a1/routes"].body["prefixes"] == [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "172.20.4.0/23",
        "100.127.255.0/24",
    ]
    assert resources[f"{base}/vpc-0a2/routes"].body["prefixes"] == ["10.0.0.0/8", "172.20.4.0/23"]


def test_only_a_vpc_that_a_policy_lets_reach_an_application_gets_the_route_to_its_public_address() -> None:
    draw = every_kind()
    before = compile_network(draw.network())
    draw.add("policies", policy("front", 70, "vpc-dev", "portal", {"action": "allow"}))
    after = compile_network(draw.network())
    routes = {name: after[name].body["prefixes"] for name in after if name.endswith("/routes")}
    changed = {name: set(added) - set(before[name].body["prefixes"]) for name, added in routes.items()}
    assert {name.rpartition("/vpc/")[2]: added for name, added in changed.items() if added} == {
        "vpc-0a2/routes": {"203.0.113.1/32"}
    }


def test_rules_contain_the_entries_of_their_prefix_lists() -> None:
    rules = compile_network(every_kind().network())["segment/guest"].body["rules"]
    assert next(rule["source"] for rule in rules if rule["id"] == "guests/checked") == ["10.3.8.0-10.3.15.255"]


def test_a_vpc_whose_segment_has_no_prefixes_routes_the_prefixes_of_the_other_members() -> None:
    draw = hospital_network()
    draw.edit("segments", "corp", prefixes=[])
    draw.add("connectors", site("annex", "us", None, "10.1.7.0/24", "10.9.0.0/16", "fd00::/48"))
    routes = compile_network(draw.network())["aws/111122223333/eu-central-1/vpc/vpc-0a1/routes"].body["prefixes"]
    assert routes == ["0.0.0.0/0", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16", "10.9.0.0/16"]


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_kind_of_connector_has_links_on_the_exchange(kind: str) -> None:
    draw = hospital_network()
    exit_ = kind == "internet-exit"
    body = site("new", "us", None if exit_ else "sites", *([] if exit_ else ["10.9.0.0/16"]))
    circuits = [{"name": "A", "vlan": 100, "bgp": {"peer_asn": 65001}}]
    draw.add("connectors", {**body, "kind": kind, "settings": SETTINGS[kind], "circuits": circuits})
    connector = compile_network(draw.network())["connector/new"].body
    assert [(link["circuit"], link["node"], link["vlan"]) for link in connector["links"]] == [
        ("A", "us/1", 100),
        ("B", "us/2", None),
    ]
    assert connector["links"][0]["bgp"] == {"peer_asn": 65001, "bfd": True}
    cloud = kind in ("aws-vpc", "azure-vnet", "gcp-vpc")
    assert ("settings" in connector) != cloud
    devices = SETTINGS[kind].get("peer_addresses")
    assert connector["links"][1]["remote"] == (devices[-1] if devices else None)


def test_a_site_in_several_segments_has_a_link_in_each_and_a_member_for_each_group() -> None:
    draw = hospital_network()
    joins = [("corp", "sites", "10.9.0.0/24"), ("corp", "dev", "10.9.1.0/24"), ("guest", None, "10.9.0.0/24")]
    attachments = [{"segment": segment, "group": group, "prefixes": [prefix]} for segment, group, prefix in joins]
    draw.add("connectors", {"name": "campus", "kind": "lab-site", "exchange": "eu", "attachments": attachments})
    resources = compile_network(draw.network())
    links = [(link["circuit"], link["segment"], link["inside"]) for link in resources["connector/campus"].body["links"]]
    assert ("A", "corp", ["10.9.0.0/24", "10.9.1.0/24"]) in links and ("B", "guest", ["10.9.0.0/24"]) in links
    members = resources["segment/corp"].body["members"]
    assert [member["groups"] for member in members if member["connector"] == "campus"] == [["sites"], ["dev"]]


# From one version to the next


def test_an_edit_reuses_the_resources_it_does_not_change() -> None:
    draw = every_kind()
    draw.add("segments", {"name": "lone"})
    before = draw.network()
    first = compile_network(before)
    draw.edit("policies", "log", rules=[{"name": "seen", "action": "watch", "protocol": "udp"}])
    second = compile_network(Network(load_intent(draw.rows.values(), CATALOG), before))
    assert {address for address in second if second[address] != first[address]} == {"segment/guest", "segment/corp"}
    apart = ("segment/lone", "connector/")
    assert all(second[address] is first[address] for address in second if address.startswith(apart))


@many_examples
@given(edited_full_networks())
def test_compiling_after_an_edit_equals_compiling_from_scratch(nets: tuple[IntentBuilder, IntentBuilder]) -> None:
    before, after = nets
    first = before.network()
    compile_network(first)
    assert compile_network(Network(after.intent(), first)) == compile_network(after.network())


@many_examples
@given(full_networks())
def test_bodies_are_json_and_their_references_and_dependencies_exist(net: IntentBuilder) -> None:
    resources = compile_network(net.network())
    for resource in resources.values():
        assert json.loads(canonical_json(resource.body)) == resource.body
        assert set(resource.depends) <= resources.keys()
        assert {address for address, _ in body_references(resource.body)} <= set(resource.depends)
        assert list(resource.depends) == sorted(set(resource.depends))
