"""Row-level security: what the application's database role can read and write, independent of its code."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.utils import DatabaseError

from provisioning.models import Draft, Plan
from tenants.rls import tenant_owned_models
from tenants.scope import ScopeError
from tests.people import People, TenantScope

pytestmark = pytest.mark.django_db

TABLES = [model._meta.db_table for model in tenant_owned_models()]


def rows(sql: str, *values: Any) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


@pytest.fixture
def two_drafts(people: People, tenant_scope: TenantScope) -> None:
    for tenant in (people.acme, people.globex):
        with tenant_scope(tenant):
            Draft(name=f"of {tenant.slug}", base_revision=0, author="x").save()


def test_the_application_role_is_no_superuser_and_owns_no_table(db: None) -> None:
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [(False, False)]
    assert rows("SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == [(0,)]


@pytest.mark.parametrize("table", TABLES)
def test_a_query_without_a_tenant_is_an_error(table: str) -> None:
    with pytest.raises(DatabaseError):
        rows(f"SELECT 1 FROM {table} LIMIT 1")


@pytest.mark.parametrize("table", TABLES)
def test_every_tenants_table_has_its_policy_and_cannot_be_truncated(
    table: str, people: People, tenant_scope: TenantScope
) -> None:
    assert rows("SELECT relrowsecurity FROM pg_class WHERE relname = %s", table) == [(True,)]
    with tenant_scope(people.acme), pytest.raises(ProgrammingError, match="permission denied"):
        rows(f"TRUNCATE {table} CASCADE")


def test_raw_sql_sees_only_the_tenant_in_scope(two_drafts: None, people: People, tenant_scope: TenantScope) -> None:
    for tenant in (people.acme, people.globex):
        with tenant_scope(tenant):
            assert rows("SELECT name FROM provisioning_draft") == [(f"of {tenant.slug}",)]
    with tenant_scope(people.initech):
        assert rows("SELECT name FROM provisioning_draft") == []


def test_another_tenants_rows_cannot_be_written(two_drafts: None, people: People, tenant_scope: TenantScope) -> None:
    with tenant_scope(people.acme):
        assert rows("UPDATE provisioning_draft SET name = 'x' WHERE tenant_id = %s", people.globex.pk) == 0
        assert rows("DELETE FROM provisioning_draft WHERE tenant_id = %s", people.globex.pk) == 0
        with pytest.raises(ProgrammingError, match="row-level security"):
            rows("UPDATE provisioning_draft SET tenant_id = %s", people.globex.pk)
        with pytest.raises(ProgrammingError, match="row-level security"):
            rows("INSERT INTO tenants_auditentry SELECT * FROM tenants_auditentry WHERE false") or rows(
                "INSERT INTO provisioning_liverevision (tenant_id, live) VALUES (%s, 0)", people.globex.pk
            )


@pytest.mark.parametrize(
    ("table", "verbs"),
    [
        ("tenants_auditentry", ("UPDATE {} SET action = ''", "DELETE FROM {}")),
        ("provisioning_revision", ("UPDATE {} SET message = ''", "DELETE FROM {}")),
        ("billing_pricebookversion", ("UPDATE {} SET note = ''", "DELETE FROM {}")),
        ("billing_pricebook", ("UPDATE {} SET currency = 'USD'", "DELETE FROM {}")),
        ("provisioning_item", ("UPDATE {} SET key = ''", "DELETE FROM {}")),
        ("provisioning_version", ("UPDATE {} SET body = '{{}}'", "UPDATE {} SET first = 0", "DELETE FROM {}")),
        ("provisioning_versionindexentry", ("UPDATE {} SET label = ''", "DELETE FROM {}")),
        ("provisioning_resourcebody", ("UPDATE {} SET body = '{{}}'", "DELETE FROM {}")),
        ("provisioning_plan", ("DELETE FROM {}",)),
        ("provisioning_plannedchange", ("UPDATE {} SET action = ''", "DELETE FROM {}")),
        ("provisioning_run", ("DELETE FROM {}",)),
        ("provisioning_lifecycle", ("UPDATE {} SET started_at = now()", "DELETE FROM {}")),
        ("provisioning_counterreading", ("UPDATE {} SET key = ''", "DELETE FROM {}")),
        ("django_migrations", ("DELETE FROM {}", "UPDATE {} SET name = ''")),
    ],
)
def test_history_cannot_be_rewritten(table: str, verbs: str, people: People, tenant_scope: TenantScope) -> None:
    for verb in verbs:
        with tenant_scope(people.acme), pytest.raises(ProgrammingError, match="permission denied"):
            rows(verb.format(table))


def test_a_plan_with_a_digest_keeps_its_contents(people: People, tenant_scope: TenantScope) -> None:
    with tenant_scope(people.acme):
        draft = Draft(name="work", base_revision=0, author="x")
        draft.save()
        plan = Plan(draft=draft, draft_version=0, base_revision=0, author="x")
        plan.save()
        Plan.objects.update(digest="d", text="+ exchange")
        Plan.objects.update(state=Plan.State.APPROVED, decided_by="y", progress="")
        for column in ("digest", "text", "author"):
            with pytest.raises(ProgrammingError, match="cannot be changed"):
                rows(f"UPDATE provisioning_plan SET {column} = 'z'")


def test_models_refuse_the_same_writes_before_the_database(
    two_drafts: None, people: People, tenant_scope: TenantScope
) -> None:
    with pytest.raises(ScopeError):
        Draft.objects.count()
    with tenant_scope(people.globex):
        other = Draft.objects.get()
    with tenant_scope(people.acme):
        assert [draft.name for draft in Draft.objects.all()] == ["of acme"]
        with pytest.raises(ScopeError):
            other.save()
        with pytest.raises(ScopeError):
            other.delete()
        with pytest.raises(ScopeError):
            Draft.objects.update(tenant=people.globex)
        with pytest.raises(ScopeError):
            Draft.objects.raw("SELECT * FROM provisioning_draft")
        with pytest.raises(ScopeError), tenant_scope(people.globex):
            pass
