"""Limits of what one body may hold."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent, normalise_body
from tests.core.body_problems import complaints, same
from tests.core.sample_networks import policy

RULE = {"action": "deny", "protocol": "tcp"}
MANY = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(10_001)]


@pytest.mark.parametrize(
    ("rules", "path", "code"),
    [
        ([RULE] * 1_001, "rules", "too_many_rules"),
        ([RULE, {**RULE, "ports": [str(port) for port in range(1, 514, 2)]}], "rules[1].ports", "too_many_ports"),
        ([{**RULE, "source": MANY[:257]}], "rules[0].source", "too_many_prefixes"),
        ([{**RULE, "source": MANY[:11]}] * 910, "rules", "too_many_prefixes"),
    ],
)
def test_a_policy_over_a_limit_is_reported_with_the_path_and_the_limit(rules: list[Any], path: str, code: str) -> None:
    body = policy("acl", 10, "a", "b", *rules)
    with pytest.raises(InvalidIntent) as caught:
        normalise_body("policies", body, same)
    [problem] = caught.value.problems
    assert (problem.path, problem.code) == (path, code)
    assert "is the most" in problem.message
    half = {**body, "rules": [{**rule, "source": rule.get("source", ["any"])[:200]} for rule in rules[:500]]}
    if code != "too_many_ports":
        assert normalise_body("policies", half, same)["rules"]


def test_firewall_rules_and_prefix_list_entries_are_limited() -> None:
    firewall = {"name": "fw", "product": "linux-firewall", "segments": ["corp"]}
    assert complaints("services", {**firewall, "settings": {"rules": [RULE] * 1_001}}) == {
        "settings.rules": "too_many_rules"
    }
    entries = [{"prefix": prefix} for prefix in MANY]
    assert complaints("prefix-lists", {"name": "all", "entries": entries}) == {"entries": "too_many_entries"}
    assert len(normalise_body("prefix-lists", {"name": "all", "entries": entries[1:]}, same)["entries"]) == 10_000
