"""What a node counted: kept once a minute for metering, and its last two reports for the rates of the moment.

However many tenants are on a node, its report is one statement and one round trip to Redis.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from provisioning.core.values.counter_key import split_tenant
from provisioning.core.values.resource import content_digest
from provisioning.models import NODE_TIMEOUT
from provisioning.redis import redis_client
from provisioning.selectors.traffic_rates import REPORT_LIFETIME, report_keys

STORE_REPORT = """
    WITH known AS (
        SELECT id, epoch, sequence FROM provisioning_node WHERE token_digest = %(token)s FOR UPDATE
    ), newest AS (
        UPDATE provisioning_node node SET
            seen_at = %(now)s, epoch = %(epoch)s, sequence = %(sequence)s, health = %(health)s,
            applied_serial = %(serial)s,
            reporting_since = CASE WHEN seen_at > %(now)s - %(timeout)s THEN coalesce(reporting_since, %(now)s)
                ELSE %(now)s END,
            counted_at = CASE WHEN node.epoch = %(epoch)s AND counted_at >= date_trunc('minute', %(now)s)
                THEN counted_at ELSE %(now)s END
        FROM known
        WHERE node.id = known.id
            AND NOT (known.epoch = %(epoch)s AND known.sequence >= %(sequence)s AND known.sequence > 0)
        RETURNING node.id, counted_at = %(now)s AS is_due, known.epoch = %(ended_epoch)s
            AND known.epoch <> %(epoch)s AND known.sequence <= %(ended_sequence)s AS has_ended
    )
    SELECT id, CASE WHEN has_ended THEN causeway_store_counters(id, %(ended_epoch)s, %(ended_at)s, %(ended)s) END,
    CASE WHEN is_due THEN causeway_store_counters(id, %(epoch)s, %(now)s, %(counters)s) END, ARRAY(
        SELECT slug FROM provisioning_nodetenant pointer JOIN tenants_tenant tenant ON tenant.id = pointer.tenant_id
        WHERE node_id = newest.id AND recorded <> coalesce(%(digests)s ->> slug, %(nothing)s)
    ) FROM newest
"""

NOTHING_REPORTED = content_digest([{}, {}])
"""The digest of what is reported of a tenant without sections: nothing applied, nothing failed."""


def store_report(
    token_digest: str, report: Mapping[str, Any], digests: Mapping[str, str], now: datetime
) -> tuple[int, list[str]] | None:
    """Store what a node reports of itself and its cumulative counters.

    ``digests``: slug → digest of what it reports of the tenant's sections. Return the node's primary key and the slugs
    of the tenants of whom something else is recorded; None where no node has the token, or the report was overtaken by
    a newer one.

    Stored are the first counters of each minute and of each epoch, and before those the last of the epoch that ended: a
    rebooted node tells them. They are not believed where a later report of that epoch came: its disk was set back.
    """
    epoch, counters = str(report.get("epoch", ""))[:64], _counters_by_tenant(report.get("counters") or {})
    ended = report.get("ended") or {}
    values: dict[str, Any] = {
        "token": token_digest,
        "now": now,
        "timeout": NODE_TIMEOUT,
        "epoch": epoch,
        "sequence": int(report.get("sequence", 0)),
        "serial": int(report.get("serial", 0)),
        "health": Jsonb(report.get("health") or {}),
        "counters": Jsonb(counters),
        "ended_epoch": str(ended.get("epoch", ""))[:64],
        "ended_sequence": int(ended.get("sequence", 0)),
        "ended_at": now - timedelta(microseconds=1),
        "ended": Jsonb(_counters_by_tenant(ended.get("counters") or {})),
        "digests": Jsonb(digests),
        "nothing": NOTHING_REPORTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE_REPORT, values)
        row = cursor.fetchone()
    if row is None:
        return None
    node, _, _, changed = row
    return node, changed


def keep_for_rates(node: int, report: Mapping[str, Any], now: datetime) -> None:
    """Keep in Redis what a node counted, and what it had counted before."""
    last, previous = report_keys(node)
    reading = {"at": now.timestamp(), "epoch": str(report.get("epoch", ""))[:64]}
    fields: dict[Any, Any] = {
        slug: json.dumps({**reading, "counters": counters})
        for slug, counters in _counters_by_tenant(report.get("counters") or {}).items()
    }
    pipeline = redis_client().pipeline(transaction=False)
    pipeline.copy(last, previous, replace=True)
    pipeline.delete(last)
    if fields:
        pipeline.hset(last, mapping=fields)
    pipeline.expire(last, REPORT_LIFETIME)
    pipeline.execute()


def _counters_by_tenant(reported: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return slug → key → value."""
    counters: dict[str, dict[str, int]] = {}
    for key, value in reported.items():
        slug, name = split_tenant(key)
        counters.setdefault(slug, {})[name] = value
    return counters
