"""The traffic of the network's edges right now, as nodes last reported it; kept in Redis, by node."""

from __future__ import annotations

import json
from datetime import datetime

from provisioning.redis import redis_client
from tenants import scope

RATE_LIFETIME = 10
"""Seconds after which a rate that was not reported again is no longer shown."""


def current_rates(now: datetime) -> dict[str, list[float]]:
    """Return edge id → bits per second [forth, back], summed over nodes.

    Forth is from a connector into its exchange, and on ``mesh/a/b`` from a to b.
    """
    rates: dict[str, list[float]] = {}
    reports: dict[bytes, bytes] = redis_client().hgetall(rates_key())  # type: ignore[assignment]
    for report in map(json.loads, reports.values()):
        if now.timestamp() - report["at"] > RATE_LIFETIME:
            continue
        for edge, (forth, back) in report["edges"].items():
            other_nodes = rates.setdefault(edge, [0.0, 0.0])
            rates[edge] = [other_nodes[0] + forth, other_nodes[1] + back]
    return rates


def rates_key() -> str:
    """Return the Redis hash of the tenant in force: node → ``{"at": seconds of the epoch, "edges": {id: rates}}``."""
    return f"causeway:rates:{scope.current_tenant().slug}"
