"""A network resolved over its predecessor: objects an edit cannot change are reused, the rest is computed again."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.compile import compile_network
from provisioning.core.intent import load_intent
from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows, trace_flow
from provisioning.core.resolve.derived import Derived, DerivedKey
from provisioning.core.resolve.network import Network
from tests.core.random_edits import network_versions
from tests.core.random_small_networks import many_examples
from tests.core.sample_networks import CATALOG, TODAY, IntentBuilder, hospital_network, policy, site


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
    """Return the names of the segments whose resolved segments survive an edit; all objects are loaded again."""
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
        # Members a share exports are read by the importing segment too.
        ("connectors", "lab-1", {"preference": 7}, {"corp"}),
        ("policies", "p", {"enabled": False}, {"guest", "lab"}),
        ("prefix-lists", "admins", {"entries": []}, {"guest", "lab"}),
        ("shares", "s", {"direction": "a-to-b"}, {"corp"}),
        ("exchanges", "eu", {"size": "large"}, set()),
    ],
)
def test_an_edit_resolves_again_only_the_segments_that_read_the_object(
    kind: str, name: str, fields: dict[str, Any], kept: set[str]
) -> None:
    assert reused_segments(two_segments(), kind, name, **fields) == kept


def test_reused_segments_trace_with_the_names_of_their_own_version() -> None:
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


ANSWER = DerivedKey[str]("an answer")


class Maker:
    """Compute texts and count the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, of: str = "") -> str:
        self.calls.append(of)
        return f"result {len(self.calls)} {of}".strip()


def test_a_derived_value_is_computed_again_when_its_inputs_change() -> None:
    make = Maker()
    first = Derived()
    assert first.get(ANSWER, (1, "x"), make) == "result 1"
    second = Derived(first)
    assert second.get(ANSWER, (1, "x"), make) == "result 1"
    assert second.get(ANSWER, (2, "x"), make) == "result 2"
    assert first.get(ANSWER, (1, "x"), make) == "result 1"


def test_derived_values_are_separate_by_key_and_by_subject() -> None:
    make, derived = Maker(), Derived()
    assert derived.get(ANSWER, (), make, of="a") == "result 1"
    assert derived.get(ANSWER, (), make, of="b") == "result 2"
    assert derived.get(DerivedKey[str]("an answer"), (), make, of="a") == "result 3"
    assert derived.get(ANSWER, (), make, of="a") == "result 1"


def test_get_each_computes_again_only_the_values_whose_inputs_changed() -> None:
    make = Maker()
    first = Derived()
    assert first.get_each(ANSWER, {"a": (1,), "b": (2,)}, make, shared=("x",)) == ["result 1 a", "result 2 b"]
    second = Derived(first)
    assert second.get_each(ANSWER, {"b": (3,), "a": (1,)}, make, shared=("x",)) == ["result 3 b", "result 1 a"]
    assert second.get_each(ANSWER, {"a": (1,)}, make, shared=("y",)) == ["result 4 a"]
    assert first.get_each(ANSWER, {"a": (1,), "b": (2,)}, make, shared=("x",)) == ["result 1 a", "result 2 b"]


def test_a_derived_value_may_decide_whether_it_is_still_valid() -> None:
    make, derived = Maker(), Derived()
    assert derived.get_valid(ANSWER, lambda _: False, make, of="a") == "result 1"
    assert derived.get_valid(ANSWER, lambda text: text == "result 1", make, of="a") == "result 1"
    assert derived.get_valid(ANSWER, lambda _: False, make, of="a") == "result 2"


def test_derived_values_of_a_deleted_object_are_dropped() -> None:
    make, first = Maker(), Derived()
    subjects: list[str | tuple[str, str]] = ["gone", ("gone", "other"), ("other", "gone")]
    for of in (*subjects, "other"):
        first.get(ANSWER, (), make, of=of)
    second = Derived(first, {"gone"})
    assert second.get(ANSWER, (), make, of="other") == "result 4"
    for number, of in enumerate(subjects, 5):
        assert second.get(ANSWER, (), make, of=of) == f"result {number}"


def test_a_forgotten_value_is_computed_again() -> None:
    make, derived = Maker(), Derived()
    derived.get(ANSWER, (), make, of="a")
    derived.forget(ANSWER, of="a")
    derived.forget(ANSWER, of="never made")
    assert derived.get(ANSWER, (), make, of="a") == "result 2"


def test_an_edit_of_a_policy_reuses_routing_tables_and_anchors() -> None:
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


def test_values_derived_from_a_deleted_policy_are_freed() -> None:
    draw = two_segments()
    before = draw.network()
    (uid,) = before.intent.policies
    derived = weakref.ref(before.derived.get(DerivedKey[Maker]("a maker"), (), Maker, of=uid))
    draw.remove("policies", "p")
    after = Network(draw.intent(), before)
    assert derived() is not None
    del before
    assert derived() is None and not after.intent.policies


def test_an_unreferenced_version_is_freed_without_the_garbage_collector() -> None:
    draw = hospital_network()
    gc.collect()
    gc.disable()
    try:
        before = draw.network()
        draw.edit("connectors", "vpc-prod", preference=7)
        after = Network(draw.intent(), before)
        ask_everything(before), ask_everything(after), compare_reachability(before, after)
        segments: list[weakref.ref[Any]] = [
            weakref.ref(resolved) for network in (before, after) for resolved in network.resolved_segments.values()
        ]
        networks: list[weakref.ref[Any]] = [weakref.ref(before), weakref.ref(after)]
        del before, after
        assert [ref() for ref in (*networks, *segments)] == [None] * (2 + len(segments))
    finally:
        gc.enable()


def test_an_equal_copy_of_a_network_gives_equal_results() -> None:
    draw = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443}
    shop = {"connector": "exit-eu", "port": 443, "target": target}
    draw.add("internet-apps", {"name": "shop", **shop, "source_nat": False})
    draw.add("policies", policy("in", 5, "internet", "shop", {"action": "allow"}))
    first = draw.network()
    check_network(first), check_assertions(first, TODAY)
    later = Network(draw.intent(), first)
    assert check_network(later) == check_network(first) and check_assertions(later, TODAY) == check_assertions(
        first, TODAY
    )
    assert trace_flow(later, "internet", "shop", "tcp", 443).disposition == "delivered"


def test_instances_of_a_service_keep_their_mesh_index_when_an_older_service_is_removed() -> None:
    draw = two_segments()
    for name in ("ids", "fw"):
        placed = [{"exchange": "eu", "min_instances": 2}]
        draw.add("services", {"name": name, "product": "linux-firewall", "segments": ["corp"], "placements": placed})
    before = {instance.id: instance.mesh_index for instance in draw.network().instances}
    draw.remove("services", "ids")
    after = {instance.id: instance.mesh_index for instance in draw.network().instances}
    assert len(set(before.values())) == 4
    assert after == {id_: mesh for id_, mesh in before.items() if id_.startswith("fw/")} and len(after) == 2


def ask_everything(network: Network) -> dict[str, Any]:
    """Return everything derived from one network alone."""
    return {
        "check": check_network(network),
        "compile": compile_network(network),
        "assertions": check_assertions(network, TODAY),
        "reach": reachable_flows(network, "any"),
        "anchors": [(resolved.classes, resolved.anchors) for resolved in network.resolved_segments.values()],
        "members": [(r.members, r.imported_members, r.exits, r.apps) for r in network.resolved_segments.values()],
        "pre_policy_rules": [resolved.pre_policy_rules for resolved in network.resolved_segments.values()],
    }


QUESTIONS: dict[str, Callable[[Network], Any]] = {
    "check": check_network,
    "quick check": lambda network: check_network(network, slow_checks=False),
    "compile": compile_network,
    "assertions": partial(check_assertions, today=TODAY),
    "reach": lambda network: reachable_flows(network, "any"),
}


@many_examples
@given(network_versions(), st.data())
def test_versions_resolved_from_each_other_give_the_results_of_fresh_networks(
    versions: list[IntentBuilder], data: st.DataObject
) -> None:
    """The results do not depend on which queries ran on the versions in between."""
    before: Network | None = None
    for number, version in enumerate(versions):
        after = Network(version.intent(), before)
        for name in data.draw(st.permutations(list(QUESTIONS)))[: data.draw(st.integers(0, len(QUESTIONS)))]:
            assert QUESTIONS[name](after) == QUESTIONS[name](version.network()), (number, name)
        if before is not None and data.draw(st.booleans()):
            fresh = versions[number - 1].network(), version.network()
            assert compare_reachability(before, after) == compare_reachability(*fresh), number
        before = after
    assert before is not None
    assert ask_everything(before) == ask_everything(versions[-1].network())
