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

    What was sent is kept until it is done: the document, or with a ``format`` the files, ``[{"name", "data"}]`` with
    data in Base64. The other JSON fields are those of the API.
    """

    class State(models.TextChoices):
        COMPUTING = "computing"
        DONE = "done"
        FAILED = "failed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(Draft, models.CASCADE, related_name="document_imports")
    draft_version = models.IntegerField(help_text="an import into another version is refused")
    document = models.JSONField(null=True)
    format = models.CharField(max_length=30, blank=True, help_text="of core.translators; empty: a document of ours")
    options = models.JSONField(default=dict, help_text="for the translator")
    dry_run = models.BooleanField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.COMPUTING)
    counts = models.JSONField(default=dict, help_text="action → objects")
    differences = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    report = models.JSONField(default=dict, help_text="what of the files could not be said")
    author = models.CharField(max_length=254)
    acting_as = models.CharField(max_length=50, blank=True)
    rights = models.JSONField(null=True, help_text="the author's, when it was sent")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"import into {self.draft} at {self.created_at:%H:%M}"

    @property
    def actor(self) -> Actor:
        rights = None if self.rights is None else frozenset(self.rights)
        return Actor(self.author, self.acting_as, rights=rights)
