"""One segment by itself, with its policies, before shares import anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from provisioning.core.intent import ANY, INTERNET, Attachment, Connector, Policy, Segment
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.routing_table import Member, RoutingTable

NamesOnEitherSide = tuple[tuple[str, ...], tuple[str, ...]]


class InspectedChains:
    """What a segment's policies send through services; computed when first asked for, or compared with another's."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies

    @cached_property
    def names(self) -> dict[tuple[str, ...], NamesOnEitherSide]:
        """Chain of services → what all policies that inspect with it name in ``from``, and in ``to``, each once."""
        chains: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
        for policy in self._policies:
            for chain in {rule.services for rule in policy.rules if rule.action == "inspect" and rule.decides}:
                from_names, to_names = chains.setdefault(chain, ([], []))
                from_names += policy.from_
                to_names += policy.to
        return {
            chain: (tuple(dict.fromkeys(from_names)), tuple(dict.fromkeys(to_names)))
            for chain, (from_names, to_names) in sorted(chains.items())
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InspectedChains) and self.names == other.names


class LocalSegment:
    """A routing table with the enabled policies of its segment, in the order they are tried."""

    def __init__(self, routing_table: RoutingTable, policies: Sequence[Policy], prefixes: ListResolver) -> None:
        self.routing_table, self.policies, self.prefixes = routing_table, policies, prefixes

    @property
    def segment(self) -> Segment:
        return self.routing_table.segment

    @cached_property
    def members(self) -> list[Member]:
        """As in the routing table, with the policies that name them."""
        members = []
        for member in self.routing_table.members:
            from_mask, to_mask = self.policy_masks_for(member.connector, member.attachment)
            members.append(replace(member, from_mask=from_mask, to_mask=to_mask))
        return members

    # Names in policies

    @cached_property
    def _masks_of_names(self) -> tuple[dict[str, int], dict[str, int]]:
        """Name → the policies (as bits) that have it in ``from``, and in ``to``."""
        return _masks_by_name([policy.from_ for policy in self.policies]), _masks_by_name(
            [policy.to for policy in self.policies]
        )

    @cached_property
    def _exit_policies(self) -> int:
        """The policies (as bits) that choose an exit."""
        return sum(1 << index for index, policy in enumerate(self.policies) if policy.via)

    @property
    def chooses_exits(self) -> bool:
        return self._exit_policies != 0

    def exit_policy(self, connector: Connector, attachment: Attachment) -> Policy | None:
        """Return the first policy that chooses the exit of what an attachment sends to the internet."""
        if not self._exit_policies:
            return None
        choosing = self._exit_policies & self.policy_masks_for(connector, attachment)[0]
        return self.policies[(choosing & -choosing).bit_length() - 1] if choosing else None

    @cached_property
    def inspected_chains(self) -> InspectedChains:
        return InspectedChains(self.policies)

    def policy_masks(self, names: Iterable[str]) -> tuple[int, int]:
        """Return the policies (as bits) that have one of these names in ``from``, and in ``to``."""
        from_masks, to_masks = self._masks_of_names
        from_mask = to_mask = 0
        for name in names:
            from_mask |= from_masks.get(name, 0)
            to_mask |= to_masks.get(name, 0)
        return from_mask, to_mask

    def policy_masks_for(self, connector: Connector, attachment: Attachment) -> tuple[int, int]:
        if connector.kind == "internet-exit":
            return self.policy_masks((INTERNET,))
        return self.policy_masks((ANY, connector.uid, *attachment.member_of))


def _masks_by_name(sides: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Return name → mask with bit p set where the p-th side has the name."""
    size = len(sides) // 8 + 1
    masks: dict[str, bytearray] = {}
    for index, names in enumerate(sides):
        byte, bit = index >> 3, 1 << (index & 7)
        for name in names:
            mask = masks.get(name)
            if mask is None:
                mask = masks[name] = bytearray(size)
            mask[byte] |= bit
    return {name: int.from_bytes(mask, "little") for name, mask in masks.items()}
