"""Reachability questions about a view, answered in the API's shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from provisioning.core import reach as core
from provisioning.core.check import check_network
from provisioning.core.intent import Intent
from provisioning.core.values.resource import Problem, as_json
from provisioning.selectors.topology import load_topology
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.queries import Snapshot

UNAVAILABLE_REASONS = {"down": "is down", "pending": "is not provisioned yet"}


def list_reachable(view: Snapshot, wanted: str, *, towards: bool = False) -> list[dict[str, Any]]:
    """What a connector, a group or an address can reach, or with ``towards`` what can reach it. Raises the core's
    Invalid for what is not there."""
    found: list[dict[str, Any]] = as_json(core.reachable_flows(tenant_cache.load_network(view), wanted, towards))
    return found


def trace_flow(
    view: Snapshot,
    source: str,
    destination: str,
    *,
    protocol: str | int = "tcp",
    port: int | None = None,
    segment: str | None = None,
    from_segment: str | None = None,
    to_segment: str | None = None,
    observed_at: datetime | None = None,
) -> dict[str, Any]:
    """What becomes of a flow; with ``observed_at`` as things were last reported, else with everything healthy."""
    network = tenant_cache.load_network(view)
    found: dict[str, Any] = as_json(
        core.trace_flow(network, source, destination, protocol, port, segment, from_segment, to_segment)
    )
    found["chain"] = [network.intent.services[uid].name for uid in found["chain"]]
    return found if observed_at is None else _apply_observed_state(found, network.intent, observed_at)


def reachability_delta(before: Snapshot, after: Snapshot, most: int) -> dict[str, Any]:
    """What becomes reachable, unreachable or goes another way from one view to the other: at most ``most`` of each,
    and how many there are."""
    found: dict[str, Any] = as_json(
        core.compare_reachability(tenant_cache.load_network(before), tenant_cache.load_network(after))
    )
    return {
        **{word: flows[:most] for word, flows in found.items()},
        "counts": {word: len(flows) for word, flows in found.items()},
    }


def list_problems(view: Snapshot) -> list[dict[str, Any]]:
    """Everything wrong with the network of the view, errors first."""
    found: list[dict[str, Any]] = as_json(check_network(tenant_cache.load_network(view)))
    return found


def _apply_observed_state(found: dict[str, Any], intent: Intent, now: datetime) -> dict[str, Any]:
    """The trace, ended where the first connector or service on its way is away."""
    states = {(node["kind"], node["name"]): node["state"] for node in load_topology(now)["nodes"]}
    open_on_failure = {service.name for service in intent.services.values() if service.on_failure == "open"}
    for place, hop in enumerate(found["hops"]):
        away = UNAVAILABLE_REASONS.get(states.get((hop["kind"], hop["name"]), "up"))
        if away is None or (hop["kind"] == "service" and hop["name"] in open_on_failure):
            continue
        disposition = "connector_down" if hop["kind"] == "connector" else "service_unavailable"
        if hop["kind"] in ("connector", "service"):
            last = {**hop, "reason": f"“{hop['name']}” {away}."}
            hops = [*found["hops"][:place], last]
            return {**found, "disposition": disposition, "hops": hops, "return": None}
    return found


def failing_assertions(view: Snapshot) -> list[Problem]:
    """The assertions of a valid network that do not hold."""
    network = tenant_cache.load_network(view)
    return core.assertion_problems(network, core.check_assertions(network))
