"""Shadowed rules, compared with a brute-force evaluation of every packet of a small address space."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.core.check import check_network, shadowed_rules
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import prefix_range
from provisioning.core.values.l4 import l4_ranges
from tests.core.sample_networks import IntentBuilder, hospital_network, policy
from tests.core.test_check import only_problem, problems_with_code

WEB = {"action": "allow", "protocol": "tcp", "ports": ["80"]}


def late(draw: IntentBuilder, *rules: dict[str, Any], **more: Any) -> None:
    draw.add("policies", policy("late", 90, "sites", "prod", *rules, **more))


def test_several_earlier_rules_together_cover_a_later_one_and_are_named() -> None:
    draw = hospital_network()
    low = {"name": "low", "action": "allow", "protocol": "udp", "ports": ["1-100"]}
    high = {"name": "high", "action": "deny", "protocol": "udp", "ports": ["101-200"]}
    both = {"name": "both", "action": "allow", "protocol": "udp", "ports": ["50-150"]}
    late(draw, low, high, both)
    problem = only_problem(draw, "shadowed_rule")
    assert problem.path == "policies/late/rules[2]" and problem.severity == "warning"
    assert all(word in problem.message for word in ("“both”", "“low”", "“high”", "together"))
    draw.edit("policies", "late", rules=[low, {**high, "ports": ["102-200"]}, both])
    assert problems_with_code(draw, "shadowed_rule") == []


def test_halves_of_a_prefix_cover_it_and_a_watch_rule_covers_nothing() -> None:
    draw = hospital_network()
    halves = [{**WEB, "destination": ["10.1.0.0/17"]}, {**WEB, "destination": ["10.1.128.0/17"]}]
    whole = {**WEB, "action": "deny", "destination": ["10.1.0.0/16"]}
    late(draw, *halves, whole)
    assert only_problem(draw, "shadowed_rule").path == "policies/late/rules[2]"
    draw.edit("policies", "late", rules=[halves[0], {**halves[1], "action": "watch"}, whole])
    assert problems_with_code(draw, "shadowed_rule") == []


def test_any_covers_every_group_but_not_the_internet() -> None:
    draw = hospital_network()
    draw.add("policies", policy("first", 1, "any", "any", {"name": "all", "action": "allow"}))
    paths = {problem.path for problem in problems_with_code(draw, "shadowed_rule")}
    assert paths == {
        "policies/sites-to-prod/rules[0]",
        "policies/sites-to-prod/rules[1]",
        "policies/no-dev-in-prod/rules[0]",
    }


def test_different_policies_may_cover_different_groups_of_a_side() -> None:
    draw = hospital_network()
    draw.add("policies", policy("one", 70, "sites", "dev", {"action": "deny", "protocol": "icmp"}))
    draw.add("policies", policy("two", 71, "prod", "dev", {"action": "deny", "protocol": "icmp"}))
    ping = {"name": "ping", "action": "allow", "protocol": "icmp"}
    draw.add("policies", {**policy("both", 72, "sites", "dev", ping), "from": ["sites", "prod"]})
    problem = only_problem(draw, "shadowed_rule")
    assert "“one”" in problem.message and "“two”" in problem.message
    draw.edit("policies", "both", **{"from": ["sites", "prod", "any"]})
    assert problems_with_code(draw, "shadowed_rule") == []


def test_a_rule_has_to_be_covered_in_each_of_its_segments() -> None:
    draw = hospital_network()
    draw.add("policies", policy("here", 70, "sites", "dev", {"action": "deny"}))
    draw.add("policies", policy("there", 71, "sites", "dev", {"action": "allow"}, segments=["corp", "guest"]))
    assert problems_with_code(draw, "shadowed_rule") == []
    draw.edit("policies", "here", segments=["guest", "corp"])
    assert only_problem(draw, "shadowed_rule").path == "policies/there/rules[0]"


def test_a_rule_that_matches_no_packet_is_reported() -> None:
    draw = hospital_network()
    draw.add("prefix-lists", {"name": "none yet"})
    late(
        draw,
        {"action": "deny", "source": ["10.3.0.0/16"], "destination": ["fd00::/8"]},
        {"action": "deny", "source": ["none yet"]},
    )
    assert [problem.path for problem in problems_with_code(draw, "matches_nothing")] == [
        "policies/late/rules[0]",
        "policies/late/rules[1]",
    ]


def test_shadowed_rules_of_an_earlier_version_are_not_reported_for_a_later_one() -> None:
    draw = hospital_network()
    late(draw, {"name": "never", "action": "allow", "protocol": "tcp", "ports": ["22"]})
    before = draw.network()
    assert [problem.code for problem in check_network(before)] == ["shadowed_rule"]
    other = draw.copy()
    other.edit("policies", "sites-to-prod", enabled=False)
    assert check_network(Network(other.intent(), before)) == []
    assert [problem.code for problem in check_network(Network(draw.intent(), before))] == ["shadowed_rule"]


def test_a_check_that_exceeds_its_steps_stops_and_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadowed_rules, "MAX_STEPS", 5_000)
    draw = hospital_network()
    even = [str(port) for port in range(2, 500, 2)]
    ports = [even, ["1-100"], ["3-200"], ["5-300"], ["7-400"], ["9-500"], ["5"]]
    rules = [
        {"name": f"r{n}", "action": "allow", "protocol": "udp", "ports": port_list} for n, port_list in enumerate(ports)
    ]
    late(draw, *rules, *({**rules[1], "name": f"again-{n}"} for n in range(40)))
    told_of = problems_with_code(draw, "shadows_not_sought")
    assert len(told_of) == 1
    assert "the rules before it are too many and too different" in told_of[0].message
    late_policy = draw.network().intent.find("policies", "late")
    assert late_policy is not None
    late_rules = late_policy.rules
    nth = int(told_of[0].path.removeprefix("policies/late/rules[").removesuffix("]"))
    assert f"“{late_rules[nth].name}”" in told_of[0].message
    assert f"the {len(late_rules) - nth - 1} after it" in told_of[0].message


PREFIXES = ("10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.1/32", "any")
PORTS: tuple[list[str], ...] = (["1-4"], ["1-2"], ["3-4"], ["2"], ["any"])
NAMES = ("g1", "g2", "g3")
TIERS = ("mandatory", "standard", "baseline")
RULE = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["allow", "deny", "pass"]),
        "mode": st.sampled_from(["enforce", "enforce", "monitor"]),
        "protocol": st.just("tcp"),
        "ports": st.sampled_from(PORTS),
        "source": st.sampled_from(PREFIXES).map(lambda one: [one]),
        "destination": st.sampled_from(PREFIXES).map(lambda one: [one]),
    }
)
SIDE = st.one_of(st.just(["any"]), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
POLICY = st.tuples(
    st.lists(st.sampled_from(["s1", "s2"]), min_size=1, unique=True),
    *(SIDE, SIDE, st.lists(RULE, min_size=1, max_size=4), st.sampled_from(TIERS)),
)


@settings(max_examples=150)
@given(st.lists(POLICY, min_size=1, max_size=5), st.sampled_from([0, shadowed_rules.NUMPY_THRESHOLD]))
def test_a_rule_is_shadowed_exactly_when_no_packet_is_left_for_it(drawn: list[Any], at_a_glance: int) -> None:
    draw = IntentBuilder()
    for name in ("s1", "s2"):
        draw.add("segments", {"name": name})
    for name in NAMES:
        draw.add("groups", {"name": name})
    for index, (segments, from_, to, rules, tier) in enumerate(drawn):
        sides = {"segments": segments, "from": from_, "to": to}
        draw.add("policies", {"name": f"p{index}", "tier": tier, "position": index, **sides, "rules": rules})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shadowed_rules, "NUMPY_THRESHOLD", at_a_glance)
        paths = {problem.path for problem in problems_with_code(draw, "shadowed_rule")}
    assert paths == _shadowed_by_brute_force(drawn)


def test_what_a_rule_passes_is_not_taken_from_the_next_tier() -> None:
    """Network policies of Kubernetes: what egress allows passes, all else is denied, ingress has the next say."""
    draw = hospital_network()
    draw.add("policies", policy("egress", 50, "dev", "any", {"action": "pass"}))
    draw.add("policies", policy("no other egress", 60, "any", "any", {"action": "deny"}))
    draw.add("policies", policy("ingress", 70, "dev", "sites", WEB, tier="baseline"))
    draw.add("policies", policy("ingress of prod", 80, "prod", "sites", WEB, tier="baseline"))
    assert problems_with_code(draw, "shadowed_rule") == []
    draw.remove("policies", "egress")
    shadowed = {problem.path for problem in problems_with_code(draw, "shadowed_rule")}
    assert shadowed >= {"policies/ingress/rules[0]", "policies/ingress-of-prod/rules[0]"}


def test_ten_thousand_rules_of_single_prefixes_are_checked_quickly() -> None:
    draw = hospital_network()
    for index in range(200):
        nets = [(f"10.{index}.{nth}.0/24", f"fd00:{nth:x}:{index:x}::/48") for nth in range(50)]
        listed = [rule for v4, v6 in nets for rule in ({**WEB, "source": [v4]}, {**WEB, "source": [v6]})][:50]
        draw.add("policies", policy(f"p{index}", 100 + index, "any", "any", *listed))
    again = (
        {**WEB, "source": ["10.7.3.0/25"]},
        {**WEB, "source": ["fd00:4:8::/64"]},
        {**WEB, "source": ["10.250.0.0/24"]},
    )
    draw.add("policies", policy("last", 999, "any", "any", *again))
    network, began = draw.network(), time.process_time()
    paths = [
        problem.path for problem in shadowed_rules.check_shadowed_rules(network) if problem.code == "shadowed_rule"
    ]
    assert paths == ["policies/last/rules[0]", "policies/last/rules[1]"]
    assert time.process_time() - began < 6, "took 12 s when each was compared with all before it, and 2 s now"


def _shadowed_by_brute_force(drawn: list[Any]) -> set[str]:
    """Return the shadowed rules by trying every packet: addresses 10.0.0.0 to 10.0.0.4, ports 1 to 5, every name.

    A sender is in several groups, so that behind a rule that passes nothing is surely taken from the next tiers.
    """
    low = prefix_range("10.0.0.0/32")[0]
    addresses, ports = range(low, low + 5), range(1, 6)
    taken: set[Any] = set()
    passed: dict[str, set[Any]] = {tier: set() for tier in TIERS}
    passing: set[tuple[str, str]] = set()
    shadowed = set()
    for index, (segments, from_, to, rules, tier) in sorted(enumerate(drawn), key=lambda pair: TIERS.index(pair[1][4])):
        for nth, rule in enumerate(rules):
            sides = product(segments, _names(from_), _names(to))
            here = {packet for packet in product(sides, addresses, addresses, ports) if _is_match(rule, *packet[1:])}
            if here <= taken | passed[tier]:
                shadowed.add(f"policies/p{index}/rules[{nth}]")
            if rule["mode"] == "enforce":
                places = {(tier, segment) for segment in segments}
                passing |= places if rule["action"] == "pass" else set()
                (taken if passing.isdisjoint(places) else passed[tier]).update(here)
    return shadowed


def _names(side: list[str]) -> list[str]:
    # "another" stands for members that no policy names.
    return [*NAMES, "another"] if side == ["any"] else side


def _is_match(rule: dict[str, Any], source: int, destination: int, port: int) -> bool:
    within = [
        prefix == ["any"] or prefix_range(prefix[0])[0] <= address <= prefix_range(prefix[0])[1]
        for prefix, address in ((rule["source"], source), (rule["destination"], destination))
    ]
    ports = () if rule["ports"] == ["any"] else tuple(rule["ports"])
    return all(within) and any(low <= port <= high for low, high in l4_ranges("tcp", ports))


# Members of groups


@pytest.mark.parametrize(
    ("earlier", "shadowed"),
    [
        ([(["outer"], ["prod"])], True),
        ([(["outer", "dev"], ["any"])], True),
        ([(["hospital-a", "hospital-b"], ["prod"])], True),
        ([(["hospital-a"], ["prod"]), (["hospital-b"], ["prod"])], True),
        ([(["hospital-a"], ["prod"])], False),
        ([(["outer"], ["vpc-prod"])], True),
        ([(["sites"], ["outer"])], False),
    ],
)
def test_a_rule_is_shadowed_where_earlier_ones_are_about_all_members_of_its_groups(
    earlier: list[tuple[list[str], list[str]]], shadowed: bool
) -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "outer", "contains": ["sites"]})
    for index, (starts, ends) in enumerate(earlier):
        rule = {"name": "all", "action": "deny", "protocol": "tcp"}
        body = policy(f"first-{index}", 1 + index, "any", "any", rule)
        draw.add("policies", {**body, "from": starts, "to": ends})
    paths = {problem.path for problem in problems_with_code(draw, "shadowed_rule")}
    assert ("policies/sites-to-prod/rules[0]" in paths) is shadowed


def test_a_shadow_ends_where_a_label_takes_a_member_out_of_the_group_in_the_way() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "labelled", "selector": "zone=a"})
    for name in ("hospital-a", "hospital-b"):
        draw.edit("connectors", name, labels={"zone": "a"})
    draw.add("policies", policy("first", 1, "labelled", "prod", {"name": "all", "action": "deny"}))
    before = Network(draw.intent())
    assert any(problem.code == "shadowed_rule" for problem in check_network(before))
    draw.edit("connectors", "hospital-b", labels={"zone": "b"})
    after = Network(draw.intent(), before)
    assert not any(problem.code == "shadowed_rule" for problem in check_network(after))
    draw.edit("connectors", "hospital-b", labels={"zone": "a"})
    assert any(problem.code == "shadowed_rule" for problem in check_network(Network(draw.intent(), after)))
