"""What is known of the source of a prefix list: when it was fetched, what came of it, and when it is fetched next."""

from __future__ import annotations

from django.db import models

from provisioning.models.intent import Draft, Item
from provisioning.models.leased import Leased
from provisioning.models.plans import Plan
from tenants.actor import Actor
from tenants.tenant_owned import TenantOwned


class ListRefresh(TenantOwned, Leased):
    """The refreshes of one prefix list: of the one that is live, or with ``draft`` of the one in that draft.

    That of a draft is fetched once each time a person asks. ``source`` is that of the list; ``digest`` stands for the
    entries that came last. ``waiting_draft`` holds what a refresh of live changes; ``plan`` is its plan while a worker
    computes it.
    """

    item = models.ForeignKey(Item, models.CASCADE, related_name="+")
    draft = models.ForeignKey(Draft, models.CASCADE, null=True, related_name="list_refreshes")
    source = models.JSONField()
    author = models.CharField(max_length=254, default="system", help_text="who asked for it")
    acting_as = models.CharField(max_length=50, blank=True)
    due_at = models.DateTimeField(null=True, db_index=True)
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    fetched_at = models.DateTimeField(null=True, help_text="when the source last answered as it should")
    changed_at = models.DateTimeField(null=True, help_text="when it last listed something else than before")
    failures = models.IntegerField(default=0, help_text="one after the other, since it last answered")
    error = models.CharField(max_length=500, blank=True)
    is_told = models.BooleanField(default=False, help_text="people know of the error")
    waiting_draft = models.ForeignKey(Draft, models.SET_NULL, null=True, related_name="+")
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, related_name="+")

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["item", "draft"], nulls_distinct=False, name="list_refresh_once")
        ]

    def __str__(self) -> str:
        return f"refresh of {self.item}"

    @property
    def actor(self) -> Actor:
        return Actor(self.author, self.acting_as)

    @property
    def is_waiting(self) -> bool:
        """Return whether a draft holds a change that nobody provisioned or discarded."""
        return self.waiting_draft is not None and self.waiting_draft.state == Draft.State.OPEN
