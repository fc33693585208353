"""Connectors: what is attached, in live or in a draft. They are added by the wizard (wizard.py)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.door import PageRequest, page
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.models import Draft
from provisioning.selectors import views
from provisioning.selectors.views import Row, View

FILTERS = ("kind", "exchange", "segment", "group")
PAGE = 100


@page()
def connectors(request: PageRequest) -> HttpResponse:
    drafts = Draft.objects.filter(state=Draft.State.OPEN)
    draft = drafts.filter(uid=request.GET["draft"]).first() if _uuid(request.GET.get("draft")) else None
    view = views.of_draft(draft) if draft else views.live()
    names = _names(view)
    colors = {row.uid: row.body["color"] for row in views.rows(view, "segments")}
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    search = request.GET.get("search", "")
    found = [row for row in views.rows(view, "connectors") if _matches(row, chosen, search)]
    return render(
        request,
        "pages/connectors/list.html",
        {
            "drafts": drafts,
            "draft": draft,
            "rows": [_shown(row, names, colors) for row in found[:PAGE]],
            "total": len(found),
            "most": PAGE,
            "filtered": any(chosen.values()) or bool(search),
            "chosen": chosen,
            "search": search,
            "kinds": CONNECTOR_KINDS,
            "choices": {kind: views.rows(view, kind) for kind in ("exchanges", "segments", "groups")},
            "tenant": request.tenant,
        },
    )


def _names(view: View) -> dict[str, str]:
    return {row.uid: row.name for kind in ("exchanges", "segments", "groups") for row in views.rows(view, kind)}


def _matches(row: Row, chosen: dict[str, str], search: str) -> bool:
    attachments = row.body["attachments"]
    return (
        search.lower() in row.name.lower()
        and chosen["kind"] in ("", row.body["kind"])
        and chosen["exchange"] in ("", row.body["exchange"])
        and all(
            not chosen[field] or any(one[field] == chosen[field] for one in attachments)
            for field in ("segment", "group")
        )
    )


def _shown(row: Row, names: dict[str, str], colors: dict[str, str | None]) -> dict[str, Any]:
    body = row.body
    return {
        "uid": row.uid,
        "name": row.name,
        "kind": body["kind"],
        "exchange": names.get(body["exchange"], ""),
        "size": body["size"],
        "enabled": body["enabled"],
        "attachments": [
            {
                "segment": names.get(one["segment"], ""),
                "color": colors.get(one["segment"]),
                "group": names.get(one["group"] or "", ""),
                "prefixes": one["prefixes"],
            }
            for one in body["attachments"]
        ],
        "settings": body["settings"],
    }


def _uuid(text: str | None) -> bool:
    return bool(text) and len(text or "") == 36
