"""A network made from the one before it: what an edit cannot have changed is the same object, the rest is made anew."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import load_intent
from provisioning.core.reach import check_assertions, trace_flow
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import CATALOG, IntentBuilder, hospital_network, policy, site


def two_segments() -> IntentBuilder:
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    draw.add("groups", {"name": "red"})
    for segment in ("corp", "guest", "lab"):
        draw.add("segments", {"name": segment, "default_action": "allow"})
        draw.add("connectors", site(f"{segment}-1", "eu", "red", "10.1.0.0/16", segment=segment))
        draw.add("connectors", site(f"{segment}-2", "eu", None, "10.2.0.0/16", segment=segment))
    draw.add("prefix-lists", {"name": "admins", "entries": [{"prefix": "10.1.0.0/24"}]})
    refuse = {"action": "deny", "protocol": "tcp", "ports": ["22"], "source": ["admins"]}
    draw.add("policies", policy("p", 1, "any", "any", refuse))
    draw.add("connectors", site("partner", "eu", None, "10.9.0.0/16", segment="lab"))
    sides = {"a": {"segment": "guest", "groups": ["red"]}, "b": {"segment": "lab", "prefixes": ["10.9.0.0/16"]}}
    draw.add("shares", {"name": "s", **sides})
    return draw


def reused_segments(draw: IntentBuilder, kind: str, item: str, /, **fields: Any) -> set[str]:
    """Names of the segments whose realms an edit leaves as they are; every object is read anew."""
    before = draw.network()
    assert {resolved.segment.name for resolved in before.resolved_segments.values()} == {"corp", "guest", "lab"}
    draw.edit(kind, item, **fields)
    after = Network(load_intent(draw.rows.values(), CATALOG), before)
    return {
        resolved.segment.name
        for uid, resolved in after.resolved_segments.items()
        if before.resolved_segments.get(uid) is resolved
    }


@pytest.mark.parametrize(
    ("kind", "name", "fields", "kept"),
    [
        ("groups", "red", {"name": "crimson"}, {"corp", "guest", "lab"}),
        ("connectors", "corp-1", {"preference": 7}, {"guest", "lab"}),
        # What a share brings elsewhere is read there too.
        ("connectors", "lab-1", {"preference": 7}, {"corp"}),
        ("policies", "p", {"enabled": False}, {"guest", "lab"}),
        ("prefix-lists", "admins", {"entries": []}, {"guest", "lab"}),
        ("shares", "s", {"direction": "a-to-b"}, {"corp"}),
        ("exchanges", "eu", {"size": "large"}, set()),
    ],
)
def test_an_edit_makes_anew_what_reads_it(kind: str, name: str, fields: dict[str, Any], kept: set[str]) -> None:
    assert reused_segments(two_segments(), kind, name, **fields) == kept


def test_what_is_taken_over_answers_with_the_names_of_its_own_version() -> None:
    draw = two_segments()
    before = draw.network()
    assert before.resolved_segments
    draw.edit("groups", "red", name="crimson")
    after = Network(load_intent(draw.rows.values(), CATALOG), before)
    for network, group in ((before, "red"), (after, "crimson")):
        assert trace_flow(network, "corp-1", "corp-2", "tcp", 80).hops[0].detail.endswith(f"group {group}")


def test_an_edit_of_a_prefix_list_changes_what_its_rules_decide() -> None:
    draw = two_segments()
    before = draw.network()
    assert trace_flow(before, "corp-1", "corp-2", "tcp", 22).disposition == "denied_by_rule"
    draw.edit("prefix-lists", "admins", entries=[])
    after = Network(load_intent(draw.rows.values(), CATALOG), before)
    assert trace_flow(after, "corp-1", "corp-2", "tcp", 22).disposition == "delivered"
    assert trace_flow(before, "corp-1", "corp-2", "tcp", 22).disposition == "denied_by_rule"


def test_results_that_are_kept_are_made_again_when_what_they_read_changes() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("")
        return f"result {len(made)}"

    first = two_segments().network()
    assert first.derive("key", (1, "x"), make) == "result 1"
    second = Network(first.intent, first)
    assert second.derive("key", (1, "x"), make) == "result 1"
    assert second.derive("key", (2, "x"), make) == "result 2"
    assert first.derive("key", (1, "x"), make) == "result 1"


def test_policies_have_no_say_in_who_has_which_addresses() -> None:
    draw = two_segments()
    before = draw.network()
    known = [
        (resolved.members, resolved.anchors, resolved.pre_policy_rules)
        for resolved in before.resolved_segments.values()
    ]
    draw.edit("policies", "p", enabled=False)
    after = Network(load_intent(draw.rows.values(), CATALOG), before)
    for resolved, old, (_, anchors, pre_policy_rules) in zip(
        after.resolved_segments.values(), before.resolved_segments.values(), known, strict=True
    ):
        assert (
            resolved.routing_table is old.routing_table
            and resolved.anchors is anchors
            and resolved.pre_policy_rules is pre_policy_rules
        )
    assert trace_flow(after, "corp-1", "corp-2", "tcp", 22).disposition == "delivered"


def test_what_was_kept_about_an_item_goes_with_it() -> None:
    draw = two_segments()
    before = draw.network()
    (uid,) = before.intent.policies
    before.derive(("rules", uid), (), lambda: "of the policy")
    draw.remove("policies", "p")
    assert ("rules", uid) not in Network(draw.intent(), before).kept


def test_an_equal_copy_of_a_network_answers_alike() -> None:
    draw = hospital_network()
    shop = {"connector": "exit-eu", "port": 443, "target": {"connector": "vpc-prod", "addresses": ["10.1.2.3"]}}
    shop["target"]["port"] = 8443
    draw.add("internet-apps", {"name": "shop", **shop, "source_nat": False})
    draw.add("policies", policy("in", 5, "internet", "shop", {"action": "allow"}))
    first = draw.network()
    check_network(first), check_assertions(first)
    later = Network(draw.intent(), first)
    assert check_network(later) == check_network(first) and check_assertions(later) == check_assertions(first)
    assert trace_flow(later, "internet", "shop", "tcp", 443).disposition == "delivered"


def test_the_instances_of_a_service_stay_where_they_are_when_an_older_one_goes() -> None:
    draw = two_segments()
    for name in ("ids", "fw"):
        placed = [{"exchange": "eu", "min_instances": 2}]
        draw.add("services", {"name": name, "product": "linux-firewall", "segments": ["corp"], "placements": placed})
    before = {one.id: one.mesh for one in draw.network().instances}
    draw.remove("services", "ids")
    after = {one.id: one.mesh for one in draw.network().instances}
    assert len(set(before.values())) == 4
    assert after == {id_: mesh for id_, mesh in before.items() if id_.startswith("fw/")} and len(after) == 2
