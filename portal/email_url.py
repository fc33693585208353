"""EMAIL_URL: how mail leaves, as one address.

``smtp://USER:PASSWORD@HOST:587/?tls=1`` (STARTTLS), ``smtps://…`` (TLS from the start), ``file:///FOLDER`` (a file for
each mail, for one machine). ``?from=ADDRESS`` is the sender. There is none that writes mails to a log, because they
hold links that let people in.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

EXAMPLE = "smtp://USER:PASSWORD@HOST:587/?tls=1&from=causeway@example.net, or file:///FOLDER on a machine of your own"
DEFAULT_PORTS = {"smtp": 25, "smtps": 465}


def read_email_url(url: str, default_host: str) -> dict[str, Any]:
    """Return Django's settings of mail, by name. Raise ValueError where the address is wrong, without quoting it."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    sender = query.pop("from", f"causeway@{default_host}")
    tls = query.pop("tls", "0") == "1"
    if query:
        raise ValueError(f"EMAIL_URL has unknown parameters: {', '.join(sorted(query))}.")
    common = {"DEFAULT_FROM_EMAIL": sender, "SERVER_EMAIL": sender, "EMAIL_TIMEOUT": 10}
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return common | {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("EMAIL_URL does not begin with smtp://HOST, smtps://HOST or file:///FOLDER.")
    return common | {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or DEFAULT_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": tls and parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }
