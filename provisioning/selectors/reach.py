"""Reachability questions about a view, answered in the API's shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from provisioning.core import reach as core
from provisioning.core.intent import Intent
from provisioning.core.network import Network
from provisioning.core.resource import as_json
from provisioning.selectors import views
from provisioning.selectors.topology import topology
from provisioning.selectors.views import View

AWAY = {"down": "is down", "pending": "is not provisioned yet"}


def reach(view: View, source: str) -> list[dict[str, Any]]:
    """Everything that a connector or group can reach. Raises the core's Invalid for an unknown one."""
    found: list[dict[str, Any]] = as_json(core.reach(Network(views.intent(view)), source))
    return found


def trace(
    view: View,
    source: str,
    destination: str,
    *,
    protocol: str | int = "tcp",
    port: int | None = None,
    segment: str | None = None,
    observed_at: datetime | None = None,
) -> dict[str, Any]:
    """What becomes of a flow; with ``observed_at`` as things were last reported, else with everything healthy."""
    intent = views.intent(view)
    found: dict[str, Any] = as_json(core.trace(Network(intent), source, destination, protocol, port, segment))
    return found if observed_at is None else _observed(found, intent, observed_at)


def _observed(found: dict[str, Any], intent: Intent, now: datetime) -> dict[str, Any]:
    """The trace, ended where the first connector or service on its way is away."""
    states = {(node["kind"], node["name"]): node["state"] for node in topology(now)["nodes"]}
    open_on_failure = {service.name for service in intent.services.values() if service.on_failure == "open"}
    for place, hop in enumerate(found["hops"]):
        away = AWAY.get(states.get((hop["kind"], hop["name"]), "up"))
        if away is None or (hop["kind"] == "service" and hop["name"] in open_on_failure):
            continue
        disposition = "connector_down" if hop["kind"] == "connector" else "service_unavailable"
        if hop["kind"] in ("connector", "service"):
            last = {**hop, "reason": f"“{hop['name']}” {away}."}
            hops = [*found["hops"][:place], last]
            return {"disposition": disposition, "hops": hops, "rule": found["rule"], "return": None}
    return found
