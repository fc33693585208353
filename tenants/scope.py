"""Whose rows are in force: one tenant at a time, opened at the doors, enforced at the floor.

``scope(tenant)`` opens a transaction and sets the tenant in it, transaction-locally, so that PostgreSQL's
row-level security sees it and a pooled connection cannot carry it into the next request. Code between the
doors and the floor does not mention the tenant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from tenants.models import Tenant

_current: ContextVar[Tenant | None] = ContextVar("tenant", default=None)

SETTING = "causeway.tenant"


class ScopeError(RuntimeError):
    """A tenant's rows were asked for where no tenant, or another one, is in force: a bug, never an answer."""


def current() -> Tenant:
    tenant = _current.get()
    if tenant is None:
        raise ScopeError("No tenant is in force here; open tenants.scope.scope(tenant) at the door.")
    return tenant


@contextmanager
def scope(tenant: Tenant) -> Iterator[Tenant]:
    """All of one tenant's rows, in one transaction; nests only with itself."""
    outer = _current.get()
    if outer is not None and outer.pk != tenant.pk:
        raise ScopeError(f"Scope of {tenant.slug} inside the scope of {outer.slug}: leave the first one before.")
    token = _current.set(tenant)
    try:
        with transaction.atomic():
            if outer is None:
                _set_tenant(str(tenant.pk))
            yield tenant
            if outer is None and not connection.needs_rollback:
                # Inside a longer transaction (tests) the setting would outlive the scope; a rollback takes it along.
                _set_tenant("")
    finally:
        _current.reset(token)


def _set_tenant(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
