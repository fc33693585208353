"""The tenant in force: opened in middleware and the base of jobs, asked by models' managers and row-level security.

``scope(tenant)`` opens a transaction and sets the tenant in it, transaction-locally, so that PostgreSQL's row-level
security sees it and a pooled connection cannot carry it into the next request. Code inside is filtered without saying
so; it asks ``current_tenant`` only where it needs the tenant itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from django.db import connection, transaction

SETTING = "causeway.tenant"


class TenantRow(Protocol):
    """A tenants.models.Tenant. That module cannot be imported here, because its models ask this one."""

    pk: Any
    slug: Any


_current: ContextVar[TenantRow | None] = ContextVar("tenant", default=None)


class ScopeError(RuntimeError):
    """A tenant's rows were asked for where no tenant, or another one, is in force: a bug, never an answer."""


def current_tenant() -> Any:
    """Return the Tenant in force; raise ScopeError where there is none."""
    tenant = _current.get()
    if tenant is None:
        raise ScopeError("No tenant is in force here. Open its scope in middleware or a TenantJob (tenants/README.md).")
    return tenant


@contextmanager
def scope(tenant: TenantRow) -> Iterator[None]:
    """Put the tenant in force, in one transaction; nests only with itself."""
    outer = _current.get()
    if outer is not None and outer.pk != tenant.pk:
        raise ScopeError(f"Scope of {tenant.slug} inside the scope of {outer.slug}: leave the first one before.")
    token = _current.set(tenant)
    try:
        with transaction.atomic():
            if outer is None:
                _set_tenant(str(tenant.pk))
            yield
            if outer is None and not connection.needs_rollback:
                # Inside a longer transaction (tests) the setting would outlive the scope; a rollback takes it along.
                _set_tenant("")
    finally:
        _current.reset(token)


def _set_tenant(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
