"""Moving a draft onto a newer live revision, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provisioning.core import intent as core
from provisioning.core.merge import Conflict as Field
from provisioning.core.merge import Take, merge
from provisioning.core.resource import Problem, canonical
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.selectors import networks, views
from provisioning.selectors.content import Content
from provisioning.selectors.views import View
from provisioning.services import overlay
from provisioning.services.drafts import lock, touch
from provisioning.services.errors import Conflict, Invalid
from provisioning.services.overlay import Body, BodyChange
from tenants import audit

Resolutions = Mapping[tuple[str, str, str], Take]
"""(kind, id, path) of a conflict → whose value is taken."""


class Conflicting(Conflict):
    """Both sides changed the same; ``more`` tells each conflict with base, mine and theirs."""

    def __init__(self, detail: str, problems: Iterable[Problem], conflicts: list[dict[str, Any]]) -> None:
        super().__init__(detail, problems)
        self.more = {"conflicts": conflicts}


@dataclass(frozen=True, slots=True)
class _Ground:
    """The contents a draft is moved between, and what was decided."""

    base: Content
    live: Content
    mine: Content
    decided: Resolutions

    def merged(self, item: Item, mine: Body | None) -> tuple[Body | None, list[Field]]:
        kind, uid = item.kind, str(item.uid)
        base, theirs = (content.body(kind, uid) for content in (self.base, self.live))
        return merge(base, mine, theirs, self.label, lambda path: self.decided.get((kind, uid, path)))

    def label(self, uid: str) -> str:
        called = self.mine.label(uid)
        return self.live.label(uid) if called == uid else called


def rebase(draft: Draft, decided: Resolutions | None = None) -> Draft:
    """Put the draft's edits on top of what is live now; each of them can still be undone.

    Fields that only one side changed are merged. A field that both changed to different values is a conflict, shown
    with base, mine and theirs: nothing is moved until each is decided. Raises Conflicting, or Invalid when the merged
    network would be.
    """
    draft = lock(draft)
    live = views.live().revision
    if live == draft.base_revision:
        return draft
    ground = _Ground(
        base=networks.content(View(draft.base_revision)),
        live=networks.content(View(live)),
        mine=networks.content(views.of_draft(draft)),
        decided=decided or {},
    )
    changes, conflicts, problems = [], [], []
    for mine in Overlay.objects.filter(draft=draft).select_related("item"):
        body, wrong = ground.merged(mine.item, mine.body)
        conflicts += [_told(mine, one) for one in wrong]
        theirs = ground.live.body(mine.kind, str(mine.item.uid))
        if body is not None and body not in (mine.body, theirs):
            problems += _unreadable(mine, body)
        changes.append(BodyChange(mine.item, theirs, body))
    if conflicts:
        raise Conflicting(
            f"Revision {live} changed the same things as this draft. Send a resolution for each conflict.",
            map(_problem, conflicts),
            conflicts,
        )
    if problems:
        raise Invalid(f"What this draft and revision {live} changed does not go together.", problems)
    _move(draft, live, [change for change in changes if change.before != change.after])
    _replay(draft, ground)
    touch(draft)
    audit.record(
        "draft.rebase",
        kind="draft",
        object_id=str(draft.uid),
        object_name=draft.name,
        after={"revision": live, "decided": [[*where, taken] for where, taken in ground.decided.items()]},
    )
    return draft


def _move(draft: Draft, live: int, changes: list[BodyChange]) -> None:
    Overlay.objects.filter(draft=draft).delete()
    draft.base_revision = live
    overlay.refuse_new_errors(draft, changes)
    overlay.write(draft, changes)


def _replay(draft: Draft, ground: _Ground) -> None:
    """Every state an edit led to is merged like the last one, so that undo and redo go on over the new base."""
    edits = list(Edit.objects.filter(draft=draft).order_by("number"))
    items = Item.objects.in_bulk({change["item"] for edit in edits for change in edit.changes})
    kept, cursor = [], 0
    for edit in edits:
        edit.changes = [
            moved
            for change in edit.changes
            if (moved := _moved(ground, items[change["item"]], change))["before"] != moved["after"]
        ]
        if edit.changes:
            kept.append(edit)
            cursor += edit.number <= draft.cursor
    Edit.objects.filter(draft=draft).delete()
    for number, edit in enumerate(kept, 1):
        edit.pk, edit.number = None, number
    Edit.objects.bulk_create(kept)
    draft.cursor = cursor


def _moved(ground: _Ground, item: Item, change: Mapping[str, Any]) -> dict[str, Any]:
    return {"item": item.pk, **{side: ground.merged(item, change[side])[0] for side in ("before", "after")}}


def _unreadable(mine: Overlay, body: Body) -> list[Problem]:
    """Fields of both sides may not go together although no field is in conflict."""
    try:
        core.normalise(mine.kind, body, lambda kind, uid: uid)
    except core.Invalid as error:
        return [
            Problem(one.code, f"{mine.kind}/{mine.item.key}/{one.path}".rstrip("/"), one.message)
            for one in error.problems
        ]
    return []


def _told(mine: Overlay, field: Field) -> dict[str, Any]:
    return {"kind": mine.kind, "id": str(mine.item.uid), "name": mine.name, "key": mine.item.key, **asdict(field)}


def _problem(conflict: Mapping[str, Any]) -> Problem:
    path = f"{conflict['kind']}/{conflict['key']}{'.' if conflict['path'] else ''}{conflict['path']}"
    sides = " · ".join(f"{side}: {_short(conflict[side])}" for side in ("base", "mine", "theirs"))
    return Problem("conflict", path, sides)


def _short(value: object) -> str:
    return "not there" if value is None else canonical(value)[:200]
