"""Which snapshot a page of questions is about: live, a draft or an old revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.urls import reverse

from portal.pages.decorators import PageRequest, get_draft
from provisioning.models import Draft, Revision
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot

MAX_REVISIONS = 20


@dataclass(frozen=True, slots=True)
class QueriedSnapshot:
    """root: where its objects have their pages; api: where the API has it."""

    key: str
    snapshot: Snapshot
    root: str
    api: str


def query_context(request: PageRequest, queried: QueriedSnapshot) -> dict[str, Any]:
    """Return what every such page shows: which snapshot is asked, and which could be."""
    live = queries.live_snapshot().revision
    return {
        "tenant": request.tenant,
        "version": queried.key,
        "api": queried.api,
        "versions": [
            ("live", f"Live, revision {live}"),
            *((f"drafts/{row.uid}", f"Draft {row.name}") for row in Draft.objects.filter(state=Draft.State.OPEN)),
            *(
                (f"revisions/{row.number}", f"Revision {row.number}")
                for row in Revision.objects.exclude(number=live)[:MAX_REVISIONS]
            ),
        ],
    }


def queried_snapshot(request: PageRequest, key: str) -> QueriedSnapshot:
    """Return the snapshot that an address or a form names; live where it names none."""
    slug, key = request.tenant.slug, key or "live"
    api = f"/api/v1/t/{slug}/"
    if key == "live":
        return QueriedSnapshot(key, queries.live_snapshot(), reverse("network", args=[slug]), f"{api}live/")
    kind, _, identifier = key.partition("/")
    if kind == "revisions" and identifier.isdecimal() and len(identifier) < 10:
        root = reverse("revision-objects", args=[slug, int(identifier)])
        return QueriedSnapshot(key, queries.revision_snapshot(int(identifier)), root, f"{api}{key}/")
    if kind != "drafts":
        raise Http404
    draft = get_draft(request, identifier)
    root = reverse("draft-objects", args=[slug, draft.uid])
    return QueriedSnapshot(key, queries.snapshot_of_draft(draft), root, f"{api}{key}/")
