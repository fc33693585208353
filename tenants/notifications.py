"""Notifications: what a person is told in a tenant, in the inbox of its pages and by mail."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants import mail
from tenants.models import Membership, Notification, User
from tenants.roles import ROLE_RIGHTS
from tenants.scope import current_tenant


def people_with(right: str) -> QuerySet[User]:
    """Return who has a right in the tenant in force: its own people, and those of its MSP."""
    tenant, roles = current_tenant(), [role for role, rights in ROLE_RIGHTS.items() if right in rights]
    here = Q(tenant=tenant) | Q(msp__isnull=False, msp=tenant.msp_id)
    members = Membership.objects.filter(here, role__in=roles, invited_at=None).values("user")
    return User.objects.filter(pk__in=members, is_active=True).order_by("email")


def notify(people: Iterable[User], text: str, path: str) -> list[User]:
    """Tell people something about the page at ``path`` below the tenant's; return whom. One is told again only after
    having read it."""
    tenant = current_tenant()
    told = set(Notification.objects.filter(path=path, text=text, read_at=None).values_list("user", flat=True))
    new = [person for person in people if person.pk not in told]
    for person in new:
        Notification(user=person, text=text, path=path).save()
        if person.mail_notifications:
            url = f"{settings.PUBLIC_URL.rstrip('/')}/t/{tenant.slug}/{path}"
            mail.queue_mail(mail.compose_mail("notification", person.email, tenant=tenant.name, text=text, url=url))
    return new


def unread_count(user: User) -> int:
    return Notification.objects.filter(user=user, read_at=None).count()


def mark_all_read(user: User) -> None:
    Notification.objects.filter(user=user, read_at=None).update(read_at=timezone.now())
