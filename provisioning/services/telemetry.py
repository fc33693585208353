"""Counters: kept by the minute for metering, turned into rates for the topology."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from provisioning.core.values.counter_key import CounterKey
from provisioning.models import CounterReading, Node, NodeSection
from provisioning.redis import redis_client
from provisioning.selectors.traffic_rates import current_rates, rates_key
from tenants import scope


def store_counters(node: Node, counters: Mapping[str, int], now: datetime) -> None:
    """Take a node's cumulative counters of the tenant in force."""
    if not counters:
        return
    CounterReading.objects.bulk_create(
        (
            CounterReading(
                node=node,
                key=key,
                epoch=node.epoch,
                minute=now.replace(second=0, microsecond=0),
                at=now,
                value=value,
            )
            for key, value in counters.items()
        ),
        update_conflicts=True,
        unique_fields=["tenant", "node", "key", "epoch", "minute"],
        update_fields=["at", "value"],
    )
    _update_rates(node, counters, now)


def _update_rates(node: Node, counters: Mapping[str, int], now: datetime) -> None:
    """Store and announce the rates of the edges that this node counts, which follow from its last two reports."""
    redis, last_key = redis_client(), f"{rates_key()}:{node.pk}"
    raw = redis.get(last_key)
    redis.set(last_key, json.dumps({"at": now.timestamp(), "epoch": node.epoch, "counters": dict(counters)}), ex=60)
    last = json.loads(raw) if raw else None
    if last is None or last["epoch"] != node.epoch or now.timestamp() <= last["at"]:
        return
    seconds = now.timestamp() - last["at"]
    here = NodeSection.objects.filter(node=node).values_list("exchange", flat=True).first() or ""
    edges: dict[str, list[float]] = {}
    for key, value in counters.items():
        edge = _edge_of_counter(here, key)
        grown = value - last["counters"].get(key, value)
        if edge and grown >= 0:
            edges.setdefault(edge[0], [0.0, 0.0])[edge[1]] += grown * 8 / seconds
    redis.hset(rates_key(), str(node.pk), json.dumps({"at": now.timestamp(), "edges": edges}))
    redis.expire(rates_key(), 60)
    import_string(settings.RATES_HANDLER)(scope.current_tenant().slug, now, current_rates(now))


def _edge_of_counter(here: str, key: str) -> tuple[str, int] | None:
    """The topology edge that a byte counter of a node at exchange ``here`` belongs to, and its direction (0 forth)."""
    counter = CounterKey.parse(key)
    if counter is None or counter.quantity != "bytes":
        return None
    if counter.subject_kind == "connector":
        return counter.subject, 0 if counter.direction == "in" else 1
    if counter.subject_kind == "mesh":
        a, b = sorted((here, counter.subject_name))
        return f"mesh/{a}/{b}", 0 if here == a else 1
    return None
