"""The wizard that adds a connector to a draft: what to attach, which network of it, where it attaches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages import kind_styles
from portal.pages.decorators import PageRequest, chosen_draft, tenant_page
from portal.pages.discovered_networks import discovered_networks
from portal.pages.nearest_exchange import nearest_exchange
from portal.pages.objects import connectors
from portal.pages.objects.bound_form import BoundField, bind_fields
from portal.pages.objects.form_fields import FormField
from portal.pages.objects.list_rows import ReferenceNames
from portal.pages.objects.prices import add_prices
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.drivers import cloud_of_connector
from provisioning.drivers.cloud import Cloud
from provisioning.models import CloudAccount, Draft
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject


@tenant_page("edit")
def wizard(request: PageRequest) -> HttpResponse:
    draft = chosen_draft(request)
    if draft is None:
        drafts = Draft.objects.filter(state=Draft.State.OPEN)
        return render(request, "pages/connectors/choose_draft.html", {"drafts": drafts, "tenant": request.tenant})
    snapshot = queries.snapshot_of_draft(draft)
    kind = request.GET.get("kind", "")
    cloud = cloud_of_connector(kind)
    accounts = list(CloudAccount.objects.filter(provider=cloud.name)) if cloud else []
    chosen = accounts if len(accounts) == 1 else [row for row in accounts if str(row.uid) == request.GET.get("account")]
    account = next(iter(chosen), None)
    exchanges, segments, existing = (
        queries.list_objects(snapshot, kind_listed) for kind_listed in ("exchanges", "segments", "connectors")
    )
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
        "networks": _network_rows(cloud, kind, account, existing, exchanges) if cloud and account else [],
        "exchanges": exchanges,
        "segments": segments,
        "may_discover": "accounts" in request.rights,
    }
    if context["kind"] and exchanges and segments:
        body = _first_body(kind, exchanges, segments, existing)
        context["fields"] = _connector_fields(snapshot, body, "usage" in request.rights)
    return render(request, "pages/connectors/new.html" + ("#networks" if request.htmx else ""), context)


def _first_body(
    kind: str, exchanges: list[StoredObject], segments: list[StoredObject], existing: list[StoredObject]
) -> dict[str, Any]:
    """Return what the form begins with: an exchange and a segment where there is one choice only, else the segment of
    the newest connector. The exchange of a cloud's network follows from its region, when it is chosen."""
    newest = max(existing, key=attrgetter("number"), default=None)
    segment = newest.body["attachments"][0]["segment"] if newest else ""
    return {
        "kind": kind,
        "exchange": exchanges[0].uid if len(exchanges) == 1 else "",
        "size": "small",
        "preference": 100,
        "attachments": [{"segment": segments[0].uid if len(segments) == 1 else segment}],
    }


def _connector_fields(snapshot: Snapshot, body: dict[str, Any], with_prices: bool) -> list[BoundField]:
    """Return the fields of the form, filled with what most people want."""
    fields: Sequence[FormField] = connectors.connector_form(body)
    if with_prices:
        fields = add_prices("connectors", fields, body)
    return bind_fields(fields, body, ReferenceNames(snapshot, [body]).label, prefix="wz")


def _network_rows(
    cloud: Cloud, kind: str, account: CloudAccount, existing: list[StoredObject], exchanges: list[StoredObject]
) -> list[dict[str, Any]]:
    """Return the discovered networks, each with the connector of this draft that attaches it, the settings of a
    connector that would (JSON), and the exchange nearest to it."""
    return [
        {
            **network,
            "settings": json.dumps(cloud.settings_for(kind, network)),
            "exchange": nearest_exchange(cloud, network["region"], exchanges),
        }
        for network in discovered_networks(account, existing)
    ]
