"""Notifications: what a person is told in a tenant, in the inbox of its pages and by mail."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants import mail, outbox
from tenants.jobs import TenantJob
from tenants.models import Membership, Notification, User
from tenants.roles import ROLE_RIGHTS
from tenants.scope import current_tenant

logger = logging.getLogger(__name__)


def people_with(right: str) -> QuerySet[User]:
    """Return who has a right in the tenant in force: its own people, and those of its MSP."""
    tenant, roles = current_tenant(), [role for role, rights in ROLE_RIGHTS.items() if right in rights]
    here = Q(tenant=tenant) | Q(msp__isnull=False, msp=tenant.msp_id)
    members = Membership.objects.filter(here, role__in=roles, invited_at=None).values("user")
    return User.objects.filter(pk__in=members, is_active=True).order_by("email")


def notify(people: Iterable[User], text: str, path: str) -> list[User]:
    """Tell people something about the page at ``path`` below the tenant's; return whom. One is told again only after
    having read it."""
    told = set(Notification.objects.filter(path=path, text=text, read_at=None).values_list("user", flat=True))
    new = [person for person in people if person.pk not in told]
    for person in new:
        notification = Notification(user=person, text=text, path=path)
        notification.save()
        outbox.enqueue("notification", notification=notification.pk)
    return new


def unread_count(user: User) -> int:
    return Notification.objects.filter(user=user, read_at=None).count()


def mark_all_read(user: User) -> None:
    Notification.objects.filter(user=user, read_at=None).update(read_at=timezone.now())


class NotificationJob(TenantJob[EmailMessage, None]):
    """Mail a notification that is not read yet. One that cannot be mailed stays in the inbox."""

    def claim(self, notification: int) -> EmailMessage | None:
        unread = Notification.objects.select_related("user").filter(pk=notification, read_at=None).first()
        if unread is None or not unread.user.mail_notifications:
            return None
        url = f"{settings.PUBLIC_URL.rstrip('/')}/t/{self.tenant.slug}/{unread.path}"
        return mail.compose_mail("notification", unread.user.email, tenant=self.tenant.name, text=unread.text, url=url)

    def work(self, claim: EmailMessage) -> None:
        claim.send()

    def record(self, claim: EmailMessage, outcome: None) -> None:
        """Nothing: the mail is on its way."""

    def record_failure(self, claim: EmailMessage, error: Exception) -> None:
        if not isinstance(error, OSError):  # smtplib's errors are OSErrors too
            raise error
        logger.warning("notification of %s not mailed: %s", claim.to[0], error)
