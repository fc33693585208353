"""Connectors of the live network or of a draft, a page at a time. The wizard (wizard.py) adds new ones."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, chosen_draft, tenant_page
from portal.pages.objects.list_rows import ReferenceNames, get_page
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.models import Draft
from provisioning.snapshots import queries
from provisioning.snapshots.queries import StoredObject

FILTERS = ("kind", "exchange", "segment", "group")


@tenant_page()
def connectors(request: PageRequest) -> HttpResponse:
    drafts, draft = Draft.objects.filter(state=Draft.State.OPEN), chosen_draft(request)
    snapshot = queries.snapshot_of_draft(draft) if draft else queries.live_snapshot()
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    search = request.GET.get("search", "")
    listing = get_page(
        snapshot,
        "connectors",
        request.GET.get("cursor"),
        search=search,
        filters={name: value for name, value in chosen.items() if value},
        with_total=True,
    )
    names = ReferenceNames(snapshot, [row.body for row in listing.rows])
    return render(
        request,
        "pages/connectors/list.html",
        {
            "drafts": drafts,
            "draft": draft,
            "rows": [_connector_row(row, names) for row in listing.rows],
            "total": listing.count,
            "next": listing.next,
            "previous": listing.previous,
            "filtered": any(chosen.values()) or bool(search),
            "chosen": chosen,
            "search": search,
            "kinds": CONNECTOR_KINDS,
            "choices": {kind: queries.list_objects(snapshot, kind) for kind in ("exchanges", "segments", "groups")},
            "tenant": request.tenant,
        },
    )


def _connector_row(row: StoredObject, names: ReferenceNames) -> dict[str, Any]:
    body = row.body
    return {
        "uid": row.uid,
        "name": row.name,
        "kind": body["kind"],
        "exchange": names.label(body["exchange"]).name,
        "size": body["size"],
        "enabled": body["enabled"],
        "attachments": [
            {
                "segment": names.value(attachment["segment"], {}),
                "groups": [names.label(uid).name for uid in attachment["groups"]],
                "prefixes": attachment["prefixes"],
            }
            for attachment in body["attachments"]
        ],
        "settings": body["settings"],
    }
