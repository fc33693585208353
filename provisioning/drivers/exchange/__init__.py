"""The exchange driver: publishes sections to exchange nodes; a change holds when every node concerned reports it.

Nodes carry their documents out by themselves (provisioning/agent); this driver only writes rows and reads reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from provisioning.core.resource import Body, Change, digest
from provisioning.drivers.base import Context, Done, DriverError, Observed, Waiting
from provisioning.drivers.exchange import publish
from provisioning.models import NodeSection
from tenants.models import Tenant
from tenants.scope import scope

PATIENCE = timedelta(seconds=60)
"""How long a node may take to carry a section out before the step says so."""


class Driver:
    replace_on: dict[str, frozenset[str]] = {}

    def apply(self, change: Change, context: Context) -> Done | Waiting:
        with scope(Tenant.objects.get(slug=context.tenant)):
            return self._outcome(change, publish.put(change))

    def observe(self, wanted: Iterable[Change], context: Context) -> list[Observed]:
        with scope(Tenant.objects.get(slug=context.tenant)):
            return [self._observed(change) for change in wanted]

    def _outcome(self, change: Change, sections: list[NodeSection]) -> Done | Waiting:
        late = [section for section in sections if not section.holds]
        if not late:
            publish.forget_removed(change.address)
            return Done({}, change.after)
        for section in late:
            if section.failure:
                raise DriverError(
                    f"Node {section.node} could not carry it out: {section.failure}",
                    call="exchange.apply",
                    code="node_failed",
                    permanent=True,
                )
        names = ", ".join(str(section.node) for section in late)
        if timezone.now() - min(section.published_at for section in late) > PATIENCE:
            seen = max((s.node.seen_at for s in late if s.node.seen_at), default=None)
            last = f"last heard of at {seen:%H:%M:%S} UTC" if seen else "never heard of"
            raise DriverError(
                f"Node {names} has not reported within {PATIENCE.seconds} s ({last}). Look at the node, then retry.",
                call="exchange.apply",
                code="node_silent",
                permanent=True,
            )
        return Waiting(1.0, f"Waiting for node {names}")

    def _observed(self, change: Change) -> Observed:
        found: list[dict[str, Any]] = list(NodeSection.objects.filter(address=change.address).values("body", "digest"))
        body: Body | None = found[0]["body"] if found and found[0]["digest"] == digest(change.after) else None
        return Observed(change.address, change.kind, body, {})
