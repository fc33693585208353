"""Who may talk to whom under which lists: the three kinds of flows, each seen in one version of the network.

``Inside`` a segment and out of it to the internet, ``Shared`` from one segment to another, ``Published`` from the
internet to applications. Each says who holds which addresses on either side, gives its lists of lines in the order
they are tried, and can decide a single packet on the plain path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.intent import INTERNET, Segment
from provisioning.core.reach.compare.match_rules import (
    DEFAULT_ACTION_RULE,
    FAMILY_RULES,
    MatchRule,
    pre_policy_match_rules,
    share_match_rules,
)
from provisioning.core.reach.compare.rule_table import (
    ALL_ENDPOINTS,
    DEFAULT_ACTION_STAGE,
    DESTINATION_POLICIES,
    DESTINATION_PRE_POLICY_STAGE,
    FAMILY_STAGE,
    SHARE_STAGE,
    SOURCE_POLICIES,
    SOURCE_PRE_POLICY_STAGE,
    TAGGED_ENDPOINTS,
)
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_internet_inbound,
    decide_intra_segment,
)
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PrePolicyRule, PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import (
    ALL_V4,
    BOGON_RANGES,
    Range,
    complement,
    intersect,
    merge_ranges,
    subtract,
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
    named: Hashable
    ranges: tuple[Range, ...]
    bits: tuple[int, int, int]
    who: Member | PublishedApp | None

    @property
    def names(self) -> frozenset[str]:
        """What people may mean it by: uids of groups, connectors and applications, ``any``, ``internet``."""
        if self.who is None:
            return frozenset((INTERNET,))
        if isinstance(self.who, PublishedApp):
            return self.who.target.names | {self.who.app.uid}
        return self.who.names


class RuleStage(NamedTuple):
    """Lines that are no policy's; keys are equal in two versions where lines ask and do the same."""

    policy_index: int
    lines: Sequence[MatchRule]
    keys: Sequence[Hashable]


INTERNET_SOURCE, INTERNET_TARGET = "from the internet", "to the internet"


class FlowSpace(ABC):
    """One version of one kind of flows. realm: where they start; ``there``: where they end."""

    def __init__(self, resolved: ResolvedSegment, there: ResolvedSegment) -> None:
        self.resolved, self.there = resolved, there

    @property
    def segment(self) -> Segment:
        return self.resolved.segment

    @property
    def to_segment(self) -> Segment | None:
        """Where that is another one."""
        return None if self.there is self.resolved else self.there.segment

    @abstractmethod
    def stages(self) -> dict[int, RuleStage]:
        """Everything but policies and firewalls."""

    @property
    @abstractmethod
    def starts(self) -> list[FlowEndpoint]: ...

    @property
    @abstractmethod
    def ends(self) -> list[FlowEndpoint]: ...

    @cached_property
    def _pre_policy_tags(self) -> dict[str, int]:
        """Of connectors with gates of their own, in the book of whom lines cover; the first is the default action's."""
        return {
            uid: place
            for place, uid in enumerate((one.connector for one in self.resolved.pre_policy_rules if one.connector), 1)
        }

    def _pre_policy_rule_stage(self) -> RuleStage:
        return _pre_policy_stage(self.resolved.pre_policy_rules, self._pre_policy_tags)

    def _pre_policy_tag_mask(self, member: Member | None = None) -> int:
        """Bits of the gates for flows that start at a member; without one, of all gates."""
        if member is None:
            return sum(1 << place for place in self._pre_policy_tags.values())
        place = self._pre_policy_tags.get(member.connector.uid)
        return 0 if place is None else 1 << place

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Of anybody among the starts, and among the ends."""
        starts, ends = (frozenset().union(*(one.names for one in side)) for side in (self.starts, self.ends))
        return starts, ends

    @cached_property
    def bits(self) -> tuple[PolicyMasks, PolicyMasks]:
        """The policies that name anybody among the starts, and among the ends."""
        return policy_masks(self.starts), policy_masks(self.ends)

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
        here |= one.bits[SOURCE_POLICIES]
        there |= one.bits[DESTINATION_POLICIES]
    return here, there


def intra_segment(resolved: ResolvedSegment) -> IntraSegment:
    """Kept with its realm, as the others are."""
    if "inside" not in resolved.cache:
        resolved.cache["inside"] = IntraSegment(resolved)
    flow_space: IntraSegment = resolved.cache["inside"]
    return flow_space


def internet_inbound(resolved: ResolvedSegment) -> InternetInbound:
    if "published" not in resolved.cache:
        resolved.cache["published"] = InternetInbound(resolved)
    flow_space: InternetInbound = resolved.cache["published"]
    return flow_space


def inter_segment(resolved: ResolvedSegment, there: ResolvedSegment) -> InterSegment:
    key = f"shared with {there.segment.uid}"
    flow_space: InterSegment | None = resolved.cache.get(key)
    if flow_space is None or flow_space.there is not there:
        flow_space = resolved.cache[key] = InterSegment(resolved, there)
    return flow_space


_FAMILY_RULE_STAGE = RuleStage(ALL_ENDPOINTS, FAMILY_RULES, ("IPv4", "IPv6"))


class IntraSegment(FlowSpace):
    """Between members of one segment, and from them to the internet."""

    def __init__(self, resolved: ResolvedSegment) -> None:
        super().__init__(resolved, resolved)

    def stages(self) -> dict[int, RuleStage]:
        found = {FAMILY_STAGE: _FAMILY_RULE_STAGE, SOURCE_PRE_POLICY_STAGE: self._pre_policy_rule_stage()}
        if self.segment.default_action == "allow":
            found[DEFAULT_ACTION_STAGE] = RuleStage(TAGGED_ENDPOINTS, [DEFAULT_ACTION_RULE], ["allow"])
        return found

    @cached_property
    def starts(self) -> list[FlowEndpoint]:
        return [
            _source_endpoint(member, 0, DEFAULT_ACTION_TAG | self._pre_policy_tag_mask(member))
            for member in self.resolved.members
            if member.sources
        ]

    @cached_property
    def ends(self) -> list[FlowEndpoint]:
        covered = DEFAULT_ACTION_TAG | self._pre_policy_tag_mask()
        found = [
            _destination_endpoint(member, (member.to_mask, 0, covered))
            for member in self.resolved.members
            if member.ranges
        ]
        beyond = self._internet_ranges() if self.resolved.exits else ()
        if beyond:
            to_mask = self.resolved.local_segment.named((INTERNET,))[1]
            found.append(FlowEndpoint(INTERNET, INTERNET_TARGET, INTERNET, beyond, (to_mask, 0, 0), None))
        return found

    def _internet_ranges(self) -> tuple[Range, ...]:
        owned = (held for one in (*self.resolved.members, *self.resolved.imported_members) for held in one.ranges)
        return complement(merge_ranges((*owned, *BOGON_RANGES)))

    def outcome(self, start: FlowEndpoint, end: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(start.who, Member) and not isinstance(end.who, PublishedApp)
        return decide_intra_segment(self.resolved, start.who, end.who, packet)


class InterSegment(FlowSpace):
    """From members of one segment through shares to members of another; of both those that shares show."""

    def __init__(self, resolved: ResolvedSegment, there: ResolvedSegment) -> None:
        super().__init__(resolved, there)
        self.directed_shares = [
            one for one in resolved.directed_shares if one.other == there.segment.uid and one.starts
        ]

    def stages(self) -> dict[int, RuleStage]:
        lines = share_match_rules(self.directed_shares)
        return {
            FAMILY_STAGE: _FAMILY_RULE_STAGE,
            SHARE_STAGE: RuleStage(ALL_ENDPOINTS, lines, _number_duplicates(line[1:5] for line in lines)),
            SOURCE_PRE_POLICY_STAGE: self._pre_policy_rule_stage(),
            # No flow starts behind a connector there.
            DESTINATION_PRE_POLICY_STAGE: _pre_policy_stage(
                [
                    pre_policy_rule
                    for pre_policy_rule in self.there.pre_policy_rules
                    if pre_policy_rule.connector is None
                ],
                {},
            ),
        }

    @cached_property
    def starts(self) -> list[FlowEndpoint]:
        own = _members_by_attachment(self.resolved)
        shown = (
            imported_member
            for imported_member in self.there.imported_members
            if imported_member.segment.uid == self.resolved.segment.uid
        )
        starts = (
            (own[id(imported_member.attachment)], imported_member.from_mask)
            for imported_member in shown
            if imported_member.sources
        )
        return [_source_endpoint(member, from_mask, self._pre_policy_tag_mask(member)) for member, from_mask in starts]

    @cached_property
    def ends(self) -> list[FlowEndpoint]:
        theirs = _members_by_attachment(self.there)
        shown = [
            imported_member
            for imported_member in self.resolved.imported_members
            if imported_member.segment.uid == self.there.segment.uid and imported_member.ranges
        ]
        # What a member here owns is never routed to a guest.
        taken = merge_ranges(held for member in self.resolved.members for held in member.ranges) if shown else ()
        found = []
        for imported_member in shown:
            member = theirs[id(imported_member.attachment)]
            bits = (imported_member.to_mask, member.to_mask, self._pre_policy_tag_mask())
            ranges = subtract(member.ranges, taken) if intersect(imported_member.ranges, taken) else member.ranges
            found.append(_destination_endpoint(member, bits)._replace(ranges=ranges))
        return [one for one in found if one.ranges]

    def outcome(self, start: FlowEndpoint, end: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(start.who, Member)
        directed_share = self.resolved.directed_share(self.there.segment.uid, packet.source, packet.destination)
        if directed_share is None:
            return FlowOutcome("isolated")
        return decide_inter_segment(self.resolved, self.there, directed_share, start.who, packet)


class InternetInbound(FlowSpace):
    """From the internet to the applications of one segment."""

    def __init__(self, resolved: ResolvedSegment) -> None:
        super().__init__(resolved, resolved)

    def stages(self) -> dict[int, RuleStage]:
        # An application is one port of one address; whatever else is sent there has no route.
        ports = [
            MatchRule(place, None, None, ((app.cell, app.cell),), ()) for place, app in enumerate(self.resolved.apps)
        ]
        return {
            FAMILY_STAGE: _FAMILY_RULE_STAGE,
            SHARE_STAGE: RuleStage(TAGGED_ENDPOINTS, ports, [self._identity(app) for app in self.resolved.apps]),
        }

    @cached_property
    def starts(self) -> list[FlowEndpoint]:
        from_mask = self.resolved.local_segment.named((INTERNET,))[0]
        everywhere = (1 << len(self.resolved.apps)) - 1
        return [FlowEndpoint(INTERNET, INTERNET_SOURCE, INTERNET, (ALL_V4,), (from_mask, 0, everywhere), None)]

    @cached_property
    def ends(self) -> list[FlowEndpoint]:
        named = self.resolved.local_segment.named
        return [
            FlowEndpoint(
                self._identity(app),
                INTERNET_TARGET,
                app.app.uid,
                ((app.public, app.public),),
                (named((app.app.uid,))[1], 0, 1 << place),
                app,
            )
            for place, app in enumerate(self.resolved.apps)
        ]

    @staticmethod
    def _identity(app: PublishedApp) -> Hashable:
        """With another target it is another place."""
        return app.app.uid, app.public, app.cell, app.target.connector.uid, app.addresses, app.port

    def outcome(self, start: FlowEndpoint, end: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(end.who, PublishedApp)
        return decide_internet_inbound(self.resolved, end.who, packet)


def _source_endpoint(member: Member, froms_there: int, covered: int) -> FlowEndpoint:
    connector = member.connector.uid
    bits = (member.from_mask, froms_there, covered)
    return FlowEndpoint(connector, connector, (connector, member.attachment.group), member.sources, bits, member)


def _destination_endpoint(member: Member, bits: tuple[int, int, int]) -> FlowEndpoint:
    connector = member.connector.uid
    return FlowEndpoint("member", connector, (connector, member.attachment.group), member.ranges, bits, member)


def _pre_policy_stage(pre_policy_rules: Sequence[PrePolicyRule], places: Mapping[str, int]) -> RuleStage:
    lines = pre_policy_match_rules(pre_policy_rules, places)
    told = zip(pre_policy_rules, lines, strict=True)
    return RuleStage(
        TAGGED_ENDPOINTS,
        lines,
        _number_duplicates((pre_policy_rule.connector, *line[1:5]) for pre_policy_rule, line in told),
    )


def _number_duplicates(values: Iterable[Hashable]) -> list[Hashable]:
    """Keys of lines that are nothing but their values; equal ones are told apart by their number."""
    seen: Counter[Hashable] = Counter()
    keys: list[Hashable] = []
    for value in values:
        seen[value] += 1
        keys.append((value, seen[value]))
    return keys


def _members_by_attachment(resolved: ResolvedSegment) -> dict[int, Member]:
    """The members of a realm by their attachments, which guests have in common with them."""
    return {id(member.attachment): member for member in resolved.members}
