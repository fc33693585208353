"""Short trace and check queries for tests that quote docs/semantics.md."""

from __future__ import annotations

from typing import Any

from provisioning.core.check import check_network
from provisioning.core.reach import Trace, trace_flow
from provisioning.core.values.resource import Problem
from tests.core.sample_networks import IntentBuilder


def run_trace(
    net: IntentBuilder, start: str, end: str, protocol: str = "icmp", port: int | None = None, **more: Any
) -> Trace:
    return trace_flow(net.network(), start, end, protocol, port, **more)


def trace_disposition(
    net: IntentBuilder, start: str, end: str, protocol: str = "icmp", port: int | None = None, **more: Any
) -> str:
    return run_trace(net, start, end, protocol, port, **more).disposition


def problems_with_code(net: IntentBuilder, code: str) -> list[Problem]:
    return [problem for problem in check_network(net.network()) if problem.code == code]


def only_problem(net: IntentBuilder, code: str) -> Problem:
    (problem,) = problems_with_code(net, code)
    return problem


def anchor_of(trace: Trace) -> str:
    return next(hop.name for hop in trace.hops if "owner node" in hop.detail)


def services_passed(trace: Trace) -> list[str]:
    """Return the names of the services passed, in order."""
    return [hop.name for hop in trace.hops if hop.kind == "service"]
