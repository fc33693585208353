"""What rules match besides addresses: several protocols, port lists, well-known ports."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.compile import compile_network
from provisioning.core.intent import InvalidIntent, normalise_body
from provisioning.core.reach.trace.trace_flow import trace_flow
from provisioning.core.resolve.network import Network
from provisioning.core.values.l4 import ALL_L4, l4_parts, l4_ranges, l4_union
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS
from tests.core.sample_networks import IntentBuilder, hospital_network, policy
from tests.core.trace_queries import problems_with_code


def network_with_rule(**rule: Any) -> IntentBuilder:
    net = hospital_network()
    net.add("port-lists", {"name": "games", "entries": [{"protocol": "udp", "ports": ["27000-27100"]}]})
    entries = [{"protocol": "tcp", "ports": ["80"]}, {"protocol": 47}]
    net.add("port-lists", {"name": "asked", "entries": entries, "contains": ["games"]})
    net.add("policies", policy("p", 1, "any", "any", {"action": "deny", **rule}))
    return net


def denied(network: Network, *packets: tuple[str | int, int | None]) -> list[tuple[str | int, int | None]]:
    outcomes = ((packet, trace_flow(network, "10.3.0.9", "10.2.0.9", *packet)) for packet in packets)
    return [packet for packet, trace in outcomes if trace.rule == "p/rule-1"]


@pytest.mark.parametrize(("protocol", "told"), [("tcp", None), ("udp", "bad_port"), ("any", "bad_port")])
def test_well_known_names_are_read_where_ports_are_numbers(protocol: str, told: str | None) -> None:
    """In assertions, NAT rules and port lists; a rule keeps the name."""
    entry = {"protocol": protocol, "ports": ["ssh", "8080"]}
    assertion = {"name": "a", "from": "any", "to": "any", "expect": "blocked", **entry}
    if told is None:
        assert normalise_body("assertions", assertion, lambda *_: None)["ports"] == ["22", "8080"]
        return
    with pytest.raises(InvalidIntent) as refused:
        normalise_body("assertions", assertion, lambda *_: None)
    assert told in {problem.code for problem in refused.value.problems}


def test_an_entry_of_a_port_list_is_of_tcp_where_it_names_no_protocol() -> None:
    body = normalise_body("port-lists", {"name": "ssh-tcp", "entries": [{"ports": ["22"]}]}, lambda *_: None)
    assert body["entries"][0]["protocol"] == "tcp"


PACKETS: list[tuple[str | int, int | None]] = [
    ("tcp", 80),
    ("tcp", 443),
    ("tcp", 53),
    ("udp", 53),
    ("udp", 443),
    ("udp", 27050),
    (47, None),
    ("icmp", None),
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"protocol": ["tcp", "udp"], "ports": ["53"]}, [("tcp", 53), ("udp", 53)]),
        ({"protocol": ["udp", 47]}, [("udp", 53), ("udp", 443), ("udp", 27050), (47, None)]),
        ({"ports": ["dns"]}, [("tcp", 53), ("udp", 53)]),
        ({"protocol": "tcp", "ports": ["https", "dns"]}, [("tcp", 443), ("tcp", 53)]),
        ({"ports": ["asked"]}, [("tcp", 80), ("udp", 27050), (47, None)]),
        ({"protocol": "udp", "ports": ["asked", "443"]}, [("udp", 443), ("udp", 27050)]),
        ({"protocol": "icmp", "ports": ["asked"]}, []),
    ],
)
def test_a_rule_matches_its_protocols_with_its_ports_and_lists(
    rule: dict[str, Any], expected: list[tuple[str | int, int | None]]
) -> None:
    assert denied(network_with_rule(**rule).network(), *PACKETS) == expected


def test_an_edit_of_a_list_in_a_list_reaches_the_rules_that_name_the_outer_one() -> None:
    net = network_with_rule(ports=["asked"])
    before = net.network()
    assert denied(before, ("udp", 443)) == []
    net.edit("port-lists", "games", entries=[{"protocol": "udp", "ports": ["443"]}])
    after = Network(net.intent(), before)
    assert denied(after, ("udp", 443), ("udp", 27050)) == [("udp", 443)]
    assert compile_network(after) == compile_network(net.network())


def test_lists_in_a_circle_are_refused_and_do_not_hang() -> None:
    net = network_with_rule(ports=["asked"])
    net.edit("port-lists", "games", contains=["asked"])
    assert {problem.path for problem in problems_with_code(net, "list_circle")} == {
        "port-lists/asked/contains[0]",
        "port-lists/games/contains[0]",
    }


def body_of(**rule: Any) -> dict[str, Any]:
    rules = [{"action": "allow", **rule}]
    body = {"name": "p", "position": 1, "segments": ["s"], "from": ["any"], "to": ["any"], "rules": rules}
    known = {"port-lists": {"web"}}
    read = normalise_body("policies", body, lambda kind, name: name if name in known.get(kind, {name}) else None)
    return dict(read["rules"][0])


def test_one_protocol_of_a_list_is_stored_as_itself_and_names_stand_behind_numbers() -> None:
    assert body_of(protocol=["tcp", "6"])["protocol"] == "tcp"
    assert body_of(protocol=["udp", "any"])["protocol"] == "any"
    rule = body_of(protocol=["udp", "tcp"], ports=["web", "443", "HTTPS", 80])
    assert (rule["protocol"], rule["ports"]) == (["tcp", "udp"], ["80", "443", "https", "web"])


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"protocol": []}, "required"),
        ({"protocol": ["tcp", "icmp"], "ports": ["443"]}, "bad_port"),
        ({"ports": ["443"]}, "bad_port"),
        ({"protocol": "tcp", "ports": ["nonsense"]}, "unknown_reference"),
    ],
)
def test_what_has_no_ports_or_is_no_list_is_refused(rule: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        body_of(**rule)
    assert {problem.code for problem in caught.value.problems} == {code}


def test_intervals_consist_of_protocols_that_give_them_back() -> None:
    assert [part.protocol for part in l4_parts(ALL_L4)] == ["any"]
    for protocol, ports in (("tcp", ("443",)), ("udp", ()), (47, ()), ("icmp", ()), ("icmpv6", ())):
        others = l4_ranges("tcp", ("22", "8000-8100")), l4_ranges("udp", ("0",))
        mixed = l4_union([l4_ranges(protocol, ports), *others])
        assert l4_union(l4_ranges(_number_or_name(part.protocol), part.ports) for part in l4_parts(mixed)) == mixed


def _number_or_name(protocol: str) -> str | int:
    return int(protocol) if protocol.isdigit() else protocol


def test_well_known_ports_are_ports_of_tcp_and_udp() -> None:
    pairs = [pair for pairs in WELL_KNOWN_PORTS.values() for pair in pairs]
    assert len(pairs) > 50 and all(l4_ranges(protocol, (ports,)) for protocol, ports in pairs)
