"""Who may talk to whom under which rules: one kind of flows, seen in one version of the network.

A flow space says who has which addresses on either side, gives its rules stage by stage in the order they are tried,
and can decide a single packet on the plain path. ``flow_kinds.py`` has the four kinds there are.
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
from provisioning.core.values.addresses import Range, merge_ranges
from provisioning.core.values.headers import HeaderMatch
from provisioning.core.values.l4 import ALL_L4


class FlowEndpoint(NamedTuple):
    """The owner of some addresses on one side of flows.

    identity: flows of two versions are compared where it is equal. For destinations it does not depend on the member,
    since the owner of an address may change while the address stays.
    connector: uid, or a word that no connector has as its uid. Flows between two ends of one never reach an exchange;
    a destination of remote access has a word, since flows between clients do.
    naming_key: where it is equal in two versions, equal rules name the endpoint alike.
    policy_masks: by policy index (see rule_table), the policies that name it on this side.
    owner: None is the internet.
    """

    identity: Hashable
    connector: str
    naming_key: Hashable
    ranges: tuple[Range, ...]
    policy_masks: tuple[int, int, int]
    owner: Member | PublishedApp | None

    @property
    def names(self) -> frozenset[str]:
        """The names that may mean it: uids of groups, connectors and applications, ``any``, ``internet``."""
        if self.owner is None:
            return frozenset((INTERNET,))
        if isinstance(self.owner, PublishedApp):
            return self.owner.target.names | {self.owner.app.uid}
        return self.owner.names


class RuleStage(NamedTuple):
    """Rules that belong to no policy. keys: equal in two versions where rules match and do the same."""

    policy_index: int
    rules: Sequence[MatchRule]
    keys: Sequence[Hashable]


class FlowSpace(ABC):
    """One version of one kind of flows, from a segment to another or to itself."""

    def __init__(self, source_segment: ResolvedSegment, destination_segment: ResolvedSegment) -> None:
        self.source_segment, self.destination_segment = source_segment, destination_segment

    @property
    def segment(self) -> Segment:
        return self.source_segment.segment

    @property
    def to_segment(self) -> Segment | None:
        """The destination's segment, where it is another one."""
        return None if self.destination_segment is self.source_segment else self.destination_segment.segment

    @abstractmethod
    def stages(self) -> dict[int, RuleStage]:
        """Return the rules of every stage but policies and firewalls."""

    @property
    @abstractmethod
    def sources(self) -> list[FlowEndpoint]: ...

    @property
    @abstractmethod
    def destinations(self) -> list[FlowEndpoint]: ...

    @cached_property
    def _pre_policy_tags(self) -> dict[str, int]:
        """uid of a connector with pre-policy rules of its own → its tag; tag 0 is the default action's."""
        rules = self.source_segment.pre_policy_rules
        return {uid: tag for tag, uid in enumerate((rule.connector for rule in rules if rule.connector), 1)}

    def _pre_policy_rule_stage(self) -> RuleStage:
        stage = pre_policy_stage(self.source_segment.pre_policy_rules, self._pre_policy_tags)
        if not self._elsewhere_tag:
            return stage
        elsewhere = MatchRule(self._elsewhere_tag.bit_length() - 1, None, None, HeaderMatch(ALL_L4), None)
        return stage._replace(rules=[elsewhere, *stage.rules], keys=["leaves elsewhere", *stage.keys])

    @cached_property
    def _elsewhere_tag(self) -> int:
        """The tag (as a bit) of the internet, and of members that policies send there otherwise than these flows go;
        0 where policies choose no exits."""
        if not self.source_segment.local_segment.chooses_exits:
            return 0
        return 1 << max(self._pre_policy_tags.values(), default=0) + 1

    def _source_tag_mask(self, member: Member) -> int:
        """Return the tags (as bits) of flows from a member to other members, and to the internet."""
        tags = DEFAULT_ACTION_TAG | self._pre_policy_tag_mask(member)
        if self._elsewhere_tag and not self.source_segment.leaves_by(member, self.destination_segment.segment.uid):
            tags |= self._elsewhere_tag
        return tags

    def _pre_policy_tag_mask(self, member: Member | None = None) -> int:
        """Return the tags (as bits) of pre-policy rules for flows from a member; without one, of all."""
        if member is None:
            return sum(1 << tag for tag in self._pre_policy_tags.values())
        tag = self._pre_policy_tags.get(member.connector.uid)
        return 0 if tag is None else 1 << tag

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names of all sources, and of all destinations, as a question may use them."""
        sources, destinations = (
            frozenset((INTERNET,) if any(self.internet_ranges(endpoint) for endpoint in side) else ()).union(
                *(endpoint.names for endpoint in side)
            )
            for side in (self.sources, self.destinations)
        )
        return sources, destinations

    def ranges_named(self, endpoint: FlowEndpoint, name: str) -> tuple[Range, ...]:
        """Return the addresses of an endpoint that a name in a question means."""
        if name == INTERNET:
            return self.internet_ranges(endpoint)
        return endpoint.ranges if name in endpoint.names else ()

    def internet_ranges(self, endpoint: FlowEndpoint) -> tuple[Range, ...]:
        """Return what is the internet among an endpoint's addresses; a member has it behind its default route."""
        if isinstance(endpoint.owner, Member):
            return self.source_segment.default_route_ranges(endpoint.owner, endpoint.ranges)
        return endpoint.ranges if endpoint.owner is None else ()

    @cached_property
    def default_route_cuts(self) -> tuple[Range, ...]:
        """The internet behind members, at whose edges addresses are cut where a question is about the internet."""
        members = (e for e in (*self.sources, *self.destinations) if isinstance(e.owner, Member))
        return merge_ranges(pair for endpoint in members for pair in self.internet_ranges(endpoint))

    @cached_property
    def policy_masks(self) -> tuple[PolicyMasks, PolicyMasks]:
        """The policies that name any of the sources, and any of the destinations."""
        return policy_masks(self.sources), policy_masks(self.destinations)

    @abstractmethod
    def outcome(self, source: FlowEndpoint, destination: FlowEndpoint, packet: Packet) -> FlowOutcome:
        """Return what becomes of a flow between two endpoints, decided on the plain path (trace/decision)."""


DEFAULT_ACTION_TAG = 1
"""Bit of the default action among the tags of an endpoint."""

PolicyMasks = tuple[int, int]
"""By policy index (SOURCE_POLICIES, DESTINATION_POLICIES): bit p is set for the p-th policy of the segment."""


def policy_masks(endpoints: Iterable[FlowEndpoint]) -> PolicyMasks:
    """Return the policies that name any of these endpoints."""
    source_mask = destination_mask = 0
    for endpoint in endpoints:
        source_mask |= endpoint.policy_masks[SOURCE_POLICIES]
        destination_mask |= endpoint.policy_masks[DESTINATION_POLICIES]
    return source_mask, destination_mask


def pre_policy_stage(pre_policy_rules: Sequence[PrePolicyRule], tags: Mapping[str, int]) -> RuleStage:
    rules = pre_policy_match_rules(pre_policy_rules, tags)
    keys = ((origin.connector, *rule[1:5]) for origin, rule in zip(pre_policy_rules, rules, strict=True))
    return RuleStage(TAGGED_ENDPOINTS, rules, number_duplicates(keys))


def number_duplicates(values: Iterable[Hashable]) -> list[Hashable]:
    """Return a key for each value; equal values get different keys by their number."""
    seen: Counter[Hashable] = Counter()
    keys: list[Hashable] = []
    for value in values:
        seen[value] += 1
        keys.append((value, seen[value]))
    return keys
