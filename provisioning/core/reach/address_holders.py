"""Whose an address is that no member presents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioning.core.intent import Connector, Segment
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import Range, intersect, prefix_range

MAX_NAMED = 3


def hidden_holders(network: Network, ranges: Sequence[Range], segments: Iterable[Segment]) -> list[Connector]:
    """Return the connectors that have any of these addresses inside in some segments, whether they present them or
    not."""
    uids = {segment.uid for segment in segments}
    return [
        connector
        for connector in network.intent.connectors.values()
        if any(
            attachment.segment in uids and intersect(ranges, (prefix_range(prefix),))
            for attachment in connector.attachments
            for prefix in attachment.prefixes
        )
    ]


def explain_holders(address: str, holders: Sequence[Connector]) -> str:
    """Return a sentence about an address that nobody presents, and how to ask for it."""
    if not holders:
        return f"Nobody has {address}: no connector is attached with it, and no host on the internet has it."
    if not holders[0].enabled:
        return f"{address} is “{holders[0].name}”'s, which is disabled."
    ends = " or ".join(f"{connector.name}@{address}" for connector in holders[:MAX_NAMED])
    names = name_holders(holders)
    return f"{address} is hidden behind {names}: NAT or a route policy keeps it from others. Ask from {ends}."


def name_holders(holders: Sequence[Connector]) -> str:
    return ", ".join(f"“{connector.name}”" for connector in holders[:MAX_NAMED])
