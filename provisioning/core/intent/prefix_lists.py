"""Prefix lists: prefixes that rules name together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import LOOKS_LIKE_ADDRESS, FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reject_reserved_name,
)
from provisioning.core.intent.limits import ENTRIES
from provisioning.core.values.addresses import prefix_range


@dataclass(frozen=True, slots=True)
class PrefixEntry:
    """``ge`` and ``le`` say which lengths of routes inside the prefix it means; both None: only that very route.

    As a set of addresses an entry is its prefix, whatever the lengths.
    """

    prefix: str
    ge: int | None = None
    le: int | None = None

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
    entries: tuple[PrefixEntry, ...]


def _read_entry(body: FieldReader) -> dict[str, Any]:
    prefix = body.prefix("prefix")
    ge, le = body.integer("ge", 0, 128, None), body.integer("le", 0, 128, None)
    if prefix is not None:
        length = int(prefix.rpartition("/")[2])
        most = 128 if ":" in prefix else 32
        for field, value in (("ge", ge), ("le", le)):
            if value is not None and not length <= value <= most:
                body.problem(
                    "out_of_range",
                    field,
                    f"“{field}” is {value}; routes inside {prefix} have lengths from {length} to {most}.",
                )
    if ge is not None and le is not None and ge > le:
        body.problem("out_of_range", "le", f"No route has a length of at least {ge} and at most {le}.")
    return {"prefix": prefix, "ge": ge, "le": le}


def read(body: FieldReader) -> dict[str, Any]:
    reject_reserved_name(body)
    name = body.body.get("name")
    if isinstance(name, str) and LOOKS_LIKE_ADDRESS.fullmatch(name.strip()):
        body.problem("reserved_name", "name", f"“{name}” reads like an address. Choose a name that does not.")
    return {**read_name_and_description(body), "entries": body.objects("entries", _read_entry, limit=ENTRIES)}


def build(identity: IdentityFields, body: dict[str, Any]) -> PrefixList:
    return PrefixList(
        *identity, entries=tuple(PrefixEntry(one["prefix"], one["ge"], one["le"]) for one in body["entries"])
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
