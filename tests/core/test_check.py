"""Checks of a whole network: references, prefixes, names, policies, services, failover."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioning.core.check import check_network, prefix_lists
from provisioning.core.intent.limits import SOURCES
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem
from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site, vpc


def problems_with_code(draw: IntentBuilder, code: str) -> list[Problem]:
    return [problem for problem in check_network(draw.network()) if problem.code == code]


def only_problem(draw: IntentBuilder, code: str) -> Problem:
    (problem,) = problems_with_code(draw, code)
    return problem


def test_the_hospital_network_has_no_problems() -> None:
    assert check_network(hospital_network().network()) == []


def test_equal_prefixes_in_a_segment_name_both_connectors_and_the_prefix() -> None:
    draw = hospital_network()
    draw.add("connectors", site("copy", "us", "dev", "10.1.0.0/16"))
    problem = only_problem(draw, "equal_prefixes")
    assert problem.severity == "error" and problem.path == "connectors/copy/attachments[0].prefixes[0]"
    assert all(word in problem.message for word in ("vpc-prod", "copy", "10.1.0.0/16"))


def test_connectors_of_one_redundancy_group_may_attach_the_same_prefix() -> None:
    draw = hospital_network()
    for name in ("left", "right"):
        draw.add("connectors", {**site(name, "us", "dev", "10.77.0.0/16"), "redundancy_group": "pair"})
    assert check_network(draw.network()) == []


def test_a_prefix_inside_another_ones_is_a_warning_that_names_both() -> None:
    draw = hospital_network()
    draw.add("connectors", site("annex", "us", "dev", "10.3.4.0/24"))
    problem = only_problem(draw, "overlapping_prefixes")
    assert problem.severity == "warning" and "hospital-a" in problem.message and "annex" in problem.message


def test_the_default_route_and_prefixes_of_other_segments_do_not_overlap() -> None:
    draw = hospital_network()
    draw.add("connectors", site("left", "eu", "sites", "0.0.0.0/0"))
    draw.add("connectors", site("right", "us", "sites", "0.0.0.0/0"))
    draw.add("connectors", site("desk", "us", None, "10.3.0.0/16", segment="guest"))
    about_the_exit = {"exit_unused", "internet_behind_member"}
    assert {problem.code for problem in check_network(draw.network())} == about_the_exit


def test_a_deleted_object_is_an_unknown_reference() -> None:
    draw = hospital_network()
    draw.remove("groups", "dev")
    severities = {problem.path: problem.severity for problem in problems_with_code(draw, "unknown_reference")}
    assert severities == {
        "connectors/vpc-dev/attachments[0].groups[0]": "error",
        "policies/no-dev-in-prod/from[0]": "error",
        "assertions/dev-never-reaches-prod/from": "error",
    }


@pytest.mark.parametrize("kind", ["exchanges", "segments", "services", "connectors", "groups"])
def test_missing_objects_do_not_break_the_other_checks(kind: str) -> None:
    draw = hospital_network()
    for uid in [uid for uid, row in draw.rows.items() if row[0] == kind]:
        del draw.rows[uid]
    problems = check_network(draw.network())
    assert problems and all(problem.message for problem in problems)


def test_names_and_positions_are_unique() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "Prod"})
    draw.add("policies", policy("again", 10, "dev", "sites", {"action": "watch"}))
    assert "Prod" in only_problem(draw, "duplicate_name").message
    assert "sites-to-prod" in only_problem(draw, "duplicate_position").message


def test_a_policy_about_an_empty_group_is_a_warning() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "empty"})
    draw.add("policies", policy("p", 40, "empty", "prod", {"action": "allow"}))
    assert only_problem(draw, "empty_group").path == "policies/p/from[0]"


def test_a_policy_inside_one_connector_is_not_enforceable() -> None:
    draw = hospital_network()
    draw.add("policies", policy("p", 5, "vpc-prod", "prod", {"action": "deny"}))
    assert "vpc-prod" in only_problem(draw, "not_enforceable").message


def test_services_of_a_chain_need_a_placement_a_segment_and_a_common_exchange() -> None:
    draw = hospital_network()
    base: dict[str, Any] = {"product": "linux-firewall", "segments": ["corp"]}
    draw.add("services", {**base, "name": "nowhere"})
    draw.add("services", {**base, "name": "far", "placements": [{"exchange": "us"}]})
    draw.add("services", {**base, "name": "guests", "segments": ["guest"], "placements": [{"exchange": "eu"}]})
    for index, chain in enumerate((["nowhere"], ["fw", "far"], ["guests"])):
        rule = {"action": "inspect", "services": chain, "protocol": "icmp"}
        draw.add("policies", policy(f"p{index}", 40 + index, "dev", "sites", rule))
    assert only_problem(draw, "no_placement").path == "policies/p0/rules[0].services[0]"
    assert only_problem(draw, "chain_apart").path == "policies/p1/rules[0].services"
    assert only_problem(draw, "service_not_in_segment").path == "policies/p2/rules[0].services[0]"


def test_a_vpc_belongs_to_one_connector() -> None:
    draw = hospital_network()
    draw.add("connectors", vpc("twin", "us", "dev", "10.99.0.0/16", "vpc-0a1"))
    assert "vpc-prod" in only_problem(draw, "network_in_use").message


def test_a_prefix_outside_its_segment_is_a_warning() -> None:
    draw = hospital_network()
    draw.add("connectors", site("odd", "us", "dev", "192.168.0.0/24"))
    assert only_problem(draw, "outside_segment").severity == "warning"


def test_a_rule_that_an_earlier_one_covers_is_named_with_it() -> None:
    draw = hospital_network()
    draw.add(
        "policies",
        policy("late", 90, "sites", "vpc-dev", {"name": "never", "action": "allow", "protocol": "tcp", "ports": [22]}),
    )
    assert problems_with_code(draw, "shadowed_rule") == []
    draw.edit("policies", "late", to=["prod"])
    problem = only_problem(draw, "shadowed_rule")
    assert "never" in problem.message and "ssh" in problem.message and "sites-to-prod" in problem.message


def test_a_location_or_size_outside_the_catalogue_is_an_error() -> None:
    draw = hospital_network()
    draw.edit("exchanges", "us", location="moon-1", size="huge")
    assert {problem.path for problem in problems_with_code(draw, "not_one_of")} == {
        "exchanges/us/location",
        "exchanges/us/size",
    }


def test_more_services_or_instances_than_a_connection_mark_holds_is_an_error() -> None:
    draw = hospital_network()
    base: dict[str, Any] = {"product": "linux-firewall", "segments": ["corp"], "placements": [{"exchange": "eu"}]}
    chain = ["fw"]
    for index in range(4):
        draw.add("services", {**base, "name": f"fw{index}"})
        chain.append(f"fw{index}")
    draw.add("policies", policy("long", 60, "dev", "sites", {"action": "inspect", "services": chain}))
    draw.edit("services", "fw", placements=[{"exchange": "eu", "max_instances": 16}])
    assert only_problem(draw, "too_many_services").path == "policies/long/rules[0].services"
    assert only_problem(draw, "too_many_instances").path == "services/fw/placements[0].max_instances"


@pytest.mark.parametrize(
    "prefix",
    [
        "fe80::/64",
        "ff02::/16",
        "::1/128",
        "100.127.255.128/25",
        "169.254.7.0/24",
        "127.0.0.0/8",
        "239.0.0.0/8",
        "128.0.0.0/1",
    ],
)
def test_reserved_prefixes_cannot_be_attached(prefix: str) -> None:
    draw = hospital_network()
    draw.add("connectors", site("odd", "us", None, prefix, segment="guest"))
    assert prefix in only_problem(draw, "reserved_prefix").message


def test_a_policy_names_the_internet_and_not_its_exit() -> None:
    draw = hospital_network()
    draw.add("policies", policy("out", 60, "dev", "exit-eu", {"action": "allow"}))
    assert "Name internet instead" in only_problem(draw, "names_exit").message


def test_a_network_has_few_lists_that_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_lists, "SOURCES", replace(SOURCES, most=1))
    draw = hospital_network()
    for name in ("first", "second"):
        draw.add("prefix-lists", {"name": name, "entries": [], "source": {"url": "https://files.example/x"}})
    problem = only_problem(draw, "too_many_lists")
    assert problem.path == "prefix-lists/second/source"
    assert "There are 2 lists with a source here; 1 is the most." in problem.message


def test_deleted_objects_of_every_referenced_kind_are_unknown_references() -> None:
    draw = hospital_network()
    draw.add("prefix-lists", {"name": "offices", "entries": [{"prefix": "10.3.0.0/16"}]})
    draw.add("billing-tags", {"name": "research"})
    draw.edit(
        "services", "fw", billing_tags=["research"], settings={"rules": [{"action": "deny", "source": ["offices"]}]}
    )
    draw.edit("connectors", "hospital-a", billing_tags=["research"])
    draw.add("policies", policy("p", 60, "sites", "dev", {"action": "deny", "destination": ["10.2.0.0/16", "offices"]}))
    out = {"type": "pool", "prefixes": ["10.99.0.1"]}
    nat = {"name": "n", "segment": "corp", "connector": "hospital-b", "position": 1, "direction": "outbound"}
    draw.add("nat-rules", {**nat, "match": {"destination": ["offices"]}, "source": out})
    rules = [{"match": {"prefixes": ["offices"]}, "action": "deny"}]
    draw.add(
        "route-policies", {"name": "r", "segment": "corp", "direction": "in", "targets": ["hospital-a"], "rules": rules}
    )
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"]}
    shop = {"name": "shop", "connector": "exit-eu", "port": 443, "target": target, "billing_tags": ["research"]}
    draw.add("internet-apps", shop)
    draw.add("policies", policy("shoppers", 61, "internet", "shop", {"action": "allow"}))
    assert problems_with_code(draw, "unknown_reference") == []
    for kind, name in (("prefix-lists", "offices"), ("billing-tags", "research"), ("internet-apps", "shop")):
        draw.remove(kind, name)
    draw.remove("connectors", "hospital-b")
    assert {problem.path for problem in problems_with_code(draw, "unknown_reference")} == {
        "services/fw/billing_tags[0]",
        "services/fw/settings.rules[0].source[0]",
        "connectors/hospital-a/billing_tags[0]",
        "policies/p/rules[0].destination[1]",
        "nat-rules/n/connector",
        "nat-rules/n/match.destination[0]",
        "route-policies/r/rules[0].match.prefixes[0]",
        "policies/shoppers/to[0]",
    }


def test_a_connector_cannot_fail_over_to_its_own_exchange_and_an_exit_not_at_all() -> None:
    draw = hospital_network()
    draw.edit("connectors", "hospital-a", failover_exchange="eu")
    assert "eu" in only_problem(draw, "failover_to_itself").message
    draw.edit("connectors", "hospital-a", failover_exchange="us")
    draw.edit("connectors", "exit-eu", failover_exchange="us")
    assert only_problem(draw, "no_failover").path == "connectors/exit-eu/failover_exchange"


def test_a_cloud_that_is_not_provisioned_warns_what_to_set_up_by_hand() -> None:
    draw = hospital_network()
    vnet = {"subscription": "6f8a4d0e-0c5b-4c6e-9a53-0d1f6a3f7b21", "resource_group": "rg", "vnet": "vnet-prod"}
    body = {**site("azure", "eu", "prod", "10.70.0.0/16"), "kind": "azure-vnet"}
    draw.add("connectors", {**body, "settings": {**vnet, "region": "westeurope"}})
    problem = only_problem(draw, "cloud_side_by_hand")
    assert problem.severity == "warning" and "vnet-prod" in problem.message and "203.0.113.1" in problem.message
    draw.add("connectors", {**body, "name": "twin", "settings": {**vnet, "region": "westeurope"}})
    assert "azure" in only_problem(draw, "network_in_use").message


def test_a_policy_about_a_connector_of_another_segment_is_a_warning() -> None:
    draw = hospital_network()
    draw.add("policies", policy("p", 60, "lobby", "prod", {"action": "deny"}))
    assert "lobby" in only_problem(draw, "not_attached").message


def test_empty_groups_of_a_policy_are_one_problem() -> None:
    draw = hospital_network()
    for index in range(5):
        draw.add("groups", {"name": f"empty-{index}"})
    names = [f"empty-{index}" for index in range(5)]
    draw.add("policies", {**policy("p", 60, "x", "prod", {"action": "deny"}), "from": ["dev", *names]})
    problem = only_problem(draw, "empty_group")
    assert problem.path == "policies/p/from[1]" and "“empty-2” and 2 more" in problem.message


@pytest.mark.parametrize(
    ("numbers", "code", "path", "words"),
    [
        ({"segments": 2**24}, "number_too_large", "segments/corp", "VXLAN tells only 16,777,215 segments"),
        (
            {"segments": 1_234_567, "connectors": 1_234_568},
            "number_too_large",
            "connectors/alone",
            "“c1234568a1234567”, and Linux takes names of 15 characters",
        ),
    ],
    ids=["vxlan", "interface"],
)
def test_a_number_that_the_kernel_cannot_hold_is_refused(
    numbers: dict[str, int], code: str, path: str, words: str
) -> None:
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "small"})
    draw.add("segments", {"name": "corp"})
    draw.add("connectors", site("alone", "eu", None, "10.0.0.0/16"))
    for uid, (kind, _, number, key, body) in draw.rows.items():
        draw.rows[uid] = (kind, uid, numbers.get(kind, number), key, body)
    problem = only_problem(draw, code)
    assert (problem.severity, problem.path) == ("error", path) and words in problem.message


def test_a_check_after_an_edit_equals_a_check_from_scratch() -> None:
    draw = hospital_network()
    before = draw.network()
    check_network(before)
    draw.edit("groups", "prod", name="production")
    draw.edit("connectors", "hospital-a", name="hospital-nord", exchange="us")
    draw.add("connectors", site("annex", "us", "sites", "10.3.4.0/24"))
    draw.add("policies", policy("p", 5, "vpc-prod", "production", {"action": "deny"}))
    draw.edit("policies", "sites-to-prod", position=1)
    draw.remove("connectors", "vpc-dev")
    problems = check_network(Network(draw.intent(), before))
    assert problems == check_network(draw.network()) and {problem.code for problem in problems} >= {
        "empty_group",
        "not_enforceable",
    }
