"""Row-level security: the policies and grants on every table of a ``TenantOwned`` model.

The owner's login installs them after each migration; nothing has to be remembered when a model is added.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction
from django.db.backends.utils import CursorWrapper

from tenants.scope import SETTING
from tenants.tenant_owned import TenantOwned


class MigrationRouter:
    """Schema changes go through the owner's login only; everything else uses the application's."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"


def tenant_owned_models() -> list[type[TenantOwned]]:
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]


def install_policies(using: str = "owner", **kwargs: Any) -> None:
    """Install policies and grants for the models as they are; the owner runs this after each migration."""
    if using != "owner":
        return
    role = settings.DATABASES["default"]["USER"]
    # In one transaction: at no moment may the role do more than it may afterwards.
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        quote = connections[using].ops.quote_name
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quote(role)}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quote(role)}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quote(role)}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {quote(role)}")
        # A database that is migrated one migration at a time has not every table yet.
        tables = set(connections[using].introspection.table_names(cursor))
        for model in apps.get_models():
            if model._meta.db_table in tables:
                _revoke_privileges(cursor, model, quote(role))
        for model in tenant_owned_models():
            table = quote(model._meta.db_table)
            if model._meta.db_table not in tables:
                continue
            # No default in current_setting: with no tenant in force a query fails instead of finding nothing.
            own_rows = f"tenant_id = current_setting('{SETTING}')::bigint"
            cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY IF EXISTS tenant_scope ON {table}")
            cursor.execute(f"CREATE POLICY tenant_scope ON {table} USING ({own_rows}) WITH CHECK ({own_rows})")


def _revoke_privileges(cursor: CursorWrapper, model: type[models.Model], role: str) -> None:
    """Take from the role what the model says that it may not do (``TenantOwned``; platform tables may say so too)."""
    table = f'"{model._meta.db_table}"'
    if revoked := getattr(model, "revoked_privileges", ""):
        cursor.execute(f"REVOKE {revoked} ON {table} FROM {role}")
    if updatable := getattr(model, "updatable_columns", ()):
        columns = ", ".join(f'"{column}"' for column in updatable)
        cursor.execute(f"REVOKE UPDATE ON {table} FROM {role}")
        cursor.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")
