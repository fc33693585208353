"""The floor under every tenant's rows: a base model that filters when SQL is compiled, and row-level security.

The floor is installed after each migration by the owner's login: policies on every table of a ``TenantOwned``
model, and grants for the application's role. Nothing has to be remembered when a model is added.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.db import connections, models
from django.db.models.expressions import Expression

from tenants import bulk_insert
from tenants.scope import SETTING, ScopeError, current


class CurrentTenant(Expression):
    """The tenant in force, read when the query is compiled, so a queryset made outside a scope is harmless."""

    output_field = models.BigIntegerField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return "%s", (current().pk,)


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

    ``revoked_privileges``: what the application's role may not do to such rows.
    """

    revoked_privileges: ClassVar[str] = ""

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
        tenant = current()
        if self.tenant_id is None:
            self.tenant = tenant
        if self.tenant_id != tenant.pk:
            raise ScopeError(f"{self._meta.label} of another tenant.")
        return self


class MigrationRouter:
    """Schema changes go through the owner's login only; everything else uses the application's."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"


def tenant_owned_models() -> list[type[TenantOwned]]:
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]


def install_policies(using: str = "owner", **kwargs: Any) -> None:
    """Policies and grants, from the models as they are; run by the owner after each migration."""
    if using != "owner":
        return
    role = settings.DATABASES["default"]["USER"]
    with connections[using].cursor() as cursor:
        quote = connections[using].ops.quote_name
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quote(role)}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quote(role)}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quote(role)}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {quote(role)}")
        # A database that is migrated step by step has not every table yet.
        there = set(connections[using].introspection.table_names(cursor))
        for model in apps.get_models():
            if (revoked := getattr(model, "revoked_privileges", "")) and model._meta.db_table in there:
                cursor.execute(f"REVOKE {revoked} ON {quote(model._meta.db_table)} FROM {quote(role)}")
        for model in tenant_owned_models():
            table = quote(model._meta.db_table)
            if model._meta.db_table not in there:
                continue
            # No default in current_setting: with no tenant in force a query fails instead of finding nothing.
            mine = f"tenant_id = current_setting('{SETTING}')::bigint"
            cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY IF EXISTS tenant_scope ON {table}")
            cursor.execute(f"CREATE POLICY tenant_scope ON {table} USING ({mine}) WITH CHECK ({mine})")
