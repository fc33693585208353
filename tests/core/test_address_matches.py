"""What rules and lists match addresses with: prefixes, ranges, what is left out, lists in lists."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import InvalidIntent, normalise_body
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.network import Network
from provisioning.core.values.address_forms import BadAddress, canonical_addresses
from provisioning.core.values.addresses import address_number, contains
from tests.core.sample_networks import IntentBuilder, hospital_network, policy
from tests.core.trace_queries import problems_with_code


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("10.1.0.5-10.1.0.9", "10.1.0.5-10.1.0.9"),
        (" 10.1.0.0 - 10.1.0.255 ", "10.1.0.0/24"),
        ("10.1.0.7-10.1.0.7", "10.1.0.7/32"),
        ("!10.1.0.5", "!10.1.0.5/32"),
        ("! 10.1.0.5-10.1.0.9", "!10.1.0.5-10.1.0.9"),
        ("2001:DB8::1-2001:db8::f", "2001:db8::1-2001:db8::f"),
    ],
)
def test_ranges_and_exclusions_have_one_spelling(text: str, spelled: str) -> None:
    assert canonical_addresses(text) == spelled == canonical_addresses(spelled)


@pytest.mark.parametrize(
    "text", ["10.1.0.9-10.1.0.5", "10.1.0.5-::1", "10.1.0.5-", "!!10.1.0.5", "10.1.0.0/24-10.2.0.0/24"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        canonical_addresses(text)


def network_with(*entries: str, contains_lists: list[str] | None = None) -> IntentBuilder:
    net = hospital_network()
    net.add("prefix-lists", {"name": "base", "entries": [{"prefix": "10.9.0.0/16"}]})
    listed = [{"prefix": entry} for entry in entries]
    net.add("prefix-lists", {"name": "asked", "entries": listed, "contains": contains_lists or []})
    return net


def holds(net: IntentBuilder, names: tuple[str, ...], address: str) -> bool:
    ranges = net.network().prefixes.ranges(names)
    assert ranges is not None
    return contains(ranges, address_number(address))


def test_a_list_holds_ranges_and_the_lists_in_it_but_not_what_it_leaves_out() -> None:
    net = network_with("10.1.0.5-10.1.0.9", "!10.1.0.7/32", "!10.9.3.0/24", contains_lists=["base"])
    names = (net.uid_of("prefix-lists", "asked"),)
    held = ["10.1.0.5", "10.1.0.9", "10.9.0.1"]
    assert [address for address in (*held, "10.1.0.7", "10.9.3.9", "10.1.0.10") if holds(net, names, address)] == held


def test_only_exclusions_mean_everything_else_and_an_empty_list_means_nothing() -> None:
    net = network_with("!10.1.0.0/16")
    uid = net.uid_of("prefix-lists", "asked")
    assert holds(net, (uid,), "8.8.8.8") and holds(net, (uid,), "2001:db8::1") and not holds(net, (uid,), "10.1.0.1")
    assert holds(net, (f"!{uid}",), "10.1.0.1") and not holds(net, (f"!{uid}",), "8.8.8.8")
    net.edit("prefix-lists", "asked", entries=[])
    assert net.network().prefixes.ranges((uid,)) == ()


def test_an_edit_of_a_list_in_a_list_reaches_the_rules_that_name_the_outer_one() -> None:
    net = network_with(contains_lists=["base"])
    net.add("policies", policy("p", 10, "any", "any", {"action": "deny", "destination": ["asked"]}))
    before = net.network()
    uid = (net.uid_of("prefix-lists", "asked"),)
    assert before.resolved(net.uid_of("segments", "corp")).prefixes.ranges(uid) is not None
    net.edit("prefix-lists", "base", entries=[{"prefix": "10.7.0.0/16"}])
    after = Network(net.intent(), before)
    ranges = after.resolved(net.uid_of("segments", "corp")).prefixes.ranges(uid)
    assert ranges is not None and contains(ranges, address_number("10.7.0.1"))


def test_lists_in_a_circle_are_refused_and_do_not_hang() -> None:
    net = network_with("10.1.0.0/16", contains_lists=["base"])
    net.edit("prefix-lists", "base", contains=["asked"])
    assert {problem.path for problem in problems_with_code(net, "list_circle")} == {
        "prefix-lists/asked/contains[0]",
        "prefix-lists/base/contains[0]",
    }


def test_lists_in_many_levels_are_refused_and_end_no_search_by_an_error() -> None:
    net = hospital_network()
    net.add("prefix-lists", {"name": "l0", "entries": [{"prefix": "10.9.0.0/16"}]})
    for number in range(1, 1_500):
        net.add("prefix-lists", {"name": f"l{number}", "entries": [], "contains": [f"l{number - 1}"]})
    [problem] = problems_with_code(net, "too_many_levels")
    assert (problem.path, problem.severity) == ("prefix-lists/l16/contains", "error")
    resolver = ListResolver(net.intent().prefix_lists)
    assert resolver.ranges((net.uid_of("prefix-lists", "l1499"),)) is not None


def test_a_route_policy_cannot_name_a_list_with_ranges() -> None:
    net = network_with("10.1.0.5-10.1.0.9")
    body = {"name": "r", "segment": "corp", "direction": "in", "targets": ["hospital-a"]}
    net.add("route-policies", {**body, "rules": [{"action": "deny", "match": {"prefixes": ["asked"]}}]})
    [problem] = problems_with_code(net, "not_routes")
    assert problem.severity == "error" and "10.1.0.5-10.1.0.9" in problem.message
    assert check_network(net.network())


def problems_of(kind: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidIntent) as caught:
        normalise_body(kind, body, lambda _, name: name)
    return [(problem.code, problem.path) for problem in caught.value.problems]


def test_an_entry_that_is_no_route_has_no_lengths_and_nat_takes_prefixes_only() -> None:
    entry = {"prefix": "!10.1.0.0/16", "ge": 24}
    assert problems_of("prefix-lists", {"name": "x", "entries": [entry]}) == [("not_one_of", "entries[0].ge")]
    body = {"name": "n", "position": 1, "segment": "s", "connector": "c", "direction": "outbound"}
    match = {"source": ["10.1.0.5-10.1.0.9"]}
    problems = problems_of(
        "nat-rules", {**body, "match": match, "source": {"type": "pool", "prefixes": ["10.200.0.0/30"]}}
    )
    assert problems == [("bad_prefix", "match.source[0]")]


def test_any_beside_what_is_left_out_is_refused_and_left_out_alone_means_every_other() -> None:
    def rule(*source: str) -> dict[str, Any]:
        return policy("p", 1, "any", "any", {"name": "r", "action": "allow", "source": list(source)})

    with pytest.raises(InvalidIntent) as caught:
        normalise_body("policies", rule("any", "!10.0.0.0/8"), lambda kind, name: name)
    [problem] = caught.value.problems
    assert problem.path == "rules[0].source" and "alone to match every other address" in problem.message
    assert normalise_body("policies", rule("!10.0.0.0/8"), lambda kind, name: name)["rules"][0]["source"] == [
        "!10.0.0.0/8"
    ]
