"""Differences between two versions in words: kinds by their word, references by name, lists on one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.pages import plan_review
from portal.pages.objects import KIND_PAGES
from portal.pages.objects.bound_form import find_references
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot

Difference = Mapping[str, Any]


class DiffWords:
    """Words for values, in which references are names, as the first of ``versions`` that has the object calls it."""

    def __init__(self, values: Iterable[Any], versions: Sequence[Snapshot]) -> None:
        uids = set().union(*map(find_references, values))
        self.names: dict[str, str] = {}
        for version in reversed(versions):
            self.names |= {uid: row.name for uid, row in queries.objects_by_uid(version, uids).items()} if uids else {}

    def words(self, value: Any) -> str:
        """Return a value on one line; "" for None."""
        if isinstance(value, list) and all(isinstance(element, str | int) for element in value):
            text = ", ".join(map(str, value)) or "none"
        else:
            text = plan_review.value_text(value)
        for uid in find_references(value):
            text = text.replace(uid, self.names.get(uid, uid))
        return text


def difference_rows(changes: Iterable[Difference], before: Snapshot, after: Snapshot) -> list[dict[str, Any]]:
    """Return rows for ``changes``, which are what ``diff.diff_snapshots(before, after)`` returns."""
    listed = list(changes)
    diff_words = DiffWords([change["fields"] for change in listed], [after, before])
    return [
        {
            **change,
            "word": KIND_PAGES[change["kind"]].word if change["kind"] in KIND_PAGES else change["kind"],
            "fields": [
                {"path": field["path"], **{side: diff_words.words(field[side]) for side in ("before", "after")}}
                for field in change["fields"]
            ],
        }
        for change in listed
    ]
