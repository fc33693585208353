"""Mails: a template's first line is the subject. They leave from jobs, never inside a transaction or a request."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse


def compose_mail(template: str, to: str, **context: Any) -> EmailMessage:
    """Return the mail of ``templates/mail/TEMPLATE.txt`` to one address."""
    subject, _, text = render_to_string(f"mail/{template}.txt", context).strip().partition("\n")
    return EmailMessage(" ".join(subject.split()), text.strip() + "\n", to=[to])


def public_url(name: str, *args: Any) -> str:
    """Return the address of a page as people outside reach it."""
    return settings.PUBLIC_URL.rstrip("/") + reverse(name, args=args)
