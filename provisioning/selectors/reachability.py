"""Reachability queries about a snapshot, answered in the API's shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from provisioning.core import reach as core
from provisioning.core.check.expiry import check_expiry
from provisioning.core.formats.flow_list import ListedFlow
from provisioning.core.intent import InvalidIntent, Service
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem, as_json
from provisioning.selectors.topology import load_topology
from provisioning.snapshots import network_problems, tenant_cache
from provisioning.snapshots.queries import Snapshot

UNAVAILABLE_REASONS = {"down": "is down", "pending": "is not provisioned yet"}
UNAVAILABLE_KINDS = {
    "connector": ("connectors", "connector_down"),
    "service": ("services", "service_unavailable"),
}
"""Kind of hop → kind of its object, and the disposition and code of a blocker where it is unavailable."""


def list_reachable(snapshot: Snapshot, endpoint: str, *, towards: bool = False) -> list[dict[str, Any]]:
    """Return what a connector, a group or an address can reach, or with ``towards`` what can reach it.

    Raises InvalidIntent where there is no such endpoint.
    """
    flows: list[dict[str, Any]] = as_json(core.reachable_flows(tenant_cache.load_network(snapshot), endpoint, towards))
    return flows


def trace_flow(snapshot: Snapshot, query: core.FlowQuery, *, observed_at: datetime | None = None) -> dict[str, Any]:
    """Return the trace of a flow; with ``observed_at`` in the state that was last reported, else with all healthy.

    Raises InvalidIntent where the question names what there is not.
    """
    return _FlowAnswers(snapshot, observed_at).answer(query)


def trace_flows(
    snapshot: Snapshot, listed: Iterable[ListedFlow], *, observed_at: datetime | None = None
) -> list[FlowAnswer]:
    """Return what becomes of many flows, in their order."""
    answers, answered = _FlowAnswers(snapshot, observed_at), list[FlowAnswer]()
    for flow in listed:
        trace, problems = None, flow.problems
        if flow.query is not None:
            try:
                trace = answers.answer(flow.query)
            except InvalidIntent as error:
                problems = tuple(error.problems)
        answered.append(FlowAnswer(flow, trace, problems))
    return answered


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """trace: as the API has it; None where the question has problems."""

    flow: ListedFlow
    trace: dict[str, Any] | None
    problems: tuple[Problem, ...]


class _FlowAnswers:
    """Traces in one snapshot, in the API's shape; what many of them look up is looked up once."""

    def __init__(self, snapshot: Snapshot, observed_at: datetime | None) -> None:
        self.network = tenant_cache.load_network(snapshot)
        self.traces = core.FlowTraces(self.network)
        self.states = _observed_states(observed_at) if observed_at else None

    def answer(self, query: core.FlowQuery) -> dict[str, Any]:
        trace: dict[str, Any] = as_json(self.traces.trace(query))
        trace["chain"] = [self.network.intent.services[uid].name for uid in trace["chain"]]
        return trace if self.states is None else _apply_observed_state(trace, self.network, self.states)


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


def list_problems(snapshot: Snapshot, today: date) -> list[dict[str, Any]]:
    """Return everything that is wrong with the network of the snapshot, errors first, and what ends soon on a day."""
    expiring = check_expiry(tenant_cache.load_network(snapshot).intent, today)
    problems: list[dict[str, Any]] = as_json([*network_problems.find_problems(snapshot), *expiring])
    return problems


def _observed_states(now: datetime) -> dict[tuple[str, str], str]:
    """Return (kind of hop, name) → the state that was last reported."""
    return {(node["kind"], node["name"]): node["state"] for node in load_topology(now)["nodes"]}


def _apply_observed_state(
    trace: dict[str, Any], network: Network, states: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """Return the trace, cut at the first connector or service on its way that is unavailable; all of them block it."""
    blockers: dict[int, dict[str, Any]] = {}
    for index, hop in enumerate(trace["hops"]):
        reason = UNAVAILABLE_REASONS.get(states.get((hop["kind"], hop["name"]), "up"))
        if reason is None or hop["kind"] not in UNAVAILABLE_KINDS:
            continue
        kind, code = UNAVAILABLE_KINDS[hop["kind"]]
        item = network.find(kind, hop["name"])
        assert item is not None, "hops are named by objects"
        if isinstance(item, Service) and item.on_failure == "open":
            continue
        message = f"“{hop['name']}” {reason}."
        remedy = "Provision it." if reason == UNAVAILABLE_REASONS["pending"] else "Look at its state and its circuits."
        blockers[index] = as_json(core.Blocker(code, core.object_path(item), None, message, remedy))
    if not blockers:
        return trace
    first = min(blockers)
    stopped = trace["hops"][first]
    hops = [*trace["hops"][:first], {**stopped, "reason": blockers[first]["message"]}]
    known = {blocker["object"]: blocker for blocker in blockers.values()}
    return {
        **trace,
        "disposition": UNAVAILABLE_KINDS[stopped["kind"]][1],
        "hops": hops,
        "return": None,
        "blockers": [*known.values(), *trace["blockers"]],
    }


def failing_assertions(snapshot: Snapshot, today: date) -> list[Problem]:
    """Return the assertions of a valid network that do not hold on a day."""
    network = tenant_cache.load_network(snapshot)
    return core.assertion_problems(network, core.check_assertions(network, today))
