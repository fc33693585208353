"""Plans: the difference, its order, and how it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from provisioning.core.node_document import VERSION
from provisioning.core.node_document_rules import RuleEntry
from provisioning.core.plan import (
    KNOWN_AFTER_APPLY,
    changed_fields,
    compute_blast_radius,
    describe_change,
    diff_resources,
    plan_digest,
    plan_warnings,
    render_plan,
)
from provisioning.core.plan.describe.rules import describe_rules
from provisioning.core.reach import compare_reachability
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Change, Resource, canonical_json
from provisioning.drivers import compile_network, gateway_warnings
from tests.core.plan_scenarios import (
    application_published,
    connector_removed,
    exchange_replaced,
    failover_added,
    first_day,
    ipv6,
    last_day,
    nat_changed,
    policies_and_sites,
    resized,
    routes_filtered,
    rule_added,
    share_added,
    share_removed,
)
from tests.core.previous_bodies import previous_body
from tests.core.random_edits import edited_full_networks
from tests.core.random_small_networks import many_examples
from tests.core.sample_networks import IntentBuilder, hospital_network


def plan_text(before: IntentBuilder, after: IntentBuilder) -> str:
    current, planned = before.network(), after.network()
    changes = diff_resources(compile_network(current), compile_network(planned))
    delta = compare_reachability(current, planned)
    return render_plan(changes, plan_warnings(changes, current.intent, planned.intent, delta, gateway_warnings()))


@pytest.mark.parametrize(
    "edit",
    [
        first_day,
        policies_and_sites,
        last_day,
        rule_added,
        connector_removed,
        resized,
        share_added,
        share_removed,
        nat_changed,
        exchange_replaced,
        failover_added,
        ipv6,
        application_published,
        routes_filtered,
    ],
)
def test_a_plan_reads_as_a_reviewer_approved_it(
    edit: Callable[[], tuple[IntentBuilder, IntentBuilder]], plan_snapshot: SnapshotAssertion
) -> None:
    assert plan_text(*edit()) == plan_snapshot


def test_changes_are_ordered_after_their_dependencies_and_removals_after_their_users() -> None:
    resources = compile_network(hospital_network().network())
    for changes in (diff_resources({}, resources), diff_resources(resources, {})):
        order = {change.address: index for index, change in enumerate(changes)}
        for change in changes:
            assert all(order[dependency] < order[change.address] for dependency in change.depends)
    (tgw,) = [change for change in diff_resources(resources, {}) if change.kind == "aws.transit-gateway"]
    assert "aws/111122223333/eu-central-1/vpc/vpc-0a1/attachment" in tgw.depends


def test_a_resource_its_driver_cannot_change_is_replaced_and_its_referrers_follow() -> None:
    def gateway_resources(asn: int) -> dict[str, Resource]:
        ref = {"ref": "gw", "attr": "id"}
        return {
            "gw": Resource("gw", "x.gateway", {"asn": asn}),
            "table": Resource("table", "x.table", {"gateway": ref}, ("gw",)),
            "route": Resource("route", "x.route", {"gateway": ref}, ("gw",)),
        }

    replace_on = {"x.gateway": frozenset({"asn"}), "x.table": frozenset({"gateway"})}
    actions = {
        change.address: change.action
        for change in diff_resources(gateway_resources(1), gateway_resources(2), replace_on)
    }
    assert actions == {"gw": "replace", "table": "replace", "route": "change"}
    assert {change.action for change in diff_resources(gateway_resources(1), gateway_resources(2))} == {"change"}


def test_an_unfinished_resource_is_written_again_if_desired_and_removed_if_not() -> None:
    kept = Resource("kept", "x.table", {"v": 1})
    over = Resource("kept", "x.table", {"v": 2}, ("lost",))
    lost = Resource("lost", "x.gateway", {"asn": 1})
    changes = diff_resources({"kept": kept}, {"kept": kept}, None, {"kept": over, "lost": lost})
    assert [(change.action, change.address, change.before, change.after) for change in changes] == [
        ("change", "kept", {"v": 2}, {"v": 1}),
        ("remove", "lost", {"asn": 1}, None),
    ]
    assert changes[1].depends == ("kept",), "resources that may refer to it change first"
    fixed = {"x.table": frozenset({"v"})}
    assert diff_resources({"kept": kept}, {"kept": kept}, fixed, {"kept": over})[0].action == "replace"
    assert diff_resources({}, {"lost": lost}, None, {"lost": lost})[0].action == "create"


def test_changed_fields_name_each_difference_and_values_known_after_apply() -> None:
    before = {"rules": [{"id": "a", "action": "allow"}, {"id": "b", "action": "deny"}], "prefixes": ["10.0.0.0/8"]}
    after = {"rules": [{"id": "a", "action": "deny"}], "prefixes": ["10.0.0.0/8", "11.0.0.0/8"], "tgw": None}
    after["tgw"] = {"ref": "gw", "attr": "id"}
    assert changed_fields(Change("change", "x", "x.y", before, after)) == [
        ("prefixes[]", None, "11.0.0.0/8"),
        ("rules[a].action", "allow", "deny"),
        ("rules[b]", {"id": "b", "action": "deny"}, None),
        ("tgw", None, KNOWN_AFTER_APPLY),
    ]


def test_the_order_of_rules_is_a_difference() -> None:
    first, second = {"id": "a"}, {"id": "b"}
    change = Change("change", "x", "x.y", {"rules": [first, second]}, {"rules": [second, first]})
    assert changed_fields(change) == [("rules (order)", ["a", "b"], ["b", "a"])]


def test_a_document_of_an_older_release_is_compared_in_the_current_version() -> None:
    before, after = hospital_network(), hospital_network()
    after.edit("segments", "guest", default_action="allow")
    new = compile_network(after.network())["segment/guest"]
    old = compile_network(before.network())["segment/guest"]
    for version in range(1, VERSION):
        older = replace(old, body=previous_body(old.kind, old.body, version))
        (change,) = diff_resources({old.address: older}, {new.address: new})
        lines = [f"document version {version} → {VERSION}", "default action: deny → allow"]
        assert list(describe_change(change)) == lines


@pytest.mark.parametrize("field", [name for name in get_type_hints(RuleEntry) if name != "id"])
def test_a_change_of_any_field_of_a_rule_is_described(field: str) -> None:
    """For a new field: two values of it here, and its words in ``plan/describe/rules.py``."""
    rule: dict[str, Any] = {
        "id": "prod-out/web",
        "tier": "standard",
        "mode": "enforce",
        "action": "deny",
        "reject": True,
        "chain": [],
        "from": ["g:prod"],
        "to": ["any"],
        "source": None,
        "destination": None,
        "l4": [{"protocol": "tcp", "ports": ["443"]}],
        "apply_to": "all",
    }
    other: dict[str, Any] = {
        "tier": "mandatory",
        "mode": "monitor",
        "action": "allow",
        "reject": False,
        "chain": ["fw"],
        "from": ["g:dev"],
        "to": ["internet"],
        "source": ["10.1.0.0-10.1.255.255"],
        "destination": ["10.1.0.0-10.1.255.255"],
        "l4": [
            {"protocol": "tcp", "ports": ["443"]},
            {"protocol": "icmp", "ports": [], "icmp_types": [8]},
        ],
        "source_ports": ["123"],
        "dscp": 46,
        "apply_to": "new",
    }
    [line] = describe_rules([rule], [{**rule, field: other[field]}])
    assert line.startswith("~ rule prod-out/web: ") and "the same" not in line


def test_a_kind_of_section_without_words_of_its_own_is_described_field_by_field() -> None:
    before, after = (
        Resource("probe/shop", "exchange.probe", {"version": VERSION, "interval": interval}) for interval in (30, 90)
    )
    [change] = diff_resources({before.address: before}, {after.address: after})
    assert list(describe_change(change)) == ["interval: 30 → 90"]


def test_the_plan_digest_does_not_depend_on_the_order_of_changes() -> None:
    changes = diff_resources({}, compile_network(hospital_network().network()))
    assert plan_digest(changes) == plan_digest(reversed(changes)) != plan_digest(changes[1:])


@st.composite
def resource_sets(draw: st.DrawFn) -> dict[str, Resource]:
    resources: dict[str, Resource] = {}
    for name in draw(st.lists(st.sampled_from("abcdefgh"), unique=True)):
        needed = draw(st.lists(st.sampled_from(sorted(resources)), unique=True)) if resources else []
        body = {"v": draw(st.integers(0, 2)), "refs": [{"ref": name, "attr": "id"} for name in needed]}
        # Names order dependencies, so that they point one way in every set.
        needed = [other for other in needed if other < name]
        body["refs"] = [{"ref": name, "attr": "id"} for name in needed]
        resources[name] = Resource(name, "x.y", body, tuple(needed))
    return resources


@given(resource_sets())
def test_equal_resources_need_no_change(resources: dict[str, Resource]) -> None:
    assert diff_resources(resources, resources) == []


@given(resource_sets(), resource_sets())
def test_applying_a_plan_in_order_gives_the_desired_resources(
    before: dict[str, Resource], after: dict[str, Resource]
) -> None:
    now = {address: resource.body for address, resource in before.items()}
    for change in diff_resources(before, after, {"x.y": frozenset({"v"})}):
        if change.after is None:
            users = [address for address, body in now.items() if any(r["ref"] == change.address for r in body["refs"])]
            assert not users, "removed while a resource still refers to it"
            del now[change.address]
        else:
            assert all(ref["ref"] in now for ref in change.after["refs"]), "created before a resource it refers to"
            now[change.address] = change.after
    assert now == {address: resource.body for address, resource in after.items()}


@many_examples
@given(edited_full_networks())
def test_every_change_is_described_and_an_edit_plans_like_a_fresh_network(
    nets: tuple[IntentBuilder, IntentBuilder],
) -> None:
    old_network, new_network = (net.network() for net in nets)
    before, after = compile_network(old_network), compile_network(new_network)
    changes = diff_resources(before, after)
    assert all(list(describe_change(change)) for change in changes if change.action == "change")
    assert not any("…" in line for change in changes for line in describe_change(change))
    delta = compare_reachability(old_network, new_network)
    warned = plan_warnings(changes, old_network.intent, new_network.intent, delta, gateway_warnings())
    assert render_plan(changes, warned).startswith("Plan: ")
    kept = compile_network(Network(nets[1].intent(), old_network))
    assert plan_digest(diff_resources(before, kept)) == plan_digest(changes), "reused parts give the same digest"
    stored = {
        address: replace(resource, body=json.loads(canonical_json(resource.body)))
        for address, resource in before.items()
    }
    assert plan_digest(diff_resources(stored, after)) == plan_digest(changes), "and so do bodies stored as JSON"
    compute_blast_radius(changes, old_network.intent, new_network.intent)
