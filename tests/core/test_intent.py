"""Reading what a customer writes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.intent import KINDS, Invalid, build, normalise, references_of
from tests.core.networks import hospital, policy, site, vpc


def same(kind: str, wanted: str) -> str:
    return wanted


def complaints(kind: str, body: Any, resolve: Any = same) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        normalise(kind, body, resolve)
    return {problem.path: problem.code for problem in caught.value.problems}


def test_a_connector_gets_circuits_a_and_b_on_both_nodes() -> None:
    body = normalise("connectors", site("a", "eu", "sites", "10.0.0.0/24"), same)
    assert [(one["name"], one["node"], one["role"]) for one in body["circuits"]] == [
        ("A", 1, "active"),
        ("B", 2, "standby"),
    ]
    circuits = build("connectors", "u", 31, "a", body).circuits
    assert circuits[0].local != circuits[1].local and circuits[0].local.endswith("/30")


def test_a_person_can_make_circuit_b_the_active_one() -> None:
    body = {**site("a", "eu", None, "10.0.0.0/24"), "circuits": [{"name": "B", "role": "active"}]}
    assert [one["role"] for one in normalise("connectors", body, same)["circuits"]] == ["standby", "active"]


def test_prefixes_ports_and_protocols_get_their_one_spelling() -> None:
    rule = {"action": "allow", "protocol": 6, "ports": [443, "80-90", "85 - 100"], "source": ["10.1.2.3"]}
    read = normalise("policies", policy("p", 1, "a", "b", rule), same)["rules"][0]
    assert read["protocol"] == "tcp" and read["ports"] == ["80-100", "443"]
    assert read["source"] == ["10.1.2.3/32"] and read["destination"] == ["any"] and read["name"] == "rule-1"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [("10.1.2.3/16", "host_bits"), ("10.1/16", "bad_prefix"), ("10.0.0.0/33", "bad_prefix"), ("", "bad_prefix")],
)
def test_a_bad_prefix_is_told_where_it_stands(prefix: str, code: str) -> None:
    found = complaints("connectors", site("a", "eu", "sites", "10.0.0.0/24", prefix))
    assert found == {"attachments[0].prefixes[1]": code}


def test_all_problems_of_a_body_are_told_at_once() -> None:
    body = policy(
        "p",
        1,
        "a",
        "b",
        {"action": "allow", "protocol": "tcp", "ports": ["70000"]},
        {"action": "drop", "protocol": "tpc"},
        {"action": "inspect", "colour": 1},
        to=[],
    )
    assert complaints("policies", body) == {
        "rules[0].ports[0]": "bad_port",
        "rules[1].protocol": "bad_protocol",
        "rules[1].action": "not_one_of",
        "rules[2].services": "required",
        "rules[2].colour": "unknown_field",
        "to": "required",
    }


@pytest.mark.parametrize("port", [-1, 65536, 70000, "a", "5-1", "", True, 1.5, None, {}, "٤٤٣x"])
def test_what_is_no_port_is_refused(port: Any) -> None:
    rule = {"action": "allow", "protocol": "udp", "ports": [port]}
    assert complaints("policies", policy("p", 1, "a", "b", rule)) == {"rules[0].ports[0]": "bad_port"}


def test_a_name_that_nothing_has_is_an_unknown_reference() -> None:
    draw = hospital()
    assert complaints("connectors", site("a", "mars", "sites", "10.9.0.0/24"), draw.resolve) == {
        "exchange": "unknown_reference"
    }
    assert complaints("policies", policy("p", 1, "prod", "nobody"), draw.resolve) == {"to[0]": "unknown_reference"}


def test_a_kind_of_connector_that_comes_later_says_so() -> None:
    assert complaints("connectors", {**site("a", "eu", None, "10.0.0.0/24"), "kind": "gcp-vpc"}) == {
        "kind": "unsupported_kind"
    }
    assert complaints("connectors", {**site("a", "eu", None, "10.0.0.0/24"), "kind": "tin-can"}) == {
        "kind": "not_one_of"
    }


def test_a_vpc_has_exactly_one_segment_and_says_which_vpc_it_is() -> None:
    body = vpc("v", "eu", "prod", "10.0.0.0/16", "vpc-1")
    body["attachments"] *= 2
    assert complaints("connectors", body) == {"attachments": "out_of_range"}
    assert complaints("connectors", {**vpc("v", "eu", "prod", "10.0.0.0/16", "vpc-1"), "settings": {}}) == {
        "settings.account": "required",
        "settings.region": "required",
        "settings.vpc_id": "required",
    }


def test_any_and_internet_are_no_names_for_groups() -> None:
    assert complaints("groups", {"name": "Internet"}) == {"name": "reserved_name"}


def test_a_connector_without_prefixes_is_refused_but_an_exit_has_none() -> None:
    assert complaints("connectors", site("a", "eu", None)) == {"attachments[0].prefixes": "required"}
    exit_body = {**site("x", "eu", None), "kind": "internet-exit"}
    assert normalise("connectors", exit_body, same)["attachments"][0]["prefixes"] == []


def test_references_of_a_policy_name_its_segments_sides_and_services() -> None:
    draw = hospital()
    row = next(row for row in draw.rows.values() if row[4]["name"] == "sites-to-prod")
    named = references_of("policies", row[4])
    assert ("segments", draw.resolve("segments", "corp")) in named
    assert ("groups", draw.resolve("groups", "prod")) in named
    assert ("services", draw.resolve("services", "fw")) in named


def test_normalising_what_was_normalised_changes_nothing() -> None:
    for kind, _, _, _, body in hospital().rows.values():
        assert normalise(kind, body, same) == body


def test_a_stored_body_of_an_older_version_gets_the_newer_defaults() -> None:
    _, _, _, _, body = next(row for row in hospital().rows.values() if row[0] == "connectors")
    older = {field: value for field, value in body.items() if field not in ("billing_tags", "preference")}
    assert build("connectors", "u", 1, "k", older).preference == 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("name", "description", "location", "size", "stance", "prefixes", "color", "kind", "exchange", "attachments"),
        *("circuits", "settings", "position", "segments", "from", "to", "rules", "product", "placements", "zones"),
        *("expect", "protocol", "ports", "segment"),
    ]
)


@given(kind=st.sampled_from(KINDS), body=st.dictionaries(FIELDS, JSON, max_size=8) | JSON)
def test_no_json_whatever_breaks_reading(kind: str, body: Any) -> None:
    try:
        normalise(kind, body, lambda _kind, wanted: str(uuid.uuid5(uuid.NAMESPACE_URL, wanted)))
    except Invalid as error:
        assert error.problems and all(problem.message.endswith(".") for problem in error.problems)
