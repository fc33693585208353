"""Celery tasks: one line each. ``wake_*`` are handlers of the outbox (OUTBOX_HANDLERS)."""

from __future__ import annotations

from tenants.invitations import InvitationJob
from tenants.jobs import tenant_task

mail_invitation = tenant_task("tenants.invitation", InvitationJob)


def wake_invitation(tenant: str, membership: str) -> None:
    mail_invitation.delay(tenant, membership)
