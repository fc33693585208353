"""Reach: who can talk to whom, why, and what a change would make of it.

``trace`` follows one packet; ``reach``, ``delta`` and ``assertions`` answer for all packets at once, over classes of
addresses that every rule treats alike. Both are the same semantics, written twice on purpose: tests hold them together.
"""

from provisioning.core.reach.assertions import AssertionResult, check_assertions, assertion_problems
from provisioning.core.reach.trace.trace.decision import DELIVERED, FlowOutcome
from provisioning.core.reach.delta import ReachabilityDelta, FlowChange, compare_reachability
from provisioning.core.reach.trace.trace.hops import Hop
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.query import ReachableFlow, reachable_flows
from provisioning.core.reach.trace.trace.trace_flow import ReturnPath, Trace, trace_flow

__all__ = [
    "DELIVERED",
    "AssertionResult",
    "ReachabilityDelta",
    "ExamplePacket",
    "FlowChange",
    "Hop",
    "FlowOutcome",
    "ReachableFlow",
    "ReturnPath",
    "Trace",
    "check_assertions",
    "compare_reachability",
    "assertion_problems",
    "reachable_flows",
    "trace_flow",
]
