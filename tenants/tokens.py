"""API tokens: created once, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from tenants.models import ApiToken, Tenant, User
from tenants.roles import RIGHTS

PREFIX = "cw_"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(
    user: User,
    name: str,
    *,
    tenant: Tenant | None = None,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    parent: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """Create a token; return it and its secret, which cannot be read again."""
    unknown = set(scopes or []) - set(RIGHTS)
    if unknown:
        raise ValueError(f"Unknown scopes {', '.join(sorted(unknown))}; choose from {', '.join(RIGHTS)}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        tenant=tenant,
        scopes=scopes or [],
        expires_at=expires_at,
        parent=parent,
        prefix=secret[:8],
        digest=digest(secret),
    )
    return token, secret


def find(secret: str) -> ApiToken | None:
    """Return the usable token with this secret, or None; note that it was used, at most once a minute."""
    token = ApiToken.objects.select_related("user", "tenant").filter(digest=digest(secret)).first()
    if token is None or not _is_usable(token):
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke(token: ApiToken, now: datetime) -> list[ApiToken]:
    """Revoke the token and every token that was made with it. Return those that were not revoked before.

    A child is made under its parent's lock (``lock_parent``), so none is born while its family falls.
    """
    locked = ApiToken.objects.select_for_update(no_key=True)
    family: list[ApiToken] = []
    generation = list(locked.filter(pk=token.pk))
    while generation:
        family += generation
        generation = list(locked.filter(parent__in=generation))
    ended = [each for each in family if each.revoked_at is None]
    ApiToken.objects.filter(pk__in=[each.pk for each in ended]).update(revoked_at=now)
    return ended


def lock_parent(token: ApiToken) -> bool:
    """Hold the token until the transaction ends, so that it can be a parent. Return whether it can still be used."""
    return _is_usable(
        ApiToken.objects.select_for_update(no_key=True, of=("self",)).select_related("user").get(pk=token.pk)
    )


def _is_usable(token: ApiToken) -> bool:
    now = timezone.now()
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now) and token.user.is_active
