"""Trace, and who reaches whom: questions about one flow, and about all flows of one thing, in any version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from portal.pages import kind_styles, plan_review
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.object_links import ObjectLinks
from portal.pages.objects.bound_form import BoundField, bind_fields
from portal.pages.objects.form_fields import PROTOCOLS, ReferenceField
from portal.pages.objects.list_rows import ReferenceNames
from portal.pages.refusals import ServiceOutcome, catch_refusals
from provisioning.core.intent import INTERNET
from provisioning.models import Draft, Revision
from provisioning.selectors import reachability as selectors
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot

MAX_REVISIONS = 20
MAX_ROWS = 300
ENDPOINT_KINDS = ("connectors", "groups", "internet-apps")
HOP_STYLES = {
    "nat": kind_styles.KindStyle(icon="replace", word="NAT", cluster=""),
    "node": kind_styles.KindStyle(icon="server-2", word="Exchange node", cluster=""),
    "service": kind_styles.kind_style("service"),
    "app": kind_styles.KindStyle(icon="world-www", word="Internet application", cluster=""),
    "internet": kind_styles.KindStyle(icon="world", word="Internet", cluster=""),
    "connector": kind_styles.KindStyle(icon="plug-connected", word="Connector", cluster=""),
}


@dataclass(frozen=True, slots=True)
class QueriedSnapshot:
    """What is asked: live, a draft or an old revision."""

    key: str
    view: Snapshot
    root: str  # its objects' pages
    api: str


@tenant_page()
def trace(request: PageRequest) -> HttpResponse:
    """One flow, hop by hop. Everything that was asked is in the address."""
    version = _queried_snapshot(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("from", "to", "port", "from_segment", "to_segment")}
    protocol, assume = request.GET.get("protocol", "tcp"), request.GET.get("assume", "healthy")
    found, outcome = None, ServiceOutcome()
    if asked["from"] and asked["to"]:
        with catch_refusals() as outcome:
            found = selectors.trace_flow(
                version.view,
                asked["from"],
                asked["to"],
                protocol=int(protocol) if protocol.isdecimal() else protocol,
                port=int(asked["port"]) if asked["port"].isdecimal() and len(asked["port"]) < 6 else None,
                from_segment=asked["from_segment"] or None,
                to_segment=asked["to_segment"] or None,
                observed_at=timezone.now() if assume == "observed" and version.key == "live" else None,
            )
    endpoint: dict[str, Any] = {"literals": {INTERNET: "internet"}, "free": True, "example": ENDPOINT_EXAMPLE}
    fields = bind_fields(
        (
            ReferenceField("from", "From", kinds=("connectors",), **endpoint),
            ReferenceField("to", "To", kinds=("connectors", "internet-apps"), **endpoint),
            ReferenceField("from_segment", "From segment", kinds=("segments",)),
            ReferenceField("to_segment", "To segment", kinds=("segments",)),
        ),
        asked,
        ReferenceNames(version.view, [asked]).label,
        prefix="tr",
    )
    context = {
        **_query_context(request, version),
        "start": fields[0],
        "end": fields[1],
        "segments": fields[2:],
        "asked": asked,
        "protocols": [name for name, _ in PROTOCOLS if name != "any"],
        "protocol": protocol,
        "assume": assume,
        "problems": outcome.problems,
        "found": _trace_context(version, found, fields) if found else None,
    }
    return render(request, "pages/trace.html", context)


ENDPOINT_EXAMPLE = "a name, or an address"


def _trace_context(version: QueriedSnapshot, found: dict[str, Any], fields: list[BoundField]) -> dict[str, Any]:
    rule = found.get("rule")
    names = [chosen.name for one in fields[:2] for chosen in one.chosen]
    return {
        "state": found["disposition"],
        "start": names[0] if names else "",
        "end": names[-1] if names else "",
        "passes": found["disposition"] in ("delivered", "delivered_inspected", "local"),
        "rule": plan_review.deciding_rule_text(rule, found.get("segment") or "") if rule else "",
        "url": ObjectLinks(version.root, [rule]).rule(rule),
        "chain": found.get("chain") or [],
        "segment": found.get("segment") or found.get("to_segment") or "",
        "to_segment": found.get("to_segment") or "",
        "hops": [_hop_row(hop) for hop in found["hops"]],
        "back": [_hop_row(hop) for hop in (found.get("return") or {}).get("hops", ())],
    }


def _hop_row(hop: dict[str, Any]) -> dict[str, Any]:
    look = HOP_STYLES.get(hop["kind"]) or kind_styles.kind_style(hop["kind"])
    return {**hop, "icon": look.icon, "word": look.word}


@tenant_page()
def reach(request: PageRequest) -> HttpResponse:
    """What something can reach, or with ``way=to`` what can reach it; ``other`` asks about one pair."""
    version = _queried_snapshot(request)
    way = "to" if request.GET.get("way") == "to" else "from"
    asked = {"of": request.GET.get("of", "").strip()}
    fields = bind_fields(
        (
            ReferenceField(
                "of",
                "What can",
                kinds=ENDPOINT_KINDS,
                literals={"any": "any connector", INTERNET: "internet"},
                free=True,
            ),
        ),
        asked,
        ReferenceNames(version.view, [asked]).label,
        prefix="re",
    )
    found: list[dict[str, Any]] | None = None
    outcome = ServiceOutcome()
    if asked["of"]:
        with catch_refusals() as outcome:
            found = selectors.list_reachable(version.view, asked["of"], towards=way == "to")
    context = {
        **_query_context(request, version),
        "of": fields[0],
        "way": way,
        "asked": asked,
        "name": fields[0].chosen[0].name if fields[0].chosen else "",
        "problems": outcome.problems,
        "rows": _reach_rows(request, version, found[:MAX_ROWS]) if found is not None else None,
        "more": max(0, len(found or ()) - MAX_ROWS),
    }
    return render(request, "pages/reach.html", context)


def _reach_rows(request: PageRequest, version: QueriedSnapshot, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = ObjectLinks(version.root, [one.get("rule") for one in found])
    address = reverse("trace", args=[request.tenant.slug])
    return [
        {
            "from": plan_review.endpoint_names(one, "from"),
            "to": plan_review.endpoint_names(one, "to"),
            "segment": one["segment"],
            "to_segment": one.get("to_segment") or "",
            "flow": plan_review.flow_text(one),
            "action": "inspect" if one["via"] else "allow",
            "via": ", ".join(one["via"]),
            "cause": plan_review.deciding_rule_text(one.get("rule"), one["segment"]),
            "url": places.rule(one.get("rule")),
            "example": plan_review.example_packet_text(one.get("example")),
            "trace": f"{address}?{urlencode(_trace_query(version, one))}" if one.get("example") else "",
        }
        for one in found
    ]


def _trace_query(version: QueriedSnapshot, one: dict[str, Any]) -> dict[str, Any]:
    """The example packet as the trace page asks it."""
    packet = one["example"]
    asked = {"from": packet["source"], "to": packet["destination"], "protocol": packet["protocol"]}
    if one["to"] == [INTERNET]:
        asked["to"] = INTERNET
    segments = {"from_segment": one["segment"], "to_segment": one.get("to_segment") or one["segment"]}
    port = {"port": packet["port"]} if packet.get("port") is not None else {}
    return {"version": version.key, **asked, **port, **segments}


def _query_context(request: PageRequest, version: QueriedSnapshot) -> dict[str, Any]:
    live = queries.live_snapshot().revision
    return {
        "tenant": request.tenant,
        "version": version.key,
        "api": version.api,
        "versions": [
            ("live", f"Live, revision {live}"),
            *((f"drafts/{one.uid}", f"Draft {one.name}") for one in Draft.objects.filter(state=Draft.State.OPEN)),
            *(
                (f"revisions/{one.number}", f"Revision {one.number}")
                for one in Revision.objects.exclude(number=live)[:MAX_REVISIONS]
            ),
        ],
    }


def _queried_snapshot(request: PageRequest) -> QueriedSnapshot:
    slug, key = request.tenant.slug, request.GET.get("version", "") or "live"
    api = f"/api/v1/t/{slug}/"
    if key == "live":
        return QueriedSnapshot(key, queries.live_snapshot(), reverse("network", args=[slug]), f"{api}live/")
    kind, _, which = key.partition("/")
    if kind == "revisions" and which.isdecimal() and len(which) < 10:
        root = reverse("revision-objects", args=[slug, int(which)])
        return QueriedSnapshot(key, queries.revision_snapshot(int(which)), root, f"{api}{key}/")
    if kind != "drafts":
        raise Http404
    view = queries.draft_snapshot(which)
    if view.draft is None or view.draft.state == Draft.State.DISCARDED:
        raise Http404
    request.draft_uid = view.draft.uid
    return QueriedSnapshot(key, view, reverse("draft-objects", args=[slug, view.draft.uid]), f"{api}{key}/")
