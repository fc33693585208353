"""What provisioning a draft would do: read once, computed without the database, kept.

Reading and keeping are short transactions; between them a large network may take a worker seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from provisioning.core import plan as core_plan
from provisioning.core.check import check_network
from provisioning.core.check.expiry import check_expiry
from provisioning.core.reach import (
    AssertionResult,
    ReachabilityDelta,
    assertion_problems,
    check_assertions,
    compare_reachability,
)
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Change, Problem, Resource, as_json, body_references, content_digest
from provisioning.drivers import (
    compile_network,
    exceeded_quotas,
    find_cloud_address,
    find_conflicts,
    gateway_warnings,
    replace_on,
)
from provisioning.drivers.discovered import Inventories, check_accounts, check_discovered_prefixes
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Plan, PlannedChange, ResourceBody
from provisioning.selectors.object_names import address_by_names, names_in_addresses
from provisioning.snapshots import queries, resource_state, tenant_cache
from provisioning.snapshots.queries import Snapshot

ProgressCallback = Callable[[str], None]
"""Called with what is being done now, in a few words that a page shows."""


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What a plan is computed from: the network before and after, and what is observed.

    ``in_flight``: address → what a step began to write there and did not finish. ``accounts``: (cloud, account) of
    each that was added. ``inventories``: the same → what discovery last saw. ``today``: whether exceptions hold.
    """

    draft: Draft
    before: Network
    after: Network
    observed: Mapping[str, Resource]
    in_flight: Mapping[str, Resource]
    accounts: Set[tuple[str, str]]
    inventories: Inventories
    fingerprint: str
    today: date


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What a plan says; prices are added when it is saved."""

    changes: Sequence[Change]
    desired: Mapping[str, Resource]
    reachability: ReachabilityDelta
    assertions: Sequence[AssertionResult]
    warnings: Sequence[Problem]
    memberships: Sequence[core_plan.MembershipChange]


def load_inputs(draft: Draft) -> PlanInputs:
    """Read everything that the plan of a draft needs; the draft's base has to be what is live."""
    observed, in_flight = resource_state.observed_resources(), resource_state.in_flight_writes()
    return PlanInputs(
        draft=draft,
        before=tenant_cache.load_network(Snapshot(draft.base_revision)),
        after=tenant_cache.load_network(queries.snapshot_of_draft(draft)),
        observed=observed,
        in_flight=in_flight,
        accounts=resource_state.added_accounts(),
        inventories=resource_state.discovered_inventories(),
        fingerprint=resource_state.state_fingerprint(),
        today=timezone.now().date(),
    )


def compute_plan(inputs: PlanInputs, progress: ProgressCallback = lambda activity: None) -> PlanResult:
    """Compute a plan without the database.

    Raises ValidationFailed where the network is invalid or a quota is exceeded. An assertion that fails is a result:
    people want to see what would break it.
    """
    after = inputs.after
    progress("Checking the network")
    problems = check_network(after)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ValidationFailed(f"The network has {len(errors)} errors.", errors)
    results = check_assertions(after, inputs.today)
    progress("Working out what has to change")
    desired = compile_network(after)
    exceeded = exceeded_quotas(desired.values())
    if exceeded:
        raise ValidationFailed(exceeded[0].message, exceeded)
    changes = core_plan.diff_resources(inputs.observed, desired, replace_on(), inputs.in_flight)
    progress("Comparing what reaches what")
    delta = compare_reachability(inputs.before, after)
    warnings = [
        *problems,
        *check_expiry(after.intent, inputs.today),
        *check_accounts(after.intent, inputs.accounts),
        *check_discovered_prefixes(after.intent, inputs.inventories),
        *core_plan.plan_warnings(changes, inputs.before.intent, after.intent, delta, gateway_warnings()),
    ]
    memberships = core_plan.compare_memberships(inputs.before.intent, after.intent)
    return PlanResult(changes, desired, delta, results, warnings, memberships)


def refuse_conflicts(changes: Sequence[Change]) -> None:
    """Raise ValidationFailed where something of somebody else stands in the way, as discovery last saw the clouds."""
    writes = [change for change in changes if change.after is not None and find_cloud_address(change.address)]
    if not writes:
        return
    addresses = {address for change in writes for address, _ in body_references(change.after)}
    addresses.update(change.address for change in writes)
    attributes = resource_state.resource_attributes(sorted(addresses))
    if conflicts := find_conflicts(writes, resource_state.discovered_inventories(), attributes):
        raise ValidationFailed(conflicts[0].message, conflicts)


def save_plan(plan: Plan, inputs: PlanInputs, result: PlanResult) -> Plan:
    """Write the result into the plan, which is ready then; where an assertion fails it is ``failed`` and says which."""
    changes, failing = result.changes, assertion_problems(inputs.after, result.assertions)
    plan.draft_version, plan.base_revision = inputs.draft.version, inputs.draft.base_revision
    plan.state_fingerprint = inputs.fingerprint
    names = names_in_addresses((change.address for change in changes), inputs.draft)
    plan.text = core_plan.render_plan(
        changes, memberships=result.memberships, by_names=partial(address_by_names, names=names)
    )
    plan.memberships = as_json(result.memberships[: core_plan.MAX_MEMBERSHIPS])
    plan.reachability = as_json(result.reachability)
    plan.assertions = as_json(result.assertions)
    plan.cost = _price_delta(inputs.observed, result.desired)
    plan.blast_radius = as_json(core_plan.compute_blast_radius(changes, inputs.before.intent, inputs.after.intent))
    plan.warnings = as_json(result.warnings)
    plan.problems = as_json(failing)
    plan.state = Plan.State.FAILED if failing else Plan.State.READY
    plan.progress, plan.lease_until = "", None
    planned = build_planned_changes(changes, result.desired)
    rows = [
        [
            planned_change.action,
            planned_change.address,
            planned_change.kind,
            _body_digest(planned_change.before),
            _body_digest(planned_change.after),
        ]
        for planned_change in planned
    ]
    plan.digest = content_digest(
        [plan.draft_version, plan.base_revision, plan.state_fingerprint, rows, plan.reachability]
    )
    plan.save()
    for planned_change in planned:
        planned_change.plan = plan
    PlannedChange.objects.bulk_insert(planned)
    return plan


def build_planned_changes(changes: Sequence[Change], desired: Mapping[str, Resource]) -> list[PlannedChange]:
    """Return the changes as rows that are not saved yet; their bodies are.

    ``resource_depends``: every address the resource needs or needed, whether or not this plan touches it.
    """
    bodies = _store_bodies(body for change in changes for body in (change.before, change.after) if body is not None)
    return [
        PlannedChange(
            order=order,
            action=change.action,
            address=change.address,
            kind=change.kind,
            before=bodies[id(change.before)] if change.before is not None else None,
            after=bodies[id(change.after)] if change.after is not None else None,
            depends=list(change.depends),
            resource_depends=sorted(_required_addresses(change, desired)),
            subjects=list(change.subjects),
        )
        for order, change in enumerate(changes)
    ]


def _required_addresses(change: Change, desired: Mapping[str, Resource]) -> set[str]:
    # What a desired body refers to is among what its resource depends on.
    needed = set(desired[change.address].depends) if change.address in desired else set()
    return needed | {address for address, _ in body_references(change.before)}


def _store_bodies(bodies: Iterable[Mapping[str, Any]]) -> dict[int, ResourceBody]:
    """Return id() of each body → its row; equal bodies, also those of earlier plans, share one."""
    digests = {id(body): (content_digest(body), body) for body in bodies}
    by_digest = dict(digests.values())
    stored = _stored_bodies(by_digest)
    ResourceBody.objects.bulk_insert(
        (ResourceBody(digest=digest, body=body) for digest, body in by_digest.items() if digest not in stored),
        ignore_conflicts=True,
    )
    stored |= _stored_bodies(by_digest.keys() - stored.keys())
    return {identity: stored[digest] for identity, (digest, _) in digests.items()}


def _stored_bodies(digests: Iterable[str]) -> dict[str, ResourceBody]:
    return {stored.digest: stored for stored in ResourceBody.objects.filter(digest__in=list(digests)).defer("body")}


def _body_digest(stored: ResourceBody | None) -> str | None:
    return stored.digest if stored else None


def _price_delta(observed: Mapping[str, Resource], desired: Mapping[str, Resource]) -> dict[str, Any]:
    """Return the cost delta, from the pricer that the settings name: provisioning knows no prices."""
    pricer = import_string(settings.PLAN_PRICER)
    priced: dict[str, Any] = pricer(list(observed.values()), list(desired.values()))
    return priced
