"""Reach: who can talk to whom, why, and what a change would make of it.

``trace`` follows one packet; ``reach``, ``delta`` and ``assertions`` answer for all packets at once, over classes of
addresses that every rule treats alike. Both are the same semantics, written twice on purpose: tests hold them together.
"""

from provisioning.core.reach.assertions import AssertionResult, assertion_problems, check_assertions
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.delta import FlowChange, ReachabilityDelta, compare_reachability
from provisioning.core.reach.query import ReachableFlow, reachable_flows
from provisioning.core.reach.trace.blockers import Blocker, object_path
from provisioning.core.reach.trace.decision import DELIVERED, FlowOutcome
from provisioning.core.reach.trace.flow_query import FlowQuery
from provisioning.core.reach.trace.flow_tracer import ReturnPath, Trace
from provisioning.core.reach.trace.hops import Hop
from provisioning.core.reach.trace.trace_flow import FlowTraces, trace_flow

__all__ = [
    "DELIVERED",
    "AssertionResult",
    "Blocker",
    "ExamplePacket",
    "FlowChange",
    "FlowOutcome",
    "FlowQuery",
    "FlowTraces",
    "Hop",
    "ReachabilityDelta",
    "ReachableFlow",
    "ReturnPath",
    "Trace",
    "assertion_problems",
    "check_assertions",
    "compare_reachability",
    "object_path",
    "reachable_flows",
    "trace_flow",
]
