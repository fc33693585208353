"""Who may talk to whom under which rules: one kind of flows, seen in one version of the network.

A flow space says who has which addresses on either side, gives its rules stage by stage in the order they are tried,
and can decide a single packet on the plain path. ``flow_kinds.py`` has the three kinds there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.intent import INTERNET, Segment
from provisioning.core.reach.compare.match_rules import (
    MatchRule,
    pre_policy_match_rules,
)
from provisioning.core.reach.compare.rule_table import (
    DESTINATION_POLICIES,
    SOURCE_POLICIES,
    TAGGED_ENDPOINTS,
)
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
)
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.resolve.segment_routes import PrePolicyRule
from provisioning.core.values.addresses import (
    Range,
)


class FlowEndpoint(NamedTuple):
    """Somebody who holds addresses on one side.

    identity: flows of two versions are compared where it is equal; for destinations it leaves members out, since who
    owns an address may change while the address stays. connector: uid, or a word that no connector has.
    named: what decides about the rules that name it; equal in two versions, equal rules name it alike.
    bits: by book, the policies that name it on this side.
    """

    identity: Hashable
    connector: str
    naming_key: Hashable
    ranges: tuple[Range, ...]
    policy_masks: tuple[int, int, int]
    owner: Member | PublishedApp | None

    @property
    def names(self) -> frozenset[str]:
        """What people may mean it by: uids of groups, connectors and applications, ``any``, ``internet``."""
        if self.owner is None:
            return frozenset((INTERNET,))
        if isinstance(self.owner, PublishedApp):
            return self.owner.target.names | {self.owner.app.uid}
        return self.owner.names


class RuleStage(NamedTuple):
    """Lines that are no policy's; keys are equal in two versions where lines ask and do the same."""

    policy_index: int
    rules: Sequence[MatchRule]
    keys: Sequence[Hashable]


class FlowSpace(ABC):
    """One version of one kind of flows. realm: where they start; ``there``: where they end."""

    def __init__(self, resolved: ResolvedSegment, there: ResolvedSegment) -> None:
        self.source_segment, self.destination_segment = resolved, there

    @property
    def segment(self) -> Segment:
        return self.source_segment.segment

    @property
    def to_segment(self) -> Segment | None:
        """Where that is another one."""
        return None if self.destination_segment is self.source_segment else self.destination_segment.segment

    @abstractmethod
    def stages(self) -> dict[int, RuleStage]:
        """Everything but policies and firewalls."""

    @property
    @abstractmethod
    def sources(self) -> list[FlowEndpoint]: ...

    @property
    @abstractmethod
    def destinations(self) -> list[FlowEndpoint]: ...

    @cached_property
    def _pre_policy_tags(self) -> dict[str, int]:
        """Of connectors with gates of their own, in the book of whom lines cover; the first is the default action's."""
        return {
            uid: place
            for place, uid in enumerate(
                (one.connector for one in self.source_segment.pre_policy_rules if one.connector), 1
            )
        }

    def _pre_policy_rule_stage(self) -> RuleStage:
        return pre_policy_stage(self.source_segment.pre_policy_rules, self._pre_policy_tags)

    def _pre_policy_tag_mask(self, member: Member | None = None) -> int:
        """Bits of the gates for flows that start at a member; without one, of all gates."""
        if member is None:
            return sum(1 << place for place in self._pre_policy_tags.values())
        place = self._pre_policy_tags.get(member.connector.uid)
        return 0 if place is None else 1 << place

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Of anybody among the starts, and among the ends."""
        starts, ends = (frozenset().union(*(one.names for one in side)) for side in (self.sources, self.destinations))
        return starts, ends

    @cached_property
    def policy_masks(self) -> tuple[PolicyMasks, PolicyMasks]:
        """The policies that name anybody among the starts, and among the ends."""
        return policy_masks(self.sources), policy_masks(self.destinations)

    @abstractmethod
    def outcome(self, start: FlowEndpoint, end: FlowEndpoint, packet: Packet) -> FlowOutcome:
        """Of a flow that begins and ends at these holders, decided on the plain path."""


DEFAULT_ACTION_TAG = 1
"""Bit of the default action among what covers somebody."""

PolicyMasks = tuple[int, int]
"""By book, HERES and THERES: bit p set for the policy at place p."""


def policy_masks(endpoints: Iterable[FlowEndpoint]) -> PolicyMasks:
    """The policies that name any of them."""
    here = there = 0
    for one in endpoints:
        here |= one.policy_masks[SOURCE_POLICIES]
        there |= one.policy_masks[DESTINATION_POLICIES]
    return here, there


def pre_policy_stage(pre_policy_rules: Sequence[PrePolicyRule], places: Mapping[str, int]) -> RuleStage:
    lines = pre_policy_match_rules(pre_policy_rules, places)
    told = zip(pre_policy_rules, lines, strict=True)
    return RuleStage(
        TAGGED_ENDPOINTS,
        lines,
        number_duplicates((pre_policy_rule.connector, *line[1:5]) for pre_policy_rule, line in told),
    )


def number_duplicates(values: Iterable[Hashable]) -> list[Hashable]:
    """Keys of lines that are nothing but their values; equal ones are told apart by their number."""
    seen: Counter[Hashable] = Counter()
    keys: list[Hashable] = []
    for value in values:
        seen[value] += 1
        keys.append((value, seen[value]))
    return keys
