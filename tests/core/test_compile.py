"""Intent becomes resources."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check
from provisioning.core.compile import compile
from provisioning.core.intent import load
from provisioning.core.network import Network
from provisioning.core.resource import canonical, references
from tests.core.networks import CATALOG, hospital, policy, site


def test_every_dependency_and_reference_leads_to_a_resource() -> None:
    resources = compile(hospital().network())
    for resource in resources.values():
        assert {address for address, _ in references(resource.body)} <= set(resource.depends)
        assert set(resource.depends) <= resources.keys()


def test_a_vpc_gets_its_gateway_tables_tunnels_attachment_and_routes() -> None:
    resources = compile(hospital().network())
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
    cidrs = [cidr for one in (1, 2) for cidr in resources[f"{base}/segment/corp/vpn/eu/{one}"].body["inside_cidrs"]]
    assert len(set(cidrs)) == 4


def test_every_segment_is_one_section_that_all_nodes_share_and_a_small_one_for_each_node() -> None:
    resources = compile(hospital().network())
    nodes = ("eu/1", "eu/2", "us/1", "us/2")
    wanted = {f"exchange/{node}/segment/{segment}" for node in nodes for segment in ("corp", "guest")}
    assert {address for address, one in resources.items() if one.kind == "exchange.vrf"} == wanted
    assert {address for address, one in resources.items() if one.kind == "exchange.segment"} == {
        "segment/corp",
        "segment/guest",
    }
    section = resources["segment/corp"].body
    assert [one["node"] for one in section["mesh"]] == list(nodes)
    assert len({one["index"] for one in section["mesh"]}) == 4
    assert section["rules"][0]["chain"] == ["fw"] and section["rules"][0]["ports"] == ["443", "8000-8100"]
    own = resources["exchange/us/2/segment/corp"].body
    assert set(own) == {"segment", "node", "index", "services"}
    assert [one["id"] for one in own["services"]["fw"]["instances"]] == ["fw/eu/1", "fw/eu/2"]
    assert set(section["exits"]) == {"eu", "us"}
    assert section["sets"]["g:sites"] == ["10.3.0.0-10.5.255.255"]


def test_every_pair_of_classes_has_one_anchor_and_inspected_pairs_meet_where_the_firewall_is() -> None:
    draw = hospital()
    draw.add("policies", policy("b-to-b", 15, "hospital-b", "dev", {"action": "inspect", "services": ["fw"]}))
    section = compile(draw.network())["segment/corp"].body
    classes = sorted({member["class"] for member in section["members"]})
    assert set(section["anchors"]) == {f"{low}.{high}" for low, high in combinations_with_replacement(classes, 2)}
    by_name = {member["connector"]: member["class"] for member in section["members"]}
    for start, end in (("hospital-b", "vpc-prod"), ("hospital-b", "vpc-dev"), ("hospital-a", "vpc-prod")):
        low, high = sorted((by_name[start], by_name[end]))
        assert section["anchors"][f"{low}.{high}"].startswith("eu/")
    low, high = sorted((by_name["vpc-prod"], by_name["exit-eu"]))
    assert section["anchors"][f"{low}.{high}"] == "eu/1"


def test_links_have_short_names_and_addresses_of_their_own() -> None:
    draw = hospital()
    for place in range(40):
        draw.add("connectors", site(f"s{place}", "eu", "sites", f"10.100.{place}.0/24"))
    links = [link for one in compile(draw.network()).values() for link in one.body.get("links", ())]
    assert all(len(link["interface"]) <= 15 for link in links)
    places = [(link["node"], link["segment"], link["local"]) for link in links]
    assert len(set(places)) == len(places)


def test_two_connectors_whose_numbers_want_the_same_link_get_different_ones() -> None:
    rows = list(hospital().rows.values())
    kind, _, number, _, body = next(row for row in rows if row[4]["name"] == "hospital-a")
    prefixes = [{**body["attachments"][0], "prefixes": ["10.200.0.0/16"]}]
    far = {**body, "name": "far", "attachments": prefixes}
    draw = [*rows, (kind, "other", number + 2047, "far", far)]
    resources = compile(Network(load(draw, CATALOG)))
    links = [resources[f"connector/{name}"].body["links"][0] for name in ("hospital-a", "far")]
    assert links[0]["local"] != links[1]["local"]
    alone = compile(hospital().network())["connector/hospital-a"].body["links"][0]
    assert links[0] == alone


def test_a_disabled_connector_and_policy_are_left_out() -> None:
    draw = hospital()
    draw.edit("connectors", "vpc-dev", enabled=False)
    draw.edit("policies", "no-dev-in-prod", enabled=False)
    resources = compile(draw.network())
    assert not any("vpc-0a2" in address or "vpc-dev" in address for address in resources)
    section = resources["segment/corp"].body
    assert "vpc-dev" not in canonical(section) and "no-dev-in-prod" not in canonical(section)


def test_a_rename_changes_no_resource() -> None:
    draw = hospital()
    before = compile(draw.network())
    for kind, name in (("connectors", "vpc-prod"), ("groups", "prod"), ("segments", "corp"), ("exchanges", "eu")):
        draw.edit(kind, name, name=f"{name} renamed")
    assert compile(draw.network()) == before


@given(st.randoms(use_true_random=False))
def test_compiling_is_deterministic_and_does_not_mind_the_order_of_rows(chance: random.Random) -> None:
    rows = list(hospital().rows.values())
    wanted = compile(Network(load(rows, CATALOG)))
    chance.shuffle(rows)
    again = compile(Network(load(rows, CATALOG)))
    assert again == wanted and list(again) == list(wanted)


def test_member_ranges_are_disjoint_and_the_longest_prefix_wins() -> None:
    draw = hospital()
    draw.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    members = compile(draw.network())["segment/corp"].body["members"]
    ranges = {member["connector"]: member["ranges"] for member in members}
    assert ranges["annex"] == ["10.3.4.0-10.3.4.255"]
    assert ranges["hospital-a"] == ["10.3.0.0-10.3.3.255", "10.3.5.0-10.3.255.255"]


def test_the_same_network_read_again_compiles_to_the_same_on_top_of_the_first() -> None:
    """What is taken over holds the first network's objects: equal ones, yet not the same."""
    first = hospital().network()
    check(first)
    again = {address: canonical(one.body) for address, one in compile(Network(hospital().intent(), first)).items()}
    assert again == {address: canonical(one.body) for address, one in compile(hospital().network()).items()}
