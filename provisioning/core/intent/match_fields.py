"""The lists that rules match flows and routes with, and how many values of them one object may write down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import ANY, Converter, Field, Nested, SortKey, named_uid
from provisioning.core.intent.limits import PORTS, PREFIXES, Limit
from provisioning.core.values.addresses import prefix_order
from provisioning.core.values.l4 import is_port_range
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS


@dataclass(frozen=True)
class Match(Field):
    """A list that flows or routes are matched with.

    Left out, or with ``any`` among its values, it matches every one: ``["any"]`` is stored, and typed objects keep ().
    An empty list is refused: one that somebody computed may have become empty, and would match everything.
    """

    default: Any = (ANY,)
    literals: tuple[str, ...] = (ANY,)
    is_list = True

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        if reader.body.get(name) == []:
            remedy = "Leave it out, or write any, to match every one."
            reader.problem("required", name, f"“{name}” is empty, which would match nothing. {remedy}")
        values = self.read_values(reader, name, before)
        return values if values and ANY not in values else [ANY]

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        """Return the values; empty, or ``any`` among them, where every one is meant."""
        raise NotImplementedError

    def converter(self, nested: Nested | None) -> Converter:
        return _specific_values


def _specific_values(value: Any, number: int, body: Mapping[str, Any]) -> Any:
    return () if ANY in value else tuple(value)


@dataclass(frozen=True)
class AddressMatch(Match):
    """What rules match addresses with: prefixes and names of prefix lists; with ``ranges`` also ranges, and any of them
    left out by a ``!`` before it."""

    ranges: bool = True

    def uid_in(self, name: str) -> str | None:
        return None if name == ANY else named_uid(name)

    kinds: tuple[str, ...] = ("prefix-lists",)
    sorted_by: ClassVar[SortKey | None] = staticmethod(prefix_order)
    limit: Limit | None = PREFIXES

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        return reader.addresses(name, self.literals, self.ranges, self.limit or PREFIXES)


@dataclass(frozen=True)
class Ports(Match):
    """Destination ports of the protocol beside it, sorted and merged."""

    label: str = "Ports"
    help: str = "destination ports, like 443 or 8000-8100; left out: every port"
    example: str = "any, or 443, 8000-8100"
    beside: str = "protocol"
    limit: Limit | None = PORTS

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        return reader.ports([before[self.beside]], name)


@dataclass(frozen=True)
class RulePorts(Ports):
    """Destination ports, port lists by uid and names of well-known ports (values/well_known_ports.py)."""

    help: str = "destination ports (443, 8000-8100), port lists, or well-known names like https; left out: every port"
    example: str = "any, or 443, 8000-8100, https"
    kinds: tuple[str, ...] = ("port-lists",)

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        protocols = before[self.beside]
        return reader.ports(protocols if isinstance(protocols, list) else [protocols], name, lists=True)

    def uid_in(self, name: str) -> str | None:
        is_literal = name == ANY or name in WELL_KNOWN_PORTS or is_port_range(name)
        return None if is_literal else name


SourceMatch = Annotated[tuple[str, ...], AddressMatch(label="Source")]
DestinationMatch = Annotated[tuple[str, ...], AddressMatch(label="Destination")]


def count_match_values(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return how many prefixes, names of prefix lists and ports these rules write down together."""
    fields = ("source", "destination", "ports")
    return sum(len(rule[field]) for rule in rules for field in fields if rule[field] != [ANY])
