"""Tenants, users, memberships and tokens, the outbox, and the audit log.

All but the audit log are platform tables: they are needed before a tenant is known.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from tenants.tenant_owned import TenantOwned

slug_rule = RegexValidator(r"^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$", "Use lower-case letters, digits and hyphens.")


class Msp(models.Model):
    """An organisation that runs the networks of many tenants, with users of its own."""

    slug = models.CharField(max_length=50, unique=True, validators=[slug_rule])
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name


class TierOwner(models.TextChoices):
    """Who changes the policies of a tier."""

    EDITORS = "editors", "everybody who may edit"
    SECURITY = "security", "owners and security admins"
    MSP = "msp", "the MSP"


class Tenant(models.Model):
    """One customer, of an MSP or direct (``msp`` null). Everything it owns is filtered by ``tenants.scope``."""

    slug = models.CharField(max_length=50, unique=True, validators=[slug_rule])
    name = models.CharField(max_length=120)
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="tenants")
    requires_approval = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, blank=True, help_text="of its first price book; that one's counts then")
    time_zone = models.CharField(max_length=63, default="UTC")
    notifications = models.JSONField(default=dict, help_text="event → channel, where chosen (tenants/notifications.py)")
    tiers = models.JSONField(default=dict, help_text="tier of policies → TierOwner, where not every editor's")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    def tier_owner(self, tier: str) -> TierOwner:
        return TierOwner(self.tiers.get(tier, TierOwner.EDITORS))

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.slug.split("-")[:2]).upper()


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person; what they may do comes from memberships, and from ``is_operator`` for the installation itself."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=63, blank=True, help_text="empty: the tenant's")
    notifications = models.JSONField(default=dict, help_text="event → channel, where not the tenant's")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.display_name.replace(".", " ").split()[:2]).upper()


class Role(models.TextChoices):
    MSP_ADMIN = "msp_admin", "MSP admin"
    MSP_ENGINEER = "msp_engineer", "MSP engineer"
    MSP_FINANCE = "msp_finance", "MSP finance"
    OWNER = "owner", "Owner"
    NETWORK_ADMIN = "network_admin", "Network admin"
    SECURITY_ADMIN = "security_admin", "Security admin"
    FINANCE = "finance", "Finance"
    VIEWER = "viewer", "Viewer"


MSP_ROLES = [Role.MSP_ADMIN, Role.MSP_ENGINEER, Role.MSP_FINANCE]
# A list, not a set: migrations compare constraints, and a set's order changes from one process to the next.
TENANT_ROLES = [role for role in Role if role not in MSP_ROLES]


class Membership(models.Model):
    """A user's role in one tenant, or in one MSP and so in all of its tenants.

    It gives no right while ``invited_at`` is set: the person has not accepted yet (tenants/invitations.py).
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="memberships")
    msp = models.ForeignKey(Msp, models.CASCADE, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    invited_at = models.DateTimeField(null=True, blank=True, help_text="set while the person has not accepted yet")
    invited_by = models.CharField(max_length=254, blank=True)
    invitation_problem = models.CharField(max_length=200, blank=True, help_text="why the mail did not leave")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="membership_of_one",
                condition=models.Q(tenant__isnull=False, msp__isnull=True, role__in=TENANT_ROLES)
                | models.Q(tenant__isnull=True, msp__isnull=False, role__in=MSP_ROLES),
            ),
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_once_in_tenant"),
            models.UniqueConstraint(fields=["user", "msp"], name="membership_once_in_msp"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display()} of {self.tenant or self.msp}"


class ApiToken(models.Model):
    """A bearer token: only its SHA-256 is kept. ``tenant`` and ``scopes`` narrow what its user may do.

    ``parent``: the token it was made with, which it never outlives; null: made by a person.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="tokens")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Rights of tenants.roles; empty: all of its user's")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Outbox(models.Model):
    """What must happen once a transaction has committed; rows left behind by a crash are swept."""

    topic = models.CharField(max_length=20)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.topic} {self.payload}"


class Mail(models.Model):
    """A mail that has not left yet (tenants/mail.py); ``sealed`` holds its subject and text."""

    to = models.EmailField()
    sealed = models.TextField()
    invitation = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="mails")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    attempts = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"to {self.to}"


class AuditEntry(TenantOwned):
    """Who did what to which thing; append-only, each row carries the hash of the one before it."""

    revoked_privileges = "UPDATE, DELETE"

    number = models.BigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=254)
    acting_as = models.CharField(max_length=50, blank=True, help_text="the MSP in whose name")
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    action = models.CharField(max_length=60)
    kind = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="audit_number_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.object_name}"


class Notification(TenantOwned):
    """What a person is told in a tenant: an entry of their inbox, also mailed (tenants/notifications.py)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    text = models.CharField(max_length=200)
    path = models.CharField(max_length=200, help_text="of the page it is about, below the tenant's address")
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-at",)
        indexes = [models.Index(fields=["tenant", "user", "read_at"], name="notification_by_person")]

    def __str__(self) -> str:
        return self.text


class IdempotentResponse(models.Model):
    """The response to a POST with an Idempotency-Key: the same request gets it again."""

    caller = models.CharField(max_length=80, help_text="token:ID, or session: and the SHA-256 of its key")
    key = models.CharField(max_length=120)
    request_digest = models.CharField(max_length=64)
    status = models.IntegerField()
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="answer_once")]

    def __str__(self) -> str:
        return self.key
