"""Topology: the live map and its twin, a table, of the same picture; one thing may be selected.

A picture is what ``provisioning.selectors.topology`` tells: ``{"nodes": […], "edges": […]}``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.pages import kind_styles, topology_panel
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.topology_panel import circuits_by_end, traffic_totals
from provisioning.selectors.topology import load_topology as picture

FILTERS = {"segment": "Segment", "group": "Group", "cluster": "Kind", "state": "Health"}
Node = dict[str, Any]
Edge = dict[str, Any]


@tenant_page("view")
def topology(request: PageRequest) -> HttpResponse:
    found, nodes = _load_topology()
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    shown = [node for node in nodes if node["kind"] == "exchange" or _matches(node, chosen)]
    choice = _selected_id(request.GET.get("select", ""), nodes)
    context = {
        "view": "table" if request.GET.get("view") == "table" else "map",
        "filters": [_filter(name, nodes, chosen[name]) for name in FILTERS],
        "filtered": any(chosen.values()),
        "total": sum(node["kind"] == "connector" for node in nodes),
        "shown": sum(node["kind"] == "connector" for node in shown),
        "simulated": found["simulated"],
        **_table_rows(shown, found["edges"]),
        "drawing": _map_data(shown, found["edges"]),
        "side": topology_panel.topology_panel(choice, nodes, found["edges"], request) if choice else None,
        "choice": choice,
    }
    part = "#data" if request.headers.get("HX-Target") == "tp-data" else ""
    return render(request, f"pages/topology.html{part}", context)


@tenant_page("view")
def side(request: PageRequest) -> HttpResponse:
    """The side panel alone; empty when nothing is selected."""
    found, nodes = _load_topology()
    choice = _selected_id(request.GET.get("select", ""), nodes)
    shown = topology_panel.topology_panel(choice, nodes, found["edges"], request) if choice else None
    if choice and shown is None:
        raise Http404
    return render(request, "pages/topology_panel.html", {"side": shown, "choice": choice})


def _load_topology() -> tuple[dict[str, Any], list[Node]]:
    """The picture, and its nodes with how their kind is shown and which exchanges they stand at."""
    found = picture(timezone.now())
    nodes = []
    for node in found["nodes"]:
        look = kind_styles.kind_style(node["type"] if node["kind"] == "connector" else node["kind"])
        at = node.get("exchanges") or ([node["exchange"]] if "exchange" in node else [])
        nodes.append({**node, "icon": look.icon, "word": look.word, "cluster": look.cluster, "exchanges": at})
    return found, nodes


def _selected_id(choice: str, nodes: list[Node]) -> str:
    """What is selected, by the picture's id or by the intent object's uid, as other pages link here."""
    return next((node["id"] for node in nodes if node["uid"] == choice), choice)


def _matches(node: Node, chosen: dict[str, str]) -> bool:
    return all(
        not value or value == node.get(name) or value in node.get(f"{name}s", ()) for name, value in chosen.items()
    )


def _filter(name: str, nodes: list[Node], chosen: str) -> dict[str, Any]:
    """One filter of the toolbar with every value that occurs."""
    values: set[str] = set()
    for node in nodes:
        if node["kind"] != "exchange":
            values.update(node.get(f"{name}s") or ([node[name]] if name in node else []))
    return {"name": name, "word": FILTERS[name], "values": sorted(values), "chosen": chosen}


def _table_rows(nodes: list[Node], edges: list[Edge]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the table twin; ``edges`` of a row are the ids its rates come from; the script keeps those up."""
    names = {node["id"]: node["name"] for node in nodes}
    flows = circuits_by_end(edges)
    held = Counter(one for node in nodes if node["kind"] == "connector" for one in node["exchanges"])
    rows = [
        {
            **node,
            **traffic_totals(flows[node["id"]]),
            "where": [{"id": one, "name": names.get(one, "")} for one in node["exchanges"]],
            "connectors": held[node["id"]],
        }
        for node in nodes
    ]
    return {
        "exchanges": [row for row in rows if row["kind"] == "exchange"],
        "things": [row for row in rows if row["kind"] != "exchange"],
        "meshes": [{**mesh, "a": names[mesh["from"]], "b": names[mesh["to"]]} for mesh in _meshes(edges)],
    }


def _map_data(nodes: list[Node], edges: list[Edge]) -> dict[str, Any]:
    """What the map's script draws (static/src/topology): exchanges, things around them, meshes, rates by edge."""
    flows = circuits_by_end(edges)
    return {
        "exchanges": [
            {
                **{key: node[key] for key in ("id", "name", "place", "state", "latitude", "longitude", "nodes")},
                "up": node["nodes_up"],
                "edges": [edge["id"] for edge in flows[node["id"]]],
            }
            for node in nodes
            if node["kind"] == "exchange"
        ],
        "things": [
            {key: node[key] for key in ("id", "name", "state", "exchanges", "icon", "word", "cluster")}
            for node in nodes
            if node["kind"] != "exchange"
        ],
        "meshes": [
            {key: edge[key] for key in ("id", "from", "to", "state")} for edge in edges if edge["kind"] == "mesh"
        ],
        "rates": {edge["id"]: edge["rates"] for edge in edges},
    }


def _meshes(edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge["kind"] == "mesh"]
