"""Short questions to a drawn network, for tests that quote what is promised."""

from __future__ import annotations

from typing import Any

from provisioning.core.check import check_network
from provisioning.core.reach import Trace, trace
from provisioning.core.values.resource import Problem
from tests.core.networks import Drawing


def followed(net: Drawing, start: str, end: str, protocol: str = "icmp", port: int | None = None, **more: Any) -> Trace:
    return trace(net.network(), start, end, protocol, port, **more)


def fate(net: Drawing, start: str, end: str, protocol: str = "icmp", port: int | None = None, **more: Any) -> str:
    return followed(net, start, end, protocol, port, **more).disposition


def told(net: Drawing, code: str) -> list[Problem]:
    return [problem for problem in check_network(net.network()) if problem.code == code]


def the(net: Drawing, code: str) -> Problem:
    (problem,) = told(net, code)
    return problem


def anchor(found: Trace) -> str:
    return next(hop.name for hop in found.hops if "anchor" in hop.detail)


def through(found: Trace) -> list[str]:
    """Names of the services passed, in order."""
    return [hop.name for hop in found.hops if hop.kind == "service"]
