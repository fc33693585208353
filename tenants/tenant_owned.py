"""The base model of every row that belongs to a tenant: it filters by the tenant in force when SQL is compiled.

Underneath, row-level security holds raw SQL to the same rows (rls.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.expressions import Expression

from tenants import bulk_insert
from tenants.scope import ScopeError, current_tenant


class CurrentTenant(Expression):
    """The tenant in force, read when the query is compiled, so a queryset made outside a scope is harmless."""

    output_field = models.BigIntegerField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return "%s", (current_tenant().pk,)


class TenantQuerySet(models.QuerySet):
    def update(self, **values: Any) -> int:
        if "tenant" in values or "tenant_id" in values:
            raise ScopeError("Rows do not move from one tenant to another.")
        return super().update(**values)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        objs = list(objs)
        for obj in objs:
            obj.assign_tenant()
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_insert(self, objs: Iterable[Any], *, ignore_conflicts: bool = False) -> list[Any]:
        """Create thousands of rows whose fields hold what their columns do; keys are given in order.

        With ``ignore_conflicts`` a row that is there already stays; its object is then not the row, key and all.
        """
        objs = list(objs)
        for obj in objs:
            obj.assign_tenant()
        bulk_insert.assign_primary_keys(objs, self.db)
        fields = [(str(field.column), field.attname) for field in self.model._meta.concrete_fields]
        rows = ({column: getattr(obj, name) for column, name in fields} for obj in objs)
        bulk_insert.insert_rows(self.model._meta.db_table, rows, self.db, ignore_conflicts=ignore_conflicts)
        for obj in objs:
            obj._state.adding, obj._state.db = False, self.db
        return objs

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        objs = list(objs)
        for obj in objs:
            obj.assign_tenant()
        return super().bulk_update(objs, *args, **kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        raise ScopeError("Raw SQL is not filtered by tenant; use a cursor inside a scope, where row-level security is.")


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> TenantQuerySet:
        return super().get_queryset().filter(tenant_id=CurrentTenant())


class TenantOwned(models.Model):
    """A row that belongs to the tenant in force.

    ``revoked_privileges``: what the application's role may not do to such rows; ``updatable_columns``: the only ones it
    may change, where there are any.
    """

    revoked_privileges: ClassVar[str] = ""
    updatable_columns: ClassVar[tuple[str, ...]] = ()

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+", editable=False)
    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.assign_tenant()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.assign_tenant()
        return super().delete(*args, **kwargs)

    def assign_tenant(self) -> Self:
        """Take the row for the tenant in force; refuses another tenant's."""
        tenant = current_tenant()
        if self.tenant_id is None:
            self.tenant = tenant
        if self.tenant_id != tenant.pk:
            raise ScopeError(f"{self._meta.label} of another tenant.")
        return self
