"""How flows leave to the internet by exits: the exit of the sender's exchange, or the one that a policy chooses.

This is routing: it is known before any rule is tried, and decides nothing about whether a flow passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.intent import Catalog, Exchange, Policy
from provisioning.core.resolve.fabric import nearest_exchange
from provisioning.core.resolve.routing_table import Member


@dataclass(frozen=True, slots=True)
class WayOut:
    """segment: uid of the segment whose exits it is; None: none leads there. exit: None where flows have no route.
    policy: the one that chooses; None: the ordinary choice."""

    segment: str | None
    exit: Member | None
    policy: Policy | None = None


def choose_exits(catalog: Catalog, exchanges: Mapping[str, Exchange], exits: Sequence[Member]) -> dict[str, Member]:
    """Return exchange uid → the exit of flows from there: at the same exchange if there is one, of those with the
    highest preference, the nearest."""
    chosen = {}
    for exchange in exchanges.values() if exits else ():
        local = [member for member in exits if member.exchange.uid == exchange.uid]
        pool = local or exits
        best = max(member.connector.preference for member in pool)
        pool = [member for member in pool if member.connector.preference == best]
        nearest = nearest_exchange(
            catalog, {member.exchange.uid: member.exchange for member in pool}.values(), exchange
        )
        chosen[exchange.uid] = next(member for member in pool if nearest and member.exchange.uid == nearest.uid)
    return chosen
