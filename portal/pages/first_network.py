"""A tenant's first network: what the dialog of an empty topology offers, and the trace that a run offers afterwards."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from portal.pages.decorators import PageRequest
from portal.pages.kind_styles import KIND_STYLES
from portal.pages.objects.declared_fields import LOCATIONS
from portal.pages.tracing import DEFAULT_PORT
from provisioning.catalog import catalog
from provisioning.core.intent import Connector, slug
from provisioning.models import PlannedChange, Run
from provisioning.snapshots import queries, tenant_cache

SITE_KINDS = ("ipsec-site", "lab-site")


def first_network_choices(*, lab: bool) -> dict[str, Any]:
    """Return what the dialog's fields offer. An exchange is named for its city; sites of a lab are lab sites."""
    return {
        "locations": [
            {"key": key, "label": LOCATIONS[key], "name": slug(location.name)}
            for key, location in catalog().locations.items()
        ],
        "kinds": [(kind, KIND_STYLES[kind].word) for kind in SITE_KINDS],
        "kind": "lab-site" if lab else "ipsec-site",
        "sites": [
            {"path": f"edits[{number}]", "name": f"site-{letter}", "prefix": f"10.{index}.0.0/24"}
            for index, (number, letter) in enumerate(((2, "a"), (3, "b")), 1)
        ],
    }


def suggest_trace(request: PageRequest, run: Run) -> dict[str, str] | None:
    """Return names and address of a trace from a connector that a run created to another one of its segment, the
    created ones first; None when there is no such pair."""
    created = set(
        PlannedChange.objects.filter(plan=run.plan, action="create", address__startswith="connector/").values_list(
            "address", flat=True
        )
    )
    intent = tenant_cache.load_intent(queries.revision_snapshot(run.revision))
    created_first = sorted(intent.connectors.values(), key=lambda row: (f"connector/{row.key}" not in created, row.key))
    members: dict[str, list[Connector]] = defaultdict(list)
    for connector in created_first:
        for segment in {attachment.segment for attachment in connector.attachments if attachment.prefixes}:
            members[segment].append(connector)
    pair = next((ends[:2] for ends in members.values() if len(ends) > 1), None)
    if pair is None or f"connector/{pair[0].key}" not in created:
        return None
    start, end = pair
    query = {"from": start.uid, "to": end.uid, "protocol": "tcp", "port": str(DEFAULT_PORT)}
    url = f"{reverse('trace', args=[request.tenant.slug])}?{urlencode(query)}"
    return {"from": start.name, "to": end.name, "url": url}
