"""Assertions: saved intent tests, such as “dev never reaches prod on any port”."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import ANY, INTERNET, Choice, IpProtocol, Reference
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.match_fields import Ports

EXPECTATIONS = {
    "blocked": "Blocked: no flow passes",
    "reachable": "Reachable: every flow passes",
    "inspected": "Inspected: every flow passes a service",
}
_MEMBER_KINDS = ("groups", "connectors")


@dataclass(frozen=True, slots=True)
class Assertion(IntentObject):
    """``segment`` None asks about every segment. expect: no flow, every flow, or every flow through a service."""

    from_: Annotated[str, Reference(_MEMBER_KINDS, literals=(ANY, INTERNET), filter=True)]
    to: Annotated[str, Reference(_MEMBER_KINDS, literals=(ANY, INTERNET), filter=True)]
    segment: Annotated[str | None, Reference(("segments",), default=None, help="empty: each segment", filter=True)]
    protocol: Annotated[str | int, IpProtocol()]
    ports: Annotated[tuple[str, ...], Ports()]
    expect: Annotated[str, Choice(EXPECTATIONS, help="what has to be true of all these flows", filter=True)]


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
