"""Differences between two versions as a page tells them: kinds by their word, references by name, lists on one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.pages import plan_review
from portal.pages.objects import KINDS
from portal.pages.objects.bound_form import find_references
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot

Difference = Mapping[str, Any]


class DiffWords:
    """Values with what they refer to called by name, as the first of ``versions`` calls it that knows it."""

    def __init__(self, values: Iterable[Any], versions: Sequence[Snapshot]) -> None:
        wanted = set().union(*map(find_references, values))
        self.names: dict[str, str] = {}
        for version in reversed(versions):
            self.names |= (
                {uid: row.name for uid, row in queries.objects_by_uid(version, wanted).items()} if wanted else {}
            )

    def words(self, value: Any) -> str:
        """ "" for what is not there."""
        if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
            text = ", ".join(map(str, value)) or "none"
        else:
            text = plan_review.value_text(value)
        for uid in find_references(value):
            text = text.replace(uid, self.names.get(uid, uid))
        return text


def difference_rows(changes: Iterable[Difference], before: Snapshot, after: Snapshot) -> list[dict[str, Any]]:
    """``changes`` as ``selectors.differences.between(before, after)`` gives them."""
    listed = list(changes)
    told = DiffWords([change["fields"] for change in listed], [after, before])
    return [
        {
            **change,
            "word": KINDS[change["kind"]].word if change["kind"] in KINDS else change["kind"],
            "fields": [
                {"path": field["path"], **{side: told.words(field[side]) for side in ("before", "after")}}
                for field in change["fields"]
            ],
        }
        for change in listed
    ]
