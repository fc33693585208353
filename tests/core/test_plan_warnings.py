"""What a plan warns about, and its blast radius."""

from __future__ import annotations

from typing import Any

from provisioning.core.plan import (
    compute_blast_radius,
    diff_resources,
    plan_warnings,
)
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem
from provisioning.drivers import compile_network, gateway_warnings
from tests.core.plan_scenarios import application_published, nat_changed, rule_added, share_added, share_removed
from tests.core.sample_networks import IntentBuilder, hospital_network, policy


def test_warnings_name_internet_exposure_and_a_service_without_instances() -> None:
    after = hospital_network()
    after.add("policies", policy("all-out", 50, "dev", "internet", {"action": "allow"}))
    after.edit("services", "fw", placements=[{"exchange": "eu", "min_instances": 0}])
    current, planned = hospital_network().intent(), after.intent()
    changes = diff_resources(compile_network(Network(current)), compile_network(Network(planned)))
    warnings = plan_warnings(changes, current, planned, gateway_warnings())
    assert [warning.code for warning in warnings] == ["internet_exposure", "service_without_instances"]


def radius(before: IntentBuilder, after: IntentBuilder) -> dict[str, Any]:
    current, planned = before.network(), after.network()
    return compute_blast_radius(
        diff_resources(compile_network(current), compile_network(planned)), current.intent, planned.intent
    )


def test_blast_radius_counts_the_members_a_policy_affects() -> None:
    after = hospital_network()
    after.edit("policies", "no-dev-in-prod", enabled=False)
    affected = radius(hospital_network(), after)
    assert affected["connectors"] == {"touched": ["vpc-dev", "vpc-prod"], "total": 6}
    assert affected["groups"] == {"touched": ["dev", "prod"], "total": 3}
    assert affected["actions"] == {"change": 1} and affected["segments"]["touched"] == ["corp"]


def test_blast_radius_follows_shares_translations_applications_and_prefix_lists() -> None:
    assert radius(*share_added())["connectors"]["touched"] == ["clearing", "vpc-dev", "vpc-prod"]
    assert radius(*nat_changed())["groups"]["touched"] == ["sites"]
    assert radius(*application_published())["connectors"]["touched"] == ["exit-eu", "vpc-prod"]
    before, after = rule_added()[1], rule_added()[1]
    after.edit("prefix-lists", "labs", entries=[{"prefix": "10.3.8.0/24"}])
    assert radius(before, after)["groups"]["touched"] == ["prod", "sites"]


def test_blast_radius_of_no_change_is_empty() -> None:
    affected = radius(hospital_network(), hospital_network())
    assert not affected["actions"] and not any(
        affected[kind]["touched"] for kind in ("connectors", "groups", "exchanges")
    )


def test_warnings_name_removed_shares_and_nat_and_an_allowing_default_action() -> None:
    closed, opened = hospital_network(), hospital_network()
    opened.edit("segments", "guest", default_action="allow")
    assert [warning.code for warning in warnings(closed, opened)] == ["default_action_allow"]
    assert [warning.code for warning in warnings(*share_removed())] == ["share_removed"]
    after, before = nat_changed()
    assert [warning.path for warning in warnings(before, after)] == ["nat-rules/printer"]
    without = before.copy()
    without.remove("nat-rules", "printer")
    without.remove("nat-rules", "hide")
    without.remove("connectors", "hospital-a")
    assert warnings(before, without) == [], "NAT rules removed with their connector raise no warning"


def test_an_application_with_another_target_is_an_internet_exposure() -> None:
    _, before = application_published()
    after = before.copy()
    target = {"connector": "vpc-prod", "addresses": ["10.1.9.9"], "port": 22}
    after.edit("internet-apps", "portal", target=target)
    (warning,) = warnings(before, after)
    assert warning.code == "internet_exposure" and "10.1.9.9 port 22 of vpc-prod" in warning.message


def test_a_policy_the_internet_cannot_use_is_no_exposure() -> None:
    after = hospital_network()
    after.add("policies", policy("in", 50, "internet", "dev", {"action": "allow"}))
    assert warnings(hospital_network(), after) == []


def warnings(before: IntentBuilder, after: IntentBuilder) -> list[Problem]:
    current, planned = before.network(), after.network()
    changes = diff_resources(compile_network(current), compile_network(planned))
    return plan_warnings(changes, current.intent, planned.intent, gateway_warnings())
