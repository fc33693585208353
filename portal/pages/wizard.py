"""The wizard that adds a connector to a draft: what to attach, which network of it, where it attaches."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from billing.services import price_plan
from portal.pages import kind_styles
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.discovered_networks import discovered_networks
from portal.pages.number_formats import money
from portal.pages.objects import connectors
from portal.pages.objects.bound_form import bind_fields
from portal.pages.objects.declared_fields import SIZES
from portal.pages.objects.list_rows import ReferenceNames
from provisioning.catalog import catalog
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.values.resource import Resource
from provisioning.drivers import cloud_of_connector
from provisioning.drivers.cloud import Cloud
from provisioning.models import CloudAccount, Draft
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject


@tenant_page("edit")
def wizard(request: PageRequest) -> HttpResponse:
    drafts = list(Draft.objects.filter(state=Draft.State.OPEN))
    draft_uid = request.GET.get("draft", "")
    draft = next((draft for draft in drafts if str(draft.uid) == draft_uid), None)
    if draft is None:
        return render(request, "pages/connectors/choose_draft.html", {"drafts": drafts, "tenant": request.tenant})
    request.draft_uid = draft.uid
    snapshot = queries.snapshot_of_draft(draft)
    kind = request.GET.get("kind", "")
    cloud = cloud_of_connector(kind)
    accounts = CloudAccount.objects.filter(provider=cloud.name) if cloud else []
    account = next((account for account in accounts if str(account.uid) == request.GET.get("account")), None)
    exchanges, segments = queries.list_objects(snapshot, "exchanges"), queries.list_objects(snapshot, "segments")
    context = {
        "tenant": request.tenant,
        "draft": draft,
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "kind": kind if kind in CONNECTOR_KINDS else "",
        "families": kind_styles.connector_families(),
        "style": kind_styles.kind_style(kind),
        "cloud": cloud,
        "is_set_up_by_hand": kind in CONNECTOR_KINDS and CONNECTOR_KINDS[kind].cloud and cloud is None,
        "accounts": accounts,
        "account": account,
        "networks": _network_rows(cloud, kind, account, snapshot, exchanges) if cloud and account else [],
        "exchanges": exchanges,
        "segments": segments,
        "may_discover": "accounts" in request.rights,
    }
    if context["kind"] and exchanges and segments:
        chosen = request.GET.get("segment", "")
        segment = next((row for row in segments if row.uid == chosen), segments[0])
        sizes = _priced_sizes(kind) if "usage" in request.rights else SIZES
        context["fields"] = _connector_fields(snapshot, kind, exchanges[0], segment, sizes)
    return render(request, "pages/connectors/new.html" + ("#networks" if request.htmx else ""), context)


def _connector_fields(snapshot: Snapshot, kind: str, exchange: StoredObject, segment: StoredObject, sizes: Any) -> Any:
    """Return the fields of the form, filled with what most people want."""
    body = {
        "kind": kind,
        "exchange": exchange.uid,
        "size": "small",
        "preference": 100,
        "attachments": [{"segment": segment.uid}],
    }
    return bind_fields(
        connectors.connector_form(body, sizes), body, ReferenceNames(snapshot, [body]).label, prefix="wz"
    )


def _priced_sizes(kind: str) -> tuple[tuple[str, str], ...]:
    """Return the sizes with what a connector of this kind costs each month, where a price book applies."""
    addresses = {size: f"connector/{size}" for size, _ in SIZES}
    connectors_of_each_size = [
        Resource(address, "exchange.connector", {"kind": kind, "size": size, "exchange": ""})
        for size, address in addresses.items()
    ]
    prices = price_plan([], connectors_of_each_size)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in prices["lines"]:
        amounts[line["subject"]["address"]] += Decimal(line["amount"])
    labels = []
    for size, word in SIZES:
        amount = amounts.get(addresses[size])
        labels.append((size, f"{word}, {money(amount, prices['currency'])} a month" if amount else word))
    return tuple(labels)


def _network_rows(
    cloud: Cloud, kind: str, account: CloudAccount, snapshot: Snapshot, exchanges: list[StoredObject]
) -> list[dict[str, Any]]:
    """Return the discovered networks, each with the connector of this draft that attaches it, the settings of a
    connector that would (JSON), and the exchange in the network's region."""
    locations = catalog().locations
    exchange_by_region = {
        locations[row.body["location"]].region: row for row in exchanges if row.body["location"] in locations
    }
    return [
        {
            **network,
            "settings": json.dumps(cloud.settings_for(kind, network)),
            "exchange": exchange_by_region.get(network["region"]),
        }
        for network in discovered_networks(account, queries.list_objects(snapshot, "connectors"))
    ]
