"""The ends of a trace, as people name them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from provisioning.core.intent import INTERNET, Connector, InternetApp, InvalidIntent, Segment
from provisioning.core.reach.unknown_names import unknown_end
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.address_forms import BadAddress, MistypedAddress, canonical_address
from provisioning.core.values.addresses import V6_OFFSET, address_number, address_text, example_host, prefix_range
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class TraceEndpoint:
    """One end of a trace. internet: the internet in general; an address alone may turn out to be on it too."""

    connector: Connector | None = None
    address: int | None = None
    internet: bool = False
    app: InternetApp | None = None

    @property
    def name(self) -> str:
        item = self.connector or self.app
        if item:
            return item.name
        return INTERNET if self.address is None else address_text(self.address)

    @property
    def label(self) -> str:
        """The name as it stands in a sentence."""
        return f"“{self.name}”" if self.connector or self.app else self.name

    def inner_address(self, resolved: ResolvedSegment, like: int | None = None) -> int | None:
        """Return the address behind the connector: the one given, or its first host in this segment.

        like: an address of the other end; of the same family if the connector has that.
        """
        if self.address is not None or self.connector is None:
            return self.address
        members = resolved.members_of(self.connector)
        ranges = [prefix_range(prefix) for member in members for prefix in member.attachment.prefixes]
        same_family = [pair for pair in ranges if like is None or (pair[0] >= V6_OFFSET) == (like >= V6_OFFSET)]
        return example_host((same_family or ranges)[:1]) if ranges else None

    def presented_address(self, resolved: ResolvedSegment, like: int | None = None) -> int | None:
        """Return the address at which others reach it: its first host where NAT leaves that as it is, else the first
        presented one."""
        if self.address is not None or self.connector is None:
            return self.address
        inner = self.inner_address(resolved, like)
        members = resolved.members_of(self.connector)
        if inner is not None and any(low <= inner <= high for member in members for low, high in member.untranslated):
            return inner
        presented = [member.ranges for member in members if member.ranges]
        same_family = [
            ranges for ranges in presented if like is None or (ranges[0][0] >= V6_OFFSET) == (like >= V6_OFFSET)
        ]
        return example_host((same_family or presented)[0]) if presented else None


def find_endpoint(network: Network, field: str, wanted: str) -> TraceEndpoint:
    """Return the end that a text means: a connector, an internet application, an address or ``internet``.

    Raise InvalidIntent when it is none of these.
    """
    if wanted == INTERNET:
        return TraceEndpoint(internet=True)
    if (connector := network.find("connectors", wanted)) is not None:
        return TraceEndpoint(connector)
    if field == "to" and (app := network.find("internet-apps", wanted)):
        return TraceEndpoint(app=app)
    # Last, because a name may contain an @ itself.
    name, _, address = wanted.rpartition("@")
    connector = network.find("connectors", name) if name else None
    try:
        return TraceEndpoint(connector, address_number(canonical_address(address if connector else wanted)))
    except MistypedAddress as error:
        raise InvalidIntent([Problem(error.code, field, str(error))]) from None
    except BadAddress:
        message = f"There is no connector “{wanted}”, and it is not an address."
        raise unknown_end(network, field, wanted, message) from None


def find_segment(network: Network, field: str, wanted: str) -> Segment:
    segment: Segment | None = network.find("segments", wanted)
    if segment is None:
        raise InvalidIntent([Problem("unknown_reference", field, f"There is no segment “{wanted}”.")])
    return segment


def endpoint_segments(network: Network, end: TraceEndpoint) -> list[Segment]:
    """Return the segments an end is in, by number; for an address that nobody owns, which is on the internet, all."""
    by_number = sorted(network.intent.segments.values(), key=attrgetter("number"))
    if end.connector:
        attached = {attachment.segment for attachment in end.connector.attachments}
        return [segment for segment in by_number if segment.uid in attached]
    if end.app:
        home = network.segment_of(end.app)
        return [segment for segment in by_number if segment.uid == home]
    if end.address is None:
        return by_number
    own = [segment for segment in by_number if network.resolved(segment.uid).routes.is_routed(end.address)]
    return own or by_number
