"""Intent as it is stored: an item is the identity of an object, its versions say what it was in which revisions.

A draft is an overlay over a base revision, made by edits that can be undone and redone. Revision 0 is empty.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from tenants.tenant_owned import TenantOwned

FOREVER = 2_147_483_646
"""The ``last`` of a version that still holds: one less than the largest integer, for a range over it ends one later."""


class LiveRevision(TenantOwned):
    """Which revision is live, one row a tenant; locked by the transaction that changes it."""

    live = models.IntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="network_once")]

    def __str__(self) -> str:
        return f"revision {self.live}"


class Item(TenantOwned):
    """The identity of one intent object. ``number`` is unique in the installation and never reused (VXLAN ids and
    interface names follow from it); ``key`` is the slug of its first name and outlives renames. One that never was live
    is taken for a new object of its key (services/drafts/overlay.py)."""

    revoked_privileges = "UPDATE, DELETE"

    number = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=60)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "key"], name="item_key_once")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


class Version(TenantOwned):
    """What an item was from revision ``first`` to revision ``last``, both included."""

    revoked_privileges = "DELETE"
    updatable_columns = ("last",)

    item = models.ForeignKey(Item, models.CASCADE, related_name="versions")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=100, db_collation="C")  # ordered as Python orders, for merged pages
    body = models.JSONField()
    first = models.IntegerField()
    last = models.IntegerField(default=FOREVER)

    class Meta(TenantOwned.Meta):
        indexes = [
            # What a page, a search or a count needs is in the index; bodies are read for the rows that are shown only.
            models.Index(
                fields=["tenant", "kind", "name", "item"], include=["id", "first", "last"], name="version_by_sort"
            ),
            # Most questions are about now; a search through all names reads nothing else then.
            models.Index(
                fields=["tenant", "kind", "name", "item"],
                include=["id"],
                condition=Q(last=FOREVER),
                name="version_now_by_sort",
            ),
            models.Index(fields=["tenant", "item", "first"], name="version_by_item"),
        ]
        constraints = [
            models.CheckConstraint(name="version_in_order", condition=Q(first__lte=F("last"))),
            # Without btree_gist, equality of items is the overlap of one-element ranges.
            ExclusionConstraint(
                name="version_one_a_revision",
                expressions=[
                    (Func(F("item"), F("item"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(F("first"), F("last"), Value("[]"), function="int4range"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.first}–{self.last}"


class Revision(TenantOwned):
    """An immutable, numbered version of the network."""

    revoked_privileges = "UPDATE, DELETE"

    number = models.IntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    author = models.CharField(max_length=254, help_text="who provisioned it")
    writers = models.JSONField(default=list, help_text="who made the edits of its draft")
    message = models.CharField(max_length=200, blank=True, help_text="the name of its draft")
    reason = models.CharField(max_length=500, blank=True, help_text="why it was provisioned")
    change_ticket = models.CharField(max_length=100, blank=True)
    counts = models.JSONField(default=dict, help_text="kind → objects there are")

    class Meta(TenantOwned.Meta):
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="revision_once")]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Draft(TenantOwned):
    """A named working copy over ``base_revision``; ``cursor`` is the number of edits that are in force."""

    class State(models.TextChoices):
        OPEN = "open"
        PROVISIONED = "provisioned"
        DISCARDED = "discarded"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    base_revision = models.IntegerField()
    author = models.CharField(max_length=254)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    cursor = models.IntegerField(default=0)
    version = models.IntegerField(default=0, help_text="grows with every edit, undo, redo and rebase")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    discarded_at = models.DateTimeField(null=True)
    discarded_by = models.CharField(max_length=254, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-updated_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=Q(state="open"), name="draft_name_once_while_open"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Edit(TenantOwned):
    """One step that can be undone: the bodies before and after of every item it touched.

    ``changes`` is a list of ``{"item": number, "before": body | null, "after": body | null}``.
    """

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="edits")
    number = models.IntegerField()
    summary = models.CharField(max_length=200)
    author = models.CharField(max_length=254)
    at = models.DateTimeField(default=timezone.now)
    changes = models.JSONField()

    class Meta(TenantOwned.Meta):
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=["draft", "number"], name="edit_once")]

    def __str__(self) -> str:
        return self.summary


class Overlay(TenantOwned):
    """What an item is in a draft, in place of its base revision; ``body`` null: removed in the draft."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="overlays")
    item = models.ForeignKey(Item, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=100, db_collation="C")  # ordered as Python orders, for merged pages
    body = models.JSONField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "draft", "kind", "name"], name="overlay_by_name")]
        constraints = [models.UniqueConstraint(fields=["draft", "item"], name="overlay_once")]

    def __str__(self) -> str:
        return f"{self.name} in {self.draft}"


class VersionIndexEntry(TenantOwned):
    """A version under one value it can be filtered or ordered by (snapshots/search_index.py), in the order of lists.

    Under row-level security only plain comparisons use an index, so each value from inside a body has a row here. There
    are no foreign-key constraints for what follows from the version: they would double the time of writing thousands.
    """

    revoked_privileges = "DELETE"
    updatable_columns = ("last",)

    version = models.ForeignKey(Version, models.CASCADE, related_name="index_entries", db_index=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    label = models.CharField(max_length=120, db_collation="C")
    sort = models.CharField(max_length=100, db_collation="C")
    first = models.IntegerField()
    last = models.IntegerField()

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "label", "sort", "item"],
                include=["version", "first", "last"],
                name="version_mark_sort",
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["version", "label"], name="version_mark_once")]

    def __str__(self) -> str:
        return f"{self.label} of {self.version}"


class OverlayIndexEntry(TenantOwned):
    """The same for an overlay of a draft."""

    overlay = models.ForeignKey(Overlay, models.CASCADE, related_name="index_entries", db_index=False)
    draft = models.ForeignKey(Draft, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    label = models.CharField(max_length=120, db_collation="C")
    sort = models.CharField(max_length=100, db_collation="C")

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "draft", "label", "sort", "item"], include=["overlay"], name="overlay_mark_sort"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["overlay", "label"], name="overlay_mark_once")]

    def __str__(self) -> str:
        return f"{self.label} of {self.overlay}"
