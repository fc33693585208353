"""The traffic of the network's edges right now: what follows from the last two reports of each node, kept in Redis.

Computed when somebody looks, so that reports cost the same however many tenants and edges there are.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from provisioning.core.values.counter_key import CounterKey
from provisioning.models import NodeSection
from provisioning.redis import redis_client
from tenants import scope

RATE_LIFETIME = 10
"""Seconds after which a rate that was not reported again is no longer shown."""
REPORT_LIFETIME = 60
"""Seconds for which a report can be the earlier one of a rate."""


def current_rates(now: datetime) -> dict[str, list[float]]:
    """Return edge id → bits per second [forth, back], summed over nodes.

    Forth is from a connector into its exchange, and on ``mesh/a/b`` from a to b.
    """
    exchanges = exchanges_by_node()
    slug = scope.current_tenant().slug
    pipeline = redis_client().pipeline(transaction=False)
    for node in exchanges:
        for key in report_keys(node):
            pipeline.hget(key, slug)
    reports = [json.loads(raw) if raw else None for raw in pipeline.execute()]
    rates: dict[str, list[float]] = {}
    for exchange, last, previous in zip(exchanges.values(), reports[::2], reports[1::2], strict=True):
        if last and previous and now.timestamp() - last["at"] <= RATE_LIFETIME:
            _add_rates(rates, exchange, last, previous)
    return rates


def exchanges_by_node() -> dict[int, str]:
    """Return node → the key of the tenant's exchange there."""
    return dict(NodeSection.objects.order_by().values_list("node", "exchange").distinct())


def report_keys(node: int) -> tuple[str, str]:
    """Return the Redis hashes of a node's last report and the one before: slug → ``{"at", "epoch", "counters"}``."""
    return f"causeway:counters:{node}:last", f"causeway:counters:{node}:previous"


def _add_rates(rates: dict[str, list[float]], here: str, last: dict[str, Any], previous: dict[str, Any]) -> None:
    seconds = last["at"] - previous["at"]
    if last["epoch"] != previous["epoch"] or seconds <= 0:
        return
    for key, value in last["counters"].items():
        edge, grown = edge_of_counter(here, key), value - previous["counters"].get(key, value)
        if edge and grown >= 0:
            rates.setdefault(edge[0], [0.0, 0.0])[edge[1]] += grown * 8 / seconds


def edge_of_counter(here: str, key: str) -> tuple[str, int] | None:
    """Return the edge that a byte counter of a node at exchange ``here`` belongs to, and its direction (0 forth)."""
    counter = CounterKey.parse(key)
    if counter is None or counter.quantity != "bytes":
        return None
    if counter.subject_kind == "connector":
        return counter.subject, 0 if counter.direction == "in" else 1
    if counter.subject_kind == "mesh":
        a, b = sorted((here, counter.subject_name))
        return f"mesh/{a}/{b}", 0 if here == a else 1
    return None
