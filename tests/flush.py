"""Emptying the test database after a test that really committed; done by the owner's login."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# Leaf tables that have a page on disk: TRUNCATE gives the file back, so an empty size means nothing was written.
USED = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
"""
REFERS = """
    SELECT conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) AND NOT confrelid::regclass::text = ANY(%s)
      AND confrelid::regclass::text = ANY(%s)
"""


def tables_of_migrations(owner: BaseDatabaseWrapper) -> frozenset[str]:
    """What migrations filled (content types, permissions, catalogues): tests read it and leave it."""
    with owner.cursor() as cursor:
        cursor.execute(USED)
        return frozenset(name for (name,) in cursor.fetchall())


def flush(owner: BaseDatabaseWrapper, kept: frozenset[str]) -> None:
    """Empty every table that a test wrote to, except ``kept``."""
    # The blocker and Django's own "databases" check guard the tests' aliases; this one is ours.
    owner.ensure_connection()
    with owner.wrap_database_errors, owner.connection.cursor() as cursor:
        cursor.execute(USED)
        used = [name for (name,) in cursor.fetchall() if name not in kept]
        if not used:
            return
        cursor.execute(REFERS, [list(kept), list(kept), used])
        if clash := cursor.fetchall():
            raise AssertionError(f"Catalogue tables {clash} refer to tables that tests fill; they cannot be kept.")
        cursor.execute(f"TRUNCATE {', '.join(used)} CASCADE")
        owner.connection.commit()
