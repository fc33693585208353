"""The history of a draft that moves to a newer base: every state its edits led to is merged like the last one.

Meanwhile something may have gone that an object of an earlier state named, or come that names what an earlier state
had not. Such an object cannot be what it was then: before the present it is what it became next, after the present
what it was last, and everything else is still undone and redone edit by edit. So neither leads to a network that
names what is not there, which could be neither provisioned nor read back from its own document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from provisioning.core import intent as core
from provisioning.models import Edit, Item
from provisioning.services.drafts.overlay import Body
from provisioning.snapshots.objects import SnapshotObjects

ItemBodies = dict[int, Body | None]
"""Number of an item → what it is; None: not there."""
MergeBody = Callable[[Item, Body | None], Body | None]
"""Returns what an object of the draft is over the new base; raises InvalidIntent where the two do not go together."""


def replay_edits(edits: Sequence[Edit], cursor: int, live: SnapshotObjects, merge: MergeBody) -> None:
    """Rewrite the changes of the edits, all of a draft in order, to those they make over ``live``.

    The first ``cursor`` edits are done. An edit that is left without changes is one that live made too, or one that is
    not possible any more.
    """
    items = Item.objects.in_bulk({change["item"] for edit in edits for change in edit.changes})
    state = _ReplayState(items, live)
    done, ahead = edits[:cursor], edits[cursor:]
    latest = dict(state.bodies)
    back = [_merge_edit(edit, items, merge, latest) for edit in done]
    state.set_bodies(latest)
    for edit, changed in zip(reversed(done), state.apply_steps(reversed(back)), strict=True):
        edit.changes = [_edit_change(number, after, before) for number, (before, after) in changed.items()]
    for edit in done:
        state.set_bodies({change["item"]: change["after"] for change in edit.changes})
    forth = []
    for edit in ahead:
        before = _merge_edit(edit, items, merge, latest)
        forth.append({number: latest[number] for number in before})
    for edit, changed in zip(ahead, state.apply_steps(forth), strict=True):
        edit.changes = [_edit_change(number, before, after) for number, (before, after) in changed.items()]


def _merge_edit(edit: Edit, items: Mapping[int, Item], merge: MergeBody, latest: ItemBodies) -> ItemBodies:
    """Bring ``latest`` to what the edit leads to; return what the touched objects were before."""
    before: ItemBodies = {}
    for change in edit.changes:
        number = change["item"]
        try:
            after = merge(items[number], change["after"])
        except core.InvalidIntent:
            continue
        before[number], latest[number] = latest[number], after
    return before


def _edit_change(number: int, before: Body | None, after: Body | None) -> dict[str, Any]:
    return {"item": number, "before": before, "after": after}


class _ReplayState:
    """The objects a draft touches as they are at one moment of its history, over the base it moves to."""

    def __init__(self, items: Mapping[int, Item], live: SnapshotObjects) -> None:
        self.items, self.live = items, live
        self.numbers = {str(item.uid): number for number, item in items.items()}
        self.bodies: ItemBodies = {number: live.body(item.kind, str(item.uid)) for number, item in items.items()}
        self.references: dict[int, set[str]] = {}
        self.referrers: defaultdict[str, set[int]] = defaultdict(set)
        self.set_bodies(self.bodies)

    def set_bodies(self, bodies: ItemBodies) -> None:
        for number, body in bodies.items():
            for uid in self.references.get(number, ()):
                self.referrers[uid].discard(number)
            references = core.object_references(self.items[number].kind, body) if body is not None else ()
            self.references[number] = {uid for _, uid in references}
            for uid in self.references[number]:
                self.referrers[uid].add(number)
            self.bodies[number] = body

    def apply_steps(self, steps: Iterable[ItemBodies]) -> Iterator[dict[int, tuple[Body | None, Body | None]]]:
        """Apply the steps as far as no reference dangles; yield what each changed: item → (before, after).

        What a step could not do is tried again with the next one.
        """
        put_off: ItemBodies = {}
        for step in steps:
            bodies = put_off | step
            before = {number: self.bodies[number] for number in bodies}
            self.set_bodies(bodies)
            put_off = {}
            # The state before had no dangling reference, so taking back whatever dangles ends at the latest there.
            while broken := {number for number in self._dangling(bodies) if number in bodies and number not in put_off}:
                put_off |= {number: bodies[number] for number in broken}
                self.set_bodies({number: before[number] for number in broken})
            yield {
                number: (before_body, self.bodies[number])
                for number, before_body in before.items()
                if before_body != self.bodies[number]
            }

    def _dangling(self, moved: Iterable[int]) -> set[int]:
        """Return objects that refer to what is not there, and those they miss, where one of them is in ``moved``."""
        dangling: set[int] = set()
        for number in moved:
            uid = str(self.items[number].uid)
            if self.bodies[number] is None and (self.referrers[uid] or uid in self._referred_to_by_untouched):
                dangling |= {number, *self.referrers[uid]}
            for missing in filter(self._missing, self.references[number]):
                dangling |= {number, self.numbers.get(missing, number)}
        return dangling

    def _missing(self, uid: str) -> bool:
        number = self.numbers.get(uid)
        if number is not None:
            return self.bodies[number] is None
        return not any(uid in kind for kind in self.live.entries.values())

    @cached_property
    def _referred_to_by_untouched(self) -> set[str]:
        """uids that objects of the base refer to which the draft never touched."""
        untouched = (stored for stored in self.live if stored.uid not in self.numbers)
        return {uid for stored in untouched for _, uid in core.object_references(stored.kind, stored.body)}
