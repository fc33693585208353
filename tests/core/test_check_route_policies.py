"""Checks of route policies: targets, rules that match no route, and what has no effect yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.sample_networks import IntentBuilder, hospital_network, site
from tests.core.trace_queries import only_problem, problems_with_code


def routing(*rules: dict[str, Any], direction: str = "in", targets: tuple[str, ...] = ("hospital-a",)) -> IntentBuilder:
    draw = hospital_network()
    body = {"name": "filter", "segment": "corp", "direction": direction, "targets": list(targets)}
    draw.add("route-policies", {**body, "rules": list(rules)})
    return draw


def deny(*prefixes: str) -> dict[str, Any]:
    return {"match": {"prefixes": list(prefixes) or ["any"]}, "action": "deny"}


def test_a_route_policy_with_a_target_of_another_segment_is_an_error() -> None:
    assert only_problem(routing(deny(), targets=("lobby",)), "target_not_in_segment").severity == "error"
    draw = hospital_network()
    draw.add("groups", {"name": "nobody"})
    body = {"name": "filter", "segment": "corp", "direction": "in", "targets": ["nobody"], "rules": [deny()]}
    draw.add("route-policies", body)
    assert only_problem(draw, "empty_group").path == "route-policies/filter/targets[0]"


def matching(action: str, **match: Any) -> dict[str, Any]:
    return {"match": match, "action": action}


@pytest.mark.parametrize(
    ("rules", "direction", "told"),
    [
        ([deny("10.3.0.0/16")], "in", []),
        ([deny("10.3.1.0/24")], "in", ["never_matches rules[0].match.prefixes"]),
        ([deny("10.4.0.0/16")], "in", ["never_matches rules[0].match.prefixes"]),
        ([deny("10.4.0.0/16")], "out", []),
        ([deny("10.3.0.0/16")], "out", ["never_matches rules[0].match.prefixes"]),
        ([deny("10.3.0.0/16"), deny("10.99.0.0/16")], "in", ["never_matches rules[1].match.prefixes"]),
        ([{"action": "allow"}, deny()], "in", ["never_matches rules[1]"]),
        ([deny("10.3.0.0/16"), {**deny("10.3.0.0/16"), "action": "allow"}], "in", ["never_matches rules[1]"]),
        ([deny("10.3.0.0/16"), deny()], "in", []),
        ([{"action": "allow", "set": {"med": 10}}], "in", []),
        ([{"action": "allow"}], "in", ["changes_nothing"]),
        ([matching("deny", communities=["65000:1"])], "in", ["never_matches rules[0].match.communities"]),
        ([matching("deny", as_path="^65010$"), deny()], "in", ["never_matches rules[0].match.as_path"]),
        ([matching("deny", as_path="^$", prefixes=["10.9.0.0/16"])], "in", ["never_matches rules[0].match.prefixes"]),
        ([], "out", ["changes_nothing"]),
    ],
)
def test_route_policies_and_rules_of_them_that_change_nothing_are_warnings(
    rules: Any, direction: str, told: list[str]
) -> None:
    draw = routing(*rules, direction=direction)
    problems = [p for code in ("changes_nothing", "never_matches") for p in problems_with_code(draw, code)]
    where = [f"{p.code} {p.path.removeprefix('route-policies/filter').removeprefix('/')}".strip() for p in problems]
    assert where == told
    assert all("remove it" not in p.message for p in problems if "communities" in p.path or "as_path" in p.path)


def test_a_rule_that_no_route_meets_in_all_parts_is_a_warning() -> None:
    rules = [{"action": "deny", "match": {"prefixes": ["10.3.0.0/16"], "as_path": "^65010$"}}]
    draw = routing(*rules, targets=("hospital-a", "hospital-b"))
    draw.edit("connectors", "hospital-b", circuits=[{"name": "A", "bgp": {"peer_asn": 65010}}])
    assert only_problem(draw, "never_matches").path == "route-policies/filter/rules[0].match"


def tagged(draw: IntentBuilder, *communities: str) -> IntentBuilder:
    """Add a route policy that gives the routes of hospital-b communities."""
    rules = [{"action": "allow", "set": {"communities": list(communities)}}]
    body = {"name": "tag", "segment": "corp", "direction": "in", "targets": ["hospital-b"], "rules": rules}
    draw.add("route-policies", body)
    return draw


def test_what_needs_bgp_in_a_route_policy_is_a_warning_at_its_rule() -> None:
    rules = [matching("deny", communities=["65000:1"]), {"action": "allow", "set": {"med": 10, "prepend": 2}}]
    draw = tagged(routing(*rules, direction="out"), "65000:9")
    problem = only_problem(draw, "never_matches")
    assert (problem.severity, problem.path) == ("warning", "route-policies/filter/rules[0].match.communities")
    assert "What the rule should deny goes on to the next rule" in problem.message
    assert [(problem.path, problem.severity) for problem in problems_with_code(draw, "not_in_effect")] == [
        ("route-policies/filter/rules[1].set", "warning"),
        ("route-policies/tag/rules[0].set", "warning"),
    ]
    draw = tagged(routing(matching("deny", communities=["65000:1"]), direction="out"), "65000:1")
    assert not problems_with_code(draw, "never_matches") and not problems_with_code(draw, "not_in_effect")
    draw.edit("route-policies", "tag", enabled=False)
    assert only_problem(draw, "never_matches")
    draw.edit("route-policies", "filter", enabled=False)
    assert not problems_with_code(draw, "never_matches")


def test_a_prefix_that_a_route_policy_denies_can_be_attached_elsewhere() -> None:
    draw = routing(deny("10.3.0.0/16"))
    draw.add("connectors", site("moved", "us", "sites", "10.3.0.0/16"))
    assert problems_with_code(draw, "equal_prefixes") == []
    draw.remove("route-policies", "filter")
    assert "hospital-a" in only_problem(draw, "equal_prefixes").message
