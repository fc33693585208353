"""The exchange driver: publishes sections to exchange nodes; a change holds when every node concerned reports it.

Nodes carry their documents out by themselves (provisioning/agent); this driver only writes rows and reads reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from provisioning.core.values.resource import Body, Change, content_digest
from provisioning.drivers.base import Done, DriverContext, DriverError, ObservedResource, Waiting
from provisioning.drivers.exchange import publish
from provisioning.models import NodeSection

REPORT_TIMEOUT = timedelta(seconds=60)
"""How long a node may take to carry a section out before the step says so."""


class ExchangeDriver:
    replace_on: dict[str, frozenset[str]] = {}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        late, error = context.in_scope(self._publish, change)
        if error:
            raise error
        if late:
            return Waiting(1.0, f"Waiting for node {', '.join(str(section.node) for section in late)}")
        return Done({}, change.after)

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        observed: list[ObservedResource] = context.in_scope(
            lambda: [self._observe_section(change) for change in desired]
        )
        return observed

    def _publish(self, change: Change) -> tuple[list[NodeSection], DriverError | None]:
        """Publish the change; return the sections that their nodes have not applied, and why waiting is of no use."""
        sections = publish.publish_sections(change)
        late = [section for section in sections if not section.is_applied]
        error = _section_error(late)
        if error:
            # Reset, so that a retry publishes anew and waits anew.
            publish.reset_sections(late)
        elif not late:
            publish.delete_removed_sections(change.address)
        return late, error

    def _observe_section(self, change: Change) -> ObservedResource:
        found: list[dict[str, Any]] = list(NodeSection.objects.filter(address=change.address).values("body", "digest"))
        body: Body | None = found[0]["body"] if found and found[0]["digest"] == content_digest(change.after) else None
        return ObservedResource(change.address, change.kind, body, {})


def _section_error(late: list[NodeSection]) -> DriverError | None:
    """Why it is of no use to wait any longer for these sections, if it is."""
    for section in late:
        if section.failure:
            message = f"Node {section.node} could not carry it out: {section.failure}"
            return DriverError(message, call="exchange.apply", code="node_failed", permanent=True)
    if late and timezone.now() - min(section.published_at for section in late) > REPORT_TIMEOUT:
        names = ", ".join(str(section.node) for section in late)
        seen = max((section.node.seen_at for section in late if section.node.seen_at), default=None)
        last = f"last heard of at {seen:%H:%M:%S} UTC" if seen else "never heard of"
        message = (
            f"Node {names} has not reported within {REPORT_TIMEOUT.seconds} s ({last}). Look at the node, then retry."
        )
        return DriverError(message, call="exchange.apply", code="node_silent", permanent=True)
    return None
