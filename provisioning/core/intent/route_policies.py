"""Route policies: which routes an exchange takes from connectors, and which it tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import (
    ANY,
    Boolean,
    Choice,
    Integer,
    Nested,
    Object,
    Objects,
    Reference,
    References,
    SortKey,
    Text,
    Texts,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import LIST_ITEMS, RULES, Limit
from provisioning.core.intent.match_fields import AddressMatch, Match
from provisioning.core.values.as_paths import BadAsPathPattern, compile_as_path

_COMMUNITY = re.compile(r"(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,4})")
NOT_IN_EFFECT = "not in effect yet"
_MAX_UINT32 = 4_294_967_295
DIRECTIONS = {
    "in": "In: what is accepted from the targets",
    "out": "Out: what the targets are told",
}


@dataclass(frozen=True)
class AsPath(Text):
    """A pattern that ``values.as_paths`` reads."""

    max_length: int = 100
    default: Any = None
    label: str = "AS path"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        pattern = reader.text(name, None, most=self.max_length)
        if isinstance(pattern, str):
            try:
                compile_as_path(pattern)
            except BadAsPathPattern as error:
                reader.problem("not_one_of", name, f"“{pattern}” cannot be read: {error}.")
        return pattern or None


def _community_order(text: str) -> list[int]:
    return [] if text == ANY else [int(half) for half in text.split(":")]


def _read_communities(reader: FieldReader, name: str, literals: Sequence[str] = ()) -> list[str]:
    communities = reader.texts(name)
    for index, text in enumerate(communities):
        match = _COMMUNITY.fullmatch(text)
        if text not in literals and (not match or any(int(half) > 65535 for half in match.groups())):
            wrong = f"“{text}” is not a BGP community; those look like 65000:100."
            reader.problem("not_one_of", f"{name}[{index}]", wrong)
    return list(dict.fromkeys(communities))


@dataclass(frozen=True)
class Communities(Texts):
    """Standard communities (RFC 1997): two numbers of 16 bits."""

    help: str = "like 65000:100"
    example: str = "65000:100"
    sorted_by: ClassVar[SortKey | None] = staticmethod(_community_order)

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return _read_communities(reader, name)


@dataclass(frozen=True)
class CommunityMatch(Match):
    """The communities that a route must have, all of them."""

    example: str = "65000:100"
    sorted_by: ClassVar[SortKey | None] = staticmethod(_community_order)
    limit: Limit | None = LIST_ITEMS

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        return _read_communities(reader, name, literals=(ANY,))


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route matches when every part does; empty ``prefixes`` or ``communities`` and no ``as_path`` match all."""

    prefixes: Annotated[tuple[str, ...], AddressMatch(ranges=False, label="Routes", help="left out: every route")]
    as_path: Annotated[
        str | None,
        AsPath(
            help="a regular expression as routers read it: digits, . [ ] ( ) | * + ? ^ $, and _ where a number ends",
            example="^65010_",
        ),
    ]
    communities: Annotated[
        tuple[str, ...],
        CommunityMatch(help="those that other route policies set; what peers send is not read yet"),
    ]


@dataclass(frozen=True, slots=True)
class RouteSetClause:
    """What an allowed route is given; 0, None and () leave it as it is."""

    prepend: Annotated[int, Integer(0, 10, default=0, help="times our ASN is put in front; not in effect yet")]
    med: Annotated[int | None, Integer(0, _MAX_UINT32, default=None, label="MED", help=NOT_IN_EFFECT)]
    local_preference: Annotated[int | None, Integer(0, _MAX_UINT32, default=None, help=NOT_IN_EFFECT)]
    communities: Annotated[
        tuple[str, ...],
        Communities(example="65000:200", help="like 65000:200; other route policies match it, peers are not told yet"),
    ]


UNCHANGED = RouteSetClause(0, None, None, ())


@dataclass(frozen=True, slots=True)
class RouteRule:
    match: Annotated[RouteMatch, Object(default={})]
    action: Annotated[str, Choice({"allow": "allow", "deny": "deny"})]
    set: Annotated[RouteSetClause, Object(default={}, label="Set on the route")]

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        if body["action"] == "deny" and any(body["set"].values()):
            wrong = "A denied route is not told to anybody, so nothing can be set on it."
            reader.problem("not_one_of", "set", wrong)


@dataclass(frozen=True, slots=True)
class RoutePolicy(IntentObject):
    """in: what the exchange accepts from the targets (groups, connectors); out: what they are told."""

    segment: Annotated[str, Reference(("segments",), filter=True)]
    direction: Annotated[str, Choice(DIRECTIONS, filter=True)]
    targets: Annotated[tuple[str, ...], References(("groups", "connectors"), filter=True, in_bulk=True)]
    enabled: Annotated[bool, Boolean(filter=True, in_bulk=True)]
    rules: Annotated[
        tuple[RouteRule, ...],
        Objects(limit=RULES, word="rule", help="the first that matches decides; what none matches is allowed"),
    ]


KIND = Kind(
    "route-policies",
    RoutePolicy,
    "route policy",
    "route policies",
    "Which of a site's routes are accepted, and which of the network's it is told. A site without a route has no way "
    "there, whatever the policies allow. What no rule matches is allowed.",
    {
        "name": "offices-only",
        "segment": "corp",
        "direction": "out",
        "targets": ["site-1"],
        "rules": [
            {
                "match": {"prefixes": ["offices"]},
                "action": "allow",
                "set": {"prepend": 2, "communities": ["65000:100"]},
            },
            {"match": {}, "action": "deny"},
        ],
    },
    affects_connectors=True,
)
