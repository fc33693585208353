"""Connectors of the live network or of a draft, a page at a time. The wizard (wizard.py) adds new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, chosen_draft, tenant_page
from portal.pages.objects.list_rows import ReferenceNames, get_page
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.values.labels import label_texts
from provisioning.models import Draft
from provisioning.selectors import group_members
from provisioning.snapshots import queries
from provisioning.snapshots.queries import StoredObject

FILTERS = ("kind", "exchange", "segment", "group", "label")


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
    groups = queries.list_objects(snapshot, "groups")
    joined = group_members.groups_of_attachments(snapshot, groups, listing.rows)
    names = ReferenceNames(snapshot, [row.body for row in listing.rows])
    return render(
        request,
        "pages/connectors/list.html",
        {
            "drafts": drafts,
            "draft": draft,
            "rows": [_connector_row(row, names, joined[row.uid]) for row in listing.rows],
            "total": listing.count,
            "next": listing.next,
            "previous": listing.previous,
            "filtered": any(chosen.values()) or bool(search),
            "chosen": chosen,
            "search": search,
            "kinds": CONNECTOR_KINDS,
            "choices": {
                **{kind: queries.list_objects(snapshot, kind) for kind in ("exchanges", "segments")},
                "groups": groups,
            },
            "tenant": request.tenant,
        },
    )


def _connector_row(row: StoredObject, names: ReferenceNames, groups: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a row of the list; groups: the names of those of each attachment."""
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
                "groups": joined,
                "prefixes": attachment["prefixes"],
                "labels": label_texts(attachment["labels"]),
            }
            for attachment, joined in zip(body["attachments"], groups, strict=True)
        ],
        "labels": label_texts(body["labels"]),
        "settings": body["settings"],
    }
