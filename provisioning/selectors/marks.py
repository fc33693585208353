"""What objects are found and ordered by beside their names, and the rows that make it quick.

A mark is written with the version or overlay it belongs to, by one statement in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections

from provisioning.models import Overlay, Version

FOUND_BY: dict[str, dict[str, str]] = {
    "exchanges": {"location": "$.location", "size": "$.size"},
    "segments": {"stance": "$.stance"},
    "groups": {},
    "prefix-lists": {"prefix": "$.entries[*].prefix"},
    "billing-tags": {},
    "connectors": {
        "kind": "$.kind",
        "exchange": "$.exchange",
        "failover_exchange": "$.failover_exchange",
        "segment": "$.attachments[*].segment",
        "group": "$.attachments[*].group",
        "size": "$.size",
        "enabled": "$.enabled",
        "redundancy_group": "$.redundancy_group",
        "billing_tags": "$.billing_tags[*]",
    },
    "services": {
        "product": "$.product",
        "segments": "$.segments[*]",
        "license": "$.license",
        "exchange": "$.placements[*].exchange",
        "billing_tags": "$.billing_tags[*]",
    },
    "policies": {
        "segments": "$.segments[*]",
        "from": "$.from[*]",
        "to": "$.to[*]",
        "enabled": "$.enabled",
        "action": "$.rules[*].action",
        "services": "$.rules[*].services[*]",
    },
    "shares": {
        "segment": "$.*.segment",
        "group": "$.*.groups[*]",
        "direction": "$.direction",
        "services": "$.services[*]",
    },
    "nat-rules": {
        "segment": "$.segment",
        "connector": "$.connector",
        "direction": "$.direction",
        "enabled": "$.enabled",
    },
    "route-policies": {
        "segment": "$.segment",
        "direction": "$.direction",
        "targets": "$.targets[*]",
        "enabled": "$.enabled",
    },
    "internet-apps": {
        "connector": "$.connector",
        "target": "$.target.connector",
        "protocol": "$.protocol",
        "port": "$.port",
        "billing_tags": "$.billing_tags[*]",
    },
    "assertions": {"from": "$.from", "to": "$.to", "segment": "$.segment", "expect": "$.expect"},
}
"""Kind → what it is filtered by → where its body says so (an SQL/JSON path)."""

ORDERED_BY: dict[str, dict[str, str]] = {
    "policies": {"position": "$.position"},
    "nat-rules": {"position": "$.position"},
    "internet-apps": {"port": "$.port"},
}
"""Kind → whole numbers that lists can be ordered by."""

DIGITS = 10
BATCH = 2000
LONGEST = 120
"""Characters of a label that are kept; a value that is longer is cut alike where it is looked for."""


def label(kind: str, field: str, value: str) -> str:
    return f"{kind}.{field}={value}"[:LONGEST]


def order(kind: str, field: str) -> str:
    return f"{kind}.{field}"


_COLUMNS = {Version: ("version_id", ("first", "last")), Overlay: ("overlay_id", ("draft_id",))}

_WRITE = """
    WITH r AS (SELECT * FROM {table} WHERE id = ANY(%(rows)s) AND body IS NOT NULL)
    INSERT INTO {table}mark (tenant_id, item_id, {holder}, label, sort {more})
    SELECT DISTINCT r.tenant_id, r.item_id, r.id, left(f.label || (found #>> '{{}}'), %(longest)s), r.name {of_row}
    FROM r JOIN unnest(%(kinds)s::text[], %(labels)s::text[], %(paths)s::text[]) AS f(kind, label, path) USING (kind),
        jsonb_path_query(r.body, f.path::jsonpath) AS found
    WHERE found <> 'null'
    UNION ALL
    SELECT r.tenant_id, r.item_id, r.id, o.label, lpad(found #>> '{{}}', %(digits)s, '0') {of_row}
    FROM r JOIN unnest(%(order_kinds)s::text[], %(orders)s::text[], %(order_paths)s::text[]) AS o(kind, label, path)
        USING (kind), jsonb_path_query_first(r.body, o.path::jsonpath) AS found
    WHERE found <> 'null'
"""


def write(model: type[Version] | type[Overlay], rows: Sequence[int], using: str = "default") -> None:
    """The marks of these rows, which have none yet. Whoever writes versions or overlays calls it."""
    holder, more = _COLUMNS[model]
    statement = _WRITE.format(
        table=model._meta.db_table,
        holder=holder,
        more="".join(f", {name}" for name in more),
        of_row="".join(f", r.{name}" for name in more),
    )
    found = [(kind, f"{kind}.{field}=", path) for kind, fields in FOUND_BY.items() for field, path in fields.items()]
    ordered = [
        (kind, order(kind, field), path) for kind, fields in ORDERED_BY.items() for field, path in fields.items()
    ]
    values: dict[str, Any] = {"longest": LONGEST, "digits": DIGITS}
    values |= dict(zip(("kinds", "labels", "paths"), map(list, zip(*found, strict=True)), strict=True))
    values |= dict(zip(("order_kinds", "orders", "order_paths"), map(list, zip(*ordered, strict=True)), strict=True))
    with connections[using].cursor() as cursor:
        for start in range(0, len(rows), BATCH):
            cursor.execute(statement, {**values, "rows": list(rows[start : start + BATCH])})
