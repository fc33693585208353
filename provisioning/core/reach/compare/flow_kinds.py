"""The four kinds of flows: inside a segment and out to the internet, between two segments, and to internet applications
from the internet and from inside."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property

from provisioning.core.intent import INTERNET
from provisioning.core.reach.compare.flow_space import (
    DEFAULT_ACTION_TAG,
    FlowEndpoint,
    FlowSpace,
    RuleStage,
    number_duplicates,
    pre_policy_stage,
)
from provisioning.core.reach.compare.match_rules import (
    DEFAULT_ACTION_RULE,
    FAMILY_RULES,
    MatchRule,
    share_match_rules,
)
from provisioning.core.reach.compare.rule_table import (
    ALL_ENDPOINTS,
    DEFAULT_ACTION_STAGE,
    DESTINATION_PRE_POLICY_STAGE,
    FAMILY_STAGE,
    SHARE_STAGE,
    SOURCE_PRE_POLICY_STAGE,
    TAGGED_ENDPOINTS,
)
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_intra_segment,
    decide_to_application,
)
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import (
    ALL_V4,
    intersect,
    merge_ranges,
    subtract,
)
from provisioning.core.values.headers import HeaderMatch

INTERNET_SOURCE, INTERNET_TARGET = "from the internet", "to the internet"

_INTRA_SEGMENT: DerivedKey[IntraSegment] = DerivedKey("flows inside a segment")
_INTERNET_INBOUND: DerivedKey[InternetInbound] = DerivedKey("flows from the internet")
_HAIRPIN: DerivedKey[Hairpin] = DerivedKey("flows from inside to internet applications")
_INTER_SEGMENT: DerivedKey[InterSegment] = DerivedKey("flows between two segments")


def intra_segment(network: Network, uid: str) -> IntraSegment:
    """Return the flow space of a segment; like the others, it is taken over while the segment stays the same."""
    resolved = network.resolved(uid)
    return network.derived.get(_INTRA_SEGMENT, (resolved,), lambda: IntraSegment(resolved), of=uid)


def internet_inbound(network: Network, uid: str) -> InternetInbound:
    resolved = network.resolved(uid)
    return network.derived.get(_INTERNET_INBOUND, (resolved,), lambda: InternetInbound(resolved), of=uid)


def hairpin(network: Network, uid: str) -> Hairpin:
    resolved = network.resolved(uid)
    return network.derived.get(_HAIRPIN, (resolved,), lambda: Hairpin(resolved), of=uid)


def inter_segment(network: Network, source: str, destination: str) -> InterSegment:
    both = network.resolved(source), network.resolved(destination)
    return network.derived.get(_INTER_SEGMENT, both, lambda: InterSegment(*both), of=(source, destination))


_FAMILY_RULE_STAGE = RuleStage(ALL_ENDPOINTS, FAMILY_RULES, ("IPv4", "IPv6"))


def flow_spaces(network: Network) -> Iterator[FlowSpace]:
    """Yield all flow spaces of a network, segment by segment."""
    for uid in sorted(network.intent.segments, key=lambda uid: network.intent.segments[uid].number):
        resolved = network.resolved(uid)
        yield intra_segment(network, uid)
        if resolved.apps:
            yield internet_inbound(network, uid)
            yield hairpin(network, uid)
        for other in dict.fromkeys(share.other for share in resolved.directed_shares if share.can_initiate):
            yield inter_segment(network, uid, other)


class IntraSegment(FlowSpace):
    """Between members of one segment, and from them to the internet."""

    def __init__(self, resolved: ResolvedSegment) -> None:
        super().__init__(resolved, resolved)

    def stages(self) -> dict[int, RuleStage]:
        stages = {FAMILY_STAGE: _FAMILY_RULE_STAGE, SOURCE_PRE_POLICY_STAGE: self._pre_policy_rule_stage()}
        if self.segment.default_action == "allow":
            stages[DEFAULT_ACTION_STAGE] = RuleStage(TAGGED_ENDPOINTS, [DEFAULT_ACTION_RULE], ["allow"])
        return stages

    @cached_property
    def sources(self) -> list[FlowEndpoint]:
        return [
            _source_endpoint(member, 0, self._source_tag_mask(member))
            for member in self.source_segment.members
            if member.sources
        ]

    @cached_property
    def destinations(self) -> list[FlowEndpoint]:
        tags = DEFAULT_ACTION_TAG | self._pre_policy_tag_mask()
        receivers = (member for member in self.source_segment.members if member.ranges)
        endpoints = [_destination_endpoint(member, (member.to_mask, 0, tags)) for member in receivers]
        if self.source_segment.exits and (internet := self.source_segment.exit_ranges):
            masks = (self.source_segment.local_segment.policy_masks((INTERNET,))[1], 0, self._elsewhere_tag)
            endpoints.append(FlowEndpoint(INTERNET, INTERNET_TARGET, INTERNET, internet, masks, None))
        return endpoints

    def outcome(self, source: FlowEndpoint, destination: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(source.owner, Member) and not isinstance(destination.owner, PublishedApp)
        return decide_intra_segment(self.source_segment, source.owner, destination.owner, packet)


class InterSegment(FlowSpace):
    """From members of one segment through shares to members of another, and out by its exits; of both only what shares
    show."""

    def __init__(self, source_segment: ResolvedSegment, destination_segment: ResolvedSegment) -> None:
        super().__init__(source_segment, destination_segment)
        self.directed_shares = [
            share
            for share in source_segment.directed_shares
            if share.other == destination_segment.segment.uid and share.can_initiate
        ]

    def stages(self) -> dict[int, RuleStage]:
        rules = share_match_rules(self.directed_shares)
        return {
            FAMILY_STAGE: _FAMILY_RULE_STAGE,
            DEFAULT_ACTION_STAGE: RuleStage(TAGGED_ENDPOINTS, [DEFAULT_ACTION_RULE], ["allow"]),
            SHARE_STAGE: RuleStage(ALL_ENDPOINTS, rules, number_duplicates(rule[1:5] for rule in rules)),
            SOURCE_PRE_POLICY_STAGE: self._pre_policy_rule_stage(),
            # The flows come from no connector of that segment, so its connectors' own rules do not match them.
            DESTINATION_PRE_POLICY_STAGE: pre_policy_stage(
                [rule for rule in self.destination_segment.pre_policy_rules if rule.connector is None],
                {},
            ),
        }

    @cached_property
    def sources(self) -> list[FlowEndpoint]:
        own = _members_by_attachment(self.source_segment)
        shown = (
            imported_member
            for imported_member in self.destination_segment.imported_members
            if imported_member.segment.uid == self.source_segment.segment.uid
        )
        senders = (
            (own[id(imported_member.attachment)], imported_member.from_mask)
            for imported_member in shown
            if imported_member.sources
        )
        return [_source_endpoint(member, from_mask, self._source_tag_mask(member)) for member, from_mask in senders]

    @cached_property
    def destinations(self) -> list[FlowEndpoint]:
        owners = _members_by_attachment(self.destination_segment)
        shown = [
            imported_member
            for imported_member in self.source_segment.imported_members
            if imported_member.segment.uid == self.destination_segment.segment.uid and imported_member.ranges
        ]
        # What a member of this segment owns is never routed to an imported member.
        members = self.source_segment.members if shown else ()
        taken = merge_ranges(pair for member in members for pair in member.ranges)
        endpoints = []
        for imported_member in shown:
            member = owners[id(imported_member.attachment)]
            masks = (imported_member.to_mask, member.to_mask, DEFAULT_ACTION_TAG | self._pre_policy_tag_mask())
            ranges = subtract(member.ranges, taken) if intersect(imported_member.ranges, taken) else member.ranges
            endpoints.append(_destination_endpoint(member, masks)._replace(ranges=ranges))
        other = self.destination_segment.segment.uid
        if other in self.source_segment.routes.egresses:
            both = (self.source_segment, self.destination_segment)
            here, there = (resolved.local_segment.policy_masks((INTERNET,))[1] for resolved in both)
            masks = here, there, self._elsewhere_tag
            internet = self.source_segment.exit_ranges_of(other)
            endpoints.append(FlowEndpoint(INTERNET, INTERNET_TARGET, INTERNET, internet, masks, None))
        return [endpoint for endpoint in endpoints if endpoint.ranges]

    def outcome(self, source: FlowEndpoint, destination: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(source.owner, Member)
        directed_share = self.source_segment.directed_share(
            self.destination_segment.segment.uid, packet.source, packet.destination
        )
        if directed_share is None:
            return FlowOutcome("isolated")
        return decide_inter_segment(self.source_segment, self.destination_segment, directed_share, source.owner, packet)


class _ToApplications(FlowSpace):
    """To internet applications (``apps``) of one segment."""

    def __init__(self, resolved: ResolvedSegment, apps: Sequence[PublishedApp]) -> None:
        super().__init__(resolved, resolved)
        self.apps = apps
        self._tags = (1 << len(apps)) - 1

    def stages(self) -> dict[int, RuleStage]:
        # An application is one port of one address; anything else that is sent to the address has no route.
        ports = [MatchRule(tag, None, None, HeaderMatch(((app.l4, app.l4),)), ()) for tag, app in enumerate(self.apps)]
        return {
            FAMILY_STAGE: _FAMILY_RULE_STAGE,
            SHARE_STAGE: RuleStage(TAGGED_ENDPOINTS, ports, [self._identity(app) for app in self.apps]),
        }

    @cached_property
    def destinations(self) -> list[FlowEndpoint]:
        masks_of = self.source_segment.local_segment.policy_masks
        return [
            FlowEndpoint(
                self._identity(app),
                INTERNET_TARGET,
                app.app.uid,
                ((app.public, app.public),),
                (masks_of((app.app.uid,))[1], 0, 1 << tag),
                app,
            )
            for tag, app in enumerate(self.apps)
        ]

    @staticmethod
    def _identity(app: PublishedApp) -> Hashable:
        """An application with another target is another destination."""
        return app.app.uid, app.public, app.l4, app.target.connector.uid, app.addresses, app.port

    def outcome(self, source: FlowEndpoint, destination: FlowEndpoint, packet: Packet) -> FlowOutcome:
        assert isinstance(destination.owner, PublishedApp) and not isinstance(source.owner, PublishedApp)
        return decide_to_application(self.source_segment, source.owner, destination.owner, packet)


class InternetInbound(_ToApplications):
    """From the internet to the applications of one segment."""

    def __init__(self, resolved: ResolvedSegment) -> None:
        super().__init__(resolved, resolved.apps)

    @cached_property
    def sources(self) -> list[FlowEndpoint]:
        from_mask = self.source_segment.local_segment.policy_masks((INTERNET,))[0]
        return [FlowEndpoint(INTERNET, INTERNET_SOURCE, INTERNET, (ALL_V4,), (from_mask, 0, self._tags), None)]


class Hairpin(_ToApplications):
    """From members of one segment to its applications by their public addresses (RFC 4787, section 6)."""

    def __init__(self, resolved: ResolvedSegment) -> None:
        super().__init__(resolved, [app for app in resolved.apps if resolved.find_app(app.public, app.l4) is app])

    @cached_property
    def sources(self) -> list[FlowEndpoint]:
        return [_source_endpoint(member, 0, self._tags) for member in self.source_segment.members if member.sources]


def _source_endpoint(member: Member, destination_mask: int, tags: int) -> FlowEndpoint:
    """destination_mask: the policies of the destination's segment that name the member in ``from``."""
    connector = member.connector.uid
    masks = (member.from_mask, destination_mask, tags)
    return FlowEndpoint(connector, connector, (connector, member.attachment.member_of), member.sources, masks, member)


def _destination_endpoint(member: Member, masks: tuple[int, int, int]) -> FlowEndpoint:
    uid = member.connector.uid
    connector = f"clients of {uid}" if member.connector.has_clients else uid
    return FlowEndpoint("member", connector, (uid, member.attachment.member_of), member.ranges, masks, member)


def _members_by_attachment(resolved: ResolvedSegment) -> dict[int, Member]:
    """Return the members of a segment by their attachments (ids), which imported members have in common with them."""
    return {id(member.attachment): member for member in resolved.members}
