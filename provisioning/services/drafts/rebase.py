"""Moving a draft onto a newer live revision, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from provisioning.core import intent as core
from provisioning.core.formats.three_way_merge import MergeChoice, merge_bodies
from provisioning.core.formats.three_way_merge import MergeConflict as Field
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
    """Whose value is taken where both sides changed the same."""

    kind: str
    id: str
    path: str
    take: MergeChoice

    @property
    def place(self) -> FieldLocation:
        return self.kind, self.id, self.path


class RebaseConflict(StateConflict):
    """Both sides changed the same; ``more`` tells each conflict with base, mine and theirs."""

    kind = "conflicting"

    def __init__(self, detail: str, problems: Iterable[Problem], conflicts: list[dict[str, Any]]) -> None:
        super().__init__(detail, problems)
        self.extra = {"conflicts": conflicts}


@dataclass(frozen=True, slots=True)
class _RebaseInputs:
    """The contents a draft is moved between, and what was decided."""

    base: SnapshotObjects
    live: SnapshotObjects
    mine: SnapshotObjects
    decided: Mapping[FieldLocation, MergeChoice]
    met: set[FieldLocation] = field(default_factory=set)
    """Where a conflict was met, decided or not."""

    def merged(self, item: Item, mine: Body | None) -> tuple[Body | None, list[Field]]:
        kind, uid = item.kind, str(item.uid)
        base, theirs = (content.body(kind, uid) for content in (self.base, self.live))

        def take(path: str) -> MergeChoice | None:
            self.met.add((kind, uid, path))
            return self.decided.get((kind, uid, path))

        return merge_bodies(base, mine, theirs, self.label, take)

    def together(self, item: Item, mine: Body | None) -> Body | None:
        """The merged body; raises the core's Invalid where fields of both sides do not go together."""
        body, _ = self.merged(item, mine)
        self.refuse_unreadable(item, mine, body)
        return body

    def refuse_unreadable(self, item: Item, mine: Body | None, merged: Body | None) -> None:
        if merged is not None and merged not in (mine, self.live.body(item.kind, str(item.uid))):
            core.normalise_body(item.kind, merged, lambda kind, uid: uid)

    def called(self, one: Resolution) -> str | None:
        """The name of the object that is meant; None where neither side has, or had, one."""
        rows = (content.get(one.kind, one.id) for content in (self.mine, self.live, self.base))
        return next((row.name for row in rows if row), None)

    def label(self, uid: str) -> str:
        called = self.mine.label(uid)
        return self.live.label(uid) if called == uid else called


def rebase_draft(draft: Draft, decided: Sequence[Resolution] = ()) -> Draft:
    """Put the draft's edits on top of what is live now; each of them can still be undone.

    Fields that only one side changed are merged. A field that both changed to different values is a conflict, shown
    with base, mine and theirs: nothing is moved until each is decided, and nothing else. Raises Conflicting, or
    Invalid when the merged network would be.
    """
    draft = lock_draft(draft)
    live = queries.live_snapshot().revision
    if live == draft.base_revision and not decided:
        return draft
    ground = _RebaseInputs(
        base=tenant_cache.load_objects(Snapshot(draft.base_revision)),
        live=tenant_cache.load_objects(Snapshot(live)),
        mine=tenant_cache.load_objects(queries.snapshot_of_draft(draft)),
        decided={one.place: one.take for one in decided},
    )
    changes = _merge_overlays(draft, live, ground, decided)
    _replace_base(draft, live, [change for change in changes if change.before != change.after])
    _replay_history(draft, ground)
    bump_version(draft)
    audit.record(
        "draft.rebase",
        kind="draft",
        object_id=str(draft.uid),
        object_name=draft.name,
        after={"revision": live, "decided": [[*one.place, one.take] for one in decided]},
    )
    return draft


def _merge_overlays(draft: Draft, live: int, ground: _RebaseInputs, decided: Sequence[Resolution]) -> list[BodyChange]:
    """What the draft makes of revision ``live`` when it is put on top of it; raises Conflicting, or Invalid."""
    changes, conflicts, problems = [], [], []
    for mine in Overlay.objects.filter(draft=draft).select_related("item"):
        body, wrong = ground.merged(mine.item, mine.body)
        conflicts += [_describe_conflict(mine, one) for one in wrong]
        try:
            ground.refuse_unreadable(mine.item, mine.body, body)
        except core.InvalidIntent as error:
            problems += [_locate_problem(mine, one) for one in error.problems]
        changes.append(BodyChange(mine.item, ground.live.body(mine.kind, str(mine.item.uid)), body))
    astray = _unused_resolutions(ground, decided)
    if astray:
        detail = f"A resolution decides nothing: {astray[0].message}"
        raise RebaseConflict(detail, [*astray, *map(_conflict_problem, conflicts)], conflicts)
    if conflicts:
        raise RebaseConflict(
            f"Revision {live} changed the same things as this draft. Send a resolution for each conflict.",
            map(_conflict_problem, conflicts),
            conflicts,
        )
    if problems:
        raise ValidationFailed(f"What this draft and revision {live} changed does not go together.", problems)
    return changes


def _unused_resolutions(ground: _RebaseInputs, decided: Sequence[Resolution]) -> list[Problem]:
    """Resolutions that decide nothing, or the same as another one: they were meant for something else."""
    problems = []
    met: set[FieldLocation] = set()
    for number, one in enumerate(decided):
        path = f"resolutions[{number}]"
        called = ground.called(one)
        if called is None:
            told = f"There is no such object among the {one.kind}. Take kind and id as the conflict told them."
            problems.append(Problem("unknown_reference", f"{path}.id", told))
        elif one.place not in ground.met:
            told = f"“{one.path}” of {called}" if one.path else f"{called} as a whole"
            told += " is not in conflict, or no longer. Leave it out, or look at the conflicts there are now."
            problems.append(Problem("not_in_conflict", f"{path}.path", told))
        elif one.place in met:
            told = "This conflict is decided twice. Send one resolution for each."
            problems.append(Problem("duplicate", path, told))
        met.add(one.place)
    return problems


def _replace_base(draft: Draft, live: int, changes: list[BodyChange]) -> None:
    Overlay.objects.filter(draft=draft).delete()
    draft.base_revision = live
    overlay.refuse_new_errors(draft, changes)
    overlay.write_overlay(draft, changes)


def _replay_history(draft: Draft, ground: _RebaseInputs) -> None:
    """Undo and redo go on over the new base; edits that change nothing any more are no steps of it."""
    edits = list(Edit.objects.filter(draft=draft).order_by("number"))
    replay_edits(edits, draft.cursor, ground.live, ground.together)
    kept = [edit for edit in edits if edit.changes]
    draft.cursor = sum(edit.number <= draft.cursor for edit in kept)
    Edit.objects.filter(draft=draft).delete()
    for number, edit in enumerate(kept, 1):
        edit.pk, edit.number = None, number
    Edit.objects.bulk_create(kept)


def _locate_problem(mine: Overlay, problem: Problem) -> Problem:
    return Problem(problem.code, f"{mine.kind}/{mine.item.key}/{problem.path}".rstrip("/"), problem.message)


def _describe_conflict(mine: Overlay, field: Field) -> dict[str, Any]:
    return {"kind": mine.kind, "id": str(mine.item.uid), "name": mine.name, "key": mine.item.key, **asdict(field)}


def _conflict_problem(conflict: Mapping[str, Any]) -> Problem:
    path = f"{conflict['kind']}/{conflict['key']}{'.' if conflict['path'] else ''}{conflict['path']}"
    sides = " · ".join(f"{side}: {_short_text(conflict[side])}" for side in ("base", "mine", "theirs"))
    return Problem("conflict", path, sides)


def _short_text(value: object) -> str:
    return "not there" if value is None else canonical_json(value)[:200]
