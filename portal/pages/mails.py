"""Mails of an installation that keeps them as files (EMAIL_URL=file:…, as the demo does): for this machine only."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_string, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

SEPARATOR = "-" * 79  # Django's filebased backend writes this line after each mail
MAX_FILES = 100


def are_kept_here(request: HttpRequest) -> bool:
    """Return whether mails, which hold links that let people in, are files and the request comes from this machine."""
    return bool(_folder()) and ip_address(request.META.get("REMOTE_ADDR") or "0.0.0.0").is_loopback


def _folder() -> str:
    return str(getattr(settings, "EMAIL_FILE_PATH", None) or "")


@never_cache
def mails(request: HttpRequest) -> HttpResponse:
    if not are_kept_here(request):
        raise Http404
    files = sorted(Path(_folder()).glob("*.log"), reverse=True)[:MAX_FILES]
    shown = [mail for file in files for mail in _read_mails(file)]
    return render(request, "pages/mails.html", {"mails": shown})


def _read_mails(file: Path) -> list[dict[str, Any]]:
    texts = file.read_text().split(f"\n{SEPARATOR}\n")
    parsed = [message_from_string(text, EmailMessage, policy=policy.default) for text in texts if text.strip()]
    return [
        {"subject": mail["Subject"], "to": mail["To"], "date": _sent_at(mail), "text": mail.get_content()}
        for mail in parsed
    ]


def _sent_at(mail: EmailMessage) -> datetime:
    """Return when it was sent. ``-0000`` says a time in UTC (RFC 5322, 3.3), which the parser leaves without a zone."""
    sent_at: datetime = mail["Date"].datetime
    return sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
