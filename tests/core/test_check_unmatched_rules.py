"""Rules, entries and sides of shares that can match nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.sample_networks import IntentBuilder, hospital_network, policy, site
from tests.core.trace_queries import problems_with_code


def published() -> IntentBuilder:
    draw = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443}
    draw.add("internet-apps", {"name": "shop", "connector": "exit-eu", "port": 443, "target": target})
    return draw


def told(start: str, end: str, rule: dict[str, Any], *, draw: IntentBuilder | None = None) -> list[tuple[str, str]]:
    draw = draw or published()
    draw.add("policies", policy("p", 1, start, end, {"name": "r", "action": "allow", **rule}))
    return [(problem.path, problem.message) for problem in problems_with_code(draw, "matches_nobody")]


@pytest.mark.parametrize(
    ("start", "end", "rule", "path", "why"),
    [
        ("any", "any", {"source": ["10.2.0.0/16", "35.191.0.0/16"]}, ".source[1]", "nobody in its “from”"),
        ("dev", "prod", {"source": ["10.1.0.0/16"]}, ".source[0]", "source 10.1.0.0/16"),
        ("dev", "prod", {"destination": ["10.2.0.0/16"]}, ".destination[0]", "nobody in its “to”"),
        ("dev", "internet", {"destination": ["10.9.0.0/16"]}, ".destination[0]", "nobody in its “to”"),
        ("dev", "prod", {"protocol": "icmpv6"}, "", "family"),
        ("dev", "internet", {"protocol": "icmpv6"}, "", "family"),
        ("internet", "shop", {"protocol": "udp", "ports": ["443"]}, "", "203.0.113.1, tcp 443"),
        ("internet", "shop", {"protocol": "tcp", "ports": ["8443"]}, "", "203.0.113.1, tcp 443"),
        ("internet", "shop", {"destination": ["10.1.2.3/32"]}, ".destination[0]", "203.0.113.1, tcp 443"),
        ("internet", "shop", {"source": ["192.168.0.0/16"]}, ".source[0]", "nobody in its “from”"),
        ("dev", "shop", {"source": ["10.3.0.0/16"]}, ".source[0]", "nobody in its “from”"),
    ],
)
def test_a_rule_that_can_match_nobody_is_told(start: str, end: str, rule: dict[str, Any], path: str, why: str) -> None:
    [(where, message)] = told(start, end, rule)
    assert where == f"policies/p/rules[0]{path}" and why in message and "“r” of policy “p”" in message


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        ("any", "any", {}),
        ("dev", "prod", {"source": ["10.2.3.0/24"], "destination": ["10.0.0.0/8"], "protocol": "icmp"}),
        ("dev", "internet", {"destination": ["8.8.8.8/32"], "protocol": "udp", "ports": ["53"]}),
        ("dev", "prod", {"source": ["!10.99.0.0/16"]}),
        ("internet", "shop", {"protocol": "tcp", "ports": ["443"], "source": ["198.51.100.0/24"]}),
        ("internet", "shop", {"destination": ["203.0.113.1/32"]}),
        ("dev", "shop", {"source": ["10.2.0.0/16"]}),
        ("dev", "prod", {"source": ["10.99.0.0/16"], "mode": "disabled"}),
    ],
)
def test_a_rule_that_somebody_can_match_is_not(start: str, end: str, rule: dict[str, Any]) -> None:
    assert told(start, end, rule) == []


def test_a_list_that_nobody_in_a_policy_has_is_named() -> None:
    draw = published()
    draw.add("prefix-lists", {"name": "probes", "entries": [{"prefix": "35.191.0.0/16"}, {"prefix": "130.211.0.0/22"}]})
    [(where, message)] = told("any", "any", {"source": ["10.2.0.0/16", "probes"]}, draw=draw)
    assert where == "policies/p/rules[0].source[1]" and "source probes," in message


def test_a_policy_that_matches_nobody_is_told_once() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "lonely"})
    assert told("lonely", "any", {"source": ["10.99.0.0/16"]}, draw=draw) == [], "empty_group says it"
    assert problems_with_code(draw, "empty_group")


def test_a_firewall_rule_for_nobodys_addresses_is_told() -> None:
    draw = hospital_network()
    rules = [{"action": "deny", "source": ["10.99.0.0/16"]}, {"action": "deny", "destination": ["8.8.8.8/32"]},
             {"action": "deny", "protocol": "icmpv6"}, {"action": "deny", "source": ["10.2.0.0/16"]}]  # fmt: skip
    draw.edit("services", "fw", settings={"default": "allow", "rules": rules})
    assert {problem.path for problem in problems_with_code(draw, "matches_nobody")} == {
        "services/fw/settings.rules[0].source[0]",
        "services/fw/settings.rules[2]",
    }


def test_a_side_of_a_share_whose_only_member_is_an_exit_is_told() -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "ways-out"})
    draw.edit("connectors", "exit-eu", attachments=[{"segment": "corp", "group": "ways-out"}])
    draw.add("connectors", site("desk", "us", "dev", "10.40.0.0/16", segment="guest"))
    side_a, side_b = {"segment": "corp", "groups": ["ways-out"]}, {"segment": "guest", "groups": ["dev"]}
    draw.add("shares", {"name": "egress", "a": side_a, "b": side_b})
    [problem] = [problem for problem in problems_with_code(draw, "empty_group") if problem.path.startswith("shares")]
    assert problem.path == "shares/egress/a.groups[0]"


def test_a_rule_with_a_port_list_is_compared_by_the_ports_in_it() -> None:
    draw = published()
    draw.add("port-lists", {"name": "shops", "entries": [{"protocol": "tcp", "ports": ["8443"]}]})
    assert told("internet", "shop", {"protocol": "tcp", "ports": ["shops"]}, draw=draw)


@pytest.mark.parametrize(("prefixes", "told"), [(["::/0"], 1), (["0.0.0.0/0", "::/0"], 0), (["0.0.0.0/0"], 0)])
def test_a_share_of_everything_may_have_nothing_of_one_family(prefixes: list[str], told: int) -> None:
    draw = hospital_network()
    sides = {"a": {"segment": "corp", "prefixes": prefixes}, "b": {"segment": "guest", "prefixes": ["10.1.0.0/16"]}}
    draw.add("shares", {"name": "all", **sides, "direction": "a-to-b"})
    assert len(problems_with_code(draw, "share_of_nothing")) == told
