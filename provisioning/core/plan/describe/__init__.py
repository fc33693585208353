"""What a change does, in lines a reviewer reads. A kind of resource that is worth words of its own is a module here and
a line in ``_DESCRIBERS``; all others are described field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from provisioning.core.node_document import body_version
from provisioning.core.node_document_upgrade import upgrade_body
from provisioning.core.plan.describe import connector, fields, segment, service_instance
from provisioning.core.values.resource import Body, Change

Describer = Callable[[Any, Any], Iterator[str]]
"""(before or None, after) → lines."""

_DOCUMENT_FIELDS = ("version", "nodes")
"""Fields of every section of a node document that say how it gets to the nodes, not what it does there."""

_DESCRIBERS: dict[str, Describer] = {
    "exchange.segment": segment.describe_segment,
    "exchange.vrf": service_instance.describe_vrf_services,
    "exchange.connector": connector.describe_connector,
    "exchange.instance": service_instance.describe_instance,
}


def describe_change(change: Change) -> Iterator[str]:
    """Yield what comes, goes or differs; nothing for a removal, whose address says enough."""
    if change.action == "remove" or change.after is None:
        return
    if change.driver != "exchange":
        yield from fields.describe_fields(change.before, change.after)
        return
    before, after = change.before, change.after
    if before is not None and body_version(before) != body_version(after):
        yield f"document version {body_version(before)} → {body_version(after)}"
        before = upgrade_body(change.kind, before)
    describe = _DESCRIBERS.get(change.kind, fields.describe_fields)
    yield from describe(_without_document_fields(before), _without_document_fields(after))


def _without_document_fields(body: Body | None) -> Body | None:
    return None if body is None else {name: value for name, value in body.items() if name not in _DOCUMENT_FIELDS}
