"""System checks of the environment; each says what to set."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from portal.email_url import EXAMPLE

REQUIRED_VARIABLES = {
    "DATABASE_URL": "postgres://causeway_app:…@HOST/causeway (the application's login, which owns nothing)",
    "REDIS_URL": "redis://:PASSWORD@HOST:6379/0",
    "PUBLIC_URL": "https://HOST, the address at which people reach the portal: links in mails begin with it",
    "EMAIL_URL": EXAMPLE,
    "SECRET_KEY": "50 random characters",
    "ENCRYPTION_KEYS": "one or more Fernet keys, the newest first, separated by commas",
}

SCHEMES = {
    "DATABASE_URL": ("postgres", "postgresql"),
    "REDIS_URL": ("redis", "rediss"),
    "PUBLIC_URL": ("https", "http"),
}


@register("environment")
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = [
        Error(f"{name} is not set.", hint=f"Set {name} to {example}.", id="causeway.E001")
        for name, example in REQUIRED_VARIABLES.items()
        if not os.environ.get(name)
    ]
    for name, schemes in SCHEMES.items():
        value = os.environ.get(name, "")
        if value and value.partition(":")[0] not in schemes:
            messages.append(
                Error(f"{name} does not begin with {schemes[0]}://.", hint=REQUIRED_VARIABLES[name], id="causeway.E002")
            )
    if settings.EMAIL_URL and settings.EMAIL_URL_PROBLEM:
        messages.append(Error(settings.EMAIL_URL_PROBLEM, hint=f"Set EMAIL_URL to {EXAMPLE}.", id="causeway.E004"))
    for number, key in enumerate(settings.ENCRYPTION_KEYS):
        from cryptography.fernet import Fernet

        try:
            Fernet(key)
        except ValueError:
            hint = "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key())'"
            messages.append(
                Error(f"ENCRYPTION_KEYS: key {number + 1} is not a Fernet key.", hint=hint, id="causeway.E003")
            )
    return messages
