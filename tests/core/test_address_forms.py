"""Addresses as people write them: what is taken, and what is refused wherever an address can stand."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent, normalise_body
from provisioning.core.reach.query import reachable_flows
from provisioning.core.reach.trace.trace_flow import trace_flow
from provisioning.core.values.address_forms import (
    BadAddress,
    MistypedAddress,
    canonical_address,
    canonical_interface,
    canonical_prefix,
)
from tests.core.body_problems import complaints, same
from tests.core.sample_networks import hospital_network, policy, site

NEVER_SENT = [
    ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ("::FFFF:c000:200/120", "192.0.2.0/24"),
    ("::ffff:192.0.2.7", "192.0.2.7/32"),
    ("::192.0.2.0/120", "192.0.2.0/24"),
    ("fe80::%eth0/64", "fe80::/64"),
]
AMBIGUOUS = [
    ("10.1.1.0/024", "10.1.1.0/24"),
    ("10.1.1.0/255.255.255.0", "10.1.1.0/24"),
    ("10.1.1.0/0.0.0.255", "10.1.1.0/24"),
    ("2001:db8::/032", "2001:db8::/32"),
]


@pytest.mark.parametrize(("text", "meant"), [*NEVER_SENT, *AMBIGUOUS])
def test_a_prefix_in_a_wrong_form_is_refused_with_the_one_that_is_meant(text: str, meant: str) -> None:
    with pytest.raises(MistypedAddress, match=f"Write {meant.removesuffix('/32')}") as caught:
        canonical_prefix(text)
    assert caught.value.code == "bad_prefix"


@pytest.mark.parametrize("text", ["::/0", "::/96", "::1/128", "64:ff9b::192.0.2.1/128", "10.0.0.0/8", "0.0.0.0/0"])
def test_other_prefixes_keep_their_one_spelling(text: str) -> None:
    assert canonical_prefix(canonical_prefix(text)) == canonical_prefix(text)


def test_addresses_of_links_and_peers_obey_the_same_rules() -> None:
    assert (
        canonical_interface("169.254.1.1/30") == "169.254.1.1/30"
        and canonical_address(" 2001:DB8::1 ") == "2001:db8::1"
    )
    for text in ("169.254.1.1/030", "::ffff:169.254.1.1/126"):
        with pytest.raises(MistypedAddress):
            canonical_interface(text)
    for text, code in (("::ffff:192.0.2.7", "bad_address"), ("fe80::1%1", "bad_address"), ("x", "bad_address")):
        with pytest.raises(BadAddress) as caught:
            canonical_address(text)
        assert caught.value.code == code


@pytest.mark.parametrize(("text", "meant"), NEVER_SENT[:2] + AMBIGUOUS[:2])
def test_wherever_a_prefix_can_stand_such_a_form_is_refused(text: str, meant: str) -> None:
    rule = {"action": "allow", "source": [text], "destination": [text]}
    side = {"segment": "corp", "prefixes": [text]}
    nat = {"name": "n", "segment": "corp", "connector": "c", "position": 1, "direction": "outbound"}
    bodies: list[tuple[str, dict[str, Any], set[str]]] = [
        ("connectors", site("a", "eu", None, text), {"attachments[0].prefixes[0]"}),
        ("segments", {"name": "s", "prefixes": [text]}, {"prefixes[0]"}),
        ("policies", policy("p", 1, "a", "b", rule), {"rules[0].source[0]", "rules[0].destination[0]"}),
        ("prefix-lists", {"name": "l", "entries": [{"prefix": text}]}, {"entries[0].prefix"}),
        ("shares", {"name": "s", "a": side, "b": side}, {"a.prefixes[0]", "b.prefixes[0]"}),
        (
            "nat-rules",
            {**nat, "match": {"source": [text]}, "source": {"type": "pool", "prefixes": [text]}},
            {"match.source[0]", "source.prefixes[0]"},
        ),
        (
            "services",
            {"name": "f", "product": "linux-firewall", "segments": ["corp"], "settings": {"rules": [rule]}},
            {"settings.rules[0].source[0]", "settings.rules[0].destination[0]"},
        ),
        (
            "route-policies",
            {
                "name": "r",
                "segment": "corp",
                "direction": "in",
                "targets": ["a"],
                "rules": [{"match": {"prefixes": [text]}, "action": "allow"}],
            },
            {"rules[0].match.prefixes[0]"},
        ),
    ]
    for kind, body, paths in bodies:
        with pytest.raises(InvalidIntent) as caught:
            normalise_body(kind, body, same)
        assert {problem.path for problem in caught.value.problems} == paths, kind
        assert all(f"Write {meant}" in problem.message for problem in caught.value.problems)


def test_addresses_in_settings_and_applications_are_refused_in_such_a_form_too() -> None:
    peer = {
        **site("a", "eu", None, "10.0.0.0/24"),
        "kind": "ipsec-site",
        "settings": {"peer_addresses": ["::ffff:1.2.3.4"], "identity": "fw.example"},
    }
    assert complaints("connectors", peer) == {"settings.peer_addresses[0]": "bad_address"}
    link = {**site("a", "eu", None, "10.0.0.0/24"), "circuits": [{"name": "A", "local": "::ffff:169.254.1.1/126"}]}
    assert complaints("connectors", link) == {"circuits[0].local": "bad_prefix"}
    app = {"name": "x", "connector": "e", "port": 1, "target": {"connector": "c", "addresses": ["::ffff:10.1.2.3"]}}
    assert complaints("internet-apps", app) == {"target.addresses[0]": "bad_address"}


@pytest.mark.parametrize("text", ["::ffff:10.1.0.1", "hospital-a@::ffff:10.1.0.1"])
def test_a_trace_says_how_an_end_is_written(text: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        trace_flow(hospital_network().network(), text, "vpc-prod", "tcp", 443)
    [problem] = caught.value.problems
    assert problem.path == "from" and problem.code == "bad_address" and "Write 10.1.0.1" in problem.message


@pytest.mark.parametrize(("text", "told"), [("::ffff:10.1.0.0/112", "10.1.0.0/16"), ("10.1.2.3/16", "10.1.0.0/16")])
def test_a_question_about_a_prefix_says_how_it_is_written(text: str, told: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        reachable_flows(hospital_network().network(), text, False)
    [problem] = caught.value.problems
    assert problem.path == "from" and told in problem.message


@pytest.mark.parametrize("protocol", ["9" * 5000, "256", "٦", "-1", "any", ""])
def test_a_protocol_that_is_none_is_refused_however_long(protocol: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        trace_flow(hospital_network().network(), "hospital-a", "vpc-prod", protocol, 443)
    assert [problem.code for problem in caught.value.problems] == ["bad_protocol"]


@pytest.mark.parametrize("port", ["9" * 5000, "65536", "٤٤٣", "-1", "https"])
def test_a_port_that_is_none_is_refused_however_long(port: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        trace_flow(hospital_network().network(), "hospital-a", "vpc-prod", "tcp", port)
    assert [problem.code for problem in caught.value.problems] == ["bad_port"]


@pytest.mark.parametrize("port", ["20:21", "80 90", "0443", "٤٤٣", "80-", "8_0", "80--90"])
def test_what_could_be_two_ports_is_refused(port: str) -> None:
    rule = {"action": "allow", "protocol": "tcp", "ports": [port]}
    assert complaints("policies", policy("p", 1, "a", "b", rule)) == {"rules[0].ports[0]": "bad_port"}
