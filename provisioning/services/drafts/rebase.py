"""Moving a draft onto a newer live revision, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from provisioning.core import intent as core
from provisioning.core.formats.three_way_merge import MergeChoice, MergeConflict, merge_bodies
from provisioning.core.values.resource import Problem, canonical_json
from provisioning.errors import StateConflict, ValidationFailed
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.services.drafts import overlay
from provisioning.services.drafts.lifecycle import bump_version, lock_draft
from provisioning.services.drafts.overlay import Body, BodyChange
from provisioning.services.drafts.replay import replay_edits
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import Snapshot
from tenants import audit

FieldLocation = tuple[str, str, str]
"""kind, id and path of a field."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose value is taken where both sides changed the same field."""

    kind: str
    id: str
    path: str
    take: MergeChoice

    @property
    def location(self) -> FieldLocation:
        return self.kind, self.id, self.path


class RebaseConflict(StateConflict):
    """Both sides changed the same fields; ``extra`` holds each conflict with base, mine and theirs."""

    kind = "conflicting"

    def __init__(self, detail: str, problems: Iterable[Problem], conflicts: list[dict[str, Any]]) -> None:
        super().__init__(detail, problems)
        self.extra = {"conflicts": conflicts}


@dataclass(frozen=True, slots=True)
class _RebaseInputs:
    """The objects a draft is moved between, and whose value is to be taken where."""

    base: SnapshotObjects
    live: SnapshotObjects
    mine: SnapshotObjects
    resolutions: Mapping[FieldLocation, MergeChoice]
    conflicts_met: set[FieldLocation] = field(default_factory=set)
    """Where there was a conflict, resolved or not."""

    def merge(self, item: Item, mine: Body | None) -> tuple[Body | None, list[MergeConflict]]:
        kind, uid = item.kind, str(item.uid)
        base, theirs = (objects.body(kind, uid) for objects in (self.base, self.live))

        def take(path: str) -> MergeChoice | None:
            self.conflicts_met.add((kind, uid, path))
            return self.resolutions.get((kind, uid, path))

        return merge_bodies(base, mine, theirs, self.label, take)

    def merge_or_refuse(self, item: Item, mine: Body | None) -> Body | None:
        """Return the merged body; raise InvalidIntent where fields of both sides do not go together."""
        body, _ = self.merge(item, mine)
        self.refuse_unreadable(item, mine, body)
        return body

    def refuse_unreadable(self, item: Item, mine: Body | None, merged: Body | None) -> None:
        if merged is not None and merged not in (mine, self.live.body(item.kind, str(item.uid))):
            core.normalise_body(item.kind, merged, lambda kind, uid: uid)

    def name_of(self, resolution: Resolution) -> str | None:
        """Return the name of the object that is meant; None where neither side has, or had, one."""
        candidates = (objects.get(resolution.kind, resolution.id) for objects in (self.mine, self.live, self.base))
        return next((stored.name for stored in candidates if stored), None)

    def label(self, uid: str) -> str:
        name = self.mine.label(uid)
        return self.live.label(uid) if name == uid else name


def rebase_draft(draft: Draft, resolutions: Sequence[Resolution] = ()) -> Draft:
    """Move the draft's edits onto what is live now; each of them can still be undone.

    Fields that only one side changed are merged. A field that both changed to different values is a conflict, shown
    with base, mine and theirs: the draft is moved only if there is a resolution for each conflict, and no other one.
    Raises RebaseConflict, or ValidationFailed where the merged network is invalid.
    """
    draft = lock_draft(draft)
    live = queries.live_snapshot().revision
    if live == draft.base_revision and not resolutions:
        return draft
    inputs = _RebaseInputs(
        base=tenant_cache.load_objects(Snapshot(draft.base_revision)),
        live=tenant_cache.load_objects(Snapshot(live)),
        mine=tenant_cache.load_objects(queries.snapshot_of_draft(draft)),
        resolutions={resolution.location: resolution.take for resolution in resolutions},
    )
    changes = _merge_overlays(draft, live, inputs, resolutions)
    _replace_base(draft, live, [change for change in changes if change.before != change.after])
    _replay_history(draft, inputs)
    bump_version(draft)
    audit.record(
        "draft.rebase",
        kind="draft",
        object_id=str(draft.uid),
        object_name=draft.name,
        after={"revision": live, "decided": [[*resolution.location, resolution.take] for resolution in resolutions]},
    )
    return draft


def _merge_overlays(
    draft: Draft, live: int, inputs: _RebaseInputs, resolutions: Sequence[Resolution]
) -> list[BodyChange]:
    """Return what the draft changes in revision ``live``; raise RebaseConflict or ValidationFailed."""
    changes, conflicts, problems = [], [], []
    for mine in Overlay.objects.filter(draft=draft).select_related("item"):
        body, fields = inputs.merge(mine.item, mine.body)
        conflicts += [_describe_conflict(mine, field) for field in fields]
        try:
            inputs.refuse_unreadable(mine.item, mine.body, body)
        except core.InvalidIntent as error:
            problems += [_locate_problem(mine, field) for field in error.problems]
        changes.append(BodyChange(mine.item, inputs.live.body(mine.kind, str(mine.item.uid)), body))
    unused = _unused_resolutions(inputs, resolutions)
    if unused:
        detail = f"A resolution decides nothing: {unused[0].message}"
        raise RebaseConflict(detail, [*unused, *map(_conflict_problem, conflicts)], conflicts)
    if conflicts:
        raise RebaseConflict(
            f"Revision {live} changed the same things as this draft. Send a resolution for each conflict.",
            map(_conflict_problem, conflicts),
            conflicts,
        )
    if problems:
        raise ValidationFailed(f"What this draft and revision {live} changed does not go together.", problems)
    return changes


def _unused_resolutions(inputs: _RebaseInputs, resolutions: Sequence[Resolution]) -> list[Problem]:
    """Return a problem for each resolution that resolves nothing, or the same conflict as another one."""
    problems = []
    seen: set[FieldLocation] = set()
    for number, resolution in enumerate(resolutions):
        path = f"resolutions[{number}]"
        name = inputs.name_of(resolution)
        if name is None:
            message = f"There is no such object among the {resolution.kind}. Take kind and id from the conflict."
            problems.append(Problem("unknown_reference", f"{path}.id", message))
        elif resolution.location not in inputs.conflicts_met:
            message = f"“{resolution.path}” of {name}" if resolution.path else f"{name} as a whole"
            message += " is not in conflict, or no longer. Leave it out, or look at the conflicts there are now."
            problems.append(Problem("not_in_conflict", f"{path}.path", message))
        elif resolution.location in seen:
            message = "This conflict is decided twice. Send one resolution for each."
            problems.append(Problem("duplicate", path, message))
        seen.add(resolution.location)
    return problems


def _replace_base(draft: Draft, live: int, changes: list[BodyChange]) -> None:
    Overlay.objects.filter(draft=draft).delete()
    draft.base_revision = live
    overlay.refuse_new_errors(draft, changes)
    overlay.write_overlay(draft, changes)


def _replay_history(draft: Draft, inputs: _RebaseInputs) -> None:
    """Make undo and redo work over the new base; edits that change nothing any more leave the history."""
    edits = list(Edit.objects.filter(draft=draft).order_by("number"))
    replay_edits(edits, draft.cursor, inputs.live, inputs.merge_or_refuse)
    remaining = [edit for edit in edits if edit.changes]
    draft.cursor = sum(edit.number <= draft.cursor for edit in remaining)
    Edit.objects.filter(draft=draft).delete()
    for number, edit in enumerate(remaining, 1):
        edit.pk, edit.number = None, number
    Edit.objects.bulk_create(remaining)


def _locate_problem(mine: Overlay, problem: Problem) -> Problem:
    return Problem(problem.code, f"{mine.kind}/{mine.item.key}/{problem.path}".rstrip("/"), problem.message)


def _describe_conflict(mine: Overlay, field: MergeConflict) -> dict[str, Any]:
    return {"kind": mine.kind, "id": str(mine.item.uid), "name": mine.name, "key": mine.item.key, **asdict(field)}


def _conflict_problem(conflict: Mapping[str, Any]) -> Problem:
    path = f"{conflict['kind']}/{conflict['key']}{'.' if conflict['path'] else ''}{conflict['path']}"
    sides = " · ".join(f"{side}: {_short_text(conflict[side])}" for side in ("base", "mine", "theirs"))
    return Problem("conflict", path, sides)


def _short_text(value: object) -> str:
    return "not there" if value is None else canonical_json(value)[:200]
