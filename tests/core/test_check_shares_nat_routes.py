"""Checks of shares, NAT rules and internet applications, and of a network with every kind of object."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import KINDS, all_kinds, object_references
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site
from tests.core.test_check import only_problem, problems_with_code


def two_segments() -> IntentBuilder:
    """Return the hospital and a partner segment with a laboratory and an office."""
    draw = hospital_network()
    draw.add("segments", {"name": "partner"})
    draw.add("groups", {"name": "labs"})
    draw.add("connectors", site("lab", "eu", "labs", "172.16.1.0/24", segment="partner"))
    draw.add("connectors", site("office", "us", None, "172.16.2.0/24", segment="partner"))
    return draw


SHARE: dict[str, Any] = {
    "name": "results",
    "a": {"segment": "corp", "groups": ["prod"]},
    "b": {"segment": "partner", "groups": ["labs"]},
}


def shared(**more: Any) -> IntentBuilder:
    draw = two_segments()
    draw.add("shares", {**SHARE, **more})
    return draw


def test_a_share_of_disjoint_members_has_no_problems() -> None:
    assert check_network(shared().network()) == []


def test_a_share_of_a_segment_with_itself_is_a_loop() -> None:
    problem = only_problem(shared(b={"segment": "corp", "groups": ["dev"]}), "share_loop")
    assert problem.severity == "error" and problem.path == "shares/results/b.segment" and "corp" in problem.message


def test_a_connector_on_both_sides_of_a_share_is_a_warning() -> None:
    draw = shared()
    both = [
        {"segment": "corp", "group": "prod", "prefixes": ["10.60.0.0/16"]},
        {"segment": "partner", "group": "labs", "prefixes": ["172.16.60.0/24"]},
    ]
    draw.add("connectors", {**site("campus", "eu", None), "attachments": both})
    problem = only_problem(draw, "share_loop")
    assert problem.severity == "warning" and "campus" in problem.message and "results" in problem.message


def test_prefixes_imported_by_a_share_must_be_unique_in_the_segment() -> None:
    draw = shared()
    draw.edit("connectors", "lab", attachments=[{"segment": "partner", "group": "labs", "prefixes": ["10.2.3.0/24"]}])
    problem = only_problem(draw, "share_overlap")
    assert problem.severity == "error" and problem.path == "shares/results"
    words = ("10.2.3.0/24", "lab", "partner", "10.2.0.0/16", "vpc-dev", "corp")
    assert all(word in problem.message for word in words)
    # NAT at the connector's edge removes the overlap.
    nat = {"name": "move", "segment": "partner", "connector": "lab", "position": 1}
    outside = {"type": "static", "prefixes": ["172.20.3.0/24"]}
    draw.add("nat-rules", {**nat, "direction": "outbound", "match": {"source": ["10.2.3.0/24"]}, "source": outside})
    assert problems_with_code(draw, "share_overlap") == []


def test_two_shares_cannot_import_the_same_addresses() -> None:
    draw = shared()
    draw.add("segments", {"name": "third"})
    draw.add("connectors", site("guest-lab", "eu", "labs", "172.16.1.0/25", segment="third"))
    draw.add("shares", {**SHARE, "name": "more", "b": {"segment": "third", "groups": ["labs"]}})
    problem = only_problem(draw, "share_overlap")
    assert all(word in problem.message for word in ("guest-lab", "172.16.1.0/25", "“lab”", "172.16.1.0/24"))


def test_a_share_exports_no_more_routes_than_its_limit() -> None:
    draw = shared(route_limit=2)
    many = [f"172.16.{number}.0/24" for number in range(10, 13)]
    draw.edit("connectors", "lab", attachments=[{"segment": "partner", "group": "labs", "prefixes": many}])
    problem = only_problem(draw, "route_limit")
    assert problem.severity == "error" and problem.path == "shares/results/route_limit"
    assert "3 prefixes" in problem.message and "limit is 2" in problem.message


def test_a_share_of_groups_or_prefixes_without_members_is_a_warning() -> None:
    draw = shared(a={"segment": "corp", "groups": ["labs"], "prefixes": ["10.99.0.0/16"]})
    assert only_problem(draw, "empty_group").path == "shares/results/a.groups[0]"
    assert only_problem(draw, "share_of_nothing").path == "shares/results/a.prefixes[0]"


def test_a_group_with_imported_members_is_not_empty_for_policies() -> None:
    draw = shared()
    draw.add("policies", policy("in", 60, "labs", "prod", {"action": "deny"}))
    assert problems_with_code(draw, "empty_group") == []
    draw.remove("shares", "results")
    assert only_problem(draw, "empty_group").path == "policies/in/from[0]"


def test_services_of_a_share_have_to_be_in_both_segments() -> None:
    problem = only_problem(shared(services=["fw"]), "service_not_in_segment")
    assert problem.path == "shares/results/services[0]" and "partner" in problem.message


# NAT


def nat(name: str = "hide", direction: str = "outbound", **more: Any) -> dict[str, Any]:
    body = {"name": name, "segment": "corp", "connector": "hospital-b", "position": 10, "direction": direction}
    return {**body, **more}


def translating(**more: Any) -> IntentBuilder:
    draw = hospital_network()
    draw.add("nat-rules", nat(**more))
    return draw


def static(*prefixes: str) -> dict[str, Any]:
    return {"type": "static", "prefixes": list(prefixes)}


def pool(*prefixes: str) -> dict[str, Any]:
    return {"type": "pool", "prefixes": list(prefixes)}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"source": static("10.200.0.0/16")}, "match.source"),
        ({"match": {"source": ["10.4.0.0/16"]}, "source": static("10.200.0.0/16", "10.201.0.0/16")}, "source.prefixes"),
        ({"match": {"source": ["10.4.0.0/16"]}, "source": static("10.200.0.0/24")}, "source.prefixes[0]"),
        ({"match": {"source": ["10.4.0.0/16"]}, "source": static("fd00::/16")}, "source.prefixes[0]"),
        (
            {"direction": "inbound", "match": {"destination": ["10.200.0.1"]}, "destination": static("10.4.0.0/24")},
            "destination.prefixes[0]",
        ),
    ],
)
def test_static_nat_needs_prefixes_of_equal_number_family_and_length(more: dict[str, Any], path: str) -> None:
    assert only_problem(translating(**more), "nat_pairs").path == f"nat-rules/hide/{path}"


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"match": {"source": ["10.3.0.0/16"]}, "source": pool("10.200.0.0/30")}, "match.source"),
        (
            {"direction": "inbound", "match": {"destination": ["10.200.0.1"]}, "destination": static("10.3.0.1")},
            "destination.prefixes[0]",
        ),
    ],
)
def test_a_nat_rule_translates_only_addresses_behind_its_connector(more: dict[str, Any], path: str) -> None:
    problem = only_problem(translating(**more), "nat_outside_connector")
    assert problem.path == f"nat-rules/hide/{path}" and "hospital-b" in problem.message


def test_pools_that_collide_name_both_rules_and_connectors() -> None:
    draw = translating(source=pool("10.200.0.0/30"))
    assert check_network(draw.network()) == []
    draw.add("nat-rules", nat("also", connector="hospital-a", source=pool("10.200.0.2/31")))
    problem = only_problem(draw, "nat_collision")
    assert problem.severity == "error" and problem.path == "nat-rules/also/source.prefixes[0]"
    words = ("also", "hide", "hospital-a", "hospital-b", "10.200.0.2/31", "10.200.0.0/30")
    assert all(word in problem.message for word in words)


def test_a_pool_collides_with_attached_prefixes_but_not_with_prefixes_hidden_by_nat() -> None:
    draw = translating(source=pool("10.1.7.0/30"))
    problem = only_problem(draw, "nat_collision")
    assert "vpc-prod" in problem.message and "10.1.0.0/16" in problem.message
    draw.edit("nat-rules", "hide", source=pool("10.3.7.0/30"))
    assert only_problem(draw, "nat_collision").path == "nat-rules/hide/source.prefixes[0]"
    draw.add("nat-rules", nat("move", connector="hospital-a", source=pool("10.200.0.0/30")))
    assert problems_with_code(draw, "nat_collision") == []


def test_a_pool_cannot_stand_for_two_groups_of_a_connector() -> None:
    draw = translating(source=pool("10.200.0.0/30"))
    joins = [
        {"segment": "corp", "group": "sites", "prefixes": ["10.4.0.0/16"]},
        {"segment": "corp", "group": "dev", "prefixes": ["10.5.0.0/16"]},
    ]
    draw.edit("connectors", "hospital-b", attachments=joins)
    assert only_problem(draw, "nat_two_groups").path == "nat-rules/hide/match.source"
    draw.edit("nat-rules", "hide", match={"source": ["10.5.0.0/16"]})
    assert problems_with_code(draw, "nat_two_groups") == []


def test_a_pool_has_addresses_of_every_family_that_it_hides() -> None:
    draw = translating(source=pool("10.200.0.0/30"))
    joins = [{"segment": "corp", "group": "sites", "prefixes": ["10.4.0.0/16", "fd00:4::/48"]}]
    draw.edit("connectors", "hospital-b", attachments=joins)
    assert "IPv6" in only_problem(draw, "nat_family").message


def test_nat_is_for_connectors_of_the_segment_and_not_for_exits() -> None:
    assert only_problem(translating(segment="guest", source=pool("10.200.0.1")), "nat_not_attached").severity == "error"
    assert "exit-eu" in only_problem(translating(connector="exit-eu", source=pool("10.200.0.1")), "nat_at_exit").message


def test_positions_of_nat_rules_are_unique_for_a_connector_in_a_segment() -> None:
    draw = translating(source=pool("10.200.0.1"))
    draw.add("nat-rules", nat("other", connector="hospital-a", source=pool("10.200.0.2")))
    assert problems_with_code(draw, "duplicate_position") == []
    draw.add(
        "nat-rules", nat("again", direction="inbound", match={"destination": ["10.4.0.0/16"]}, source=pool("9.9.9.9"))
    )
    assert only_problem(draw, "duplicate_position").path == "nat-rules/again/position"


# Internet applications


def app(name: str = "shop", **more: Any) -> dict[str, Any]:
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443}
    return {"name": name, "connector": "exit-eu", "port": 443, "target": target, **more}


def published(**more: Any) -> IntentBuilder:
    draw = hospital_network()
    draw.add("internet-apps", app(**more))
    return draw


def test_an_application_behind_the_exit_of_its_target_has_no_problems() -> None:
    draw = published(source_nat=False)
    draw.add("policies", policy("shoppers", 60, "internet", "shop", {"action": "allow"}))
    assert check_network(draw.network()) == []


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"connector": "hospital-a"}, "not_an_exit", "connector"),
        ({"target": {"connector": "lobby", "addresses": ["10.1.2.3"]}}, "app_apart", "target.connector"),
        ({"target": {"connector": "exit-eu", "addresses": ["10.1.2.3"]}}, "app_apart", "target.connector"),
        ({"target": {"connector": "vpc-prod", "addresses": ["10.2.0.1"]}}, "app_address", "target.addresses[0]"),
        (
            {"target": {"connector": "vpc-prod", "addresses": ["10.1.0.1", "10.2.0.1"]}},
            "app_address",
            "target.addresses[1]",
        ),
    ],
)
def test_an_unreachable_application_is_an_error_with_its_reason(more: dict[str, Any], code: str, path: str) -> None:
    problem = only_problem(published(**more), code)
    assert problem.severity == "error" and problem.path == f"internet-apps/shop/{path}"


def test_two_applications_cannot_share_an_address_protocol_and_port() -> None:
    draw = published()
    draw.add("internet-apps", app("forum"))
    problem = only_problem(draw, "app_in_use")
    assert "shop" in problem.message and "forum" in problem.message and "tcp/443" in problem.message
    draw.edit("internet-apps", "forum", public_ip="198.51.100.7")
    assert problems_with_code(draw, "app_in_use") == []


def test_an_application_without_source_nat_needs_its_targets_exit() -> None:
    draw = published(source_nat=False, target={"connector": "hospital-b", "addresses": ["10.4.0.1"]})
    assert problems_with_code(draw, "app_asymmetric") == []
    exit_us = {"name": "exit-us", "kind": "internet-exit", "exchange": "us", "attachments": [{"segment": "corp"}]}
    draw.add("connectors", exit_us)
    problem = only_problem(draw, "app_asymmetric")
    assert "exit-us" in problem.message and problem.severity == "error"
    draw.edit("internet-apps", "shop", source_nat=True)
    assert problems_with_code(draw, "app_asymmetric") == []


@pytest.mark.parametrize("prefix", ["0.0.0.0/0", "203.0.113.0/24"])
def test_a_member_must_not_have_the_public_address_of_an_application(prefix: str) -> None:
    draw = published()
    draw.add("connectors", site("datacentre", "us", None, "10.77.0.0/16", prefix))
    problem = only_problem(draw, "app_address_taken")
    assert problem.path == "internet-apps/shop/public_ip" and "“datacentre”" in problem.message


def test_policies_name_applications_only_as_destinations() -> None:
    draw = published()
    draw.add("policies", policy("a", 60, "internet", "prod", {"action": "allow"}))
    draw.add("policies", policy("b", 61, "dev", "shop", {"action": "allow"}))
    draw.add("policies", policy("c", 62, "shop", "dev", {"action": "allow"}))
    assert only_problem(draw, "no_internet_application").path == "policies/a/from[0]"
    assert only_problem(draw, "names_application").path == "policies/c/from[0]"
    assert not [problem for problem in check_network(draw.network()) if problem.path.startswith("policies/b")]


def everything() -> IntentBuilder:
    draw = shared(services=["fw"])
    draw.edit("services", "fw", segments=["corp", "partner"])
    draw.add("prefix-lists", {"name": "offices", "entries": [{"prefix": "10.4.0.0/16", "le": 24}]})
    draw.add("billing-tags", {"name": "research"})
    draw.edit("services", "fw", billing_tags=["research"])
    draw.add("nat-rules", nat(match={"destination": ["offices"]}, source=pool("10.200.0.0/30")))
    rules = [{"match": {"prefixes": ["10.3.0.0/16"]}, "action": "deny"}]
    body = {"name": "filter", "segment": "corp", "direction": "out", "targets": ["hospital-b"], "rules": rules}
    draw.add("route-policies", body)
    draw.add("internet-apps", app())
    draw.add("policies", policy("shoppers", 60, "internet", "shop", {"action": "allow"}))
    draw.add("policies", policy("labs", 61, "labs", "prod", {"action": "deny"}))
    draw.add("policies", policy("offices", 62, "sites", "prod", {"action": "deny", "source": ["offices"]}))
    added = {kind for kind, *_ in draw.rows.values()}
    for kind in all_kinds():
        if kind.key not in added:
            draw.add(kind.key, dict(kind.example))
    return draw


def test_a_network_with_every_kind_of_object_has_no_problems() -> None:
    assert check_network(everything().network()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_missing_objects_of_any_kind_do_not_break_the_other_checks(kind: str) -> None:
    draw = everything()
    before = draw.network()
    assert check_network(before) == []
    for name in [body["name"] for row_kind, _, _, _, body in draw.rows.values() if row_kind == kind]:
        draw.remove(kind, name)
    problems = check_network(Network(draw.intent(), before))
    assert problems == check_network(draw.network())
    # Policy “labs” is about two segments, so the share carries its flows without being named.
    named = {kind for row in draw.rows.values() for kind, _ in object_references(row[0], row[4])} | {"shares"}
    assert bool(problems) is (kind in named)


def test_a_prefix_hidden_by_nat_and_presented_by_another_connector_is_a_warning() -> None:
    draw = translating(source=pool("10.200.0.0/30"))
    draw.add("connectors", site("twin", "us", None, "10.4.0.0/16"))
    problem = only_problem(draw, "nat_kept_inside")
    assert problem.severity == "warning" and problem.path.startswith("connectors/hospital-b/attachments[0].prefixes")
    assert "twin" in problem.message and "10.4.0.0/16" in problem.message
