"""Topology: the live map and its twin, a table, of the same picture; one thing may be selected.

A picture is what ``provisioning.selectors.topology`` tells: ``{"nodes": […], "edges": […]}`` (CONTRACT, topology).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.pages import kinds, panel
from portal.pages.door import page
from provisioning.selectors.topology import topology as picture

FILTERS = ("segment", "group", "cluster", "state")
Node = dict[str, Any]


@page("view")
def topology(request: HttpRequest) -> HttpResponse:
    found = picture()
    nodes = [_dressed(node) for node in found["nodes"]]
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    shown = [node for node in nodes if node["kind"] == "exchange" or _matches(node, chosen)]
    choice = request.GET.get("select", "")
    context = {
        "view": "table" if request.GET.get("view") == "table" else "map",
        "filters": _choices(nodes, chosen),
        "filtered": any(chosen.values()),
        "total": sum(node["kind"] == "connector" for node in nodes),
        "shown": sum(node["kind"] == "connector" for node in shown),
        **_tables(shown, found["edges"]),
        "drawing": _drawing(shown, found["edges"]),
        "side": panel.panel(choice, nodes, found["edges"], request) if choice else None,
        "choice": choice,
    }
    part = "#data" if request.headers.get("HX-Target") == "tp-data" else ""
    return render(request, f"pages/topology.html{part}", context)


@page("view")
def side(request: HttpRequest) -> HttpResponse:
    """The side panel alone; empty when nothing is selected."""
    choice = request.GET.get("select", "")
    found = picture()
    shown = panel.panel(choice, [_dressed(node) for node in found["nodes"]], found["edges"], request) if choice else None
    if choice and shown is None:
        raise Http404
    return render(request, "pages/topology_side.html", {"side": shown, "choice": choice})


def _dressed(node: Node) -> Node:
    """A node with how its kind is shown."""
    kind = node.get("connector_kind") or node["kind"]
    look = kinds.look(kind)
    return {**node, "look": kind, "icon": look.icon, "word": look.word, "cluster": look.cluster}


def _matches(node: Node, chosen: dict[str, str]) -> bool:
    return all(
        not value or value == node.get(name) or value in node.get(f"{name}s", ()) for name, value in chosen.items()
    )


def _choices(nodes: list[Node], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The filters of the toolbar: each with every value that occurs."""
    others = [node for node in nodes if node["kind"] != "exchange"]
    values: dict[str, set[str]] = defaultdict(set)
    for node in others:
        values["segment"].update(node["segments"])
        values["group"].update(node["groups"])
        values["cluster"].add(node["cluster"])
        values["state"].add(node["state"])
    words = {"segment": "Segment", "group": "Group", "cluster": "Kind", "state": "Health"}
    return [
        {"name": name, "word": words[name], "values": sorted(values[name]), "chosen": chosen[name]} for name in FILTERS
    ]


def _tables(nodes: list[Node], edges: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of the table twin; ``rates`` of a row are the ids of its edges, which the page's script keeps up to date."""
    names = {node["id"]: node["name"] for node in nodes}
    at = _circuits(edges)
    exchanges, others = [], []
    for node in nodes:
        row = {**node, "edges": " ".join(edge["id"] for edge in at[node["id"]]), **_sum(at[node["id"]])}
        if node["kind"] == "exchange":
            row["up"], row["nodes_total"] = _nodes(node)
            row["connectors"] = sum(other.get("exchange") == node["id"] for other in nodes if other["kind"] == "connector")
            exchanges.append(row)
        else:
            others.append({**row, "where": names.get(node["exchange"], "–")})
    meshes = [
        {**edge, "a": names[edge["from"]], "b": names[edge["to"]], "inward": edge["rates"][0], "outward": edge["rates"][1]}
        for edge in edges
        if edge["kind"] == "mesh" and edge["from"] in names and edge["to"] in names
    ]
    return {"exchanges": exchanges, "things": others, "meshes": meshes}


def _drawing(nodes: list[Node], edges: list[dict[str, Any]]) -> dict[str, Any]:
    """What the map's script draws (static/src/topology): exchanges, things around them, meshes, rates by edge."""
    at = _circuits(edges)
    exchanges = [
        {
            **{key: node[key] for key in ("id", "name", "state", "latitude", "longitude")},
            "up": _nodes(node)[0],
            "nodes": _nodes(node)[1],
            "edges": [edge["id"] for edge in at[node["id"]]],
        }
        for node in nodes
        if node["kind"] == "exchange"
    ]
    things = [
        {key: node[key] for key in ("id", "name", "state", "exchange", "icon", "word", "cluster")}
        for node in nodes
        if node["kind"] != "exchange"
    ]
    return {
        "exchanges": exchanges,
        "things": things,
        "meshes": [
            {key: edge[key] for key in ("id", "from", "to", "state")} for edge in edges if edge["kind"] == "mesh"
        ],
        "rates": {edge["id"]: edge["rates"] for edge in edges if edge["rates"]},
    }


def _circuits(edges: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Circuits by the connector and by the exchange they join."""
    at: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for edge in edges:
        if edge["kind"] == "circuit":
            at[edge["from"]].append(edge)
            at[edge["to"]].append(edge)
    return at


def _sum(edges: list[dict[str, Any]]) -> dict[str, int | None]:
    known = [edge["rates"] for edge in edges if edge["rates"]]
    if not known:
        return {"inward": None, "outward": None}
    return {"inward": sum(rates[0] for rates in known), "outward": sum(rates[1] for rates in known)}


def _nodes(exchange: Node) -> tuple[int, int]:
    """How many of an exchange's nodes are up, of how many."""
    nodes = exchange.get("nodes") or []
    return sum(node["state"] == "up" for node in nodes), len(nodes)
