"""Policies are moved and cloned; positions follow with as few changes as can be."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import kind_of
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Edit
from provisioning.services.drafts import editing, history, ordering
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import draft_with_document

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)


@pytest.fixture
def draft(people: People) -> Any:
    with scope(people.acme):
        draft = draft_with_document()
        for name, position in (("a", 1), ("b", 2), ("c", 10), ("d", 40)):
            add_policy(draft, name, position)
        yield draft


def add_policy(draft: Draft, name: str, position: int, tier: str = "standard") -> None:
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    ends = {"segments": ["corp"], "from": ["prod"], "to": ["dev"]}
    editing.add_object(draft, "policies", {"name": name, "tier": tier, "position": position, **ends, "rules": [rule]})


def policies(draft: Draft) -> dict[str, int]:
    rows = queries.list_objects(queries.snapshot_of_draft(draft), "policies")
    return dict(sorted(((row.name, row.body["position"]) for row in rows), key=lambda pair: pair[1]))


def uid(draft: Draft, name: str) -> str:
    rows = queries.list_objects(queries.snapshot_of_draft(draft), "policies")
    return next(row.uid for row in rows if row.name == name)


def test_a_policy_moves_into_a_gap_and_nothing_else_changes(draft: Draft) -> None:
    ordering.move_object(draft, "policies", uid(draft, "a"), uid(draft, "d"))
    assert policies(draft) == {"b": 2, "c": 10, "a": 25, "d": 40}


def test_where_there_is_no_gap_those_behind_give_way(draft: Draft) -> None:
    ordering.move_object(draft, "policies", uid(draft, "d"), uid(draft, "b"))
    assert policies(draft) == {"a": 1, "d": 2, "b": 3, "c": 10}


def test_a_policy_moves_to_the_front_and_to_the_end(draft: Draft) -> None:
    ordering.move_object(draft, "policies", uid(draft, "c"), uid(draft, "a"))
    ordering.move_object(draft, "policies", uid(draft, "b"), None)
    assert list(policies(draft)) == ["c", "a", "d", "b"]
    assert len(set(policies(draft).values())) == 4


def test_a_move_is_one_edit_with_its_words_and_can_be_undone(draft: Draft) -> None:
    before = policies(draft)
    ordering.move_object(draft, "policies", uid(draft, "d"), uid(draft, "a"))
    draft.refresh_from_db()
    assert Edit.objects.get(draft=draft, number=draft.cursor).summary == "Move policy d before a"
    assert policies(history.undo_edit(draft)) == before


def test_a_move_to_where_it_is_changes_nothing(draft: Draft) -> None:
    version = draft.version
    ordering.move_object(draft, "policies", uid(draft, "b"), uid(draft, "c"))
    ordering.move_object(draft, "policies", uid(draft, "b"), uid(draft, "b"))
    assert policies(draft)["b"] < 10
    draft.refresh_from_db()
    assert draft.version <= version + 5


def test_groups_have_no_order(draft: Draft) -> None:
    [group, *_] = queries.list_objects(queries.snapshot_of_draft(draft), "groups")
    with pytest.raises(ValidationFailed, match="Groups have no order"):
        ordering.move_object(draft, "groups", group.uid, None)


def test_a_clone_stands_right_behind_its_original_under_a_name_of_its_own(draft: Draft) -> None:
    ordering.clone_object(draft, "policies", uid(draft, "b"))
    ordering.clone_object(draft, "policies", uid(draft, "b"))
    assert list(policies(draft)) == ["a", "b", "b copy 2", "b copy", "c", "d"]


def test_a_clone_of_what_has_no_order_is_added(draft: Draft) -> None:
    [group, *_] = queries.list_objects(queries.snapshot_of_draft(draft), "groups")
    assert ordering.clone_object(draft, "groups", group.uid).name == f"{group.name} copy"


def tiers(draft: Draft) -> list[str]:
    """Return ``mandatory: a`` of each policy, as they are tried."""
    rows = queries.list_objects(queries.snapshot_of_draft(draft), "policies")
    order = sorted(rows, key=lambda row: kind_of("policies").order_of(row.body))
    return [f"{row.body['tier']}: {row.name}" for row in order]


def test_a_policy_that_moves_before_one_of_another_tier_takes_that_tier_as_one_edit(draft: Draft) -> None:
    add_policy(draft, "guard", 50, "mandatory")
    ordering.move_object(draft, "policies", uid(draft, "b"), uid(draft, "guard"))
    assert tiers(draft) == ["mandatory: b", "mandatory: guard", "standard: a", "standard: c", "standard: d"]
    draft.refresh_from_db()
    assert Edit.objects.get(draft=draft, number=draft.cursor).summary == "Move policy b before guard, into mandatory"
    history.undo_edit(draft)
    assert tiers(draft) == ["mandatory: guard", "standard: a", "standard: b", "standard: c", "standard: d"]


def test_last_is_last_in_its_own_tier_or_in_the_one_that_is_named(draft: Draft) -> None:
    add_policy(draft, "rest", 60, "baseline")
    ordering.move_object(draft, "policies", uid(draft, "a"), None)
    assert tiers(draft) == ["standard: b", "standard: c", "standard: d", "standard: a", "baseline: rest"]
    ordering.move_object(draft, "policies", uid(draft, "c"), None, "baseline")
    assert tiers(draft) == ["standard: b", "standard: d", "standard: a", "baseline: rest", "baseline: c"]


def test_a_position_that_a_policy_of_another_tier_has_is_not_taken_twice(draft: Draft) -> None:
    for name, position in (("x", 3), ("y", 5)):
        add_policy(draft, name, position, "mandatory")
    ordering.move_object(draft, "policies", uid(draft, "d"), uid(draft, "y"))
    assert tiers(draft)[:3] == ["mandatory: x", "mandatory: d", "mandatory: y"]
    ordering.move_object(draft, "policies", uid(draft, "a"), uid(draft, "y"))
    assert tiers(draft)[:4] == ["mandatory: x", "mandatory: d", "mandatory: a", "mandatory: y"]
    assert len(set(policies(draft).values())) == 6


def test_a_clone_stays_in_its_tier(draft: Draft) -> None:
    add_policy(draft, "guard", 5, "mandatory")
    ordering.clone_object(draft, "policies", uid(draft, "guard"))
    assert tiers(draft)[:3] == ["mandatory: guard", "mandatory: guard copy", "standard: a"]


def test_nat_rules_have_no_tiers(draft: Draft) -> None:
    with pytest.raises(ValidationFailed, match="NAT rules have no tiers"):
        ordering.move_object(draft, "nat-rules", uid(draft, "a"), None, "mandatory")
