"""Mails: written with the rows they are about, sent by a worker, tried again for a day.

The life of a mail:

1. ``queue_mail`` stores it, sealed because its links let people in, in the transaction of what it tells.
2. After the commit a worker is woken (``tasks.send_mails``); a round of the schedule finds what was not delivered.
3. ``send_due_mails`` claims one after the other and gives it to the server. One that left is deleted.
4. A refusal by the server, or no answer from it, is logged and, for an invitation, shown on the members page. The next
   try comes after 30 s, then after twice as long each time, at most half an hour.
5. What did not leave within a day, or is for an address that the server refuses for good, is given up: an error in
   the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from tenants import vault
from tenants.models import Mail, Membership

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=1)
"""How long a mail is tried to be sent."""
SEND_TASK = "tenants.send_due_mails"
DELAYS = [timedelta(seconds=30 * 2**doubled) for doubled in range(6)] + [timedelta(minutes=30)]
LEASE = timedelta(minutes=5)
"""How long a worker has for one mail; longer than a server may take to answer (EMAIL_TIMEOUT, for each command)."""


def compose_mail(template: str, to: str, **context: Any) -> EmailMessage:
    """Return the mail of ``templates/mail/TEMPLATE.txt``, whose first line is the subject, to one address."""
    subject, _, text = render_to_string(f"mail/{template}.txt", context).strip().partition("\n")
    return EmailMessage(" ".join(subject.split()), text.strip() + "\n", to=[to])


def public_url(name: str, *args: Any) -> str:
    """Return the address of a page as people outside reach it."""
    return settings.PUBLIC_URL.rstrip("/") + reverse(name, args=args)


def queue_mail(message: EmailMessage, *, invitation: Membership | None = None) -> None:
    """Have a worker send the mail once the transaction has committed; whoever asks for it does not wait for a server.

    ``invitation``: the membership that it invites to; the mail ends with it.
    """
    sealed = vault.seal({"subject": str(message.subject), "text": str(message.body)})
    for address in message.to:
        Mail.objects.create(to=address, sealed=sealed, invitation=invitation)
    # Robust: the mail is stored, so a broker that is away is no error of the request.
    transaction.on_commit(_wake_worker, robust=True)


def _wake_worker() -> None:
    current_app.send_task(SEND_TASK)


def send_due_mails(now: datetime) -> None:
    """Send what is due at ``now``, the longest due first, until all is sent or the server fails."""
    for mail in _claims(now):
        content = vault.unseal(mail.sealed)
        try:
            EmailMessage(content["subject"], content["text"], to=[mail.to]).send()
        except SMTPRecipientsRefused as error:
            if all(code >= 500 for code, _ in error.recipients.values()):
                _give_up(mail, _reason(error))
            else:
                _postpone(mail, _reason(error), now)
        except OSError as error:  # smtplib's errors are OSErrors too
            _postpone(mail, _reason(error), now)
            return
        else:
            _tell_inviter(mail, "")
            mail.delete()


def _claims(now: datetime) -> Iterator[Mail]:
    """Yield due mails, each taken from other workers for the time of a lease."""
    while True:
        with transaction.atomic():
            due = Mail.objects.select_for_update(skip_locked=True, of=("self",)).filter(due_at__lte=now)
            mail = due.order_by("due_at").first()
            if mail is None:
                return
            if mail.created_at + LIFETIME < now:
                _give_up(mail, "it could not be sent for a day")
                continue
            mail.due_at, mail.attempts = now + LEASE, mail.attempts + 1
            mail.save(update_fields=["due_at", "attempts"])
        yield mail


def _postpone(mail: Mail, reason: str, now: datetime) -> None:
    logger.warning("mail to %s has not left, try %d: %s", mail.to, mail.attempts, reason)
    due_at = now + DELAYS[min(mail.attempts, len(DELAYS)) - 1]
    Mail.objects.filter(pk=mail.pk).update(due_at=due_at)
    _tell_inviter(mail, f"{reason}. It is tried again until {mail.created_at + LIFETIME:%Y-%m-%d %H:%M} UTC.")


def _give_up(mail: Mail, reason: str) -> None:
    logger.error("mail to %s is given up after %d tries: %s", mail.to, mail.attempts, reason)
    _tell_inviter(mail, reason)
    mail.delete()


def _tell_inviter(mail: Mail, problem: str) -> None:
    if mail.invitation_id:
        Membership.objects.filter(pk=mail.invitation_id).update(invitation_problem=problem)


def _reason(error: OSError) -> str:
    """Return what the server said, in one short line."""
    return " ".join(str(error).split())[:120]
