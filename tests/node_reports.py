"""What nodes report, for tests that start where a report arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from provisioning.models import Node, NodeSection, NodeTenant
from provisioning.services import nodes, telemetry
from tenants.jobs import in_scope
from tenants.models import Tenant


def record_report(node: Node, report: Mapping[str, Any]) -> None:
    """Record a report of the node, which gets a token if it never enrolled."""
    _give_token(node)
    assert nodes.record_report(_token(node), report)


def report_rates(tenant: Tenant, location: str, subjects: Mapping[str, Sequence[int]], exchange: str = "here") -> None:
    """Let node 1 of a location report twice, so that what it counts has these bits per second [in, out]."""
    node, _ = Node.objects.get_or_create(location=location, index=1)
    NodeTenant.objects.get_or_create(node=node, tenant=tenant)
    in_scope(tenant, NodeSection.objects.get_or_create, node=node, address="exchange/here", exchange=exchange, kind="x")
    now = timezone.now()
    for seconds, at in ((0, now - timedelta(seconds=2)), (2, now)):
        counters = {
            f"{tenant.slug}|{subject}|corp|{direction}|bytes": rate // 8 * seconds
            for subject, rates in subjects.items()
            for direction, rate in zip(("in", "out"), rates, strict=True)
        }
        telemetry.keep_for_rates(node.pk, {"epoch": "rates", "counters": counters}, at)


def keep_next_reports() -> None:
    """Let what each node reports next be kept, as if its first report of another minute."""
    Node.objects.update(counted_at=None)


def _give_token(node: Node) -> str:
    digest = hashlib.sha256(_token(node).encode()).hexdigest()
    Node.objects.filter(pk=node.pk, token_digest="").update(token_digest=digest)
    return digest


def _token(node: Node) -> str:
    return f"token of {node}"
