"""Which prefix lists are refreshed from a source, and people who ask for it now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, ListRefresh, Plan
from provisioning.services import lease
from provisioning.services.drafts.lifecycle import refuse_closed
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot
from tenants import actor, audit, outbox

KIND = "prefix-lists"


def follow_live_lists(bodies: Iterable[tuple[int, str, dict[str, Any] | None]]) -> None:
    """Refresh the lists among these objects, which became live, that have a source now, and no others any more.

    ``bodies``: number of the item, kind, and the body, None where it was removed.
    """
    now = timezone.now()
    for number, kind, body in bodies:
        source = body.get("source") if body and kind == KIND else None
        refreshes = ListRefresh.objects.filter(item=number, draft=None)
        if source is None:
            refreshes.delete()
        elif not refreshes.filter(source=source).exists():
            refreshes.delete()
            ListRefresh(item_id=number, source=source, due_at=now).save()


def request_refresh(snapshot: Snapshot, uid: str | UUID) -> ListRefresh:
    """Have the list fetched now: that of an open draft into it, the one of the live snapshot as on its schedule.

    Raises ValidationFailed where it has no source, StateConflict for a closed draft.
    """
    stored = queries.get_object(snapshot, KIND, uid)
    if snapshot.draft is not None:
        refuse_closed(snapshot.draft)
    source = stored.body["source"]
    if source is None:
        message = f"The list {stored.name} has no source. Give it one, then refresh it."
        raise ValidationFailed(message, [Problem("no_source", "source", message)])
    author = actor.current_actor()
    refresh, _ = ListRefresh.objects.update_or_create(
        item_id=stored.number,
        draft=snapshot.draft,
        # What is asked for by hand is fetched whole: it may have been discarded, or edited since.
        defaults={
            "source": source,
            "due_at": timezone.now(),
            "etag": "",
            "last_modified": "",
            "author": author.email,
            "acting_as": author.acting_as,
        },
    )
    audit.record("list.refresh", kind=KIND, object_id=stored.uid, object_name=stored.name, after={"url": source["url"]})
    outbox.enqueue("refresh", refresh=refresh.pk)
    return refresh


def find_refresh(draft: Draft | None, number: int) -> ListRefresh | None:
    """Return what is known of the source of a list, in a draft or, without one, of what is live."""
    return ListRefresh.objects.select_related("waiting_draft", "plan").filter(item=number, draft=draft).first()


def due_refreshes(now: datetime) -> list[int]:
    """Return the refreshes that a worker should look at: it is time, or their plan has been computed."""
    planned = Q(plan__isnull=False) & ~Q(plan__state=Plan.State.COMPUTING)
    due = ListRefresh.objects.filter(Q(due_at__lte=now) | planned)
    return [each.pk for each in due if each.lease_until is None or lease.has_lapsed(each, now)]
