"""Creating tenants, managing members and tokens; everything is audited in the tenant it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants import audit, tokens
from tenants.actor import acting, current_actor
from tenants.audit import AuditEvent
from tenants.errors import TenantRequestRefused
from tenants.invitations import send_invitation
from tenants.jobs import in_scope
from tenants.models import MSP_ROLES, ApiToken, Membership, Msp, Role, Tenant, User, slug_rule
from tenants.principal import Principal
from tenants.scope import current_tenant

LAST_YEAR = 9998
"""Of a time that is stored: a later one is no date in some time zones, and no page could show it."""
_PLAIN_EMAIL = re.compile(r"(?!=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")


def msps_for_new_tenants(principal: Principal) -> list[Msp | None]:
    """Return for whom this person may create tenants; None stands for a direct tenant of the operator."""
    token = principal.token
    if token and (token.tenant_id or (token.scopes and "members" not in token.scopes)):
        return []
    if principal.user.is_operator:
        return [None, *Msp.objects.order_by("name")]
    admin = principal.user.memberships.filter(role=Role.MSP_ADMIN, invited_at=None).select_related("msp")
    return [membership.msp for membership in admin]


def create_tenant(
    principal: Principal, *, slug: str, name: str, owner: str, msp: str | None, requires_approval: bool
) -> Tenant:
    """Create a tenant with its first owner, and a user where nobody has that address yet."""
    allowed = msps_for_new_tenants(principal)
    if not allowed:
        raise TenantRequestRefused(403, "lacks_msp_admin", "", "Only the operator and MSP admins create tenants.")
    if msp is None and not principal.user.is_operator:
        run_by = allowed[0]
    else:
        run_by = next((candidate for candidate in allowed if (candidate.slug if candidate else None) == msp), None)
        if msp is not None and run_by is None:
            raise TenantRequestRefused(
                400, "unknown_reference", "msp", f"There is no MSP “{msp}” that you may create tenants for."
            )
    try:
        slug_rule(slug)
    except ValidationError as error:
        raise TenantRequestRefused(400, "wrong_type", "slug", error.messages[0]) from error
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(slug=slug, name=name, msp=run_by, requires_approval=requires_approval)
    except IntegrityError as error:
        raise TenantRequestRefused(
            409, "duplicate_name", "slug", f"The slug “{slug}” is taken. Choose another one."
        ) from error
    with _acting_for_msp(run_by):
        # Middleware could not open the scope of a tenant that was not there.
        in_scope(tenant, _record_first_owner, owner)
    return tenant


def _record_first_owner(owner: str) -> None:
    tenant = current_tenant()
    audit.record("tenant.create", kind="tenant", object_id=tenant.slug, object_name=tenant.name)
    add_member(owner, Role.OWNER)


@contextmanager
def _acting_for_msp(msp: Msp | None) -> Iterator[None]:
    """Act in the name of the MSP; middleware could not know it before the tenant was there."""
    person = current_actor()
    with acting(replace(person, acting_as=msp.slug if msp else "")):
        yield


def add_member(email: str, role: str) -> Membership:
    """Invite a person without telling whether they are known here; who acts becomes a member at once."""
    tenant, email = current_tenant(), email.strip().lower()
    _check_role(role)
    _check_email(email)
    invited = email != current_actor().email
    user = _find_or_create_user(email)
    try:
        with transaction.atomic():
            membership = Membership.objects.create(
                user=user, tenant=tenant, role=role, invited_at=timezone.now() if invited else None
            )
    except IntegrityError as error:
        raise TenantRequestRefused(
            409, "duplicate_name", "email", f"{email} is a member, or invited, already."
        ) from error
    audit.record("member.add", kind="member", object_id=str(membership.uid), object_name=email, after={"role": role})
    if invited:
        send_invitation(membership)
    return membership


def _find_or_create_user(email: str) -> User:
    user = User(email=email)
    user.set_unusable_password()
    # Of several at once one creates the person; the others wait for its row and leave it.
    User.objects.bulk_create([user], ignore_conflicts=True)
    return User.objects.get(email=email)


def lock_membership(uid: UUID) -> Membership | None:
    """Return the tenant's membership and hold it until the transaction ends; None where it is not, or no longer, there.

    Whoever changes or removes a member asks here first: of several at once one wins, the others find what it left.
    """
    memberships = Membership.objects.select_for_update(of=("self",)).select_related("user", "msp")
    return memberships.filter(tenant=current_tenant(), uid=uid).first()


def change_role(membership: Membership, role: str) -> Membership:
    """Give the membership (of ``lock_membership``) another role."""
    _check_role(role)
    before = membership.role
    if role != Role.OWNER:
        _check_not_last_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(
        "member.change",
        kind="member",
        object_id=str(membership.uid),
        object_name=membership.user.email,
        before={"role": before},
        after={"role": role},
    )
    return membership


def remove_member(membership: Membership) -> None:
    """Remove the membership (of ``lock_membership``); with a person's last right here their tokens for it end."""
    _check_not_last_owner(membership)
    audit.record(
        "member.remove",
        kind="member",
        object_id=str(membership.uid),
        object_name=membership.user.email,
        before={"role": membership.role},
    )
    user = membership.user
    membership.delete()
    if not Principal(user).rights(current_tenant()):
        for token in ApiToken.objects.filter(user=user, tenant=current_tenant(), revoked_at=None).order_by("pk"):
            _revoke_and_record(token)


def issue_token(
    principal: Principal, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ApiToken, str]:
    """Create a token for the tenant in force; return it and its secret, which cannot be read again.

    It never reaches further or lasts longer than the token it was made with, and is revoked with it.
    """
    if not 1 <= len(name) <= 120:
        raise TenantRequestRefused(400, "out_of_range", "name", "Give the token a name of 1 to 120 characters.")
    tenant = current_tenant()
    lacking = sorted(set(scopes) - principal.rights(tenant))
    if lacking:
        missing = ", ".join(lacking)
        raise TenantRequestRefused(403, "beyond_own_rights", "scopes", f"You do not have {missing} yourself.")
    if expires_at is not None and expires_at <= timezone.now():
        raise TenantRequestRefused(400, "out_of_range", "expires_at", "The token would have expired already.")
    if expires_at is not None and expires_at.year > LAST_YEAR:
        detail = f"No token ends after the year {LAST_YEAR}. Leave it out for one that is good until it is revoked."
        raise TenantRequestRefused(400, "out_of_range", "expires_at", detail)
    if principal.token:
        if not tokens.lock_parent(principal.token):
            raise TenantRequestRefused(409, "revoked", "", "The token that this request was made with has ended.")
        scopes = scopes or principal.token.scopes
        ends = [at for at in (expires_at, principal.token.expires_at) if at]
        expires_at = min(ends) if ends else None
    token, secret = tokens.issue(
        principal.user, name, tenant=tenant, scopes=list(scopes), expires_at=expires_at, parent=principal.token
    )
    audit.record(
        "token.issue",
        kind="token",
        object_id=str(token.uid),
        object_name=name,
        after={"scopes": token.scopes, "expires_at": token.expires_at, "prefix": token.prefix},
    )
    return token, secret


def revoke_token(principal: Principal, token: ApiToken) -> None:
    """Revoke a token with all that were made with it.

    A token ends those of its person that may do no more than itself; who manages members ends anybody's.
    """
    rights = principal.rights(current_tenant())
    if principal.token and "members" not in rights and Principal(token.user, token).rights(current_tenant()) - rights:
        raise TenantRequestRefused(
            403,
            "beyond_own_rights",
            "",
            f"“{token.name}” may do more than the token of this request. Revoke it signed in.",
        )
    _revoke_and_record(token)


def _revoke_and_record(token: ApiToken) -> None:
    audit.record_all(
        AuditEvent("token.revoke", kind="token", object_id=str(ended.uid), object_name=ended.name)
        for ended in tokens.revoke(token, timezone.now())
    )


def _check_role(role: str) -> None:
    if role not in set(Role) - set(MSP_ROLES):
        raise TenantRequestRefused(400, "not_one_of", "role", f"“{role}” is no role of a tenant.")


def _check_email(email: str) -> None:
    field = User._meta.get_field("email")
    try:
        field.clean(email, None)
    except ValidationError as error:
        raise TenantRequestRefused(
            400, "wrong_type", "email", f"Give an e-mail address of at most {field.max_length} characters."
        ) from error
    # Other letters, quoted names and encoded words reach another address than the one that is shown, or none.
    if not _PLAIN_EMAIL.fullmatch(email):
        raise TenantRequestRefused(
            400,
            "wrong_type",
            "email",
            "An e-mail address has ASCII letters, digits and signs like . _ + -; write a domain with other letters in "
            "its xn-- form.",
        )


def _check_not_last_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER or membership.invited_at:
        return
    # The tenant's row is the lock: two owners leaving at once must not both find the other one.
    Tenant.objects.select_for_update().get(pk=current_tenant().pk)
    owners = Membership.objects.filter(tenant=membership.tenant_id, role=Role.OWNER, invited_at=None)
    if not owners.exclude(pk=membership.pk).exists():
        raise TenantRequestRefused(
            409, "last_owner", "role", "A tenant keeps at least one owner. Make somebody else owner first."
        )
