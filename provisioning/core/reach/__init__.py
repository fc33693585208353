"""Reach: who can talk to whom, why, and what a change would make of it.

``trace`` follows one packet; ``reach``, ``delta`` and ``assertions`` answer for all packets at once, over classes of
addresses that every rule treats alike. Both are the same semantics, written twice on purpose: tests hold them together.
"""

from provisioning.core.reach.assertions import AssertionResult, assertions, failing
from provisioning.core.reach.decision import DELIVERED, Outcome
from provisioning.core.reach.delta import Delta, FlowChange, delta
from provisioning.core.reach.hops import Hop
from provisioning.core.reach.labels import Example
from provisioning.core.reach.query import Reached, reach
from provisioning.core.reach.trace import Return, Trace, trace

__all__ = [
    "DELIVERED",
    "AssertionResult",
    "Delta",
    "Example",
    "FlowChange",
    "Hop",
    "Outcome",
    "Reached",
    "Return",
    "Trace",
    "assertions",
    "delta",
    "failing",
    "reach",
    "trace",
]
