"""The history of a draft: its edits one after the other, of which those up to the draft's cursor are done."""

from __future__ import annotations

from provisioning.errors import StateConflict
from provisioning.models import Draft, Edit, Item
from provisioning.services.drafts import overlay
from provisioning.services.drafts.kept_tiers import refuse_kept
from provisioning.services.drafts.lifecycle import bump_version, lock_draft
from provisioning.services.drafts.overlay import BodyChange
from tenants import audit


def undo_edit(draft: Draft) -> Draft:
    """Take the last edit back; raise StateConflict where there is none."""
    draft = lock_draft(draft)
    edit = Edit.objects.filter(draft=draft, number=draft.cursor).first()
    if edit is None:
        raise StateConflict("There is nothing to undo.")
    return _step_through_history(draft, edit, "before", -1, f"Undo: {edit.summary}")


def redo_edit(draft: Draft) -> Draft:
    """Do the edit that was last undone again; raise StateConflict where there is none."""
    draft = lock_draft(draft)
    edit = Edit.objects.filter(draft=draft, number=draft.cursor + 1).first()
    if edit is None:
        raise StateConflict("There is nothing to redo.")
    return _step_through_history(draft, edit, "after", 1, f"Redo: {edit.summary}")


def _step_through_history(draft: Draft, edit: Edit, side: str, by: int, summary: str) -> Draft:
    items = Item.objects.in_bulk([change["item"] for change in edit.changes])
    other = "after" if side == "before" else "before"
    changes = [BodyChange(items[c["item"]], c[other], c[side]) for c in edit.changes]
    refuse_kept(changes)
    overlay.write_overlay(draft, changes)
    draft.cursor += by
    bump_version(draft)
    audit.record(
        "draft.edit", kind="draft", object_id=str(draft.uid), object_name=draft.name, after={"summary": summary}
    )
    return draft
