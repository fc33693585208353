"""Topology: the live network as a map and as a table of the same data; one object may be selected.

The data is what ``provisioning.selectors.topology`` returns: ``{"nodes": […], "edges": […]}``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.pages import kind_styles, topology_panel
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.first_network import first_network_choices
from portal.pages.topology_panel import circuits_by_end, traffic_totals
from portal.pages.traffic_chart import chosen_moment, chosen_span, time_slider
from provisioning.selectors.topology import load_past_topology, load_topology

FILTERS = {"segment": "Segment", "group": "Group", "cluster": "Kind", "state": "Health"}
Node = dict[str, Any]
Edge = dict[str, Any]


@tenant_page("view")
def topology(request: PageRequest) -> HttpResponse:
    data, nodes = _load_topology(request)
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    shown = [node for node in nodes if node["kind"] == "exchange" or _matches(node, chosen)]
    choice = _selected_id(request.GET.get("select", ""), nodes)
    context = {
        "view": "table" if request.GET.get("view") == "table" else "map",
        "filters": [_filter(name, nodes, chosen[name]) for name in FILTERS],
        "filtered": any(chosen.values()),
        "total": sum(node["kind"] == "connector" for node in nodes),
        "shown": sum(node["kind"] == "connector" for node in shown),
        "simulated": data["simulated"],
        **_table_rows(shown, data["edges"]),
        "drawing": _map_data(shown, data["edges"]),
        "side": topology_panel.topology_panel(choice, nodes, data["edges"], request) if choice else None,
        "choice": choice,
        "timeline": time_slider(request),
        "first": None if nodes or "edit" not in request.rights else first_network_choices(lab=bool(settings.LAB_STATE)),
    }
    part = "#data" if request.headers.get("HX-Target") == "tp-data" else ""
    return render(request, f"pages/topology.html{part}", context)


@tenant_page("view")
def side(request: PageRequest) -> HttpResponse:
    """Answer the side panel alone; empty when nothing is selected."""
    data, nodes = _load_topology(request)
    choice = _selected_id(request.GET.get("select", ""), nodes)
    shown = topology_panel.topology_panel(choice, nodes, data["edges"], request) if choice else None
    if choice and shown is None:
        raise Http404
    return render(request, "pages/topology_panel.html", {"side": shown, "choice": choice})


def _load_topology(request: PageRequest) -> tuple[dict[str, Any], list[Node]]:
    """Return the topology, now or ``?at=`` then, and its nodes with the style of their kind and their exchanges."""
    at = chosen_moment(request)
    data = load_past_topology(at, chosen_span(request.GET.get("span", ""))) if at else load_topology(timezone.now())
    nodes = []
    for node in data["nodes"]:
        style = kind_styles.kind_style(node["type"] if node["kind"] == "connector" else node["kind"])
        exchanges = node.get("exchanges") or ([node["exchange"]] if "exchange" in node else [])
        nodes.append({**node, "icon": style.icon, "word": style.word, "cluster": style.cluster, "exchanges": exchanges})
    return data, nodes


def _selected_id(choice: str, nodes: list[Node]) -> str:
    """Return the id of the selected node, which other pages name by the uid of its intent object."""
    return next((node["id"] for node in nodes if node["uid"] == choice), choice)


def _matches(node: Node, chosen: dict[str, str]) -> bool:
    return all(
        not value or value == node.get(name) or value in node.get(f"{name}s", ()) for name, value in chosen.items()
    )


def _filter(name: str, nodes: list[Node], chosen: str) -> dict[str, Any]:
    """Return one filter of the toolbar with every value that occurs."""
    values: set[str] = set()
    for node in nodes:
        if node["kind"] != "exchange":
            values.update(node.get(f"{name}s") or ([node[name]] if name in node else []))
    return {"name": name, "word": FILTERS[name], "values": sorted(values), "chosen": chosen}


def _table_rows(nodes: list[Node], edges: list[Edge]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the table; ``edges`` of a row are the ids its rates come from, which the script updates."""
    names = {node["id"]: node["name"] for node in nodes}
    flows = circuits_by_end(edges)
    connector_counts = Counter(
        exchange for node in nodes if node["kind"] == "connector" for exchange in node["exchanges"]
    )
    rows = [
        {
            **node,
            **traffic_totals(flows[node["id"]]),
            "where": [{"id": exchange, "name": names.get(exchange, "")} for exchange in node["exchanges"]],
            "connectors": connector_counts[node["id"]],
        }
        for node in nodes
    ]
    return {
        "exchanges": [row for row in rows if row["kind"] == "exchange"],
        "things": [row for row in rows if row["kind"] != "exchange"],
        "meshes": [{**mesh, "a": names[mesh["from"]], "b": names[mesh["to"]]} for mesh in _meshes(edges)],
    }


def _map_data(nodes: list[Node], edges: list[Edge]) -> dict[str, Any]:
    """Return what the map's script draws (static/src/topology): exchanges, what is at them, meshes, rates by edge."""
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
