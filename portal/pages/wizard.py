"""The wizard that adds a connector to a draft: what to attach, which network of it, where it attaches."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from billing.services import price_plan
from portal.pages import kind_styles
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.objects import connectors
from portal.pages.objects.bound_form import bind_fields
from portal.pages.objects.exchanges import SIZES
from portal.pages.objects.list_rows import ReferenceNames
from portal.templatetags.causeway import money
from provisioning.catalog import catalog
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.values.resource import Resource
from provisioning.models import CloudAccount, Draft
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject


@tenant_page("edit")
def wizard(request: PageRequest) -> HttpResponse:
    drafts = list(Draft.objects.filter(state=Draft.State.OPEN))
    wanted = request.GET.get("draft", "")
    draft = next((draft for draft in drafts if str(draft.uid) == wanted), None)
    if draft is None:
        return render(request, "pages/connectors/choose_draft.html", {"drafts": drafts, "tenant": request.tenant})
    request.draft_uid = draft.uid
    view = queries.snapshot_of_draft(draft)
    kind = request.GET.get("kind", "")
    accounts = CloudAccount.objects.all() if kind == "aws-vpc" else []
    account = next((one for one in accounts if str(one.uid) == request.GET.get("account")), None)
    exchanges, segments = queries.list_objects(view, "exchanges"), queries.list_objects(view, "segments")
    context = {
        "tenant": request.tenant,
        "draft": draft,
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "kind": kind if kind in CONNECTOR_KINDS else "",
        "families": kind_styles.connector_families(),
        "accounts": accounts,
        "account": account,
        "vpcs": _vpc_rows(account, view, exchanges) if account else [],
        "exchanges": exchanges,
        "segments": segments,
        "may_discover": "accounts" in request.rights,
    }
    if context["kind"] and exchanges and segments:
        chosen = request.GET.get("segment", "")
        segment = next((row for row in segments if row.uid == chosen), segments[0])
        sizes = _priced_sizes(kind) if "usage" in request.rights else SIZES
        context["fields"] = _connector_fields(view, kind, exchanges[0], segment, sizes)
    return render(request, "pages/connectors/new.html" + ("#networks" if request.htmx else ""), context)


def _connector_fields(view: Snapshot, kind: str, exchange: StoredObject, segment: StoredObject, sizes: Any) -> Any:
    """The form of every connector, begun with what most people want."""
    body = {
        "kind": kind,
        "exchange": exchange.uid,
        "size": "small",
        "preference": 100,
        "attachments": [{"segment": segment.uid}],
    }
    return bind_fields(connectors.connector_form(body, sizes), body, ReferenceNames(view, [body]).label, prefix="wz")


def _priced_sizes(kind: str) -> tuple[tuple[str, str], ...]:
    """The sizes with what a connector of this kind costs in each month, where a price book applies."""
    addresses = {size: f"connector/{size}" for size, _ in SIZES}
    wanted = [
        Resource(address, "exchange.connector", {"kind": kind, "size": size, "exchange": ""})
        for size, address in addresses.items()
    ]
    found = price_plan([], wanted)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in found["lines"]:
        amounts[line["subject"]["address"]] += Decimal(line["amount"])
    return tuple(
        (
            size,
            f"{word}, {money(amount, found['currency'])} a month" if (amount := amounts.get(addresses[size])) else word,
        )
        for size, word in SIZES
    )


def _vpc_rows(account: CloudAccount, view: Snapshot, exchanges: list[StoredObject]) -> list[dict[str, Any]]:
    """What discovery found, with the connector of this draft that uses it already, and the exchange nearest to it."""
    used = {row.body["settings"].get("vpc_id"): row.name for row in queries.list_objects(view, "connectors")}
    locations = catalog().locations
    near = {locations[row.body["location"]].region: row for row in exchanges if row.body["location"] in locations}
    return [
        {**vpc, "used": used.get(vpc["id"], ""), "exchange": near.get(vpc["region"])}
        for vpc in account.inventory.get("vpcs", [])
    ]
