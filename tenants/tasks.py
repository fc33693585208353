"""Celery tasks: one line each."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tenants import mail


@shared_task(name=mail.SEND_TASK)
def send_mails() -> None:
    mail.send_due_mails(timezone.now)
