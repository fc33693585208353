"""A draft's life: created over what is live, locked while it is edited, discarded, restored."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from django.db import IntegrityError, transaction
from django.utils import timezone

from provisioning.core.values.resource import Problem
from provisioning.errors import StateConflict
from provisioning.models import DocumentImport, Draft, Edit, Overlay, Plan
from provisioning.services.names import read_name
from provisioning.snapshots import queries
from tenants import actor, audit, outbox
from tenants.jobs import TenantJob

RESTORABLE_FOR = timedelta(days=30)
IMPORT_RESULTS_KEPT_FOR = timedelta(days=1)


def create_draft(name: str) -> Draft:
    """Create an empty draft over what is live."""
    name = read_name(name, "draft")
    draft = Draft(name=name, base_revision=queries.live_snapshot().revision, author=actor.current_actor().email)
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:
        problem = Problem("duplicate_name", "name", "Choose another name, or go on with the open draft of that name.")
        raise StateConflict(f"There is an open draft named {name}.", [problem]) from error
    audit.record("draft.create", kind="draft", object_id=str(draft.uid), object_name=name)
    outbox.enqueue("changed", what="draft", id=str(draft.uid), version=0)
    return draft


def discard_draft(draft: Draft) -> None:
    """Close the draft and withdraw its plans. It can be restored for RESTORABLE_FOR."""
    draft = lock_draft(draft)
    draft.state, draft.discarded_at, draft.discarded_by = (
        Draft.State.DISCARDED,
        timezone.now(),
        actor.current_actor().email,
    )
    draft.save(update_fields=["state", "discarded_at", "discarded_by"])
    withdraw_plans(draft, f"The draft {draft.name} was discarded.")
    audit.record("draft.discard", kind="draft", object_id=str(draft.uid), object_name=draft.name)
    outbox.enqueue("changed", what="draft", id=str(draft.uid), version=draft.version)


def restore_draft(draft: Draft, now: datetime) -> Draft:
    """Open a discarded draft again, as it was; where its name is taken meanwhile, with a number after it.

    Raises StateConflict where it was not discarded, or longer than RESTORABLE_FOR ago.
    """
    draft = Draft.objects.select_for_update().get(pk=draft.pk)
    if draft.state != Draft.State.DISCARDED or draft.discarded_at is None:
        raise StateConflict(f"The draft {draft.name} is {draft.state}; only a discarded one can be restored.")
    if draft.discarded_at < now - RESTORABLE_FOR:
        raise StateConflict(f"The draft {draft.name} was discarded more than {RESTORABLE_FOR.days} days ago.")
    draft.name = free_name(draft.name)
    draft.state, draft.discarded_at, draft.discarded_by = Draft.State.OPEN, None, ""
    draft.save(update_fields=["name", "state", "discarded_at", "discarded_by"])
    audit.record("draft.restore", kind="draft", object_id=str(draft.uid), object_name=draft.name)
    outbox.enqueue("changed", what="draft", id=str(draft.uid), version=draft.version)
    return draft


def free_name(name: str) -> str:
    """Return the name, with a number after it where an open draft has it."""
    taken = set(Draft.objects.filter(state=Draft.State.OPEN).values_list("name", flat=True))
    numbered = (f"{name[:90]}-{number}" for number in count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


class PurgeJob(TenantJob[None, None]):
    """Delete the edits of drafts that cannot be restored any more, and results of imports that nobody asks for.

    The drafts stay, for plans and runs name them.
    """

    def claim(self) -> None:
        now = timezone.now()
        purge_discarded(now)
        DocumentImport.objects.filter(finished_at__lt=now - IMPORT_RESULTS_KEPT_FOR).delete()


def purge_discarded(now: datetime) -> None:
    expired = Draft.objects.filter(state=Draft.State.DISCARDED, discarded_at__lt=now - RESTORABLE_FOR)
    Edit.objects.filter(draft__in=expired).delete()
    Overlay.objects.filter(draft__in=expired).delete()


def withdraw_plans(draft: Draft, moved: str) -> None:
    """Make the draft's open plans stale, because of ``moved``; a worker that computes one of them stops."""
    withdrawn = Plan.objects.filter(draft=draft, state__in=Plan.OPEN)
    for uid in withdrawn.values_list("uid", flat=True):
        outbox.enqueue("changed", what="plan", id=str(uid), version=2)
    withdrawn.update(state=Plan.State.STALE, moved=[moved], progress="")


def bump_version(draft: Draft) -> None:
    """Save that the draft was changed, under a new version, and tell pages."""
    draft.version += 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["cursor", "version", "updated_at", "base_revision"])
    outbox.enqueue("changed", what="draft", id=str(draft.uid), version=draft.version)


def lock_draft(draft: Draft) -> Draft:
    """Return the draft as it is now, locked until the transaction ends, so that two people's edits queue up.

    Raises StateConflict where it is not open any more.
    """
    draft = Draft.objects.select_for_update().get(pk=draft.pk)
    refuse_closed(draft)
    return draft


def draft_to_edit(draft: Draft, *, dry_run: bool) -> Draft:
    """Return the draft, locked as by ``lock_draft``; a dry run locks nothing."""
    if not dry_run:
        return lock_draft(draft)
    refuse_closed(draft)
    return draft


def refuse_closed(draft: Draft) -> None:
    """Raise StateConflict where the draft is not open any more."""
    if draft.state != Draft.State.OPEN:
        raise StateConflict(f"The draft {draft.name} is {draft.state}; make a new one.")
