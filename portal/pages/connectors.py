"""Connectors: what is attached, in live or in a draft, and the wizard that adds one to a draft."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from billing.services import price_plan
from portal.pages.design import sizes
from portal.pages.door import PageRequest, page
from provisioning.catalog import catalog
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.resource import Resource
from provisioning.models import CloudAccount, Draft
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


@page("edit")
def wizard(request: PageRequest) -> HttpResponse:
    drafts = list(Draft.objects.filter(state=Draft.State.OPEN))
    wanted = request.GET.get("draft", "")
    draft = next((draft for draft in drafts if str(draft.uid) == wanted), None)
    if draft is None:
        return render(request, "pages/connectors/draft.html", {"drafts": drafts, "tenant": request.tenant})
    request.draft_uid = draft.uid
    view = views.of_draft(draft)
    kind = request.GET.get("kind", "")
    accounts = CloudAccount.objects.all() if kind == "aws-vpc" else []
    account = next((one for one in accounts if str(one.uid) == request.GET.get("account")), None)
    context = {
        "tenant": request.tenant,
        "draft": draft,
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "kind": kind if kind in CONNECTOR_KINDS else "",
        "kinds": CONNECTOR_KINDS,
        "accounts": accounts,
        "account": account,
        "vpcs": _vpcs(account, view) if account else [],
        "chosen_segment": request.GET.get("segment", ""),
        "exchanges": _exchanges(view),
        "segments": views.rows(view, "segments"),
        "groups": views.rows(view, "groups"),
        "sizes": _priced(kind) if "usage" in request.rights else sizes(),
        "may_discover": "accounts" in request.rights,
    }
    return render(request, "pages/connectors/new.html" + ("#networks" if request.htmx else ""), context)


def _priced(kind: str) -> list[dict[str, Any]]:
    """The sizes with what a connector of this kind costs in each month, where a price book applies."""
    addresses = {size["key"]: f"connector/{size['key']}" for size in sizes()}
    wanted = [
        Resource(address, "exchange.connector", {"kind": kind, "size": size, "exchange": ""})
        for size, address in addresses.items()
    ]
    found = price_plan([], wanted)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in found["lines"]:
        amounts[line["subject"]["address"]] += Decimal(line["amount"])
    return [{**size, "monthly": amounts.get(addresses[size["key"]]), "currency": found["currency"]} for size in sizes()]


def _exchanges(view: View) -> list[dict[str, Any]]:
    known = catalog().locations
    return [
        {"uid": row.uid, "name": row.name, "place": known.get(row.body["location"]), "location": row.body["location"]}
        for row in views.rows(view, "exchanges")
    ]


def _vpcs(account: CloudAccount, view: View) -> list[dict[str, Any]]:
    """What discovery found, with the connector of this draft that uses it already, and the exchange nearest to it."""
    used = {row.body["settings"].get("vpc_id"): row.name for row in views.rows(view, "connectors")}
    locations = catalog().locations
    near = {
        locations[row.body["location"]].region: row.uid
        for row in views.rows(view, "exchanges")
        if row.body["location"] in locations
    }
    return [
        {**vpc, "used": used.get(vpc["id"], ""), "exchange": near.get(vpc["region"], "")}
        for vpc in account.inventory.get("vpcs", [])
    ]


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
