"""A draft's overlay: the low level of editing. A change is one item's body before and after; null means not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.core import intent as core
from provisioning.core.check import check
from provisioning.core.network import Network
from provisioning.core.resource import Problem
from provisioning.models import Draft, Item, Overlay
from provisioning.selectors import marks, networks, views
from provisioning.selectors.content import Change, Entry
from provisioning.selectors.views import Row, View
from provisioning.services.errors import Invalid

Body = dict[str, Any]


@dataclass(frozen=True)
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

    @cached_property
    def entry(self) -> Entry | None:
        """The row as the core takes it; raises the core's Invalid when the body is not one of its kind."""
        row = self.row()
        return Entry.of(row) if row else None


def new_items(kind: str, names: Sequence[str]) -> list[Item]:
    """Identities with keys nobody had before, in the order of the names."""
    if not names:
        return []
    taken = set(Item.objects.filter(kind=kind).values_list("key", flat=True))
    next_free: dict[str, int] = {}
    items = []
    for name in names:
        stem = core.slug(name)[:50]
        key, count = stem, next_free.get(stem, 2)
        while key in taken:
            key, count = f"{stem}-{count}", count + 1
        taken.add(key)
        next_free[stem] = count
        items.append(Item(kind=kind, key=key))
    return Item.objects.bulk_create(items, batch_size=2000)


def write(draft: Draft, changes: Iterable[BodyChange]) -> None:
    """Put the bodies after into the overlay; what equals the base revision needs no overlay."""
    changes = list(changes)
    base = networks.content(View(draft.base_revision))
    was = {change.item.pk: base.body(change.item.kind, str(change.item.uid)) for change in changes}
    Overlay.objects.filter(draft=draft, item__in=list(was)).delete()
    written = Overlay.objects.bulk_create(
        (
            Overlay(
                draft=draft,
                item=change.item,
                kind=change.item.kind,
                name=(change.after or was[change.item.pk] or change.before or {"name": ""})["name"],
                body=change.after,
            )
            for change in changes
            if change.after != was[change.item.pk]
        ),
        batch_size=1000,
    )
    marks.write(written)
    after = {change.item.pk: change.entry for change in changes}
    networks.expect_overlays({one.pk: entry for one in written if (entry := after[one.item_id])})


def refuse_new_errors(draft: Draft, changes: Sequence[BodyChange]) -> None:
    """Raise Invalid when the changes would bring errors into the network that were not there before."""
    view = views.of_draft(draft)
    before = networks.content(view)
    try:
        after = before.changed([_change(one) for one in changes])
        found = errors(networks.successor(draft, after))
    except core.Invalid as error:
        raise Invalid("The network would be invalid.", error.problems) from error
    known = set(errors(networks.network(view))) if found else set()
    new = [problem for problem in found if problem not in known]
    if new:
        raise Invalid(new[0].message, new)


def errors(network: Network) -> list[Problem]:
    return [problem for problem in check(network, hints=False) if problem.severity == "error"]


def _change(change: BodyChange) -> Change:
    return change.item.kind, str(change.item.uid), change.entry
