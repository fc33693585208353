"""What workers do with documents that are too large for a request."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from provisioning.models.intent import Draft
from provisioning.models.leased import Leased
from tenants.actor import Actor
from tenants.tenant_owned import TenantOwned


class DocumentImport(TenantOwned, Leased):
    """A document that a worker imports into a draft, or only tries; the API calls it a job.

    The document is kept until it is done. The JSON fields are those of the API.
    """

    class State(models.TextChoices):
        COMPUTING = "computing"
        DONE = "done"
        FAILED = "failed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(Draft, models.CASCADE, related_name="document_imports")
    draft_version = models.IntegerField(help_text="an import into another version is refused")
    document = models.JSONField(null=True)
    dry_run = models.BooleanField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.COMPUTING)
    counts = models.JSONField(default=dict, help_text="action → objects")
    differences = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    author = models.CharField(max_length=254)
    acting_as = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"import into {self.draft} at {self.created_at:%H:%M}"

    @property
    def actor(self) -> Actor:
        return Actor(self.author, self.acting_as)
