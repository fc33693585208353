"""Who is asking: a person, and the token that narrows what they may do. What each role may do: roles.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, QuerySet

from tenants.models import ApiToken, Membership, Msp, Tenant, TierOwner, User
from tenants.roles import KEEPABLE_TIERS, RIGHTS, ROLE_RIGHTS


@dataclass(frozen=True)
class Principal:
    """The person behind a request, and the token that narrows what they may do."""

    user: User
    token: ApiToken | None = None

    @cached_property
    def _memberships(self) -> list[Membership]:
        return list(self.user.memberships.filter(invited_at=None).select_related("tenant", "msp"))

    def _memberships_in(self, tenant: Tenant) -> list[Membership]:
        """Return the memberships that count in the tenant: their own first, then those of its MSP."""
        mine = [m for m in self._memberships if m.tenant_id == tenant.pk]
        return mine + [m for m in self._memberships if m.msp_id is not None and m.msp_id == tenant.msp_id]

    def membership(self, tenant: Tenant) -> Membership | None:
        """Return their own membership of the tenant, else the one of its MSP."""
        return next(iter(self._memberships_in(tenant)), None)

    def acting_as(self, tenant: Tenant) -> Msp | None:
        membership = self.membership(tenant)
        return membership.msp if membership else None

    def rights(self, tenant: Tenant) -> frozenset[str]:
        """Return what they may do in the tenant; a tier that is not kept for anybody is changed by all who may edit."""
        if not self.user.is_active or (self.token and self.token.tenant_id not in (None, tenant.pk)):
            return frozenset()
        if self.user.is_operator:
            rights = frozenset(RIGHTS)
        else:
            # A tenant cannot narrow what its MSP's people may do by making them members.
            rights = frozenset().union(*(self._rights_of(each, tenant) for each in self._memberships_in(tenant)))
        if self.token and self.token.scopes:
            rights &= frozenset(self.token.scopes)
        if "edit" in rights:
            rights |= {tier for tier in KEEPABLE_TIERS if tenant.tier_owner(tier) == TierOwner.EDITORS}
        return rights

    @staticmethod
    def _rights_of(membership: Membership, tenant: Tenant) -> frozenset[str]:
        """Return the rights of a role; that of a tier which is kept for the MSP only to the MSP's own people."""
        rights = ROLE_RIGHTS[membership.role]
        if membership.msp_id is None:
            rights -= {tier for tier in KEEPABLE_TIERS if tenant.tier_owner(tier) == TierOwner.MSP}
        return rights

    def tenants(self) -> QuerySet[Tenant]:
        """Return the tenants they may see."""
        visible = Tenant.objects.select_related("msp").order_by("name")
        if not self.user.is_operator:
            visible = visible.filter(
                Q(pk__in=[m.tenant_id for m in self._memberships if m.tenant_id])
                | Q(msp_id__in=[m.msp_id for m in self._memberships if m.msp_id])
            )
        return visible.filter(pk=self.token.tenant_id) if self.token and self.token.tenant_id else visible
