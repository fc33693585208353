"""Plans: the difference, its order, and how it reads. ``GOLDEN=write`` renews the golden files."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.compile import compile
from provisioning.core.network import Network
from provisioning.core.plan import KNOWN_LATER, blast_radius, diff, digest, fields, text, unsafe
from provisioning.core.resource import Change, Resource
from tests.core.networks import Drawing, hospital, policy, site

GOLDEN = Path(__file__).parent.parent / "golden"


def golden(name: str, told: str) -> None:
    """The reviewer reads the difference of this file when a plan reads differently."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(told)
    assert told == path.read_text()


def reviewed(before: Drawing, after: Drawing) -> str:
    one, other = before.intent(), after.intent()
    changes = diff(compile(Network(one)), compile(Network(other)))
    return text(changes, unsafe(changes, one, other))


def test_the_first_plan_of_the_hospital_reads_well() -> None:
    golden("plan-first.txt", reviewed(Drawing(), hospital()))


def test_a_plan_that_changes_policies_and_moves_sites_reads_well() -> None:
    after = hospital()
    after.remove("connectors", "hospital-a")
    after.edit("connectors", "hospital-b", size="large")
    after.add("connectors", site("clinic", "us", "sites", "10.6.0.0/16"))
    after.edit("policies", "web-out", rules=[{"name": "web", "action": "allow", "protocol": "tcp", "ports": [80, 443]}])
    after.edit("services", "fw", placements=[{"exchange": "us", "min_instances": 0}])
    golden("plan-change.txt", reviewed(hospital(), after))


def test_removing_everything_reads_well_and_warns() -> None:
    golden("plan-remove.txt", reviewed(hospital(), Drawing()))


def test_dependencies_come_first_and_removals_wait_for_their_users() -> None:
    resources = compile(hospital().network())
    for changes in (diff({}, resources), diff(resources, {})):
        place = {change.address: nth for nth, change in enumerate(changes)}
        for change in changes:
            assert all(place[needed] < place[change.address] for needed in change.depends)
    (tgw,) = [change for change in diff(resources, {}) if change.kind == "aws.transit-gateway"]
    assert "aws/111122223333/eu-central-1/vpc/vpc-0a1/attachment" in tgw.depends


def test_what_a_driver_cannot_change_is_replaced_and_what_refers_to_it_follows() -> None:
    def world(asn: int) -> dict[str, Resource]:
        ref = {"ref": "gw", "attr": "id"}
        return {
            "gw": Resource("gw", "x.gateway", {"asn": asn}),
            "table": Resource("table", "x.table", {"gateway": ref}, ("gw",)),
            "route": Resource("route", "x.route", {"gateway": ref}, ("gw",)),
        }

    replace_on = {"x.gateway": frozenset({"asn"}), "x.table": frozenset({"gateway"})}
    actions = {change.address: change.action for change in diff(world(1), world(2), replace_on)}
    assert actions == {"gw": "replace", "table": "replace", "route": "change"}
    assert {change.action for change in diff(world(1), world(2))} == {"change"}


def test_what_was_begun_and_not_finished_is_written_again_where_wanted_and_removed_where_not() -> None:
    kept = Resource("kept", "x.table", {"v": 1})
    over = Resource("kept", "x.table", {"v": 2}, ("lost",))
    lost = Resource("lost", "x.gateway", {"asn": 1})
    changes = diff({"kept": kept}, {"kept": kept}, None, {"kept": over, "lost": lost})
    assert [(change.action, change.address, change.before, change.after) for change in changes] == [
        ("change", "kept", {"v": 2}, {"v": 1}),
        ("remove", "lost", {"asn": 1}, None),
    ]
    assert changes[1].depends == ("kept",), "what may refer to it lets go first"
    fixed = {"x.table": frozenset({"v"})}
    assert diff({"kept": kept}, {"kept": kept}, fixed, {"kept": over})[0].action == "replace"
    assert diff({}, {"lost": lost}, None, {"lost": lost})[0].action == "create"


def test_fields_name_what_differs_and_say_what_is_known_later() -> None:
    before = {"rules": [{"id": "a", "action": "allow"}, {"id": "b", "action": "deny"}], "prefixes": ["10.0.0.0/8"]}
    after = {"rules": [{"id": "a", "action": "deny"}], "prefixes": ["10.0.0.0/8", "11.0.0.0/8"], "tgw": None}
    after["tgw"] = {"ref": "gw", "attr": "id"}
    assert fields(Change("change", "x", "x.y", before, after)) == [
        ("prefixes[]", None, "11.0.0.0/8"),
        ("rules[a].action", "allow", "deny"),
        ("rules[b]", {"id": "b", "action": "deny"}, None),
        ("tgw", None, KNOWN_LATER),
    ]


def test_the_order_of_rules_is_a_difference() -> None:
    one, other = {"id": "a"}, {"id": "b"}
    change = Change("change", "x", "x.y", {"rules": [one, other]}, {"rules": [other, one]})
    assert fields(change) == [("rules (order)", ["a", "b"], ["b", "a"])]


def test_opening_the_internet_and_a_service_without_instances_are_warned_about() -> None:
    after = hospital()
    after.add("policies", policy("all-out", 50, "dev", "internet", {"action": "allow"}))
    after.edit("services", "fw", placements=[{"exchange": "eu", "min_instances": 0}])
    one, other = hospital().intent(), after.intent()
    warnings = unsafe(diff(compile(Network(one)), compile(Network(other))), one, other)
    assert [warning.code for warning in warnings] == ["internet_exposure", "service_without_instances"]


def test_an_approval_names_the_changes_whatever_their_order() -> None:
    changes = diff({}, compile(hospital().network()))
    assert digest(changes) == digest(reversed(changes)) != digest(changes[1:])


def test_blast_radius_counts_what_a_policy_touches() -> None:
    after = hospital()
    after.edit("policies", "no-dev-in-prod", enabled=False)
    one, other = hospital().intent(), after.intent()
    radius = blast_radius(diff(compile(Network(one)), compile(Network(other))), one, other)
    assert radius["connectors"] == {"touched": ["vpc-dev", "vpc-prod"], "total": 6}
    assert radius["actions"] == {"change": 1} and radius["segments"]["touched"] == ["corp"]


# Worlds of a few resources that depend on earlier ones.
@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for name in draw(st.lists(st.sampled_from("abcdefgh"), unique=True)):
        needed = draw(st.lists(st.sampled_from(sorted(found)), unique=True)) if found else []
        body = {"v": draw(st.integers(0, 2)), "refs": [{"ref": one, "attr": "id"} for one in needed]}
        # A kind and its rank make dependencies point one way in every world.
        needed = [one for one in needed if one < name]
        body["refs"] = [{"ref": one, "attr": "id"} for one in needed]
        found[name] = Resource(name, "x.y", body, tuple(needed))
    return found


@given(worlds())
def test_nothing_has_to_be_done_where_everything_is_as_wanted(world: dict[str, Resource]) -> None:
    assert diff(world, world) == []


@given(worlds(), worlds())
def test_carrying_out_a_plan_gives_what_was_wanted(before: dict[str, Resource], after: dict[str, Resource]) -> None:
    now = {address: resource.body for address, resource in before.items()}
    for change in diff(before, after, {"x.y": frozenset({"v"})}):
        if change.after is None:
            users = [address for address, body in now.items() if any(r["ref"] == change.address for r in body["refs"])]
            assert not users, "removed while something still refers to it"
            del now[change.address]
        else:
            assert all(ref["ref"] in now for ref in change.after["refs"]), "made before what it refers to"
            now[change.address] = change.after
    assert now == {address: resource.body for address, resource in after.items()}
