"""Invitations: a membership gives no right until its person has accepted it.

The person proves by the link in a mail that the address is theirs, or is signed in with it. Whoever invites learns
nothing about the address: whether somebody has it here shows only when they have accepted.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone

from tenants import audit, mail
from tenants.actor import current_actor
from tenants.errors import TenantRequestRefused
from tenants.jobs import in_scope
from tenants.models import Membership, User
from tenants.scope import current_tenant

LIFETIME = timedelta(days=7)
"""How long the link of a mail is good; the invitation itself stays, and another link can be sent."""
_SALT = "tenants.invitation"


def pending_invitations(user: User) -> QuerySet[Membership]:
    return user.memberships.filter(invited_at__isnull=False).select_related("tenant", "user").order_by("invited_at")


def send_invitation(membership: Membership) -> None:
    """Send the mail of a pending invitation, for the first time or again; links of earlier mails end."""
    if membership.invited_at is None:
        raise TenantRequestRefused(409, "wrong_state", "", f"{membership.user.email} is a member already.")
    membership.invited_at, membership.invited_by = timezone.now(), current_actor().email
    membership.invitation_problem = ""
    membership.save(update_fields=["invited_at", "invited_by", "invitation_problem"])
    membership.mails.all().delete()
    message = mail.compose_mail(
        "invitation",
        membership.user.email,
        tenant=current_tenant().name,
        invited_by=membership.invited_by,
        role=membership.get_role_display().lower(),
        days=LIFETIME.days,
        url=mail.public_url("invitation", invitation_token(membership)),
    )
    mail.queue_mail(message, invitation=membership)


def invitation_token(membership: Membership) -> str:
    return signing.dumps([str(membership.uid), str(membership.invited_at)], salt=_SALT)


def find_invitation(token: str) -> Membership | None:
    """Return the pending invitation that a mail's link names; None where it is old, answered or was withdrawn."""
    try:
        uid, invited_at = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    membership = Membership.objects.select_related("tenant", "user").filter(uid=uid, invited_at__isnull=False).first()
    return membership if membership and str(membership.invited_at) == invited_at else None


def answer_invitation(user: User, membership: Membership, *, accept: bool) -> None:
    """Accept or decline an invitation of this person; it is recorded in the tenant that it is about."""
    assert membership.tenant is not None  # an MSP's people are not invited
    in_scope(membership.tenant, _record_answer, user, membership, accept)


def _record_answer(user: User, membership: Membership, accept: bool) -> None:
    pending = pending_invitations(user).select_for_update(of=("self",)).filter(pk=membership.pk).first()
    if pending is None:
        raise TenantRequestRefused(404, "missing", "", "This invitation was answered or withdrawn.")
    uid, email = str(pending.uid), user.email
    if accept:
        pending.invited_at, pending.invitation_problem = None, ""
        pending.save(update_fields=["invited_at", "invitation_problem"])
        pending.mails.all().delete()
    else:
        pending.delete()
    audit.record("member.accept" if accept else "member.decline", kind="member", object_id=uid, object_name=email)
