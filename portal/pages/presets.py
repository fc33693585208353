"""Presets of a draft: what is asked, what they would write. Writes go to the API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.documents import draft_context
from provisioning.snapshots import queries, tenant_cache


@tenant_page("edit")
def central_egress(request: PageRequest, uid: UUID) -> HttpResponse:
    """Show the preset "central egress"; where the draft has no hub or no spoke for it, what is missing."""
    draft = get_draft(request, uid)
    network = tenant_cache.load_network(queries.snapshot_of_draft(draft))
    segments = sorted(network.intent.segments.values(), key=lambda segment: segment.name)
    hubs = [segment for segment in segments if network.resolved(segment.uid).routing_table.leads_to_internet]
    context = {
        **draft_context(request, draft),
        "hubs": hubs,
        "segments": segments,
        "services": sorted(network.intent.services.values(), key=lambda service: service.name),
        "missing": _missing(request.tenant.slug, uid, len(segments), len(hubs)),
    }
    return render(request, "pages/design/central_egress.html", context)


def _missing(slug: str, draft: UUID, segments: int, hubs: int) -> dict[str, str] | None:
    """Return what a draft with so many segments and hubs lacks, for ``blankslate``; None for nothing."""
    if segments < 2:
        return {
            "title": "Central egress needs two segments",
            "text": "One is the hub, which has a way to the internet; the others are spokes, which leave by it. "
            f"This draft has {'one' if segments else 'none'}.",
            "url": f"{reverse('draft-object', args=[slug, draft, 'segments'])}?select=new",
            "action": "Add a segment",
        }
    if not hubs:
        return {
            "title": "No segment has a way to the internet",
            "text": "The hub needs an internet exit, or a connector whose prefixes hold a default route (0.0.0.0/0).",
            "url": f"{reverse('connector-new', args=[slug])}?draft={draft}&kind=internet-exit",
            "action": "Add an internet exit",
        }
    return None
