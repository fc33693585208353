"""What provisioning a draft would do: read once, computed without the database, kept.

Reading and keeping are short transactions; between them a large network may take a worker seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from provisioning.core import plan as core_plan
from provisioning.core.check import check_network
from provisioning.core.reach import (
    AssertionResult,
    ReachabilityDelta,
    assertion_problems,
    check_assertions,
    compare_reachability,
)
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Change, Problem, Resource, as_json, body_references, content_digest
from provisioning.drivers import compile_network, exceeded_quotas, gateway_warnings, replace_on
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Plan, PlannedChange, ResourceBody
from provisioning.snapshots import queries, resource_state, tenant_cache
from provisioning.snapshots.queries import Snapshot

ProgressCallback = Callable[[str], None]
"""Told what is being done, in a few words."""


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What a plan is computed from: the network before and after, and what is there."""

    draft: Draft
    before: Network
    after: Network
    there: Mapping[str, Resource]
    begun: Mapping[str, Resource]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What a plan says; prices are added when it is kept."""

    changes: Sequence[Change]
    wanted: Mapping[str, Resource]
    reachability: ReachabilityDelta
    assertions: Sequence[AssertionResult]
    warnings: Sequence[Problem]


def load_inputs(draft: Draft) -> PlanInputs:
    """Everything that has to be read of a draft that is on top of what is live."""
    there, begun = resource_state.observed_resources(), resource_state.in_flight_writes()
    return PlanInputs(
        draft=draft,
        before=tenant_cache.load_network(Snapshot(draft.base_revision)),
        after=tenant_cache.load_network(queries.snapshot_of_draft(draft)),
        there=there,
        begun=begun,
        fingerprint=resource_state.state_fingerprint(),
    )


def compute_plan(found: PlanInputs, progress: ProgressCallback = lambda word: None) -> PlanResult:
    """Raises Invalid when the network is invalid, an assertion fails or a quota is exceeded."""
    after = found.after
    progress("Checking the network")
    problems = check_network(after)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ValidationFailed(f"The network has {len(errors)} errors.", errors)
    results = check_assertions(after)
    if broken := assertion_problems(after, results):
        raise ValidationFailed("An assertion fails.", broken)
    progress("Working out what has to change")
    wanted = compile_network(after)
    exceeded = exceeded_quotas(wanted.values())
    if exceeded:
        raise ValidationFailed(exceeded[0].message, exceeded)
    changes = core_plan.diff_resources(found.there, wanted, replace_on(), found.begun)
    unsafe = core_plan.plan_warnings(changes, found.before.intent, after.intent, gateway_warnings())
    progress("Comparing what reaches what")
    return PlanResult(changes, wanted, compare_reachability(found.before, after), results, [*problems, *unsafe])


def save_plan(plan: Plan, found: PlanInputs, computed: PlanResult) -> Plan:
    """Write down what was computed; the plan is ready then."""
    changes = computed.changes
    plan.draft_version, plan.base_revision = found.draft.version, found.draft.base_revision
    plan.world = found.fingerprint
    plan.text = core_plan.render_plan(changes)
    plan.reachability = as_json(computed.reachability)
    plan.assertions = as_json(computed.assertions)
    plan.cost = _price_delta(found.there, computed.wanted)
    plan.blast_radius = as_json(core_plan.compute_blast_radius(changes, found.before.intent, found.after.intent))
    plan.warnings = as_json(computed.warnings)
    plan.state, plan.progress, plan.lease_until = Plan.State.READY, "", None
    planned = build_planned_changes(changes, computed.wanted)
    content = [
        [one.action, one.address, one.kind, _body_digest(one.before), _body_digest(one.after)] for one in planned
    ]
    plan.digest = content_digest([plan.draft_version, plan.base_revision, plan.world, content, plan.reachability])
    plan.save()
    for one in planned:
        one.plan = plan
    PlannedChange.objects.bulk_insert(planned)
    return plan


def build_planned_changes(changes: Sequence[Change], wanted: Mapping[str, Resource]) -> list[PlannedChange]:
    """The changes as they are kept, not saved yet; their bodies are.

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
            resource_depends=sorted(_required_addresses(change, wanted)),
            subjects=list(change.subjects),
        )
        for order, change in enumerate(changes)
    ]


def _required_addresses(change: Change, wanted: Mapping[str, Resource]) -> set[str]:
    # What a body that is wanted refers to is among what its resource depends on.
    needed = set(wanted[change.address].depends) if change.address in wanted else set()
    return needed | {address for address, _ in body_references(change.before)}


def _store_bodies(bodies: Iterable[Mapping[str, Any]]) -> dict[int, ResourceBody]:
    """Identity of a body → where it is kept, once for equal ones, also of earlier plans."""
    digests = {id(body): (content_digest(body), body) for body in bodies}
    wanted = dict(digests.values())
    known = _stored_bodies(wanted)
    ResourceBody.objects.bulk_insert(
        (ResourceBody(digest=name, body=body) for name, body in wanted.items() if name not in known),
        ignore_conflicts=True,
    )
    known |= _stored_bodies(wanted.keys() - known.keys())
    return {one: known[name] for one, (name, _) in digests.items()}


def _stored_bodies(digests: Iterable[str]) -> dict[str, ResourceBody]:
    return {found.digest: found for found in ResourceBody.objects.filter(digest__in=list(digests)).defer("body")}


def _body_digest(content: ResourceBody | None) -> str | None:
    return content.digest if content else None


def _price_delta(there: Mapping[str, Resource], wanted: Mapping[str, Resource]) -> dict[str, Any]:
    """The cost delta, from the pricer the settings name; prices are none of provisioning's business."""
    pricer = import_string(settings.PLAN_PRICER)
    priced: dict[str, Any] = pricer(list(there.values()), list(wanted.values()))
    return priced
