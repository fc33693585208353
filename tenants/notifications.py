"""Notifications: what a person is told in a tenant, in the inbox of its pages and by mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants import mail
from tenants.models import Membership, Notification, Tenant, User
from tenants.roles import ROLE_RIGHTS
from tenants.scope import current_tenant

MAIL, INBOX, NOTHING = "mail", "inbox", "nothing"
CHANNELS = {MAIL: "Inbox and mail", INBOX: "Inbox", NOTHING: "Nothing"}


@dataclass(frozen=True, slots=True)
class NotificationEvent:
    """``whom`` is who is told; ``channels`` how they may choose to be, at first by the first one."""

    word: str
    whom: str
    channels: tuple[str, ...]


# What others wait for is at least in the inbox.
EVENTS = {
    "approval_requested": NotificationEvent(
        "Approval of a plan is requested", "who may approve it and wrote none of its edits", (MAIL, INBOX)
    ),
    "provisioning_requested": NotificationEvent("Provisioning is requested", "who may provision", (MAIL, INBOX)),
    "plan_decided": NotificationEvent("A plan is approved or rejected", "who made the plan", (MAIL, INBOX, NOTHING)),
    "run_not_succeeded": NotificationEvent(
        "A run fails, or only a part of it is provisioned", "who provisioned", (MAIL, INBOX, NOTHING)
    ),
    "list_refreshed": NotificationEvent(
        "A prefix list changed at its source", "who may provision, where it waits for a person", (MAIL, INBOX)
    ),
    "list_refresh_failed": NotificationEvent(
        "A prefix list cannot be refreshed", "who may edit", (MAIL, INBOX, NOTHING)
    ),
}


def channel_of(event: str, tenant: Tenant, user: User | None = None) -> str:
    """Return how a person is told of an event: by their own choice, else the tenant's, else by both."""
    chosen = user.notifications.get(event) if user else None
    return chosen or tenant.notifications.get(event) or EVENTS[event].channels[0]


def people_named(*emails: str) -> QuerySet[User]:
    return User.objects.filter(email__in=emails, is_active=True)


def people_with(right: str) -> QuerySet[User]:
    """Return who has a right in the tenant in force: its own people, and those of its MSP."""
    tenant, roles = current_tenant(), [role for role, rights in ROLE_RIGHTS.items() if right in rights]
    here = Q(tenant=tenant) | Q(msp__isnull=False, msp=tenant.msp_id)
    members = Membership.objects.filter(here, role__in=roles, invited_at=None).values("user")
    return User.objects.filter(pk__in=members, is_active=True).order_by("email")


def notify(people: Iterable[User], event: str, text: str, path: str) -> list[User]:
    """Tell people of an event on the page at ``path`` below the tenant's, as they want to be told; return whom.

    One is told again only after having read it.
    """
    tenant, text = current_tenant(), text[:200]
    told = set(Notification.objects.filter(path=path, text=text, read_at=None).values_list("user", flat=True))
    channels = {person: channel_of(event, tenant, person) for person in people if person.pk not in told}
    for person, channel in channels.items():
        if channel != NOTHING:
            Notification(user=person, text=text, path=path).save()
        if channel == MAIL:
            url = f"{settings.PUBLIC_URL.rstrip('/')}/t/{tenant.slug}/{path}"
            mail.queue_mail(mail.compose_mail("notification", person.email, tenant=tenant.name, text=text, url=url))
    return [person for person, channel in channels.items() if channel != NOTHING]


def inbox_of(user: User) -> QuerySet[Notification]:
    """Return what a person was told in the tenant in force."""
    return Notification.objects.filter(user=user)


def unread_count(user: User) -> int:
    return inbox_of(user).filter(read_at=None).count()


def mark(notification: Notification, *, read: bool) -> None:
    """Mark an entry of an inbox as read, or as not read."""
    if read != (notification.read_at is not None):
        notification.read_at = timezone.now() if read else None
        notification.save(update_fields=["read_at"])


def mark_all_read(user: User) -> None:
    inbox_of(user).filter(read_at=None).update(read_at=timezone.now())
