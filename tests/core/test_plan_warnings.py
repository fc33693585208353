"""What a plan warns about, and its blast radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioning.core.plan import (
    compute_blast_radius,
    diff_resources,
    plan_warnings,
)
from provisioning.core.reach import compare_reachability
from provisioning.core.values.resource import Problem
from provisioning.drivers import compile_network, gateway_warnings
from tests.core.plan_scenarios import application_published, nat_changed, rule_added, share_added, share_removed
from tests.core.sample_networks import HTTPS, IntentBuilder, hospital_network, policy


def test_warnings_name_internet_exposure_and_a_service_without_instances() -> None:
    after = hospital_network()
    after.add("policies", policy("all-out", 50, "dev", "internet", {"action": "allow"}))
    after.edit("services", "fw", placements=[{"exchange": "eu", "min_instances": 0}])
    raised = warnings(hospital_network(), after)
    assert [warning.code for warning in raised] == ["internet_exposure", "service_without_instances"]


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


def test_what_opens_nothing_is_no_exposure() -> None:
    after = hospital_network()
    after.add("policies", policy("in", 50, "internet", "dev", {"action": "allow"}))
    after.add("policies", policy("nothing-out", 60, "dev", "internet", {"action": "deny"}))
    after.add("policies", policy("too-late", 70, "dev", "internet", {"action": "allow"}))
    after.add("policies", policy("unseen", 5, "dev", "internet", {"action": "allow", "mode": "monitor"}))
    after.edit("policies", "web-out", rules=[{**HTTPS, "name": "web", "description": "reviewed"}])
    assert warnings(hospital_network(), after) == []


def widened_list(draw: IntentBuilder) -> None:
    draw.edit("prefix-lists", "clients", entries=[{"prefix": "0.0.0.0/0"}])


def added_exit(draw: IntentBuilder) -> None:
    draw.edit("connectors", "exit-eu", attachments=[{"segment": "corp"}, {"segment": "guest"}])


def removed_deny_rule(draw: IntentBuilder) -> None:
    draw.edit("policies", "dns-out", rules=[draw.rows[draw.uid_of("policies", "dns-out")][4]["rules"][1]])


def disabled_deny_policy(draw: IntentBuilder) -> None:
    draw.edit("policies", "barred", enabled=False)


def joined_group(draw: IntentBuilder) -> None:
    body = draw.rows[draw.uid_of("connectors", "hospital-b")][4]
    draw.edit("connectors", "hospital-b", attachments=[{**body["attachments"][0], "groups": ["prod", "sites"]}])


def selected_by_a_label(draw: IntentBuilder) -> None:
    draw.edit("connectors", "hospital-b", labels={"env": "prod"})


def passed_over(draw: IntentBuilder) -> None:
    draw.edit("policies", "guard", rules=[{"name": "pass", "action": "pass"}])


def enforced(draw: IntentBuilder) -> None:
    draw.edit("policies", "watched", rules=[{**HTTPS, "name": "web", "mode": "enforce"}])


@pytest.mark.parametrize(
    ("edit", "opened", "rule"),
    [
        (
            widened_list,
            "internet (without 198.51.100.0/24) → portal (10.1.0.10 port 443 of vpc-prod) would be open for tcp 443",
            "in/web",
        ),
        (added_exit, "lobby → internet would be open for any protocol", "guests-out/any"),
        (removed_deny_rule, "dev → internet (8.8.8.8/32) would be open for udp 53", "dns-out/dns"),
        (disabled_deny_policy, "hospital-a → internet would be open for tcp 22", "ssh-out/ssh"),
        (joined_group, "hospital-b → internet would be open for tcp 443", "web-out/web"),
        (selected_by_a_label, "labelled → internet would be open for tcp 80", "labelled-out/web"),
        (passed_over, "hospital-b → internet would be open for tcp 25", "mail-out/mail"),
        (enforced, "hospital-b → internet would be open for tcp 443", "watched/web"),
    ],
)
def test_whatever_opens_the_internet_is_told(edit: Callable[[IntentBuilder], None], opened: str, rule: str) -> None:
    """An exposure comes from what is delivered, not from the text of a rule that changed."""
    draw = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.0.10"], "port": 443}
    draw.add("internet-apps", {"name": "portal", "connector": "exit-eu", "port": 443, "target": target})
    draw.add("prefix-lists", {"name": "clients", "entries": [{"prefix": "198.51.100.0/24"}]})
    draw.add("groups", {"name": "labelled", "selector": "env=prod"})
    web = {"name": "web", "action": "allow", "source": ["clients"]}
    dns = {"name": "dns", "action": "allow", "protocol": "udp", "ports": ["53"], "destination": ["8.8.8.8/32"]}
    ssh, mail = (
        {"name": name, "action": "allow", "protocol": "tcp", "ports": [port]}
        for name, port in (("ssh", "22"), ("mail", "25"))
    )
    for position, body in enumerate([
        policy("in", 0, "internet", "portal", web),
        policy("guests-out", 0, "any", "internet", {"name": "any", "action": "allow"}, segments=["guest"]),
        policy("dns-out", 0, "dev", "internet", {"name": "not", "action": "deny", "protocol": "udp"}, dns),
        policy("barred", 0, "hospital-a", "internet", {"action": "deny"}),
        policy("ssh-out", 0, "hospital-a", "internet", ssh),
        policy("labelled-out", 0, "labelled", "internet", {**HTTPS, "name": "web", "ports": ["80"]}),
        policy("guard", 0, "hospital-b", "internet", {**mail, "name": "guard", "action": "deny"}, tier="mandatory"),
        policy("mail-out", 0, "hospital-b", "internet", mail),
        policy("watched", 0, "hospital-b", "internet", {**HTTPS, "name": "web", "mode": "monitor"}),
    ]):  # fmt: skip
        draw.add("policies", {**body, "position": 100 + position})
    after = draw.copy()
    edit(after)
    raised = [warning for warning in warnings(draw, after) if warning.code == "internet_exposure"]
    key, name = rule.split("/")
    assert [warning.message for warning in raised] == [f"{opened}: rule “{name}” of policy “{key}” lets it through."]
    assert raised[0].path.startswith(f"policies/{key}/rules[")


def warnings(before: IntentBuilder, after: IntentBuilder) -> list[Problem]:
    current, planned = before.network(), after.network()
    changes = diff_resources(compile_network(current), compile_network(planned))
    delta = compare_reachability(current, planned)
    return plan_warnings(changes, current.intent, planned.intent, delta, gateway_warnings())
