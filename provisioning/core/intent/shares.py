"""Shares: let named groups or prefixes of two segments reach each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Boolean, Choice, Integer, Object, Prefixes, Reference, References
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind

DIRECTIONS = {
    "both": "Both: either side may begin a connection",
    "a-to-b": "Only side A begins; side B answers",
    "b-to-a": "Only side B begins; side A answers",
}


@dataclass(frozen=True, slots=True)
class ShareSide:
    """What of a segment is shared: the members in ``groups``, of all members the addresses in ``prefixes``, and with
    ``internet`` the way out: its internet exits, and the public addresses behind its members' default routes."""

    segment: Annotated[str, Reference(("segments",), filter=True)]
    groups: Annotated[
        tuple[str, ...], References(("groups",), default=(), help="groups whose members are shared", filter="group")
    ]
    prefixes: Annotated[
        tuple[str, ...], Prefixes(help="of the segment's members, in addition to the groups", example="10.9.0.0/24")
    ]
    internet: Annotated[
        bool,
        Boolean(
            default=False,
            label="Its way to the internet",
            help="the other side leaves by this segment's internet exits and default routes",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Share(IntentObject):
    """``direction`` says which side may initiate; ``route_limit`` counts the prefixes either side sees."""

    a: Annotated[ShareSide, Object(label="Side A")]
    b: Annotated[ShareSide, Object(label="Side B")]
    direction: Annotated[
        str, Choice(DIRECTIONS, default="both", label="Who begins", help="which side may initiate", filter=True)
    ]
    services: Annotated[
        tuple[str, ...],
        References(
            ("services",), default=(), ordered=True, label="Through", help="inspected in this order", filter=True
        ),
    ]
    route_limit: Annotated[
        int,
        Integer(1, 100_000, default=100, label="Routes at most", help="more than that is an error, not a flood"),
    ]

    @property
    def sides(self) -> tuple[tuple[str, ShareSide], tuple[str, ShareSide]]:
        return ("a", self.a), ("b", self.b)

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        for side in ("a", "b"):
            given = reader.body.get(side)
            if isinstance(given, Mapping) and not any(given.get(part) for part in ("groups", "prefixes", "internet")):
                wrong = f"Side {side} shares nothing. Name groups or prefixes of its segment, or its internet."
                reader.problem("required", side, wrong)
        if all((body[side] or {}).get("internet") for side in ("a", "b")):
            wrong = "Only one side can be the other's way to the internet. Leave it out of one."
            reader.problem("share_loop", "b.internet", wrong)


KIND = Kind(
    "shares",
    Share,
    "share",
    "shares",
    "Segments do not reach each other. A share lets named groups or prefixes of two of them do so, begun from one "
    "side or both, through a firewall if you like, or lets one leave to the internet by the other. Shares are not "
    "passed on.",
    {
        "name": "partner-orders",
        "a": {"segment": "corp", "groups": ["prod"], "prefixes": []},
        "b": {"segment": "partner", "groups": [], "prefixes": ["10.9.0.0/24"]},
        "direction": "b-to-a",
        "services": ["fw"],
        "route_limit": 100,
    },
    affects_connectors=True,
)
