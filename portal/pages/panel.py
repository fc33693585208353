"""The side panel of the topology: everything about one selected thing, each fact with a way to what is behind it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from portal.pages import nav
from provisioning.models import Item, Revision, Version
from provisioning.selectors import views

KINDS = {"exchange": "exchanges", "connector": "connectors", "service": "services"}


def panel(
    choice: str, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], request: HttpRequest
) -> dict[str, Any] | None:
    """What to show of the node or mesh link ``choice``; None when there is no such thing."""
    by_id = {node["id"]: node for node in nodes}
    mesh = next((edge for edge in edges if edge["id"] == choice and edge["kind"] == "mesh"), None)
    if mesh:
        return {"type": "mesh", "edge": mesh, "a": by_id[mesh["from"]], "b": by_id[mesh["to"]]}
    node = by_id.get(choice)
    if node is None:
        return None
    circuits = [edge for edge in edges if edge["kind"] == "circuit" and choice in (edge["from"], edge["to"])]
    rates = [edge["rates"] for edge in circuits if edge["rates"]]
    shown = {
        "type": node["kind"],
        "node": node,
        "exchange": by_id.get(node.get("exchange") or ""),
        "edges": " ".join(edge["id"] for edge in circuits),
        "inward": sum(rate[0] for rate in rates) if rates else None,
        "outward": sum(rate[1] for rate in rates) if rates else None,
        "members": [other for other in nodes if other.get("exchange") == choice],
        "meshes": [
            {"edge": edge, "other": by_id[edge["to"] if edge["from"] == choice else edge["from"]]}
            for edge in edges
            if edge["kind"] == "mesh" and choice in (edge["from"], edge["to"])
        ],
        "design_url": nav.address("design", request.tenant.slug) if "edit" in request.rights else "",
        **_intent(node, circuits),
    }
    return shown


def _intent(node: dict[str, Any], circuits: list[dict[str, Any]]) -> dict[str, Any]:
    """What the live network says of it, with names in place of ids, and the revision that said so."""
    view = views.live()
    item = Item.objects.filter(uid=node["id"]).first()
    if item is None:
        return {}
    body = views.get(view, KINDS[node["kind"]], node["id"]).body
    names = {row.uid: row.name for kind in ("segments", "groups", "connectors") for row in views.rows(view, kind)}
    states = {edge.get("name") or edge["id"].rpartition("/")[2]: edge for edge in circuits}
    version = Version.objects.filter(item=item, first__lte=view.revision, last__gte=view.revision).first()
    return {
        "body": body,
        "attachments": [
            {**one, "segment": names.get(one["segment"], ""), "group": names.get(one.get("group") or "", "")}
            for one in body.get("attachments", [])
        ],
        "circuits": [{**one, "edge": states.get(one["name"])} for one in body.get("circuits", [])],
        "changed": Revision.objects.filter(number=version.first).first() if version else None,
    }
