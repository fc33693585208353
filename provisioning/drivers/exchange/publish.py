"""Sections: which nodes a resource concerns, and what is written for them."""

from __future__ import annotations

from collections.abc import Iterable

import redis
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from provisioning.core.values.resource import Body, Change, content_digest
from provisioning.models import Item, Node, NodeSection, NodeTenant
from tenants import outbox, scope

ExchangeNodeKey = tuple[str, int]
"""(key of the tenant's exchange, node 1 or 2)."""


def publish_sections(change: Change) -> list[NodeSection]:
    """Write what is not there yet and wake the nodes; returns the resource's sections as they are now.

    A node that no longer carries the resource keeps an empty section until it has let go of it.
    """
    sections = {
        section.node_id: section
        for section in NodeSection.objects.select_related("node").filter(address=change.address)
    }
    desired = _concerned_nodes(change, change.after) if change.after is not None else {}
    wanted_digest = content_digest(change.after) if change.after is not None else ""
    for node, exchange in desired.items():
        sections.setdefault(node.pk, NodeSection(node=node, address=change.address, exchange=exchange))
    kept = {node.pk for node in desired}
    # In one order for every step: each write locks its node until all of them are there.
    for pk in sorted(sections):
        if pk in kept:
            _write_section(sections[pk], change.kind, change.after, wanted_digest)
        else:
            _write_section(sections[pk], change.kind, None, "")
    return list(sections.values())


def _write_section(section: NodeSection, kind: str, body: Body | None, desired: str) -> None:
    if section.pk and section.digest == desired and section.version:
        return
    node = section.node
    NodeTenant.objects.get_or_create(node=node, tenant=scope.current())
    Node.objects.filter(pk=node.pk).update(version=F("version") + 1)
    node.refresh_from_db(fields=["version"])
    section.kind, section.body, section.digest = kind, body, desired
    section.version, section.failure, section.published_at = node.version, "", timezone.now()
    section.save()
    outbox.enqueue("node", node=node.pk)


def reset_sections(sections: Iterable[NodeSection]) -> None:
    """The next ``put`` writes these again, whether or not their bodies differ."""
    NodeSection.objects.filter(pk__in=[section.pk for section in sections]).update(version=0, failure="")


def delete_removed_sections(address: str) -> None:
    """Drop the rows of sections that their nodes have let go of."""
    NodeSection.objects.filter(address=address, body__isnull=True).delete()


def wake_node(tenant: str, node: int) -> None:
    """Outbox handler: a node that waits for its document gets it now."""
    redis_client().publish(node_channel(node), "changed")


def node_channel(node: int) -> str:
    return f"causeway:node:{node}"


def redis_client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def _concerned_nodes(change: Change, body: Body) -> dict[Node, str]:
    """Node → key of the tenant's exchange there. A node that never enrolled gets a row, and a step that says so."""
    found = {}
    sites = _exchange_nodes(change, body)
    locations = {
        exchange: _exchange_location(exchange) for exchange in dict.fromkeys(exchange for exchange, _ in sites)
    }
    for exchange, index in sites:
        node, _ = Node.objects.get_or_create(location=locations[exchange], index=index)
        found[node] = exchange
    return found


def _exchange_location(exchange: str) -> str:
    item = Item.objects.get(kind="exchanges", key=exchange)
    location: str = item.versions.order_by("-first")[0].body["location"]
    return location


def _exchange_nodes(change: Change, body: Body) -> list[ExchangeNodeKey]:
    """Where a body of this kind is carried out."""
    match change.kind:
        case "exchange.presence":
            exchange = change.address.removeprefix("exchange/")
            return [(exchange, 1), (exchange, 2)]
        case "exchange.segment":
            return [_parse_node_name(peer["node"]) for peer in body["mesh"]]
        case "exchange.vrf":
            return [_parse_node_name(body["node"])]
        case "exchange.connector":
            return sorted({_parse_node_name(link["node"]) for link in body["links"]})
        case "exchange.instance":
            exchange, _ = _parse_node_name(body["host"])
            return [(exchange, 1), (exchange, 2)]
    raise KeyError(change.kind)


def _parse_node_name(node: str) -> ExchangeNodeKey:
    exchange, _, index = node.rpartition("/")
    return exchange, int(index)
