"""Fixtures of all tests: the database (created by the owner, used as the application), Redis, and their flush."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.servers import SERVERS, TestServers


@pytest.fixture(scope="session")
def servers() -> TestServers:
    """The session's servers: launchers, addresses and logs."""
    return SERVERS


@pytest.fixture
def as_owner(servers: TestServers) -> Callable[[str], None]:
    """Return a function that runs SQL as the owner: rows that the application's role may not rewrite, as they were
    in an older release. It sees what is committed (``transaction=True``, outside a scope)."""

    def run(sql: str) -> None:
        with psycopg.connect(servers.owner_url) as owner:
            owner.execute(sql)

    return run


@pytest.fixture(scope="session")
def redis_server(servers: TestServers) -> str:
    """Start Redis; return its URL."""
    servers.start_redis()
    return servers.redis_url


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, servers: TestServers, redis_server: str
) -> Iterator[None]:
    """The owner migrates the test database; the tests connect as the application's role."""
    from django.core.management import call_command
    from django.db import connections
    from django.test import TransactionTestCase

    from tests.database_flush import flush_database, tables_filled_by_migrations

    servers.start_database()
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        connections["owner"].close()
    kept = tables_filled_by_migrations(servers.owner_url)

    # Django would TRUNCATE as the application's role, which must not be able to.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: flush_database(servers.owner_url, kept))
        yield
    with django_db_blocker.unblock():
        connections.close_all()
