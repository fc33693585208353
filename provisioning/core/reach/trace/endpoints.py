"""The ends of a trace, as people name them."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.core.intent import INTERNET, Connector, Group, InternetApp, InvalidIntent, Segment
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import V6_OFFSET, address_number, address_text, example_host, prefix_range
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class TraceEndpoint:
    """``internet`` without an address is the internet in general; an address may turn out to be on it."""

    connector: Connector | None = None
    address: int | None = None
    internet: bool = False
    app: InternetApp | None = None

    @property
    def name(self) -> str:
        named = self.connector or self.app
        if named:
            return named.name
        return INTERNET if self.address is None else address_text(self.address)

    @property
    def label(self) -> str:
        """The name as it stands in a sentence."""
        return f"“{self.name}”" if self.connector or self.app else self.name

    def inner_address(self, resolved: ResolvedSegment, like: int | None = None) -> int | None:
        """The address meant behind the connector: the one given, or its first host in this segment.

        like: an address of the other end; of the same family if the connector has that.
        """
        if self.address is not None or self.connector is None:
            return self.address
        held = [prefix_range(text) for one in resolved.members_of(self.connector) for text in one.attachment.prefixes]
        alike = [one for one in held if like is None or (one[0] >= V6_OFFSET) == (like >= V6_OFFSET)]
        return example_host((alike or held)[:1]) if held else None

    def presented_address(self, resolved: ResolvedSegment, like: int | None = None) -> int | None:
        """The address others reach it at: its first host where that is seen as it is, else the first one that is."""
        if self.address is not None or self.connector is None:
            return self.address
        wanted = self.inner_address(resolved, like)
        own = resolved.members_of(self.connector)
        if wanted is not None and any(low <= wanted <= high for one in own for low, high in one.untranslated):
            return wanted
        held = [one.ranges for one in own if one.ranges]
        alike = [one for one in held if like is None or (one[0][0] >= V6_OFFSET) == (like >= V6_OFFSET)]
        return example_host((alike or held)[0]) if held else None


def find_endpoint(network: Network, field: str, wanted: str) -> TraceEndpoint:
    """Raises Invalid when it is neither a connector, nor an internet application, nor an address, nor ``internet``."""
    if wanted == INTERNET:
        return TraceEndpoint(internet=True)
    if (connector := network.find("connectors", wanted)) is not None:
        return TraceEndpoint(connector)
    if field == "to" and (app := network.find("internet-apps", wanted)):
        return TraceEndpoint(app=app)
    # Last: a name may hold an @ itself.
    name, _, address = wanted.rpartition("@")
    connector = network.find("connectors", name) if name else None
    try:
        return TraceEndpoint(connector, address_number(address if connector else wanted))
    except ValueError:
        group = network.find("groups", wanted) or network.find("groups", name)
        message = (
            _explain_group(network, group) if group else f"There is no connector “{wanted}”, and it is not an address."
        )
        raise InvalidIntent([Problem("unknown_reference", field, message)]) from None


def _explain_group(network: Network, group: Group) -> str:
    members = (
        connector.name
        for connector in network.intent.connectors.values()
        if any(attachment.group == group.uid for attachment in connector.attachments)
    )
    one = min(members, default="")
    told = f"Name one of its members, for example “{one}”." if one else "It has no member; name a connector."
    return f"“{group.name}” is a group, and a trace follows a flow between two places. {told}"


def find_segment(network: Network, field: str, wanted: str) -> Segment:
    found: Segment | None = network.find("segments", wanted)
    if found is None:
        raise InvalidIntent([Problem("unknown_reference", field, f"There is no segment “{wanted}”.")])
    return found


def endpoint_segments(network: Network, end: TraceEndpoint) -> list[Segment]:
    """The segments an end is in, by number. An address that no segment knows is the internet's, which all may reach."""
    by_number = sorted(network.intent.segments.values(), key=lambda segment: segment.number)
    if end.connector:
        held = {attachment.segment for attachment in end.connector.attachments}
        return [segment for segment in by_number if segment.uid in held]
    if end.app:
        home = network.segment_of(end.app)
        return [segment for segment in by_number if segment.uid == home]
    if end.address is None:
        return by_number
    own = [segment for segment in by_number if _is_owner(network.resolved(segment.uid), end.address)]
    return own or by_number


def _is_owner(resolved: ResolvedSegment, address: int) -> bool:
    member = resolved.owner(address)
    return member is not None and member.segment.uid == resolved.segment.uid
