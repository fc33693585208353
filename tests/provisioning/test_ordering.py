"""Policies are moved and cloned; positions follow with as few changes as can be."""

from __future__ import annotations

from typing import Any

import pytest

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


def add_policy(draft: Draft, name: str, position: int) -> None:
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    ends = {"segments": ["corp"], "from": ["prod"], "to": ["dev"]}
    editing.add_object(draft, "policies", {"name": name, "position": position, **ends, "rules": [rule]})


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
