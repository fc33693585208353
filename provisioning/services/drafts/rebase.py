"""Moving a draft onto a newer live revision, field by field."""

from __future__ import annotations

from collections.abc import Sequence

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.services.drafts import overlay
from provisioning.services.drafts.kept_tiers import refuse_kept
from provisioning.services.drafts.lifecycle import bump_version, lock_draft
from provisioning.services.drafts.overlay import BodyChange
from provisioning.services.drafts.rebase_merge import (
    RebaseConflict,
    RebaseInputs,
    Resolution,
    conflict_problem,
    describe_conflict,
)
from provisioning.services.drafts.replay import replay_edits
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.queries import Snapshot
from tenants import actor, audit


def rebase_draft(draft: Draft, resolutions: Sequence[Resolution] = ()) -> Draft:
    """Move the draft's edits onto what is live now; each of them can still be undone.

    Fields that only one side changed are merged. Raises RebaseConflict with all conflicts there are: the draft is moved
    only if there is a resolution for each, and no other one, and the merged network is valid.
    """
    draft = lock_draft(draft)
    live = queries.live_snapshot().revision
    if live == draft.base_revision and not resolutions:
        return draft
    inputs = RebaseInputs(
        base=tenant_cache.load_objects(Snapshot(draft.base_revision)),
        live=tenant_cache.load_objects(Snapshot(live)),
        mine=tenant_cache.load_objects(queries.snapshot_of_draft(draft)),
        resolutions={resolution.location: resolution.take for resolution in resolutions},
    )
    overlaid = [row.item for row in Overlay.objects.filter(draft=draft).select_related("item")]
    kept = _items_kept(inputs, overlaid)
    changes = _merge_objects(draft, live, inputs, [*overlaid, *kept], resolutions)
    _replace_base(draft, live, changes)
    _replay_history(draft, inputs, kept)
    bump_version(draft)
    audit.record(
        "draft.rebase",
        kind="draft",
        object_id=str(draft.uid),
        object_name=draft.name,
        after={"revision": live, "decided": [[*resolution.location, resolution.take] for resolution in resolutions]},
    )
    return draft


def _items_kept(inputs: RebaseInputs, overlaid: Sequence[Item]) -> list[Item]:
    """Return objects that only live changed, of which the draft's version is to be kept all the same."""
    whole = {uid for (_, uid, path), take in inputs.resolutions.items() if path == "" and take == "mine"}
    chosen = whole & inputs.differing.keys() if whole else set()
    return list(Item.objects.filter(uid__in=chosen).exclude(pk__in=[item.pk for item in overlaid]))


def _merge_objects(
    draft: Draft, live: int, inputs: RebaseInputs, items: Sequence[Item], resolutions: Sequence[Resolution]
) -> list[BodyChange]:
    """Return what the draft changes in revision ``live``; raise RebaseConflict."""
    decided = {(resolution.kind, resolution.id) for resolution in resolutions}
    changes, conflicts, invalid = [], [], []
    for item in items:
        kind, uid = item.kind, str(item.uid)
        mine, stored = inputs.mine.body(kind, uid), inputs.find(kind, uid)
        assert stored is not None
        if (kind, uid) in decided:
            refuse_kept([BodyChange(item, inputs.live.body(kind, uid), mine)])
        body, fields = inputs.merge(item, mine)
        conflicts += [describe_conflict(stored, field) for field in fields]
        try:
            inputs.refuse_unreadable(item, mine, body)
        except core.InvalidIntent as error:
            located = [
                Problem(each.code, f"{kind}/{item.key}/{each.path}".rstrip("/"), each.message)
                for each in error.problems
            ]
            invalid += located
            conflicts += [inputs.whole_conflict(stored, located[0].message)]
            body = mine
        changes.append(BodyChange(item, inputs.live.body(kind, uid), body))
    changes = [change for change in changes if not core.is_same_body(change.item.kind, change.before, change.after)]
    if unused := inputs.unused(resolutions):
        problems = [*unused, *map(conflict_problem, conflicts)]
        raise RebaseConflict(draft, f"A resolution decides nothing: {unused[0].message}", problems, conflicts)
    met = [conflict_problem(conflict) for conflict in conflicts if not conflict["reason"]]
    for problem in overlay.new_errors(draft, Snapshot(live), changes):
        invalid.append(problem)
        described = {conflict["id"] for conflict in conflicts}
        conflicts += [conflict for conflict in inputs.conflicts_of(problem) if conflict["id"] not in described]
    if met or invalid:
        raise RebaseConflict(draft, _refusal(live, met, invalid), [*invalid, *met], conflicts)
    return changes


def _refusal(live: int, met: list[Problem], invalid: list[Problem]) -> str:
    if invalid:
        return f"A rebase on revision {live} would create an invalid network: {invalid[0].message}"
    return f"Revision {live} changed the same things as this draft. Send a resolution for each conflict."


def _replace_base(draft: Draft, live: int, changes: list[BodyChange]) -> None:
    Overlay.objects.filter(draft=draft).delete()
    draft.base_revision = live
    overlay.write_overlay(draft, changes)


def _replay_history(draft: Draft, inputs: RebaseInputs, kept: Sequence[Item]) -> None:
    """Make undo and redo work over the new base; edits that change nothing any more leave the history.

    What is kept against live becomes the first edit, since the others may refer to it.
    """
    edits = list(Edit.objects.filter(draft=draft).order_by("number"))
    if kept:
        edits.insert(0, _keeping_edit(draft, inputs, kept))
        draft.cursor += 1
    for number, edit in enumerate(edits, 1):
        edit.number = number
    replay_edits(edits, draft.cursor, inputs.live, inputs.merge_or_refuse)
    remaining = [edit for edit in edits if edit.changes]
    draft.cursor = sum(edit.number <= draft.cursor for edit in remaining)
    Edit.objects.filter(draft=draft).delete()
    for number, edit in enumerate(remaining, 1):
        edit.pk, edit.number = None, number
    Edit.objects.bulk_create(remaining)


def _keeping_edit(draft: Draft, inputs: RebaseInputs, kept: Sequence[Item]) -> Edit:
    changes = []
    for item in kept:
        before, after = (side.body(item.kind, str(item.uid)) for side in (inputs.live, inputs.mine))
        changes.append({"item": item.pk, "before": before, "after": after})
    summary = f"{len(kept)} object{'s' if len(kept) > 1 else ''} kept in a rebase"
    return Edit(draft=draft, summary=summary, author=actor.current_actor().email, changes=changes)
