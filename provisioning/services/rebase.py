"""Moving a draft onto a newer live revision, field by field."""

from __future__ import annotations

from provisioning.core.resource import Problem, canonical
from provisioning.models import Draft, Edit, Overlay, Version
from provisioning.selectors import views
from provisioning.services import overlay
from provisioning.services.drafts import lock, touch
from provisioning.services.errors import Conflict
from provisioning.services.overlay import Body, BodyChange
from tenants import actor


def rebase(draft: Draft) -> Draft:
    """Put the draft's edits on top of what is live now.

    Fields that only one side changed are merged; a field both changed to different values is a conflict, shown with
    base, mine and theirs, and nothing is moved. The history of edits becomes one edit.
    """
    draft = lock(draft)
    live = views.live().revision
    if live == draft.base_revision:
        return draft
    overlays = list(Overlay.objects.filter(draft=draft).select_related("item"))
    base, theirs = (_bodies(overlays, number) for number in (draft.base_revision, live))
    changes, conflicts = [], []
    for mine in overlays:
        item = mine.item_id
        body, wrong = merge(base.get(item), mine.body, theirs.get(item))
        conflicts += [
            Problem("conflict", f"{mine.kind}/{mine.item.key}{'.' + field if field else ''}", text)
            for field, text in wrong
        ]
        changes.append(BodyChange(mine.item, theirs.get(item), body))
    if conflicts:
        raise Conflict(f"Revision {live} changed the same things as this draft.", conflicts)
    Overlay.objects.filter(draft=draft).delete()
    Edit.objects.filter(draft=draft).delete()
    draft.base_revision, draft.cursor = live, 0
    changes = [change for change in changes if change.before != change.after]
    overlay.refuse_new_errors(draft, changes)
    if changes:
        overlay.write(draft, changes)
        draft.cursor = 1
        Edit(
            draft=draft,
            number=1,
            summary=f"Rebase on revision {live}",
            author=actor.current().email,
            changes=[{"item": c.item.pk, "before": c.before, "after": c.after} for c in changes],
        ).save()
    touch(draft)
    return draft


def merge(base: Body | None, mine: Body | None, theirs: Body | None) -> tuple[Body | None, list[tuple[str, str]]]:
    """The three-way merge of one object, and its conflicts as (field, text)."""
    if theirs == base or mine == theirs:
        return mine, []
    if mine == base:
        return theirs, []
    if mine is None or theirs is None or base is None:
        return mine, [("", f"base: {_told(base)} · mine: {_told(mine)} · theirs: {_told(theirs)}")]
    merged, conflicts = {}, []
    for field in {**theirs, **mine}:
        was, here, there = base.get(field), mine.get(field), theirs.get(field)
        merged[field] = there if here == was else here
        if here != was and there not in (was, here):
            conflicts.append((field, f"base: {_told(was)} · mine: {_told(here)} · theirs: {_told(there)}"))
    return merged, conflicts


def _told(value: object) -> str:
    return "not there" if value is None else canonical(value)[:200]


def _bodies(overlays: list[Overlay], revision: int) -> dict[int, Body]:
    items = [mine.item_id for mine in overlays]
    found = Version.objects.filter(item__in=items, first__lte=revision, last__gte=revision)
    return {version.item_id: version.body for version in found}
