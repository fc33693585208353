"""Trace and reachability: one flow, and all flows from or to an object, in any snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from portal.pages import kind_styles
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.flow_words import (
    deciding_rule_text,
    endpoint_names,
    example_packet_text,
    flow_text,
    packet_query,
    packet_text,
)
from portal.pages.object_links import ObjectLinks
from portal.pages.objects.bound_form import BoundField, bind_fields
from portal.pages.objects.form_fields import PROTOCOLS, ReferenceField, TextField
from portal.pages.objects.list_rows import ReferenceNames
from portal.pages.queried_snapshot import QueriedSnapshot, queried_snapshot, query_context
from portal.pages.refusals import ServiceOutcome, catch_refusals
from provisioning.core.formats.flow_list import split_names
from provisioning.core.intent import INTERNET
from provisioning.core.reach import FlowQuery
from provisioning.core.values.headers import EPHEMERAL_PORT
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES
from provisioning.core.values.protocols import PORT_PROTOCOLS
from provisioning.selectors import reachability as selectors
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.queries import Snapshot

DEFAULT_PORT = 443
"""What a trace on TCP or UDP asks for where no port is named."""
MAX_ROWS = 300
QUERY_FIELDS = (
    *("from", "to", "port", "from_segment", "to_segment", "via", "avoid"),
    *("source_port", "icmp_type", "dscp"),
)
ENDPOINT_KINDS = ("connectors", "groups", "internet-apps")
TRACE_KINDS = {
    "from": ("connectors",),
    "to": ("connectors", "internet-apps"),
    "from_segment": ("segments",),
    "to_segment": ("segments",),
}
"""What each field of a trace may name."""
HOP_STYLES = {
    "nat": kind_styles.KindStyle(icon="replace", word="NAT", cluster=""),
    "node": kind_styles.KindStyle(icon="server-2", word="Exchange node", cluster=""),
    "service": kind_styles.kind_style("service"),
    "app": kind_styles.KindStyle(icon="world-www", word="Internet application", cluster=""),
    "internet": kind_styles.KindStyle(icon="world", word="Internet", cluster=""),
    "address": kind_styles.KindStyle(icon="help-circle", word="Nobody's address", cluster=""),
    "connector": kind_styles.KindStyle(icon="plug-connected", word="Connector", cluster=""),
}


@tenant_page()
def trace(request: PageRequest) -> HttpResponse:
    """Show one flow, hop by hop. The whole query is in the address."""
    queried = queried_snapshot(request, request.GET.get("version", ""))
    query = {name: request.GET.get(name, "").strip() for name in QUERY_FIELDS}
    protocol, assume = request.GET.get("protocol", "tcp"), request.GET.get("assume", "healthy")
    result, outcome = None, ServiceOutcome()
    kinds = _resolve_names(queried.snapshot, query, TRACE_KINDS)
    if query["from"] and query["to"]:
        if not query["port"] and protocol in PORT_PROTOCOLS and kinds.get("to") != "internet-apps":
            query["port"] = str(DEFAULT_PORT)
        with catch_refusals() as outcome:
            flow = FlowQuery(
                query["from"],
                query["to"],
                protocol,
                query["port"] or None,
                from_segment=query["from_segment"] or None,
                to_segment=query["to_segment"] or None,
                via=split_names(query["via"]),
                avoid=split_names(query["avoid"]),
                **{name: query[name] or None for name in ("source_port", "icmp_type", "dscp")},
            )
            result = selectors.trace_flow(
                queried.snapshot,
                flow,
                observed_at=timezone.now() if assume == "observed" and queried.key == "live" else None,
            )
    endpoint: dict[str, Any] = {"literals": {INTERNET: "internet"}, "free": True, "example": ENDPOINT_EXAMPLE}
    fields = bind_fields(
        (
            ReferenceField("from", "From", kinds=TRACE_KINDS["from"], **endpoint),
            ReferenceField("to", "To", kinds=TRACE_KINDS["to"], **endpoint),
            ReferenceField("from_segment", "From segment", kinds=TRACE_KINDS["from_segment"]),
            ReferenceField("to_segment", "To segment", kinds=TRACE_KINDS["to_segment"]),
            TextField("icmp_type", "ICMP type", example="echo-request", when=("protocol", tuple(ICMP_TYPE_NAMES))),
            TextField("dscp", "DSCP", example="0, or a name such as EF"),
            TextField("via", "Through", example="a service, exchange, node or connector"),
            TextField("avoid", "Not through", example="names, parted by commas"),
        ),
        {**query, "protocol": protocol},
        ReferenceNames(queried.snapshot, [query]).label,
        prefix="tr",
    )
    context = {
        **query_context(request, queried),
        "start": fields[0],
        "end": fields[1],
        "segments": fields[2:4],
        "narrowed": fields[4:],
        "usual_source_port": EPHEMERAL_PORT,
        "query": query,
        "protocols": [name for name, _ in PROTOCOLS if name != "any"],
        "protocol": protocol,
        "assume": assume,
        "has_more": assume == "observed" or any(query[name] for name in QUERY_FIELDS[3:]),
        "problems": outcome.problems,
        "trace": _trace_context(queried, result, fields) if result else None,
    }
    return render(request, "pages/trace.html", context)


ENDPOINT_EXAMPLE = "a name, or an address"


def _resolve_names(snapshot: Snapshot, query: dict[str, str], kinds: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Replace each name that was typed in ``query`` by the id of its object; return the kinds of those found."""
    network = tenant_cache.load_network(snapshot)
    found = {
        (field, kind): item
        for field, names in kinds.items()
        for kind in reversed(names)
        if query[field] and (item := network.find(kind, query[field]))
    }
    query.update({field: item.uid for (field, _), item in found.items()})
    return dict(found.keys())


def _trace_context(queried: QueriedSnapshot, result: dict[str, Any], fields: list[BoundField]) -> dict[str, Any]:
    rule, blockers = result.get("rule"), result["blockers"]
    links = ObjectLinks(queried.root, [rule], [blocker["object"] for blocker in blockers], queried.snapshot.draft)
    names = [chosen.name for field in fields[:2] for chosen in field.chosen]
    return {
        "packet": result["packet"],
        "flow": packet_text(result["packet"]),
        "state": result["disposition"],
        "start": names[0] if names else "",
        "end": names[-1] if names else "",
        "passes": result["disposition"] in ("delivered", "delivered_inspected", "local"),
        "rule": deciding_rule_text(rule, result.get("segment") or "") if rule else "",
        "url": links.rule(rule),
        "blockers": [{**blocker, **links.place(blocker["object"])} for blocker in blockers],
        "waypoints": [
            *(_waypoint_row(waypoint, wanted=True) for waypoint in result["via"]),
            *(_waypoint_row(waypoint, wanted=False) for waypoint in result["avoid"]),
        ],
        "chain": result.get("chain") or [],
        "segment": result.get("segment") or result.get("to_segment") or "",
        "to_segment": result.get("to_segment") or "",
        "hops": [_hop_row(hop) for hop in result["hops"]],
        "back": [_hop_row(hop) for hop in (result.get("return") or {}).get("hops", ())],
    }


def _waypoint_row(waypoint: dict[str, Any], *, wanted: bool) -> dict[str, Any]:
    verb = "passes" if waypoint["passed"] else "does not pass"
    text = f"The path {verb} {waypoint['kind']} “{waypoint['name']}”."
    return {"text": text, "as_asked": waypoint["passed"] == wanted}


def _hop_row(hop: dict[str, Any]) -> dict[str, Any]:
    style = HOP_STYLES.get(hop["kind"]) or kind_styles.kind_style(hop["kind"])
    return {**hop, "icon": style.icon, "word": style.word}


@tenant_page()
def reach(request: PageRequest) -> HttpResponse:
    """Show what an object can reach or, with ``way=to``, what can reach it."""
    queried = queried_snapshot(request, request.GET.get("version", ""))
    direction = "to" if request.GET.get("way") == "to" else "from"
    query = {"of": request.GET.get("of", "").strip()}
    _resolve_names(queried.snapshot, query, {"of": ENDPOINT_KINDS})
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
        query,
        ReferenceNames(queried.snapshot, [query]).label,
        prefix="re",
    )
    flows: list[dict[str, Any]] | None = None
    outcome = ServiceOutcome()
    if query["of"]:
        with catch_refusals() as outcome:
            flows = selectors.list_reachable(queried.snapshot, query["of"], towards=direction == "to")
    context = {
        **query_context(request, queried),
        "of": fields[0],
        "way": direction,
        "query": query,
        "name": fields[0].chosen[0].name if fields[0].chosen else "",
        "problems": outcome.problems,
        "rows": _reach_rows(request, queried, flows[:MAX_ROWS]) if flows is not None else None,
        "more": max(0, len(flows or ()) - MAX_ROWS),
    }
    return render(request, "pages/reach.html", context)


def _reach_rows(request: PageRequest, queried: QueriedSnapshot, flows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    links = ObjectLinks(queried.root, [flow.get("rule") for flow in flows])
    address = reverse("trace", args=[request.tenant.slug])
    return [
        {
            "from": endpoint_names(flow, "from"),
            "to": endpoint_names(flow, "to"),
            "segment": flow["segment"],
            "to_segment": flow.get("to_segment") or "",
            "flow": flow_text(flow),
            "action": "inspect" if flow["via"] else "allow",
            "via": ", ".join(flow["via"]),
            "cause": deciding_rule_text(flow.get("rule"), flow["segment"]),
            "url": links.rule(flow.get("rule")),
            "example": example_packet_text(flow.get("example")),
            "trace": f"{address}?{urlencode(_trace_query(queried, flow))}" if flow.get("example") else "",
        }
        for flow in flows
    ]


def _trace_query(queried: QueriedSnapshot, flow: dict[str, Any]) -> dict[str, Any]:
    """Return the query of the trace page for a flow's example packet."""
    packet = flow["example"]
    query = packet_query(packet)
    if flow["to"] == [INTERNET]:
        query["to"] = INTERNET
    segments = {"from_segment": flow["segment"], "to_segment": flow.get("to_segment") or flow["segment"]}
    return {"version": queried.key, **query, **segments}
