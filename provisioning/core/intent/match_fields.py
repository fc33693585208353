"""The lists that rules match flows and routes with, and how many values of them one object may write down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import ANY, Converter, Field, Integer, Nested, SortKey, named_uid
from provisioning.core.intent.limits import ICMP_TYPES, PORTS, PREFIXES, Limit
from provisioning.core.values.addresses import prefix_order
from provisioning.core.values.dscp import MAX_DSCP, parse_dscp
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES, icmp_type_number, icmp_type_text
from provisioning.core.values.l4 import is_port_range, port_ranges
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
        if ANY in values and any(value.startswith("!") for value in values):
            remedy = "Write what has a ! alone to match every other address."
            reader.problem("not_one_of", name, f"“{name}” has any, and addresses that are left out. {remedy}")
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
    """Destination ports of the protocols beside it, sorted and merged; well-known names are read as numbers."""

    label: str = "Ports"
    help: str = "destination ports, like 443, 8000-8100 or https; left out: every port"
    example: str = "any, or 443, 8000-8100"
    beside: str = "protocol"
    limit: Limit | None = PORTS

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        protocols = _protocols(before[self.beside])
        return reader.ports(protocols, name, partial(_read_well_known_ports, reader, protocols, self.label.lower()))


@dataclass(frozen=True)
class RulePorts(Ports):
    """Destination ports, port lists by uid and names of well-known ports (values/well_known_ports.py)."""

    help: str = "destination ports (443, 8000-8100), port lists, or well-known names like https; left out: every port"
    example: str = "any, or 443, 8000-8100, https"
    kinds: tuple[str, ...] = ("port-lists",)

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        return reader.ports(_protocols(before[self.beside]), name, partial(_read_port_name, reader))

    def uid_in(self, name: str) -> str | None:
        is_literal = name == ANY or name in WELL_KNOWN_PORTS or is_port_range(name)
        return None if is_literal else name


@dataclass(frozen=True)
class SourcePorts(Ports):
    """Ports that packets are sent from."""

    label: str = "Source ports"
    help: str = "ports that the sender uses, like 123 or 1024-65535; left out: every port"
    example: str = "any, or 123, 1024-65535"


@dataclass(frozen=True)
class IcmpTypes(Match):
    """ICMP types of the protocol beside it, by name where they have one; sorted."""

    label: str = "ICMP types"
    help: str = "by name or number, like echo-request or 13; left out: every type"
    example: str = "any, or echo-request"
    beside: str = "protocol"
    limit: Limit | None = ICMP_TYPES

    def read_values(self, reader: FieldReader, name: str, before: Mapping[str, Any]) -> list[str]:
        items = [(path, item) for path, item in reader.list_items(name, (), self.limit or ICMP_TYPES) if item != ANY]
        protocols = _protocols(before[self.beside])
        if items and (len(protocols) > 1 or protocols[0] not in ICMP_TYPE_NAMES):
            if not reader.has_problem(self.beside):
                words = ", ".join(map(str, protocols))
                message = f"ICMP types need the protocol icmp or icmpv6, one of them; this one is “{words}”."
                reader.problem("bad_icmp_type", name, message)
            return []
        numbers = set()
        for path, item in items:
            is_readable = isinstance(item, str | int) and not isinstance(item, bool)
            number = icmp_type_number(str(protocols[0]), str(item).strip()) if is_readable else None
            if number is None:
                remedy = "Use 0 to 255, or a name such as echo-request."
                reader.problem("bad_icmp_type", path, f"“{item}” is not a type of {protocols[0]}. {remedy}")
            else:
                numbers.add(number)
        is_every = len(items) < len(reader.body.get(name) or ())
        return [] if is_every else [icmp_type_text(str(protocols[0]), number) for number in sorted(numbers)]


@dataclass(frozen=True)
class Dscp(Integer):
    """A differentiated services code point, by number or by name; None: every one."""

    low: int = 0
    high: int = MAX_DSCP
    default: Any = None
    label: str = "DSCP"
    help: str = "of the flow's first packet: a number from 0 to 63, or a name like EF or AF41; empty: every one"
    example: str = "EF"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        value = reader.get(name, None)
        number = (
            parse_dscp(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None
        )
        if value is not None and number is None:
            remedy = "Use 0 to 63, or a name such as EF or AF41."
            reader.problem("bad_dscp", name, f"“{value}” is not a DSCP. {remedy}")
        return number


def _protocols(value: str | int | list[str | int]) -> list[str | int]:
    return value if isinstance(value, list) else [value]


def _read_port_name(reader: FieldReader, path: str, name: str) -> str | Sequence[tuple[int, int]]:
    """Return the uid of a port list, or the name of well-known ports."""
    uid = reader.resolve("port-lists", name)
    if uid is None and name.lower() in WELL_KNOWN_PORTS:
        return name.lower()
    if uid is None:
        reader.problem(
            "unknown_reference",
            path,
            f"There is no port list “{name}”, and no well-known ports of this name. Write the ports by number, or "
            "make a port list.",
        )
    return uid or ()


def _read_well_known_ports(
    reader: FieldReader, protocols: Sequence[str | int], label: str, path: str, name: str
) -> Sequence[tuple[int, int]]:
    """Return the ports of a well-known name, which have to be the same for every protocol beside it."""
    named = {
        port_ranges(ports for protocol, ports in WELL_KNOWN_PORTS.get(name.lower(), ()) if protocol == wanted)
        for wanted in protocols
    }
    ranges = named.pop() if len(named) == 1 else ()
    if not ranges:
        words = " and ".join(map(str, protocols))
        reader.problem(
            "bad_port",
            path,
            f"“{name}” does not stand for the same {label} of {words}. Write them by number, like 1024-65535.",
        )
    return ranges


SourceMatch = Annotated[tuple[str, ...], AddressMatch(label="Source")]
DestinationMatch = Annotated[tuple[str, ...], AddressMatch(label="Destination")]


def count_match_values(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return how many prefixes, names of prefix lists, ports and ICMP types these rules write down together."""
    fields = ("source", "destination", "ports", "source_ports", "icmp_types")
    return sum(len(rule[field]) for rule in rules for field in fields if rule[field] != [ANY])
