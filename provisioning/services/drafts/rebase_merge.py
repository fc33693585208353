"""What a rebase decides: the merge of each object, the conflicts it leaves, and what would be invalid together.

A conflict is ``{"kind", "id", "name", "key", "path", "base", "mine", "theirs", "reason"}``. Its path is a field that
both sides changed to different values, or "" for the whole object: one side removed it, or ``reason`` says why what the
two sides make of it, or of what it is joined with, is no valid network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from provisioning.core import intent as core
from provisioning.core.formats.three_way_merge import MergeChoice, MergeConflict, merge_bodies
from provisioning.core.values.resource import Problem, canonical_json
from provisioning.errors import StateConflict
from provisioning.models import Draft, Item
from provisioning.services.drafts.overlay import Body
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import StoredObject

FieldLocation = tuple[str, str, str]
"""kind, id and path of a field; the path of a whole object is empty."""
Conflict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose value is taken for a field, or with an empty path for a whole object."""

    kind: str
    id: str
    path: str
    take: MergeChoice

    @property
    def location(self) -> FieldLocation:
        return self.kind, self.id, self.path


class RebaseConflict(StateConflict):
    """What a draft and live changed does not go together; ``extra`` holds the draft's uid and every conflict."""

    kind = "conflicting"

    def __init__(self, draft: Draft, detail: str, problems: Iterable[Problem], conflicts: list[Conflict]) -> None:
        super().__init__(detail, problems)
        self.extra = {"draft": str(draft.uid), "conflicts": conflicts}


@dataclass(frozen=True)
class RebaseInputs:
    """The objects a draft is moved between, and whose value is to be taken where."""

    base: SnapshotObjects
    live: SnapshotObjects
    mine: SnapshotObjects
    resolutions: Mapping[FieldLocation, MergeChoice]
    conflicts_met: set[FieldLocation] = field(default_factory=set)
    """Fields in which there was a conflict, resolved or not."""

    def merge(self, item: Item, mine: Body | None) -> tuple[Body | None, list[MergeConflict]]:
        kind, uid = item.kind, str(item.uid)
        bodies = (self.base.body(kind, uid), mine, self.live.body(kind, uid))
        base, mine, theirs = (body and core.with_sorted_sets(kind, body) for body in bodies)

        def take(path: str) -> MergeChoice | None:
            self.conflicts_met.add((kind, uid, path))
            return self.resolutions.get((kind, uid, path))

        merged, conflicts = merge_bodies(base, mine, theirs, self.label, take)
        whole = self.resolutions.get((kind, uid, ""))
        return (mine if whole == "mine" else theirs, []) if whole else (merged, conflicts)

    def merge_or_refuse(self, item: Item, mine: Body | None) -> Body | None:
        """Return the merged body; raise InvalidIntent where fields of both sides do not go together."""
        body, _ = self.merge(item, mine)
        self.refuse_unreadable(item, mine, body)
        return body

    def refuse_unreadable(self, item: Item, mine: Body | None, merged: Body | None) -> None:
        if merged is not None and merged not in (mine, self.live.body(item.kind, str(item.uid))):
            core.normalise_body(item.kind, merged, lambda kind, uid: uid)

    def find(self, kind: str, uid: str) -> StoredObject | None:
        """Return the object as the draft, live or the base has it; None where none of them has it."""
        candidates = (objects.get(kind, uid) for objects in (self.mine, self.live, self.base))
        return next((stored for stored in candidates if stored), None)

    def label(self, uid: str) -> str:
        name = self.mine.label(uid)
        return self.live.label(uid) if name == uid else name

    def unused(self, resolutions: Sequence[Resolution]) -> list[Problem]:
        """Return a problem for each resolution that resolves nothing, or the same conflict as another one."""
        problems = []
        seen: set[FieldLocation] = set()
        for number, resolution in enumerate(resolutions):
            path = f"resolutions[{number}]"
            stored = self.find(resolution.kind, resolution.id)
            if stored is None:
                message = f"There is no such object among the {resolution.kind}. Take kind and id from the conflict."
                problems.append(Problem("unknown_reference", f"{path}.id", message))
            elif resolution.location not in self.conflicts_met and not (
                resolution.path == "" and resolution.id in self.differing
            ):
                message = f"“{resolution.path}” of {stored.name}" if resolution.path else f"{stored.name} as a whole"
                message += " is not in conflict, or no longer. Leave it out, or look at the conflicts there are now."
                problems.append(Problem("not_in_conflict", f"{path}.path", message))
            elif resolution.location in seen:
                message = "This conflict is decided twice. Send one resolution for each."
                problems.append(Problem("duplicate", path, message))
            seen.add(resolution.location)
        return problems

    @cached_property
    def differing(self) -> dict[str, StoredObject]:
        """Objects that the draft and live do not have alike, by uid."""
        both = [objects.entries for objects in (self.mine, self.live)]
        uids = {(kind, uid) for entries in both for kind, of_kind in entries.items() for uid in of_kind}
        return {
            uid: stored
            for kind, uid in sorted(uids)
            if self.mine.body(kind, uid) != self.live.body(kind, uid) and (stored := self.find(kind, uid))
        }

    def conflicts_of(self, problem: Problem) -> Iterator[Conflict]:
        """Yield the objects of which one side's version may solve the problem of the merged network.

        These are the object the problem is about and those joined with it by a reference, as far as the sides have
        them differently; where the draft changed none of these, what it changed of the same kind.
        """
        kind, _, rest = problem.path.partition("/")
        key = rest.partition("/")[0]
        subjects = [
            stored for side in (self.mine, self.live) for stored in side if (stored.kind, stored.key) == (kind, key)
        ]
        uids = {stored.uid for stored in subjects}
        joined = uids.union(*map(_references, subjects))
        near = [stored for uid, stored in self.differing.items() if uid in joined or uids & _references(stored)]
        if not any(self._is_changed_by_draft(stored) for stored in near):
            alike = (stored for stored in self.differing.values() if stored.kind == kind)
            near += [stored for stored in alike if self._is_changed_by_draft(stored)]
        yield from (self.whole_conflict(stored, problem.message) for stored in near)

    def whole_conflict(self, stored: StoredObject, reason: str) -> Conflict:
        return describe_conflict(stored, MergeConflict("", *self._bodies(stored)), reason)

    def _bodies(self, stored: StoredObject) -> tuple[Body | None, Body | None, Body | None]:
        base, mine, live = (objects.body(stored.kind, stored.uid) for objects in (self.base, self.mine, self.live))
        return base, mine, live

    def _is_changed_by_draft(self, stored: StoredObject) -> bool:
        base, mine, _ = self._bodies(stored)
        return base != mine


def _references(stored: StoredObject) -> set[str]:
    return {uid for _, uid in core.object_references(stored.kind, stored.body)}


def describe_conflict(stored: StoredObject, conflict: MergeConflict, reason: str = "") -> Conflict:
    identity = {"kind": stored.kind, "id": stored.uid, "name": stored.name, "key": stored.key}
    return {**identity, **asdict(conflict), "reason": reason}


def conflict_problem(conflict: Conflict) -> Problem:
    path = f"{conflict['kind']}/{conflict['key']}{'.' if conflict['path'] else ''}{conflict['path']}"
    sides = " · ".join(f"{side}: {_short_text(conflict[side])}" for side in ("base", "mine", "theirs"))
    return Problem("conflict", path, sides)


def _short_text(value: object) -> str:
    return "not there" if value is None else canonical_json(value)[:200]
