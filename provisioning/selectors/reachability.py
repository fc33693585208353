"""Reachability queries about a snapshot, answered in the API's shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from provisioning.core import reach as core
from provisioning.core.intent import Intent
from provisioning.core.values.resource import Problem, as_json
from provisioning.selectors.topology import load_topology
from provisioning.snapshots import network_problems, tenant_cache
from provisioning.snapshots.queries import Snapshot

UNAVAILABLE_REASONS = {"down": "is down", "pending": "is not provisioned yet"}


def list_reachable(snapshot: Snapshot, endpoint: str, *, towards: bool = False) -> list[dict[str, Any]]:
    """Return what a connector, a group or an address can reach, or with ``towards`` what can reach it.

    Raises InvalidIntent where there is no such endpoint.
    """
    flows: list[dict[str, Any]] = as_json(core.reachable_flows(tenant_cache.load_network(snapshot), endpoint, towards))
    return flows


def trace_flow(
    snapshot: Snapshot,
    source: str,
    destination: str,
    *,
    protocol: str | int = "tcp",
    port: str | int | None = None,
    segment: str | None = None,
    from_segment: str | None = None,
    to_segment: str | None = None,
    observed_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the trace of a flow; with ``observed_at`` in the state that was last reported, else with all healthy."""
    network = tenant_cache.load_network(snapshot)
    trace: dict[str, Any] = as_json(
        core.trace_flow(network, source, destination, protocol, port, segment, from_segment, to_segment)
    )
    trace["chain"] = [network.intent.services[uid].name for uid in trace["chain"]]
    return trace if observed_at is None else _apply_observed_state(trace, network.intent, observed_at)


def reachability_delta(before: Snapshot, after: Snapshot, most: int) -> dict[str, Any]:
    """Return the flows that are allowed, blocked or inspected in one snapshot and were not in the other.

    At most ``most`` of each, and how many there are.
    """
    delta: dict[str, Any] = as_json(
        core.compare_reachability(tenant_cache.load_network(before), tenant_cache.load_network(after))
    )
    return {
        **{word: flows[:most] for word, flows in delta.items()},
        "counts": {word: len(flows) for word, flows in delta.items()},
    }


def list_problems(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return everything that is wrong with the network of the snapshot, errors first."""
    problems: list[dict[str, Any]] = as_json(network_problems.find_problems(snapshot))
    return problems


def _apply_observed_state(trace: dict[str, Any], intent: Intent, now: datetime) -> dict[str, Any]:
    """Return the trace, cut at the first connector or service on its way that is unavailable."""
    states = {(node["kind"], node["name"]): node["state"] for node in load_topology(now)["nodes"]}
    open_on_failure = {service.name for service in intent.services.values() if service.on_failure == "open"}
    for index, hop in enumerate(trace["hops"]):
        reason = UNAVAILABLE_REASONS.get(states.get((hop["kind"], hop["name"]), "up"))
        if reason is None or (hop["kind"] == "service" and hop["name"] in open_on_failure):
            continue
        disposition = "connector_down" if hop["kind"] == "connector" else "service_unavailable"
        if hop["kind"] in ("connector", "service"):
            last = {**hop, "reason": f"“{hop['name']}” {reason}."}
            hops = [*trace["hops"][:index], last]
            return {**trace, "disposition": disposition, "hops": hops, "return": None}
    return trace


def failing_assertions(snapshot: Snapshot) -> list[Problem]:
    """Return the assertions of a valid network that do not hold."""
    network = tenant_cache.load_network(snapshot)
    return core.assertion_problems(network, core.check_assertions(network))
