"""Celery tasks: one line each. ``wake_*`` are handlers of the outbox (OUTBOX_HANDLERS)."""

from __future__ import annotations

from tenants.invitations import InvitationJob
from tenants.jobs import tenant_task
from tenants.notifications import NotificationJob

mail_invitation = tenant_task("tenants.invitation", InvitationJob)
mail_notification = tenant_task("tenants.notification", NotificationJob)


def wake_invitation(tenant: str, membership: str) -> None:
    mail_invitation.delay(tenant, membership)


def wake_notification(tenant: str, notification: int) -> None:
    mail_notification.delay(tenant, notification)
