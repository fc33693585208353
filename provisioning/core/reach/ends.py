"""The ends of a trace, as people name them."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.core.addresses import address_number, address_text, contains, span
from provisioning.core.intent import INTERNET, Connector, Intent, Invalid, Segment
from provisioning.core.reach.labels import pick
from provisioning.core.realm import Realm
from provisioning.core.resource import Problem


@dataclass(frozen=True, slots=True)
class End:
    """``internet`` without an address is the internet in general; an address may turn out to be on it."""

    connector: Connector | None = None
    address: int | None = None
    internet: bool = False

    @property
    def name(self) -> str:
        if self.connector:
            return self.connector.name
        return INTERNET if self.address is None else address_text(self.address)

    @property
    def label(self) -> str:
        """The name as it stands in a sentence."""
        return f"“{self.name}”" if self.connector else self.name

    def first_host(self, realm: Realm) -> int | None:
        """The first usable address of the connector's first prefix in the segment: where lab workloads live."""
        for member in realm.members:
            if self.connector and member.connector.uid == self.connector.uid and member.ranges:
                low, high = span(member.attachment.prefixes[0])
                wanted = pick([(low, high)])
                return wanted if contains(member.ranges, wanted) else pick(member.ranges)
        return None


def find_end(intent: Intent, field: str, wanted: str) -> End:
    """Raises Invalid when it is neither a connector, nor an address, nor ``internet``."""
    if wanted == INTERNET:
        return End(internet=True)
    name, at, address = wanted.rpartition("@")
    connector = intent.find("connectors", name if at else wanted)
    if connector is not None and not at:
        return End(connector)
    try:
        return End(connector, address_number(address if at and connector else wanted))
    except ValueError:
        message = f"There is no connector “{wanted}”, and it is not an address."
        raise Invalid([Problem("unknown_reference", field, message)]) from None


def home_segments(intent: Intent, end: End) -> list[Segment]:
    """The segments an end is in, by number. An address that no segment knows is the internet's, which all may reach."""
    by_number = sorted(intent.segments.values(), key=lambda segment: segment.number)
    if end.connector:
        held = {attachment.segment for attachment in end.connector.attachments}
        return [segment for segment in by_number if segment.uid in held]
    if end.address is None:
        return by_number
    return [segment for segment in by_number if Realm(intent, segment.uid).owner(end.address)] or by_number
