"""Plans, which are approved by digest, and runs, which carry a plan out step by step.

The body of a resource is stored once under its digest: plans of one draft differ in few resources, the state before a
change was the state after an earlier one, and the steps of a run are the changes of its plan.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from provisioning.core.plan import changed_fields
from provisioning.core.values import resource as core
from provisioning.models.intent import Draft
from provisioning.models.leased import Leased
from tenants.actor import Actor
from tenants.tenant_owned import TenantOwned


class ResourceBody(TenantOwned):
    """The body of a resource, by the digest of its canonical JSON."""

    revoked_privileges = "UPDATE, DELETE"

    digest = models.CharField(max_length=64, db_collation="C")
    body = models.JSONField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="content_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class Plan(TenantOwned, Leased):
    """The difference between a draft and what is observed, as it was computed; ``digest`` names exactly this content.

    While it is computing, a worker holds it by a lease (services/lease.py) and ``progress`` says how far it is. A
    trigger keeps the contents once there is a digest. The JSON fields are those of the API.
    """

    revoked_privileges = "DELETE"

    class State(models.TextChoices):
        COMPUTING = "computing"
        READY = "ready"
        APPROVED = "approved"
        REJECTED = "rejected"
        STALE = "stale"
        PROVISIONED = "provisioned"
        FAILED = "failed"

    OPEN = (State.COMPUTING, State.READY, State.APPROVED)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(Draft, models.CASCADE, related_name="plans")
    draft_version = models.IntegerField()
    base_revision = models.IntegerField(help_text="live when it was computed")
    state = models.CharField(max_length=12, choices=State.choices, default=State.COMPUTING)
    state_fingerprint = models.CharField(max_length=64, blank=True, help_text="of what was there")
    digest = models.CharField(max_length=64, blank=True)
    text = models.TextField(blank=True, help_text="the changes as a person reads them")
    progress = models.CharField(max_length=60, blank=True, help_text="what is being done while it is computed")
    reachability = models.JSONField(default=dict)
    assertions = models.JSONField(default=list)
    cost = models.JSONField(default=dict)
    blast_radius = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    memberships = models.JSONField(default=list, help_text="who joins and leaves groups without naming them, and why")
    problems = models.JSONField(default=list)
    moved = models.JSONField(default=list, help_text="for a stale plan: what moved")
    author = models.CharField(max_length=254)
    acting_as = models.CharField(max_length=50, blank=True, help_text="the MSP in whose name the author made it")
    created_at = models.DateTimeField(default=timezone.now)
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"plan of {self.draft} at {self.created_at:%H:%M}"

    @property
    def actor(self) -> Actor:
        """Return who made the plan, and in whose name: what workers do for it is logged as theirs."""
        return Actor(self.author, self.acting_as)

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """``{"action","address","kind","before","after","fields","depends","subjects","resource_depends"}`` in order;
        ``fields`` are the paths that differ."""
        columns = (
            "action",
            "address",
            "kind",
            "before__body",
            "after__body",
            "depends",
            "subjects",
            "resource_depends",
        )
        return [_describe_change(*row) for row in self.changes.values_list(*columns)]


class PlannedChange(TenantOwned):
    """One change of a plan, or without a plan one that the retry of a run added; ``before`` null: nothing is there."""

    revoked_privileges = "UPDATE, DELETE"

    plan = models.ForeignKey(Plan, models.CASCADE, null=True, related_name="changes")
    order = models.IntegerField()
    action = models.CharField(max_length=8)
    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    before = models.ForeignKey(ResourceBody, models.PROTECT, null=True, related_name="+", db_index=False)
    after = models.ForeignKey(ResourceBody, models.PROTECT, null=True, related_name="+", db_index=False)
    depends = models.JSONField(default=list, help_text="addresses of changes that come before")
    resource_depends = models.JSONField(default=list, help_text="all addresses the resource depends on")
    subjects = models.JSONField(default=list)

    class Meta(TenantOwned.Meta):
        ordering = ("order",)

    def __str__(self) -> str:
        return f"{self.action} {self.address}"

    @property
    def as_change(self) -> core.Change:
        """Return the change as the core and the drivers take it."""
        before, after = (body.body if body else None for body in (self.before, self.after))
        return core.Change(
            self.action,  # type: ignore[arg-type]  # one of Action, as planned
            self.address,
            self.kind,
            before,
            after,
            tuple(self.depends),
            tuple(self.subjects),
        )


def _describe_change(
    action: Any, address: str, kind: str, before: Any, after: Any, *named: list[str]
) -> dict[str, Any]:
    depends, subjects, resource_depends = named
    change = core.Change(action, address, kind, before, after)
    return {
        "action": action,
        "address": address,
        "kind": kind,
        "before": before,
        "after": after,
        "depends": depends,
        "subjects": subjects,
        "fields": [{"path": path, "before": was, "after": now} for path, was, now in changed_fields(change)],
        "resource_depends": resource_depends,
    }


class Run(TenantOwned):
    """The execution of one plan. Its state follows from its steps (core/plan/run_states.py)."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        PARTIAL = "partial"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (State.PENDING, State.RUNNING)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    revoked_privileges = "DELETE"

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="runs")
    revision = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    author = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(state__in=("pending", "running")), name="run_one_going"
            )
        ]

    def __str__(self) -> str:
        return f"run of revision {self.revision}"


class Step(TenantOwned, Leased):
    """One change of a run. A worker holds it by a lease; an outcome that carries an old lease number is refused."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"
        SKIPPED = "skipped"
        CANCELLED = "cancelled"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    change = models.ForeignKey(PlannedChange, models.PROTECT, related_name="+")
    order = models.IntegerField()
    action = models.CharField(max_length=8)
    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    depends = models.JSONField(default=list, help_text="addresses of steps of this run that must be done before")
    dependants = models.JSONField(default=list, help_text="addresses of steps of this run that this one comes before")
    waits_for = models.IntegerField(default=0, help_text="how many of depends are not done yet; 0: it may begin")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(null=True, help_text="a waiting step is looked at again from here on")
    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(default=0, help_text="attempts that ended in an error which may pass")
    note = models.CharField(max_length=300, blank=True)
    error = models.JSONField(null=True, help_text='{"call","code","message"}')
    log = models.JSONField(default=list, help_text='attempts: [{"first","attempt","at","outcome","note"}]')
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("order",)
        indexes = [models.Index(fields=["tenant", "run", "state"], name="step_by_state")]
        constraints = [models.UniqueConstraint(fields=["run", "address"], name="step_once")]

    def __str__(self) -> str:
        return f"{self.action} {self.address}"
