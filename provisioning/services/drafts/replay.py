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
"""What an object of the draft is over the new base; raises the core's Invalid where both sides do not go together."""


def replay_edits(edits: Sequence[Edit], cursor: int, live: SnapshotObjects, merged: MergeBody) -> None:
    """Give the edits, all of a draft in order, the changes they make over ``live``; the first ``cursor`` are in force.

    An edit that is left without changes is one that live made too, or that cannot be any more.
    """
    items = Item.objects.in_bulk({change["item"] for edit in edits for change in edit.changes})
    state = _ReplayState(items, live)
    done, ahead = edits[:cursor], edits[cursor:]
    latest = dict(state.bodies)
    back = [_merge_edit(edit, items, merged, latest) for edit in done]
    state.put(latest)
    for edit, changed in zip(reversed(done), state.walk(reversed(back)), strict=True):
        edit.changes = [_edit_change(number, after, before) for number, (before, after) in changed.items()]
    for edit in done:
        state.put({change["item"]: change["after"] for change in edit.changes})
    forth = []
    for edit in ahead:
        before = _merge_edit(edit, items, merged, latest)
        forth.append({number: latest[number] for number in before})
    for edit, changed in zip(ahead, state.walk(forth), strict=True):
        edit.changes = [_edit_change(number, before, after) for number, (before, after) in changed.items()]


def _merge_edit(edit: Edit, items: Mapping[int, Item], merged: MergeBody, latest: ItemBodies) -> ItemBodies:
    """Bring ``latest`` to what the edit leads to; answers what it was before, for the objects that were touched."""
    before: ItemBodies = {}
    for change in edit.changes:
        number = change["item"]
        try:
            after = merged(items[number], change["after"])
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
        self.names: dict[int, set[str]] = {}
        self.named_by: defaultdict[str, set[int]] = defaultdict(set)
        self.put(self.bodies)

    def put(self, bodies: ItemBodies) -> None:
        for number, body in bodies.items():
            for uid in self.names.get(number, ()):
                self.named_by[uid].discard(number)
            named = core.object_references(self.items[number].kind, body) if body is not None else ()
            self.names[number] = {uid for _, uid in named}
            for uid in self.names[number]:
                self.named_by[uid].add(number)
            self.bodies[number] = body

    def walk(self, steps: Iterable[ItemBodies]) -> Iterator[dict[int, tuple[Body | None, Body | None]]]:
        """Take the steps as far as they go together; tells what each changed, from what to what.

        What a step could not do is tried again with the next one.
        """
        held: ItemBodies = {}
        for step in steps:
            wanted = held | step
            before = {number: self.bodies[number] for number in wanted}
            self.put(wanted)
            held = {}
            # What was before stands, so that taking back whatever is broken ends at the latest there.
            while broken := {number for number in self._broken(wanted) if number in wanted and number not in held}:
                held |= {number: wanted[number] for number in broken}
                self.put({number: before[number] for number in broken})
            yield {number: (was, self.bodies[number]) for number, was in before.items() if was != self.bodies[number]}

    def _broken(self, moved: Iterable[int]) -> set[int]:
        """Objects that name what is not there, and those that are missed, as far as one of them is among ``moved``."""
        found: set[int] = set()
        for number in moved:
            uid = str(self.items[number].uid)
            if self.bodies[number] is None and (self.named_by[uid] or uid in self._named_elsewhere):
                found |= {number, *self.named_by[uid]}
            for missing in filter(self._missing, self.names[number]):
                found |= {number, self.numbers.get(missing, number)}
        return found

    def _missing(self, uid: str) -> bool:
        number = self.numbers.get(uid)
        if number is not None:
            return self.bodies[number] is None
        return not any(uid in kind for kind in self.live.entries.values())

    @cached_property
    def _named_elsewhere(self) -> set[str]:
        """uids named by the objects of the base that the draft never touched."""
        rows = (row for row in self.live if row.uid not in self.numbers)
        return {uid for row in rows for _, uid in core.object_references(row.kind, row.body)}
