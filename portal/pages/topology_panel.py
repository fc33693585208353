"""The side panel of the topology: the facts about one selected object, each with a link to its details."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from billing import selectors as billing
from portal.pages.decorators import PageRequest
from portal.pages.traffic_chart import chosen_moment, chosen_span, history_chart
from provisioning.models import Revision, Version
from provisioning.selectors.traffic_history import SPANS, traffic_history
from provisioning.snapshots import queries

Node = dict[str, Any]
Edge = dict[str, Any]


def topology_panel(choice: str, nodes: list[Node], edges: list[Edge], request: PageRequest) -> dict[str, Any] | None:
    """Return what to show of the node or mesh link ``choice``, or None when there is none."""
    by_id = {node["id"]: node for node in nodes}
    edge = next((edge for edge in edges if edge["id"] == choice), None)
    node = by_id.get(choice)
    span = chosen_span(request.GET.get("span", ""))
    has_history = edge is not None or (node is not None and node["kind"] == "exchange")
    chart = history_chart(traffic_history(choice, span) if has_history else None, node.get("rate") if node else None)
    past = {"chart": chart, "span": span, "spans": SPANS.values(), "at": chosen_moment(request)}
    if edge and edge["kind"] == "mesh":
        return {"type": "mesh", "edge": edge, "a": by_id[edge["from"]], "b": by_id[edge["to"]], **past}
    if node is None:
        return None
    return {
        "type": node["kind"],
        "node": node,
        "where": [by_id[exchange] for exchange in node["exchanges"]],
        **traffic_totals(circuits_by_end(edges)[choice]),
        "members": [other for other in nodes if choice in other["exchanges"]],
        "meshes": [
            {"edge": edge, "other": by_id[edge["to"] if edge["from"] == choice else edge["from"]]}
            for edge in edges
            if edge["kind"] == "mesh" and choice in (edge["from"], edge["to"])
        ],
        **past,
        "verify": _verify_urls(node, request.tenant.slug) if node["kind"] == "connector" else None,
        "reason": _state_reason(node),
        "changed": _last_change(node["uid"]),
        "cost": _month_cost(node["uid"], request) if "usage" in request.rights else None,
        "design_url": reverse("design", args=[request.tenant.slug]) if "edit" in request.rights else "",
    }


def circuits_by_end(edges: list[Edge]) -> dict[str, list[Edge]]:
    """Return the circuits of each connector and of each exchange."""
    circuits: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge["kind"] == "circuit":
            circuits[edge["from"]].append(edge)
            circuits[edge["to"]].append(edge)
    return circuits


def traffic_totals(flows: list[Edge]) -> dict[str, Any]:
    """Return the sums of what circuits carry into exchanges and back, and their ids, for the script to update."""
    return {
        "edges": " ".join(edge["id"] for edge in flows),
        "inward": sum(edge["rates"][0] for edge in flows) if flows else None,
        "outward": sum(edge["rates"][1] for edge in flows) if flows else None,
    }


def _verify_urls(node: Node, slug: str) -> dict[str, str]:
    return {
        "trace": f"{reverse('trace', args=[slug])}?{urlencode({'from': node['uid']})}",
        "reach": f"{reverse('reach', args=[slug])}?{urlencode({'of': node['uid']})}",
    }


def _state_reason(node: Node) -> str:
    """Return why a node is not up, in a sentence; "" when it is."""
    if node["state"] == "pending":
        return "In the live revision, not provisioned yet."
    if node["kind"] == "exchange" and node["state"] != "up":
        return f"{node['nodes'] - node['nodes_up']} of {node['nodes']} nodes have not reported for 10 seconds."
    down = [circuit["name"] for circuit in node.get("circuits", []) if circuit["state"] != "up"]
    if down:
        return f"Circuit{'s' if len(down) > 1 else ''} {' and '.join(down)} down: the node has not reported."
    return "" if node["state"] == "up" else "A node could not apply its part; see the run that changed it last."


def _month_cost(uid: str, request: PageRequest) -> dict[str, Any] | None:
    """Return an object's cost in the current month and the address of its invoice; None without an invoice."""
    now = timezone.now()
    drafts = [invoice for invoice in billing.list_invoices() if invoice["period_start"] <= now < invoice["period_end"]]
    if not drafts:
        return None
    amounts = [line["amount"] for line in billing.invoice_lines(drafts[0]["number"]) if line["subject"]["uid"] == uid]
    url = reverse("invoice", args=[request.tenant.slug, drafts[0]["number"]])
    return {"amount": sum(amounts, Decimal(0)), "currency": drafts[0]["currency"], "url": url}


def _last_change(uid: str) -> Revision | None:
    """Return the revision that last changed an object."""
    live = queries.live_snapshot().revision
    version = Version.objects.filter(item__uid=uid, first__lte=live, last__gte=live).first()
    return Revision.objects.filter(number=version.first).first() if version else None
