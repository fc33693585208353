"""Provisioning: a draft becomes the live revision in one transaction, and a run makes clouds and nodes follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, QuerySet
from django.utils import timezone

from provisioning.core.plan import diff_resources, run_states
from provisioning.core.values.resource import Problem
from provisioning.drivers import compile_network, replace_on
from provisioning.errors import StateConflict
from provisioning.models import (
    FOREVER,
    Draft,
    LiveRevision,
    Overlay,
    Plan,
    PlannedChange,
    Revision,
    Run,
    Step,
    Version,
    VersionIndexEntry,
)
from provisioning.selectors import plan_state
from provisioning.selectors.draft_changes import draft_writers
from provisioning.services import list_sources, plan_computation
from provisioning.services.drafts.kept_tiers import refuse_edits_of_others
from provisioning.snapshots import queries, resource_state, search_index, tenant_cache
from tenants import actor, audit, notifications, outbox, scope


def provision_plan(plan: Plan, digest: str, *, reason: str = "", change_ticket: str = "") -> Run:
    """Provision exactly the plan with this digest: its draft becomes live, and a run starts.

    reason, change_ticket: kept with the revision. Raises StateConflict where the plan failed or is stale (and says what
    moved), is not approved though the tenant requires it, or another run is going; Forbidden where edits are of people
    who may not change what they changed.
    """
    live_revision = _lock_live_revision()
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    draft = Draft.objects.select_for_update().get(pk=plan.draft_id)
    if plan.state == Plan.State.FAILED:
        problems = [Problem(row["code"], row["path"], row["message"]) for row in plan.problems]
        raise StateConflict("The plan failed; mend what its problems name and plan again.", problems)
    if plan.state not in plan_state.COMPUTED_STATES:
        raise StateConflict(f"The plan is {plan.state}; plan the draft again.")
    if digest != plan.digest:
        raise StateConflict("This digest is not the plan's. Read the plan again before you provision it.")
    moved = plan_state.staleness_reasons(plan, draft)
    if moved:
        raise StateConflict(f"The plan is stale. {' '.join(moved)} Plan again.")
    if scope.current_tenant().requires_approval and plan.state != Plan.State.APPROVED:
        raise StateConflict("The plan waits for a second person's approval.")
    refuse_edits_of_others(draft)
    live_revision.live = _create_revision(draft, live_revision.live, reason, change_ticket)
    live_revision.save(update_fields=["live"])
    draft.state, plan.state = Draft.State.PROVISIONED, Plan.State.PROVISIONED
    draft.save(update_fields=["state"])
    plan.save(update_fields=["state"])
    run = _start_run(plan, live_revision.live, list(plan.changes.all()))
    audit.record("run.start", kind="run", object_id=str(run.uid), object_name=f"revision {run.revision}")
    return run


def retry_run(run: Run) -> Run:
    """Go on after a failure with the newest intent: what is done stays, everything else is planned again from live.

    Raises StateConflict where the run is going, a later one came, or nothing is left to do; ValidationFailed where
    something of somebody else stands in the way, as for a plan.
    """
    _lock_live_revision()
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state in Run.ACTIVE:
        raise StateConflict("The run is still going.")
    newest = Run.objects.order_by("-created_at").first()
    if newest and newest.pk != run.pk:
        raise StateConflict(f"The run of revision {newest.revision} came after this one; retry that.")
    live = queries.live_snapshot()
    observed, desired = resource_state.observed_resources(), compile_network(tenant_cache.load_network(live))
    changes = diff_resources(observed, desired, replace_on(), resource_state.in_flight_writes())
    if not changes:
        raise StateConflict("Everything is as it should be; there is nothing to retry.")
    plan_computation.refuse_conflicts(changes)
    Step.objects.filter(run=run).exclude(state=Step.State.DONE).delete()
    Step.objects.filter(run=run, address__in=[change.address for change in changes]).delete()
    run.revision, run.finished_at, run.state = live.revision, None, Run.State.PENDING
    run.save(update_fields=["revision", "finished_at", "state"])
    _add_steps(run, PlannedChange.objects.bulk_insert(plan_computation.build_planned_changes(changes, desired)))
    audit.record("run.retry", kind="run", object_id=str(run.uid), object_name=f"revision {run.revision}")
    return run


def cancel_run(run: Run) -> Run:
    """Cancel the steps that did not begin or wait; one that a worker carries out right now finishes."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state not in Run.ACTIVE:
        raise StateConflict("The run has ended already.")
    Step.objects.filter(run=run, state=Step.State.PENDING).update(state=Step.State.CANCELLED)
    Step.objects.filter(run=run, state=Step.State.WAITING).update(state=Step.State.CANCELLED)
    audit.record("run.cancel", kind="run", object_id=str(run.uid), object_name=f"revision {run.revision}")
    update_run_state(run)
    return run


def wake_dependants(step: Step) -> None:
    """Wake the steps for which ``step``, which is done now, was the last one they waited for."""
    if not step.dependants:
        return
    dependants = Step.objects.filter(run=step.run_id, address__in=step.dependants, state=Step.State.PENDING)
    dependants.update(waits_for=F("waits_for") - 1)
    _wake(dependants.filter(waits_for=0))


def skip_dependants(step: Step) -> None:
    """Skip every step that can never begin, because ``step``, directly or through others, comes before it."""
    dependants = step.dependants
    while dependants:
        skipped = Step.objects.filter(run=step.run_id, address__in=dependants, state=Step.State.PENDING)
        dependants = sorted(
            {address for addresses in skipped.values_list("dependants", flat=True) for address in addresses}
        )
        skipped.update(state=Step.State.SKIPPED)


def update_run_state(run: Run) -> None:
    """Write the state that follows from the run's steps; announce it when it is another one."""
    state, now = run_states.run_state(_step_states(run)), timezone.now()
    if state == run.state:
        return
    run.state = Run.State(state)
    run.started_at = run.started_at or now
    run.finished_at = None if state in Run.ACTIVE else now
    run.save(update_fields=["state", "started_at", "finished_at"])
    if run.finished_at:
        audit.record(
            "run.end",
            kind="run",
            object_id=str(run.uid),
            object_name=f"revision {run.revision}",
            after={"state": state},
        )
    if state in (Run.State.FAILED, Run.State.PARTIAL):
        word = "has failed" if state == Run.State.FAILED else "is provisioned in part only"
        text = f"Revision {run.revision}, {run.plan.draft.name}, {word}"
        people = notifications.people_named(run.author)
        notifications.notify(people, "run_not_succeeded", text, f"runs/{run.uid}/")
    outbox.enqueue("changed", what="run", id=str(run.uid), version=run.pk)
    outbox.enqueue("changed", what="topology", id="", version=run.revision)


def _step_states(run: Run) -> set[str]:
    """Return the states that steps of the run are in: one look into an index for each, however many steps there are."""
    steps = Step.objects.filter(run=run)
    exists = [Exists(steps.filter(state=state)) for state in Step.State]
    return set(compress(Step.State.values, Run.objects.values_list(*exists).get(pk=run.pk)))


def _wake(steps: QuerySet[Step]) -> None:
    for pk in steps.order_by("order").values_list("pk", flat=True):
        outbox.enqueue("step", step=pk)


def _create_revision(draft: Draft, live: int, reason: str, change_ticket: str) -> int:
    """Write the draft's overlay as a new revision; return its number."""
    number = live + 1
    overlays = list(Overlay.objects.filter(draft=draft).select_related("item"))
    items = [overlay.item_id for overlay in overlays]
    ended = Version.objects.filter(item__in=items, last=FOREVER)
    counts = Counter(Revision.objects.filter(number=live).values_list("counts", flat=True).first() or {})
    counts.subtract(ended.values_list("kind", flat=True))
    VersionIndexEntry.objects.filter(version__in=ended).update(last=live)
    ended.update(last=live)
    versions = Version.objects.bulk_insert(
        Version(item=overlay.item, kind=overlay.kind, name=overlay.name, body=overlay.body, first=number)
        for overlay in overlays
        if overlay.body is not None
    )
    search_index.write_entries(versions)
    entries = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).entries
    tenant_cache.prime_versions({version.pk: entries[version.kind][str(version.item.uid)] for version in versions})
    list_sources.follow_live_lists((overlay.item_id, overlay.kind, overlay.body) for overlay in overlays)
    counts.update(version.kind for version in versions)
    Revision(
        number=number,
        author=actor.current_actor().email,
        writers=draft_writers(draft),
        message=draft.name,
        reason=reason,
        change_ticket=change_ticket,
        counts=dict(counts),
    ).save()
    return number


def _start_run(plan: Plan, revision: int, changes: Sequence[PlannedChange]) -> Run:
    run = Run(plan=plan, revision=revision, author=actor.current_actor().email)
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        raise StateConflict("Another run is going; wait until it has ended, or cancel it.") from error
    _add_steps(run, changes)
    return run


def _add_steps(run: Run, changes: Sequence[PlannedChange]) -> None:
    depends = {change.address: change.depends for change in changes}
    dependants: dict[str, list[str]] = {address: [] for address in depends}
    for address, earlier in depends.items():
        depends[address] = [other for other in earlier if other in depends]
        for other in depends[address]:
            dependants[other].append(address)
    first = Step.objects.filter(run=run).count()
    Step.objects.bulk_insert(
        Step(
            run=run,
            change=change,
            order=order,
            action=change.action,
            address=change.address,
            kind=change.kind,
            depends=depends[change.address],
            dependants=dependants[change.address],
            waits_for=len(depends[change.address]),
        )
        for order, change in enumerate(changes, first)
    )
    _wake(Step.objects.filter(run=run, state=Step.State.PENDING, waits_for=0))
    update_run_state(run)
    outbox.enqueue("changed", what="run", id=str(run.uid), version=run.pk)


def _lock_live_revision() -> LiveRevision:
    """Return the row that says what is live, locked until the transaction ends: one person provisions at a time."""
    LiveRevision.objects.get_or_create(tenant=scope.current_tenant())
    return LiveRevision.objects.select_for_update().get()
