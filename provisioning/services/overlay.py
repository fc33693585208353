"""A draft's overlay: the low level of editing. A change is one item's body before and after; null means not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.core import intent as core
from provisioning.core.check import check
from provisioning.core.network import Network
from provisioning.core.resource import Problem
from provisioning.models import Draft, Item, Overlay, Version
from provisioning.selectors import views
from provisioning.selectors.views import Row
from provisioning.services.errors import Invalid

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BodyChange:
    """What happens to one item in a draft."""

    item: Item
    before: Body | None
    after: Body | None

    def row(self) -> Row | None:
        if self.after is None:
            return None
        item = self.item
        return Row(item.kind, str(item.uid), item.number, item.key, self.after["name"], self.after)


def new_item(kind: str, name: str) -> Item:
    """An identity with a key nobody had before."""
    stem = core.slug(name)[:50]
    taken = set(Item.objects.filter(kind=kind, key__startswith=stem).values_list("key", flat=True))
    key, count = stem, 2
    while key in taken:
        key, count = f"{stem}-{count}", count + 1
    item = Item(kind=kind, key=key)
    item.save()
    return item


def write(draft: Draft, changes: Iterable[BodyChange]) -> None:
    """Put the bodies after into the overlay; what equals the base revision needs no overlay."""
    changes = list(changes)
    items = [change.item for change in changes]
    base = {
        version.item_id: version.body
        for version in Version.objects.filter(
            item__in=items, first__lte=draft.base_revision, last__gte=draft.base_revision
        )
    }
    Overlay.objects.filter(draft=draft, item__in=items).delete()
    Overlay.objects.bulk_create(
        Overlay(
            draft=draft,
            item=change.item,
            kind=change.item.kind,
            name=(change.after or base.get(change.item.pk) or change.before or {"name": ""})["name"],
            body=change.after,
        )
        for change in changes
        if change.after != base.get(change.item.pk)
    )


def refuse_new_errors(draft: Draft, changes: Sequence[BodyChange]) -> None:
    """Raise Invalid when the changes would bring errors into the network that were not there before."""
    before = {row.uid: row for row in views.rows(views.of_draft(draft))}
    after = dict(before)
    for change in changes:
        row = change.row()
        if row:
            after[row.uid] = row
        else:
            after.pop(str(change.item.uid), None)
    try:
        found = errors(after.values())
    except core.Invalid as error:
        raise Invalid("The network would be invalid.", error.problems) from error
    known = set(errors(before.values())) if found else set()
    new = [problem for problem in found if problem not in known]
    if new:
        raise Invalid(new[0].message, new)


def errors(rows: Iterable[Row]) -> list[Problem]:
    return [problem for problem in check(Network(views.load(rows)), hints=False) if problem.severity == "error"]
