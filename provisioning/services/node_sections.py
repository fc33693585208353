"""Sections of node documents: a resource's body, written for each node that carries it out, and what the node reports.

A section is a row for a node and an address. Writing one raises the node's ``serial`` and wakes the node, which gets a
new document; its report says which digests it has applied (``services/nodes.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from django.db.models import F, Min
from django.utils import timezone

from provisioning.core.values.resource import Body, Change, content_digest
from provisioning.drivers.base import PublishedSection
from provisioning.models import NODE_TIMEOUT, Node, NodeSection, NodeTenant
from provisioning.redis import redis_client
from tenants import outbox
from tenants.scope import current_tenant


class NodeSections:
    """The tenant's sections, for the exchange driver (``drivers.base.SectionPublisher``).

    ``in_scope`` calls a function in the tenant's scope, in a transaction of its own (TenantJob.in_scope).
    """

    def __init__(self, in_scope: Callable[..., Any]) -> None:
        self._in_scope = in_scope

    def publish(self, change: Change) -> list[PublishedSection]:
        sections: list[NodeSection] = self._in_scope(publish_sections, change)
        now = timezone.now()
        return [_published(section, now) for section in sections]

    def listening_since(self) -> datetime | None:
        reporting = Node.objects.filter(seen_at__gt=timezone.now() - NODE_TIMEOUT)
        since: datetime | None = reporting.aggregate(since=Min("reporting_since"))["since"]
        return since

    def reset(self, address: str, nodes: Iterable[str]) -> None:
        self._in_scope(_reset_sections, address, set(nodes))

    def delete_removed(self, address: str) -> None:
        self._in_scope(NodeSection.objects.filter(address=address, body__isnull=True).delete)

    def is_published(self, change: Change) -> bool:
        digest = content_digest(change.after)
        return bool(self._in_scope(NodeSection.objects.filter(address=change.address, digest=digest).exists))


def _reset_sections(address: str, nodes: Collection[str]) -> None:
    sections = NodeSection.objects.select_related("node").filter(address=address)
    late = [section.pk for section in sections if str(section.node) in nodes]
    NodeSection.objects.filter(pk__in=late).update(serial=0, failure="")


def publish_sections(change: Change) -> list[NodeSection]:
    """Write what is not written yet and wake the nodes; return the resource's sections as they are now.

    A node that no longer carries the resource keeps an empty section until it has removed what it made.
    """
    sections = {
        section.node_id: section
        for section in NodeSection.objects.select_related("node").filter(address=change.address)
    }
    exchanges = _exchange_keys(change.after["nodes"]) if change.after is not None else {}
    digest = content_digest(change.after) if change.after is not None else ""
    for node, exchange in exchanges.items():
        sections.setdefault(node.pk, NodeSection(node=node, address=change.address, exchange=exchange))
    kept = {node.pk for node in exchanges}
    # In one order for every step: each write locks its node until all of them are written.
    for pk in sorted(sections):
        if pk in kept:
            _write_section(sections[pk], change.kind, change.after, digest)
        else:
            _write_section(sections[pk], change.kind, None, "")
    return list(sections.values())


def _write_section(section: NodeSection, kind: str, body: Body | None, digest: str) -> None:
    if section.pk and section.digest == digest and section.serial:
        return
    node = section.node
    NodeTenant.objects.update_or_create(node=node, tenant=current_tenant(), defaults={"recorded": ""})
    Node.objects.filter(pk=node.pk).update(serial=F("serial") + 1)
    node.refresh_from_db(fields=["serial"])
    section.kind, section.body, section.digest = kind, body, digest
    section.serial, section.failure, section.published_at = node.serial, "", timezone.now()
    section.save()
    outbox.enqueue("node", node=node.pk)


def _exchange_keys(nodes: Mapping[str, str]) -> dict[Node, str]:
    """Return node → key of the tenant's exchange there, for ``nodes`` of a body: name (eu/1) → location.

    A node that never enrolled gets a row, so that the step which waits for it can name it.
    """
    exchanges = {}
    for name, location in nodes.items():
        exchange, _, index = name.rpartition("/")
        node, _ = Node.objects.get_or_create(location=location, index=int(index))
        exchanges[node] = exchange
    return exchanges


def _published(section: NodeSection, now: datetime) -> PublishedSection:
    node = section.node
    return PublishedSection(
        node=str(node),
        is_applied=section.is_applied,
        failure=section.failure,
        published_at=section.published_at,
        seen_at=node.seen_at,
        reporting_since=node.reporting_since if node.is_reporting(now) else None,
        document_version=node.document_version,
    )


def wake_node(tenant: str, node: int) -> None:
    """Outbox handler: a node that waits for its document gets it now."""
    redis_client().publish(node_channel(node), "changed")


def node_channel(node: int | Literal["*"]) -> str:
    return f"causeway:node:{node}"
