"""Exchange nodes: who they are (platform rows, needed before a tenant is known), what each tenant has on them, and what
they counted."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from tenants.tenant_owned import TenantOwned

NODE_TIMEOUT = timedelta(seconds=10)
"""A node that has not reported for so long is silent; agents report every two seconds."""


class Node(models.Model):
    """One Linux router of a location's pair. Knows nothing of tenants beyond ``NodeTenant``.

    Rows of the whole installation, which no scope filters: for a tenant, read ``selectors.nodes.nodes_of_tenant()``.
    seen_at: when it last reported or enrolled.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    location = models.CharField(max_length=60)
    index = models.IntegerField(help_text="1 or 2")
    token_digest = models.CharField(max_length=64, blank=True)
    serial = models.BigIntegerField(default=0, help_text="of its document; grows with every section published to it")
    applied_serial = models.BigIntegerField(default=0, help_text="of the document it applied last")
    epoch = models.CharField(max_length=64, blank=True)
    sequence = models.BigIntegerField(default=0, help_text="of its newest report in this epoch")
    health = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True)
    reporting_since = models.DateTimeField(null=True, help_text="since when no two reports were NODE_TIMEOUT apart")
    counted_at = models.DateTimeField(null=True, help_text="when its counters were last kept, once a minute")

    class Meta:
        ordering = ("location", "index")
        constraints = [models.UniqueConstraint(fields=["location", "index"], name="node_once")]

    def __str__(self) -> str:
        return f"{self.location}/{self.index}"

    def is_reporting(self, now: datetime) -> bool:
        return self.seen_at is not None and self.seen_at > now - NODE_TIMEOUT

    @property
    def document_version(self) -> int | None:
        """The document version that the node's agent knows; None for a node that never reported, 0 for an agent of
        before versions."""
        return int(self.health.get("document_version", 0)) if self.health else None


class NodeTenant(models.Model):
    """Which tenants have, or ever had, sections on a node: a pointer, so that a node's document is a loop of single
    scopes."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="tenants")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    recorded = models.CharField(
        max_length=64,
        blank=True,
        help_text="digest of what the node reported of the tenant's sections, once all of it is recorded",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "tenant"], name="node_tenant_once")]

    def __str__(self) -> str:
        return f"{self.tenant} on {self.node}"


class NodeSection(TenantOwned):
    """One resource as a node should carry it out, and the digest the node last said it had applied.

    ``body`` null: the node should remove it; it has, once it reports a serial of a document without it.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    exchange = models.CharField(max_length=60, help_text="key of the tenant's exchange at this location")
    address = models.CharField(max_length=250)
    kind = models.CharField(max_length=60)
    body = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    serial = models.BigIntegerField(default=0, help_text="of the node's document that first held it")
    applied = models.CharField(max_length=64, blank=True)
    failure = models.CharField(max_length=500, blank=True)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "node", "address"], name="section_once")]

    def __str__(self) -> str:
        return f"{self.address} on {self.node}"

    @property
    def is_applied(self) -> bool:
        """Whether the node has carried out exactly this."""
        return self.applied == self.digest and self.node.applied_serial >= self.serial and not self.failure


class CounterReading(TenantOwned):
    """A cumulative counter as a node reported it first in a minute, or last before its epoch ended.

    ``key`` is the text of a CounterKey (core/values/counter_key.py). A new ``epoch`` starts from zero.
    """

    revoked_privileges = "DELETE"
    updatable_columns = ("at", "value")

    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    epoch = models.CharField(max_length=64)
    minute = models.DateTimeField()
    at = models.DateTimeField()
    value = models.BigIntegerField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "at"], name="reading_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "node", "key", "epoch", "minute"], name="reading_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class EdgeTraffic(TenantOwned):
    """What a node counted of one edge of the topology in one slot: of 5 minutes for days, of an hour for a month.

    Follows from counter readings (services/traffic_rollup.py). ``minutes`` in which the node was heard; 0 where what it
    counted in silence was shared out afterwards.
    """

    edge = models.CharField(max_length=200, help_text="connector/{key} or mesh/{a}/{b}, as in the topology")
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    exchange = models.CharField(max_length=60, help_text="key of the tenant's exchange at the node")
    slot_minutes = models.SmallIntegerField()
    start = models.DateTimeField()
    minutes = models.SmallIntegerField(default=0)
    forth = models.BigIntegerField(default=0, help_text="bytes from a connector into its exchange, or from a to b")
    back = models.BigIntegerField(default=0, help_text="bytes the other way")
    spoofed = models.BigIntegerField(default=0, help_text="packets dropped, not from the connector's prefixes")
    over_rate = models.BigIntegerField(default=0, help_text="packets dropped, over the rate of the connector's size")

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "edge", "slot_minutes", "start"], name="traffic_by_edge")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slot_minutes", "start", "node", "edge"], name="traffic_once")
        ]

    def __str__(self) -> str:
        return f"{self.edge} at {self.start}"


class TrafficRollup(TenantOwned):
    """Until when a tenant's counter readings are in ``EdgeTraffic``; locked by who goes on."""

    until = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="rollup_once")]

    def __str__(self) -> str:
        return f"until {self.until}"
