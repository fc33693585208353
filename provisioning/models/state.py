"""Observed state: what runs wrote and since when it is there, and the cloud accounts it is in."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from provisioning.models.leased import Leased
from tenants.tenant_owned import TenantOwned


class ResourceRecord(TenantOwned):
    """The resource at an address, as last written or observed: a plan compares the network with these."""

    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    body = models.JSONField()
    attributes = models.JSONField(default=dict, help_text="what others may refer to: cloud ids")
    depends = models.JSONField(default=list)
    subjects = models.JSONField(default=list)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "address"], name="resource_once")]

    def __str__(self) -> str:
        return self.address


class InFlightWrite(TenantOwned):
    """A step began to write here and did not finish: until a step is done, the record of this address may be wrong.

    ``body`` is what was being written; for a removal, what was to be removed.
    """

    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    body = models.JSONField()
    depends = models.JSONField(default=list)
    subjects = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "address"], name="begun_once")]

    def __str__(self) -> str:
        return f"{self.address}, begun at {self.at:%H:%M}"


class Lifecycle(TenantOwned):
    """From when to when a resource existed with the same dimensions; hours are metered from here.

    ``dimensions`` are the fields of its body that its hours are priced by, as the setting LIFECYCLE_DIMENSIONS names
    them when a step writes the resource.
    """

    revoked_privileges = "DELETE"
    updatable_columns = ("ended_at",)

    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=36, blank=True, help_text="uid of the intent object that caused it")
    dimensions = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "kind", "started_at"], name="lifecycle_by_kind")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "address"], condition=models.Q(ended_at__isnull=True), name="lifecycle_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.address} from {self.started_at}"


class CloudAccount(TenantOwned, Leased):
    """An account at a cloud, its sealed credentials and what discovery last found there.

    While discovery is running, a worker holds the account by a lease, or is about to: without an owner, ``lease_until``
    is when the request is sent again.
    """

    class Discovery(models.TextChoices):
        NEVER = "never"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    provider = models.CharField(max_length=10, help_text="a name of provisioning.drivers.CLOUDS")
    account_id = models.CharField(max_length=64)
    regions = models.JSONField(default=list)
    sealed = models.TextField(blank=True)
    discovery = models.CharField(max_length=10, choices=Discovery.choices, default=Discovery.NEVER)
    discovery_attempts = models.IntegerField(default=0, help_text="of workers, since it was asked for")
    discovery_error = models.CharField(max_length=500, blank=True)
    discovered_at = models.DateTimeField(null=True)
    inventory = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="account_name_once"),
            models.UniqueConstraint(fields=["tenant", "provider", "account_id"], name="account_id_once"),
        ]

    def __str__(self) -> str:
        return self.name
