"""What people write is read into one form: texts, names and sets."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.intent import InvalidIntent, build_object, is_same_body, kind_of, normalise_body
from provisioning.core.intent.declaration import Declaration
from provisioning.core.intent.policies import rule_keys
from provisioning.core.plan import diff_resources
from provisioning.core.values.text import MAX_MARKS, name_key, normalise_text, slug, spellings, text_fault
from provisioning.drivers import compile_network
from tests.core.body_problems import complaints, same
from tests.core.random_full_networks import full_networks
from tests.core.sample_networks import IntentBuilder, hospital_network, policy

PASTED = "Büro 👨‍👩‍👧 \u00a0NBSP\u3000ideographic می‌خواهم \u200fעברית\u200f 🫩"
"""A family joined by ZWJ, two sorts of spaces, Persian with ZWNJ, Hebrew between marks, an emoji of Unicode 16."""


def test_text_that_people_paste_is_kept_with_line_ends_of_one_sort() -> None:
    body = {"name": "prod", "description": f"{PASTED}\r\nsecond\rthird\u2028fourth\tend\n"}
    assert normalise_body("groups", body, same)["description"] == f"{PASTED}\nsecond\nthird\nfourth\tend"
    assert normalise_body("groups", {"name": PASTED}, same)["name"] == PASTED


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("name", "two\nlines", "U+000A (a line end)"),
        ("name", "two\r\nlines", "U+000A (a line end)"),
        ("name", "tab\there", "U+0009 (a tab)"),
        ("name", "pay\u202efdp.exe", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("description", "bell\x07", "U+0007 (a control character)"),
        ("description", "isolate\u2066x", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
        ("description", "a" + "\u0301" * (MAX_MARKS + 2), f"more than {MAX_MARKS} marks on one letter"),
    ],
)
def test_what_may_not_stand_in_a_text_is_named(field: str, text: str, told: str) -> None:
    with pytest.raises(InvalidIntent) as caught:
        normalise_body("groups", {"name": "prod", field: text}, same)
    [problem] = caught.value.problems
    assert (problem.code, problem.path) == ("wrong_type", field) and told in problem.message


def test_texts_in_lists_and_settings_are_bounded_and_one_line_too() -> None:
    site = {"kind": "interconnect", "exchange": "eu", "attachments": [{"segment": "corp", "prefixes": ["10.0.0.0/24"]}]}
    for text in ("x" * 201, "vlan\na"):
        wrong = {**site, "name": "a", "settings": {"attachments": [text]}}
        assert complaints("connectors", wrong).keys() == {"settings.attachments[0]"}


@given(st.text())
def test_normalising_a_text_twice_changes_nothing_and_slugs_are_plain(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once and set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert text_fault(once, lines=True) or normalise_text(unicodedata.normalize("NFD", once)) == once


def test_two_spellings_of_a_name_are_one_name() -> None:
    composed, decomposed = "Zürich", "Zu\u0308rich"
    assert normalise_body("groups", {"name": decomposed}, same)["name"] == composed
    assert name_key(composed.upper()) == name_key(decomposed) and {composed, decomposed} <= set(
        spellings(composed.lower())
    )
    draw = IntentBuilder()
    draw.add("groups", {"name": composed})
    draw.add("groups", {"name": decomposed.upper()})
    assert [problem.code for problem in check_network(draw.network())] == ["duplicate_name"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("London Core!", "london-core"),
        ("Zu\u0308rich 1", "zurich-1"),
        ("公司", "xn--55qx5d"),
        ("привет мир", "xn--ctbjkdxqigq"),
        ("का", "xn--11b6f"),
        ("कि", "xn--11b8f"),
        ("!!!", "x"),
    ],
)
def test_a_slug_keeps_names_of_every_script_apart(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_slug_of_a_long_name_is_short_and_its_own() -> None:
    names = ["公司" * 50, "公司" * 49 + "公理"]
    assert len({slug(name) for name in names}) == 2 and all(len(slug(name)) <= 50 for name in names)


def test_rules_with_names_in_any_script_are_taken_and_equal_ones_are_refused() -> None:
    def rules(*names: str) -> dict[str, Any]:
        return policy("p", 1, "a", "b", *({"name": name, "action": "allow"} for name in names))

    assert len(normalise_body("policies", rules("网页", "邮件", "веб", "почта"), same)["rules"]) == 4
    assert len(normalise_body("policies", rules("allow_web", "allow-web", "Allow Web"), same)["rules"]) == 3
    with pytest.raises(InvalidIntent) as caught:
        normalise_body("policies", rules("web", "mail", "web"), same)
    [problem] = caught.value.problems
    assert (problem.code, problem.path) == ("duplicate", "rules[2].name") and "used twice" in problem.message


def test_rules_whose_names_have_one_slug_are_told_apart_and_keep_their_ids_in_any_order() -> None:
    keys = rule_keys(("allow_web", "allow-web", "Allow Web", "Mail"))
    assert (keys["allow-web"], keys["Mail"]) == ("allow-web", "mail")
    assert len(set(keys.values())) == 4 and keys["allow_web"].startswith("allow-web-")
    assert rule_keys(("Mail", "Allow Web", "allow-web", "allow_web")) == keys
    forged = rule_keys(("Web!", "web?", rule_keys(("Web!", "web?"))["web?"]))
    assert len(set(forged.values())) == 3


def _shuffled(declaration: Declaration, body: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The body with every set of it in another order."""
    shuffled = dict(body)
    for field in declaration.fields:
        value = body[field.name]
        if field.spec.is_set:
            shuffled[field.name] = dice.sample(value, len(value))
        elif field.nested is not None and value:
            inner = [_shuffled(field.nested, part, dice) for part in (value if field.spec.is_list else [value])]
            shuffled[field.name] = inner if field.spec.is_list else inner[0]
    return shuffled


@given(full_networks(), st.randoms(use_true_random=False))
def test_the_order_of_a_set_makes_no_difference_to_bodies_and_plans(draw: IntentBuilder, dice: random.Random) -> None:
    other = draw.copy()
    for uid, (kind, _, number, key, body) in draw.rows.items():
        shuffled = _shuffled(kind_of(kind).declaration, body, dice)
        assert is_same_body(kind, body, shuffled)
        other.rows[uid] = (kind, uid, number, key, normalise_body(kind, shuffled, lambda _kind, name: name))
        assert other.rows[uid][4] == body
    before, after = compile_network(draw.network()), compile_network(other.network())
    assert not diff_resources(before, after)


def test_sets_are_sorted_by_number_and_sequences_keep_their_order() -> None:
    rule = {"action": "inspect", "services": ["z", "a"], "source": ["10.10.0.0/16", "10.2.0.0/16", "2001:db8::/32"]}
    read = normalise_body("policies", policy("p", 1, "a", "b", rule, to=["d", "c"]), same)
    assert read["to"] == ["c", "d"] and read["rules"][0]["services"] == ["z", "a"]
    assert read["rules"][0]["source"] == ["10.2.0.0/16", "10.10.0.0/16", "2001:db8::/32"]
    static = {"type": "static", "prefixes": ["10.9.0.0/24", "10.8.0.0/24"]}
    nat = {"name": "n", "segment": "s", "connector": "c", "position": 1, "direction": "outbound", "source": static}
    match = {"source": ["10.1.0.0/24", "10.0.0.0/24"]}
    read = normalise_body("nat-rules", {**nat, "match": match}, same)
    assert read["source"]["prefixes"] == static["prefixes"] and read["match"]["source"] == match["source"]


def _matching_bodies(field: str, value: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the bodies in which something is matched by a field, by the path of it: kind and body."""
    nat = {"name": "n", "segment": "s", "connector": "c", "position": 1, "direction": "outbound"}
    pool = {"type": "pool", "prefixes": ["10.0.0.0/30"]}
    firewall = {"name": "fw", "product": "linux-firewall", "segments": ["corp"]}
    route_policy = {"name": "r", "segment": "s", "direction": "in", "targets": ["g"]}
    assertion = {"name": "a", "from": "x", "to": "y", "expect": "blocked"}
    if field in ("prefixes", "communities"):
        rules = [{"action": "deny", "match": {field: value}}]
        return {f"rules[0].match.{field}": ("route-policies", {**route_policy, "rules": rules})}
    match = {"protocol": "tcp", field: value}
    rule = {"action": "allow", **match}
    asked = {"ports": ("assertions", {**assertion, **match})} if field == "ports" else {}
    return {
        f"rules[0].{field}": ("policies", policy("p", 1, "a", "b", rule)),
        f"settings.rules[0].{field}": ("services", {**firewall, "settings": {"rules": [rule]}}),
        f"match.{field}": ("nat-rules", {**nat, "match": match, "source": pool}),
        **asked,
    }


@pytest.mark.parametrize("field", ["source", "destination", "ports", "prefixes", "communities"])
def test_an_empty_list_that_matches_is_refused_and_a_missing_one_is_any(field: str) -> None:
    for path, (kind, body) in _matching_bodies(field, []).items():
        assert complaints(kind, body) == {path: "required"}
    for everything in (None, ["any"]):
        for path, (kind, body) in _matching_bodies(field, everything).items():
            read = normalise_body(kind, body, same)
            assert _value_at(read, path) == ["any"] and normalise_body(kind, read, same) == read
            assert f"{field}=()" in str(build_object(kind, "uid", 1, "key", read))


def _value_at(body: Any, path: str) -> Any:
    for part in path.replace("[0]", ".0").split("."):
        body = body[int(part)] if part.isdigit() else body[part]
    return body


def test_names_are_found_in_either_spelling() -> None:
    network = hospital_network().network()
    assert network.find("connectors", "hospital-a") is not None
    draw = hospital_network()
    draw.add("groups", {"name": "Zürich"})
    assert draw.network().find("groups", "Zu\u0308rich") is not None
