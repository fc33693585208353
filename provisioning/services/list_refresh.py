"""Refreshing prefix lists from their sources: fetched by a worker, then a draft with its plan.

One draft a list waits at a time: a newer refresh puts its own in place of it. Drafts of people are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from provisioning.core.formats.address_lists import BadAddressList, read_address_list
from provisioning.core.intent.declaration import declaration_of
from provisioning.core.intent.list_sources import ListSource
from provisioning.core.values.resource import content_digest
from provisioning.errors import ObjectNotFound, StateConflict
from provisioning.guarded_fetch import FetchedFile, FetchFailed, fetch_file
from provisioning.models import Draft, Item, ListRefresh, Overlay, Plan
from provisioning.selectors.draft_changes import draft_writers
from provisioning.selectors.plans import plan_risks
from provisioning.services import lease, plans, runs
from provisioning.services.drafts import editing, lifecycle
from provisioning.services.drafts.overlay import BodyChange
from provisioning.services.list_sources import KIND
from provisioning.snapshots import queries
from provisioning.snapshots.queries import StoredObject
from tenants import audit, notifications, outbox, scope
from tenants.actor import SYSTEM, acting
from tenants.errors import RequestRefused
from tenants.jobs import TenantJob

SHORTEST_BACKOFF = timedelta(minutes=15)
FAILURES_TOLD = 3
"""So many failures to fetch one after the other are told; what a person has to mend is told at once."""
SHRINKS_TO = 0.5
"""A file with less than this part of what the list has is refused, where it has at least SHRINKS_FROM entries."""
SHRINKS_FROM = 10
MAX_AT_ONCE = 4
"""Of one tenant: others want workers too. What comes too early is woken again by the sweep."""
FLOWS_CUT = "flows_cut"
"""The one risk that entries which come and go may bring without anybody looking: they are counted."""
INTERNAL_ERROR = "Internal error; the log has it. Tell the operator."

logger = logging.getLogger(__name__)


class RefreshRefused(Exception):
    """What was fetched is not taken; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class FetchedList:
    """``prefixes``: None where the file is what it was."""

    file: FetchedFile
    prefixes: list[str] | None


class RefreshJob(TenantJob[ListRefresh, FetchedList]):
    """Fetch the source of a list, and draft what it changes.

    1. Claim: take the refresh if it is due and no worker's lease on it runs, by a conditional update that raises the
       lease number and sets when it is tried again should this worker die. One whose plan was computed meanwhile is
       decided instead (``_decide``), and nothing is fetched.
    2. Work: fetch the file and read it, renewing the lease meanwhile.
    3. Record: where the refresh is still under this lease number, write the entries into the draft that asked, or make
       the waiting draft and its plan anew; provision it where the source allows it, else tell people.
    4. Whatever was raised is kept as the error of the list. Failures wait longer each time and are told once.
    """

    def claim(self, refresh: int) -> ListRefresh | None:
        return _claim(refresh, timezone.now())

    def work(self, claim: ListRefresh) -> FetchedList:
        with lease.keep_renewed(self.in_scope, claim):
            file = fetch_file(claim.source["url"], etag=claim.etag, last_modified=claim.last_modified)
            source: ListSource = declaration_of(ListSource).build(claim.source, 0)
            return FetchedList(file, None if file.data is None else read_address_list(file.data, source))

    def record(self, claim: ListRefresh, outcome: FetchedList) -> None:
        refresh = _lock_claimed(claim)
        if refresh is None:
            return
        if outcome.prefixes is not None:
            if not outcome.prefixes:
                raise RefreshRefused("The file lists nothing that is asked for, so the list keeps what it has.")
            with acting(refresh.actor):
                _draft_entries(refresh, outcome.prefixes)
        _record_success(refresh, outcome, timezone.now())

    def record_failure(self, claim: ListRefresh, error: Exception) -> None:
        refresh = _lock_claimed(claim)
        if refresh is None:
            return
        match error:
            case FetchFailed() | BadAddressList() | RefreshRefused() | ObjectNotFound():
                message = str(error)
            case RequestRefused():
                message = error.detail
            case _:
                # A bug ends the refresh, where a person sees it, instead of being tried at once for ever.
                logger.error("refresh %s crashed", claim.pk, exc_info=error)
                message = INTERNAL_ERROR
        _record_error(refresh, message, may_pass=isinstance(error, FetchFailed), now=timezone.now())


def _claim(pk: int, now: datetime) -> ListRefresh | None:
    refresh = ListRefresh.objects.select_related("item", "draft", "plan").filter(pk=pk).first()
    if refresh is None or (refresh.lease_until is not None and not lease.has_lapsed(refresh, now)):
        return None
    if refresh.plan is not None and refresh.plan.state != Plan.State.COMPUTING:
        _decide(refresh, refresh.plan)
        return None
    going = ListRefresh.objects.filter(lease_until__gt=now).count()
    if refresh.due_at is None or refresh.due_at > now or going >= MAX_AT_ONCE:
        return None
    claimed = ListRefresh.objects.filter(pk=pk, lease_number=refresh.lease_number)
    if not claimed.update(**lease.next_lease(now), due_at=now + _backoff(refresh)):
        return None
    refresh.refresh_from_db(fields=["lease_number", "lease_owner", "lease_until"])
    return refresh


def _lock_claimed(claim: ListRefresh) -> ListRefresh | None:
    """Return the refresh, locked; None where it, or the draft it is for, is not there any more."""
    mine = ListRefresh.objects.select_for_update(of=("self",)).filter(
        pk=claim.pk, lease_number=claim.lease_number, source=claim.source
    )
    refresh = mine.select_related("item", "draft", "waiting_draft").first()
    if refresh and refresh.draft and refresh.draft.state != Draft.State.OPEN:
        refresh.delete()
        return None
    return refresh


def _backoff(refresh: ListRefresh) -> timedelta:
    """Return how long a failure waits: twice as long each time, the interval at most."""
    interval = timedelta(hours=refresh.source["interval"])
    return min(SHORTEST_BACKOFF * 2 ** min(refresh.failures, 16), interval)


def _draft_entries(refresh: ListRefresh, prefixes: list[str]) -> None:
    """Write the entries where they belong. Raises RefreshRefused, and RequestRefused as an edit does."""
    snapshot = queries.snapshot_of_draft(refresh.draft) if refresh.draft else queries.live_snapshot()
    stored = queries.get_object(snapshot, KIND, refresh.item.uid)
    if stored.body["source"] != refresh.source:
        raise RefreshRefused("The source was changed while it was fetched. Refresh the list again.")
    if refresh.draft:
        _write_entries(lifecycle.lock_draft(refresh.draft), refresh.item, stored, prefixes)
    else:
        _refresh_live(refresh, stored, prefixes)


def _refresh_live(refresh: ListRefresh, stored: StoredObject, prefixes: list[str]) -> None:
    """Put a draft in place of the one that waits; none where nothing changes, or this very change waits or was
    discarded and nobody asks. Raises RefreshRefused where much less is listed than before."""
    before, digest = _prefixes(stored), content_digest(prefixes)
    if len(before) >= SHRINKS_FROM and len(prefixes) < SHRINKS_TO * len(before):
        raise RefreshRefused(
            f"The file lists {len(prefixes):,} prefixes where the list has {len(before):,}, so it keeps these. If that "
            "is meant, refresh the list in a draft."
        )
    waiting = refresh.waiting_draft if refresh.is_waiting else None
    is_known = refresh.digest == digest and refresh.actor == SYSTEM
    if is_known and (waiting is None or refresh.source["provision_within"] is None):
        return
    if waiting is not None and set(draft_writers(waiting)) <= {SYSTEM.email}:
        with acting(SYSTEM):
            lifecycle.discard_draft(waiting)
        waiting = None
    refresh.waiting_draft, refresh.plan = waiting, None
    if sorted(prefixes) == sorted(before) and waiting is None:
        return
    with acting(SYSTEM):
        draft = waiting or lifecycle.create_draft(lifecycle.free_name(f"Refresh of {stored.name[:80]}"))
        refresh.waiting_draft = draft
        in_draft = queries.get_object(queries.snapshot_of_draft(draft), KIND, refresh.item.uid)
        _write_entries(lifecycle.lock_draft(draft), refresh.item, in_draft, prefixes)
        _plan(refresh, draft)


def _write_entries(draft: Draft, item: Item, stored: StoredObject, prefixes: list[str]) -> None:
    kept = {entry["prefix"]: entry for entry in stored.body["entries"]}
    blank = {"ge": None, "le": None, "description": ""}
    entries = [kept.get(prefix) or {"prefix": prefix, **blank} for prefix in prefixes]
    if entries != stored.body["entries"]:
        change = BodyChange(item, stored.body, {**stored.body, "entries": entries})
        editing.record_edit(draft, f"prefix list {stored.name} refreshed from its source", [change])


def _plan(refresh: ListRefresh, draft: Draft) -> None:
    """Plan the draft and decide about the plan, at once where no worker has to compute it."""
    try:
        with transaction.atomic():
            plan = plans.create_plan(draft)
    except RequestRefused as refused:
        _tell_waiting(refresh, f"cannot be planned: {refused.detail}", f"design/{draft.uid}/")
        return
    if plan.state == Plan.State.COMPUTING:
        refresh.plan = plan
    else:
        _decide(refresh, plan)


def _decide(refresh: ListRefresh, plan: Plan) -> None:
    """Provision the plan where the source allows it and nothing speaks against it; else tell those who may."""
    refresh.plan = None
    refresh.save(update_fields=["plan"])
    if plan.state == Plan.State.STALE or plan.draft.state != Draft.State.OPEN:
        return
    reason = _reason_to_wait(refresh, plan)
    if reason is None:
        try:
            with acting(SYSTEM), transaction.atomic():
                runs.provision_plan(plan, plan.digest, reason="A refresh within the bounds of its source")
            return
        except StateConflict as refused:
            reason = refused.detail
    _tell_waiting(refresh, f"waits to be provisioned. {reason}".strip(), f"plans/{plan.uid}/")


def _reason_to_wait(refresh: ListRefresh, plan: Plan) -> str | None:
    """Return why a person has to provision the plan; None where the list's source lets it provision itself."""
    if plan.state == Plan.State.FAILED:
        return str(plan.problems[0]["message"])
    most = refresh.source["provision_within"]
    if most is None:
        return ""
    if scope.current_tenant().requires_approval:
        return "A second person has to approve it."
    others = Overlay.objects.filter(draft=plan.draft_id).exclude(item=refresh.item_id).exists()
    if others or set(draft_writers(plan.draft)) - {SYSTEM.email}:
        return "People edited its draft."
    live, draft = queries.live_snapshot(), queries.snapshot_of_draft(plan.draft)
    before, after = (set(_prefixes(queries.get_object(each, KIND, refresh.item.uid))) for each in (live, draft))
    if (moved := len(before ^ after)) > most:
        return f"{moved:,} entries come and go, {most:,} may by themselves."
    if allowed := plan.reachability.get("allowed"):
        return f"It would allow {len(allowed):,} flows that nobody may begin now."
    risk = next((risk for risk in plan_risks(plan) if risk["code"] != FLOWS_CUT), None)
    return str(risk["message"]) if risk else None


def _prefixes(stored: StoredObject) -> Sequence[str]:
    return [entry["prefix"] for entry in stored.body["entries"]]


def _tell_waiting(refresh: ListRefresh, what: str, path: str) -> None:
    text = f"The refresh of prefix list {_name(refresh)} {what}"
    notifications.notify(notifications.people_with("provision"), "list_refreshed", text, path)


def _record_success(refresh: ListRefresh, outcome: FetchedList, now: datetime) -> None:
    refresh.fetched_at, refresh.failures, refresh.error, refresh.is_told = now, 0, "", False
    refresh.due_at = None if refresh.draft else now + timedelta(hours=refresh.source["interval"])
    refresh.etag, refresh.last_modified, refresh.lease_until = outcome.file.etag, outcome.file.last_modified, None
    if outcome.prefixes is not None and (digest := content_digest(outcome.prefixes)) != refresh.digest:
        refresh.digest, refresh.changed_at = digest, now
    refresh.author, refresh.acting_as = SYSTEM.email, ""
    refresh.save()
    _announce(refresh)


def _record_error(refresh: ListRefresh, message: str, *, may_pass: bool, now: datetime) -> None:
    refresh.due_at = None if refresh.draft else now + _backoff(refresh)
    refresh.failures += 1
    # It may quote what the source sent.
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in message)
    refresh.error, refresh.lease_until = printable[:500], None
    if refresh.failures == 1:
        details: dict[str, Any] = {"url": refresh.source["url"], "error": refresh.error}
        audit.record("list.refresh_fail", **_object(refresh), after=details)
    is_told_now = not refresh.is_told and refresh.draft is None and (not may_pass or refresh.failures >= FAILURES_TOLD)
    if is_told_now:
        refresh.is_told = True
        text, path = f"Prefix list {_name(refresh)} is not refreshed: {refresh.error}", _page(refresh)
        notifications.notify(notifications.people_with("edit"), "list_refresh_failed", text, path)
    refresh.save()
    _announce(refresh)


def _object(refresh: ListRefresh) -> dict[str, str]:
    return {"kind": KIND, "object_id": str(refresh.item.uid), "object_name": _name(refresh)}


def _page(refresh: ListRefresh) -> str:
    return f"network/{KIND}/?select={refresh.item.uid}"


def _name(refresh: ListRefresh) -> str:
    snapshot = queries.snapshot_of_draft(refresh.draft) if refresh.draft else queries.live_snapshot()
    try:
        return queries.get_object(snapshot, KIND, refresh.item.uid).name
    except ObjectNotFound:
        return refresh.item.key


def _announce(refresh: ListRefresh) -> None:
    outbox.enqueue("changed", what="list", id=str(refresh.item.uid), version=refresh.lease_number)
