"""Assertions: saved intent tests, such as “dev never reaches prod on any port”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from provisioning.core.intent.fields import ANY, INTERNET, Boolean, Choice, Date, IpProtocol, Objects, Reference, Text
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.label_fields import FlowEnd
from provisioning.core.intent.match_fields import Dscp, IcmpTypes, Ports, SourcePorts

EXPECTATIONS = {
    "blocked": "Blocked: no flow passes",
    "reachable": "Reachable: every flow passes",
    "inspected": "Inspected: every flow passes a service",
}
_MEMBER_KINDS = ("groups", "connectors")
_TARGET_KINDS = (*_MEMBER_KINDS, "internet-apps")
_WORDS = (ANY, INTERNET)


@dataclass(frozen=True, slots=True)
class AssertionException:
    """Flows of which an assertion says nothing until a day, that one included. None at an end: as in the assertion."""

    from_: Annotated[str | None, FlowEnd(_MEMBER_KINDS, literals=_WORDS, default=None)]
    to: Annotated[str | None, FlowEnd(_TARGET_KINDS, literals=_WORDS, default=None)]
    protocol: Annotated[str | int, IpProtocol()]
    ports: Annotated[tuple[str, ...], Ports()]
    source_ports: Annotated[tuple[str, ...], SourcePorts()]
    icmp_types: Annotated[tuple[str, ...], IcmpTypes()]
    dscp: Annotated[int | None, Dscp()]
    reason: Annotated[str, Text(500, help="a ticket, an owner: why it is excused")]
    until: Annotated[date, Date(help="its last day, like 2027-01-31")]


@dataclass(frozen=True, slots=True)
class Assertion(IntentObject):
    """``segment`` None asks about every segment. expect: no flow, every flow, or every flow through a service."""

    from_: Annotated[str, FlowEnd(_MEMBER_KINDS, literals=_WORDS, filter=True)]
    to: Annotated[str, FlowEnd(_TARGET_KINDS, literals=_WORDS, filter=True)]
    segment: Annotated[str | None, Reference(("segments",), default=None, help="empty: each segment", filter=True)]
    protocol: Annotated[str | int, IpProtocol()]
    ports: Annotated[tuple[str, ...], Ports()]
    source_ports: Annotated[tuple[str, ...], SourcePorts()]
    icmp_types: Annotated[tuple[str, ...], IcmpTypes()]
    dscp: Annotated[int | None, Dscp()]
    expect: Annotated[str, Choice(EXPECTATIONS, help="what has to be true of all these flows", filter=True)]
    except_: Annotated[
        tuple[AssertionException, ...],
        Objects(label="Except", word="exception", help="flows that are excused, each with a reason and a last day"),
    ]
    probe: Annotated[bool, Boolean(default=False, help="measured by a probe too; probes are not built yet")]

    def active_exceptions(self, today: date) -> tuple[AssertionException, ...]:
        return tuple(exception for exception in self.except_ if today <= exception.until)


KIND = Kind(
    "assertions",
    Assertion,
    "assertion",
    "assertions",
    "What must stay true, such as “dev never reaches prod”. Every plan is tested against it, and one that fails "
    "cannot be provisioned.",
    {
        "name": "dev never reaches prod",
        "from": "dev",
        "to": "prod",
        "segment": "corp",
        "protocol": "any",
        "expect": "blocked",
    },
)
