"""Prefix lists: prefixes that rules name together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Addresses, Integer, Name, Object, Objects, References, Text
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import ENTRIES
from provisioning.core.intent.list_sources import ListSource
from provisioning.core.values.address_forms import LOOKS_LIKE_ADDRESS
from provisioning.core.values.addresses import prefix_range


@dataclass(frozen=True, slots=True)
class PrefixEntry:
    """``ge`` and ``le`` say which lengths of routes inside the prefix it means; both None: only that very route.

    As a set of addresses an entry is its prefix, whatever the lengths. ``prefix`` may be a range (10.1.0.5-10.1.0.9);
    with ``!`` before it the addresses are left out of the list.
    """

    prefix: Annotated[
        str,
        Addresses(
            example="10.20.0.0/16", help="or a range like 10.1.0.5-10.1.0.9; ! before it leaves it out", filter=True
        ),
    ]
    ge: Annotated[
        int | None,
        Integer(0, 128, default=None, label="At least", help="shortest routes inside the prefix; for route policies"),
    ] = None
    le: Annotated[
        int | None,
        Integer(0, 128, default=None, label="At most", help="longest routes inside the prefix; for route policies"),
    ] = None
    description: Annotated[str, Text(200, default="", label="Reason", help="a ticket, an owner: why it is there")] = ""

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        prefix, ge, le = body["prefix"], body["ge"], body["le"]
        if prefix is not None and (prefix.startswith("!") or "-" in prefix):
            for field in ("ge", "le"):
                if body[field] is not None:
                    reader.problem("not_one_of", field, f"“{prefix}” is no route; leave “{field}” out.")
        elif prefix is not None:
            length = int(prefix.rpartition("/")[2])
            longest = 128 if ":" in prefix else 32
            for field, value in (("ge", ge), ("le", le)):
                if value is not None and not length <= value <= longest:
                    wrong = f"“{field}” is {value}; routes inside {prefix} have lengths from {length} to {longest}."
                    reader.problem("out_of_range", field, wrong)
        if ge is not None and le is not None and ge > le:
            reader.problem("out_of_range", "le", f"No route has a length of at least {ge} and at most {le}.")

    @property
    def is_route(self) -> bool:
        """Whether it is a prefix that a route may have, not a range and not left out."""
        return "-" not in self.prefix and not self.prefix.startswith("!")

    @property
    def length(self) -> int:
        return int(self.prefix.rpartition("/")[2])

    def holds(self, route: str) -> bool:
        """Whether it means the route to this prefix."""
        if self.ge is None and self.le is None:
            return route == self.prefix
        low, high = prefix_range(self.prefix)
        first, last = prefix_range(route)
        shortest = self.length if self.ge is None else self.ge
        longest = 128 if self.le is None else self.le
        return low <= first and last <= high and shortest <= int(route.rpartition("/")[2]) <= longest


@dataclass(frozen=True, slots=True)
class PrefixList(IntentObject):
    name: Annotated[str, Name(reserved=True)]
    entries: Annotated[
        tuple[PrefixEntry, ...],
        Objects(
            limit=ENTRIES,
            word="entry",
            help="lengths matter to route policies only: how long routes inside the prefix are",
        ),
    ]
    contains: Annotated[
        tuple[str, ...],
        References(
            ("prefix-lists",),
            default=(),
            label="Contains lists",
            help="lists whose addresses are in this one too",
            filter=True,
        ),
    ]
    source: Annotated[
        ListSource | None,
        Object(default=None, help="where refreshes get the entries from; they cannot be edited by hand then"),
    ]

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        if isinstance(body["name"], str) and LOOKS_LIKE_ADDRESS.fullmatch(body["name"]):
            wrong = f"“{body['name']}” reads like an address. Choose a name that does not."
            reader.problem("reserved_name", "name", wrong)


KIND = Kind(
    "prefix-lists",
    PrefixList,
    "prefix list",
    "prefix lists",
    "Addresses with a name. A rule that names the list follows when the list changes, so an address is kept in one "
    "place.",
    {"name": "offices", "entries": [{"prefix": "10.20.0.0/16", "ge": None, "le": 24}]},
    affects_connectors=True,
)
