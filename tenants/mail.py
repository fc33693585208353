"""Mails: written with the rows they are about, sent by a worker, tried again for a day.

The life of a mail:

1. ``queue_mail`` stores it, sealed because its links let people in, in the transaction of what it tells.
2. After the commit a worker is woken (``tasks.send_mails``); a round of the schedule finds what was not delivered.
3. ``send_due_mails`` claims one after the other and gives it to the server. One that left is deleted.
4. A refusal by the server, or no answer from it, is logged and, for an invitation, shown on the members page. The next
   try comes after 30 s, then after twice as long each time, at most half an hour. Where it is this mail that was
   refused, the others go on; else the round ends.
5. What did not leave within a day, what the server refuses for good and what is for an address that no mail can have is
   given up: an error in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused
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


def send_due_mails(clock: Callable[[], datetime]) -> None:
    """Send what is due, the longest due first, until all is sent or the server fails.

    The clock is read for each mail: its lease begins then, however long the server took for those before.
    """
    while _send_due_mail(clock()):
        pass


def _send_due_mail(now: datetime) -> bool:
    """Send the mail that is due the longest; return whether another one may be sent."""
    mail = _claim(now)
    if mail is None:
        return False
    content = vault.unseal(mail.sealed)
    try:
        EmailMessage(content["subject"], content["text"], to=[mail.to]).send()
    except SMTPRecipientsRefused as error:
        _refused(mail, max(code for code, _ in error.recipients.values()), error, now)
    except SMTPDataError as error:
        _refused(mail, error.smtp_code, error, now)
    except UnicodeError as error:  # of a domain that has no form in the DNS
        _give_up(mail, _reason(error))
    except OSError as error:  # smtplib's errors are OSErrors too
        _postpone(mail, _reason(error), now)
        return False
    else:
        _tell_inviter(mail, "")
        mail.delete()
    return True


def _claim(now: datetime) -> Mail | None:
    """Return a due mail, taken from other workers for the time of a lease. What is too old is given up."""
    while True:
        with transaction.atomic():
            due = Mail.objects.select_for_update(skip_locked=True, of=("self",)).filter(due_at__lte=now)
            mail = due.order_by("due_at").first()
            if mail is None:
                return None
            if mail.created_at + LIFETIME < now:
                _give_up(mail, "it could not be sent for a day")
                continue
            mail.due_at, mail.attempts = now + LEASE, mail.attempts + 1
            mail.save(update_fields=["due_at", "attempts"])
        return mail


def _refused(mail: Mail, code: int, error: SMTPException, now: datetime) -> None:
    """Give up where the server refuses the mail for good, with 5xx (RFC 5321 4.2.1); else try again later."""
    if code >= 500:
        _give_up(mail, _reason(error))
    else:
        _postpone(mail, _reason(error), now)


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


def _reason(error: Exception) -> str:
    """Return what the server said, in one short line."""
    return " ".join(str(error).split())[:120]
