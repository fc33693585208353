"""The three-way merge of bodies: a change on one side is kept, a change on both is a conflict with its path."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.formats.three_way_merge import MergeConflict, diff_bodies, merge_bodies


def policy(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "p", "position": 1, "rules": list(rules), **fields}


def rule(name: str, *ports: str, action: str = "allow") -> dict[str, Any]:
    return {"name": name, "action": action, "ports": list(ports)}


def test_a_field_that_one_side_changed_is_kept() -> None:
    base = {"name": "a", "size": "small", "description": ""}
    merged, conflicts = merge_bodies(base, {**base, "size": "large"}, {**base, "description": "x"})
    assert merged == {"name": "a", "size": "large", "description": "x"} and not conflicts


def test_a_field_both_sides_changed_is_a_conflict_until_one_is_taken() -> None:
    base, mine, theirs = ({"name": "a", "size": size} for size in ("small", "large", "medium"))
    assert merge_bodies(base, mine, theirs)[1] == [MergeConflict("size", "small", "large", "medium")]
    assert merge_bodies(base, mine, theirs, take=lambda path: "theirs") == (theirs, [])
    assert merge_bodies(base, mine, theirs, take=lambda path: "mine") == (mine, [])


def test_changes_to_two_rules_of_one_policy_merge() -> None:
    base = policy(rule("web", "443"), rule("ssh", "22"))
    merged, conflicts = merge_bodies(
        base, policy(rule("web", "443", "8443"), rule("ssh", "22")), policy(rule("web", "443"), rule("ssh", "2222"))
    )
    assert not conflicts and merged == policy(rule("web", "443", "8443"), rule("ssh", "2222"))


def test_a_conflict_in_a_rule_has_the_rules_name_in_its_path() -> None:
    base, mine, theirs = (policy(rule("web", port)) for port in ("443", "8443", "9443"))
    assert [conflict.path for conflict in merge_bodies(base, mine, theirs)[1]] == ["rules[web].ports"]


def test_a_rule_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    base = policy(rule("web", "443"))
    merged, conflicts = merge_bodies(base, policy(), policy(rule("web", "8443")))
    assert conflicts == [MergeConflict("rules[web]", rule("web", "443"), None, rule("web", "8443"))]
    assert merged["rules"] == []
    assert merge_bodies(base, policy(), policy(rule("web", "8443")), take=lambda path: "theirs")[0] == policy(
        rule("web", "8443")
    )


def test_new_rules_stay_behind_the_rule_they_followed() -> None:
    web, ssh, mine, theirs = rule("web"), rule("ssh"), rule("mine"), rule("theirs")
    merged, _ = merge_bodies(policy(web, ssh), policy(web, mine, ssh), policy(theirs, web, ssh))
    assert [rule["name"] for rule in merged["rules"]] == ["theirs", "web", "mine", "ssh"]
    merged, conflicts = merge_bodies(policy(web, ssh), policy(web, mine, ssh), policy(ssh, web))
    assert [rule["name"] for rule in merged["rules"]] == ["ssh", "web", "mine"] and not conflicts


def test_an_order_that_both_sides_changed_is_a_conflict() -> None:
    a, b, c = rule("a"), rule("b"), rule("c")
    conflicts = merge_bodies(policy(a, b, c), policy(b, a, c), policy(a, c, b))[1]
    assert [conflict.path for conflict in conflicts] == ["rules (order)"]
    merged, _ = merge_bodies(policy(a, b, c), policy(b, a, c), policy(a, c, b), take=lambda path: "theirs")
    assert merged["rules"] == [a, c, b]


def test_an_object_removed_by_one_and_changed_by_the_other_is_a_conflict() -> None:
    base = {"name": "a", "size": "small"}
    assert merge_bodies(base, None, {**base, "size": "large"})[1] == [
        MergeConflict("", base, None, {**base, "size": "large"})
    ]
    assert merge_bodies(base, {**base, "size": "large"}, None)[1][0].theirs is None
    assert merge_bodies(base, None, base) == (None, [])
    assert merge_bodies(base, base, None) == (None, [])


def test_attachments_are_identified_by_segment_and_if_ambiguous_by_group() -> None:
    names = {"u1": "corp", "u2": "prod", "u3": "dev"}

    def site(*attachments: tuple[str, str, str]) -> dict[str, Any]:
        return {"attachments": [{"segment": s, "groups": [g], "prefixes": [p]} for s, g, p in attachments]}

    before_site, after_site = site(("u1", "u2", "10.1.0.0/16")), site(("u1", "u2", "10.9.0.0/16"))
    differences = diff_bodies(before_site, after_site, lambda uid: names.get(uid, uid))
    assert differences == [("attachments[corp].prefixes", ["10.1.0.0/16"], ["10.9.0.0/16"])]
    both = site(("u1", "u2", "10.1.0.0/16"), ("u1", "u3", "10.2.0.0/16"))
    [(path, before, after)] = diff_bodies(before_site, both, lambda uid: names.get(uid, uid))
    assert path == "attachments[corp/dev]" and before is None and after["groups"] == ["u3"]


rule_bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from("abcd"), "ports": st.lists(st.integers(0, 2), max_size=2)}
)
rule_lists = st.lists(rule_bodies, max_size=4, unique_by=itemgetter("name"))
bodies = st.fixed_dictionaries(
    {
        "size": st.sampled_from(["s", "m", "l"]),
        "settings": st.dictionaries(st.sampled_from("xy"), st.integers(0, 2)),
        "rules": rule_lists,
    }
)


@given(bodies, bodies, bodies)
def test_a_merge_is_complete_once_every_conflict_is_decided(base: Any, mine: Any, theirs: Any) -> None:
    assert merge_bodies(base, mine, base) == (mine, [])
    assert merge_bodies(base, base, theirs) == (theirs, [])
    assert merge_bodies(base, mine, mine) == (mine, [])
    conflicts = merge_bodies(base, mine, theirs)[1]
    decided = {conflict.path for conflict in conflicts}
    assert len(decided) == len(conflicts)
    for side in ("mine", "theirs"):
        assert merge_bodies(base, mine, theirs, take=dict.fromkeys(decided, side).get)[1] == []
    assert bool(diff_bodies(base, mine)) == (base != mine)
