"""Emptying the test database after a test that really committed; done by the owner's login."""

from __future__ import annotations

import psycopg
from psycopg import sql

# Leaf tables that have a page on disk: TRUNCATE gives the file back, so an empty size means nothing was written.
NON_EMPTY_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
"""
REFERRING_TABLES = """
    SELECT f.conrelid::regclass::text FROM pg_constraint f
    WHERE f.contype = 'f' AND f.conrelid = ANY(%s::text[]::regclass[]) AND f.confrelid = ANY(%s::text[]::regclass[])
"""

MAX_TRIES = 5


def tables_filled_by_migrations(owner_url: str) -> frozenset[str]:
    """What migrations filled (content types, permissions, catalogues): tests read it and leave it."""
    with psycopg.connect(owner_url) as owner:
        return frozenset(name for (name,) in owner.execute(NON_EMPTY_TABLES))


def flush_database(owner_url: str, kept: frozenset[str]) -> None:
    """Empty every table that a test wrote to, except ``kept``.

    A portal that runs for the whole session may still be reading for a page that is closed by now: then again.
    """
    for attempt in range(MAX_TRIES):
        try:
            _truncate(owner_url, kept)
            return
        except psycopg.errors.DeadlockDetected:
            if attempt == MAX_TRIES - 1:
                raise


def _truncate(owner_url: str, kept: frozenset[str]) -> None:
    # A connection of our own: Django forbids a test the aliases that it did not ask for.
    with psycopg.connect(owner_url) as owner:
        used = [name for (name,) in owner.execute(NON_EMPTY_TABLES) if name not in kept]
        if not used:
            return
        if clash := owner.execute(REFERRING_TABLES, [list(kept), used]).fetchall():
            raise AssertionError(f"Catalogue tables {clash} refer to tables that tests fill; they cannot be kept.")
        tables = sql.SQL(", ").join(map(sql.Identifier, used))
        owner.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))
