"""The ground the tests stand on: who they are in the database, and that a committing test leaves nothing behind."""

from __future__ import annotations

import os

import psycopg
import pytest
from django.db import connection


@pytest.mark.django_db
def test_tests_connect_as_a_role_that_owns_nothing_and_cannot_bypass_row_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_that_commits_leaves_nothing_for_the_next(turn: int) -> None:
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    assert Session.objects.count() == 0
    assert ContentType.objects.exists(), "what migrations wrote stays"
    Session.objects.create(session_key="k", session_data="d", expire_date=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_the_application_role_cannot_truncate() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as application, pytest.raises(psycopg.Error, match="denied"):
        application.execute("TRUNCATE django_session")
