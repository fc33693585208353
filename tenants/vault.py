"""Secrets at rest: encrypted with the first of ENCRYPTION_KEYS, decrypted with any of them; never logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: Mapping[str, str]) -> str:
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(json.dumps(dict(secret)).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    return json.loads(_cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(sealed.encode()))
