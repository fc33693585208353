"""The wizard that adds a connector to a draft: what to attach, which network of it, where it attaches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages import kind_styles
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.discovered_networks import discovered_networks
from portal.pages.objects import connectors
from portal.pages.objects.bound_form import BoundField, bind_fields
from portal.pages.objects.form_fields import FormField
from portal.pages.objects.list_rows import ReferenceNames
from portal.pages.objects.prices import add_prices
from provisioning.catalog import catalog
from provisioning.core.intent.connectors import CONNECTOR_KINDS
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
        context["fields"] = _connector_fields(snapshot, kind, exchanges[0], segment, "usage" in request.rights)
    return render(request, "pages/connectors/new.html" + ("#networks" if request.htmx else ""), context)


def _connector_fields(
    snapshot: Snapshot, kind: str, exchange: StoredObject, segment: StoredObject, with_prices: bool
) -> list[BoundField]:
    """Return the fields of the form, filled with what most people want."""
    body = {
        "kind": kind,
        "exchange": exchange.uid,
        "size": "small",
        "preference": 100,
        "attachments": [{"segment": segment.uid}],
    }
    fields: Sequence[FormField] = connectors.connector_form(body)
    if with_prices:
        fields = add_prices("connectors", fields, body)
    return bind_fields(fields, body, ReferenceNames(snapshot, [body]).label, prefix="wz")


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
