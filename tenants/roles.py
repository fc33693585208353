"""Who may do what, asked in one function: ``may(who, right, tenant)``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants.models import ApiToken, Membership, Msp, Role, Tenant, User

RIGHTS: dict[str, str] = {
    "view": "See the network, its plans and runs",
    "edit": "Edit drafts and make plans",
    "provision": "Provision a plan, retry and cancel runs",
    "approve": "Approve or reject a plan",
    "accounts": "Add cloud accounts and look what is in them",
    "usage": "See usage, prices and invoices",
    "members": "Manage members and roles",
    "audit": "Read the audit log",
}

_NETWORK = {"view", "edit", "provision", "approve", "accounts", "audit"}
ROLE_RIGHTS: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(RIGHTS),
    Role.MSP_ADMIN: frozenset(RIGHTS),
    Role.MSP_ENGINEER: frozenset(_NETWORK | {"usage"}),
    Role.MSP_FINANCE: frozenset({"view", "usage"}),
    Role.NETWORK_ADMIN: frozenset(_NETWORK | {"usage"}),
    Role.SECURITY_ADMIN: frozenset({"view", "edit", "approve", "audit"}),
    Role.FINANCE: frozenset({"view", "usage"}),
    Role.VIEWER: frozenset({"view"}),
}


@dataclass(frozen=True)
class Principal:
    """The person behind a request, and the token that narrows what they may do."""

    user: User
    token: ApiToken | None = None

    @cached_property
    def _memberships(self) -> list[Membership]:
        return list(self.user.memberships.select_related("tenant", "msp"))

    def _of(self, tenant: Tenant) -> list[Membership]:
        """Memberships that count in the tenant: their own first, then those of its MSP."""
        mine = [m for m in self._memberships if m.tenant_id == tenant.pk]
        return mine + [m for m in self._memberships if m.msp_id is not None and m.msp_id == tenant.msp_id]

    def membership(self, tenant: Tenant) -> Membership | None:
        """Their own membership of the tenant, else the one of its MSP."""
        return next(iter(self._of(tenant)), None)

    def acting_as(self, tenant: Tenant) -> Msp | None:
        membership = self.membership(tenant)
        return membership.msp if membership else None

    def rights(self, tenant: Tenant) -> frozenset[str]:
        if not self.user.is_active or (self.token and self.token.tenant_id not in (None, tenant.pk)):
            return frozenset()
        # A tenant cannot narrow what its MSP's people may do by making them members.
        rights = frozenset().union(*(ROLE_RIGHTS[one.role] for one in self._of(tenant)))
        if self.user.is_operator:
            rights = frozenset(RIGHTS)
        return rights & frozenset(self.token.scopes) if self.token and self.token.scopes else rights

    def tenants(self) -> QuerySet[Tenant]:
        """The tenants they may see."""
        found = Tenant.objects.select_related("msp").order_by("name")
        if not self.user.is_operator:
            found = found.filter(
                Q(pk__in=[m.tenant_id for m in self._memberships if m.tenant_id])
                | Q(msp_id__in=[m.msp_id for m in self._memberships if m.msp_id])
            )
        return found.filter(pk=self.token.tenant_id) if self.token and self.token.tenant_id else found


def has_right(who: Principal, right: str, tenant: Tenant) -> bool:
    if right not in RIGHTS:
        raise KeyError(right)
    return right in who.rights(tenant)


def is_usable(token: ApiToken) -> bool:
    now = timezone.now()
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now) and token.user.is_active
