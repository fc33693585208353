"""What rules match: names of addresses as ranges and as routes, protocols with ports as intervals of the L4 line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from provisioning.core.intent import (
    Assertion,
    FirewallRule,
    NatMatch,
    PortList,
    PrefixEntry,
    PrefixList,
    Rule,
    named_uid,
)
from provisioning.core.intent.assertions import AssertionException
from provisioning.core.intent.limits import MAX_LEVELS
from provisioning.core.values.addresses import (
    ALL_ADDRESSES,
    Range,
    address_range,
    merge_ranges,
    subtract,
    summarise_range,
)
from provisioning.core.values.headers import EVERY_DSCP, EVERY_SOURCE_PORT, HeaderMatch
from provisioning.core.values.l4 import L4Ranges, is_port_range, l4_intersection, l4_ranges, l4_union, port_ranges
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS

MatchList = PrefixList | PortList
FlowMatch = Rule | FirewallRule | Assertion | AssertionException


class ListResolver:
    """Looks into the prefix lists and port lists of one network; remembers what it was asked."""

    def __init__(self, lists: Mapping[str, MatchList]) -> None:
        self.lists = lists
        self._l4: dict[tuple[Any, ...], L4Ranges] = {}
        self._l4_of_list: dict[str, L4Ranges] = {}
        self._ranges: dict[tuple[str, ...], tuple[Range, ...]] = {}
        self._ranges_of_list: dict[str, tuple[Range, ...]] = {}

    def ranges(self, names: tuple[str, ...]) -> tuple[Range, ...] | None:
        """The addresses meant, merged; None (every address) for no names at all. A list that is empty means none."""
        if not names:
            return None
        if all(named_uid(name) is None for name in names):
            return _literal_ranges(names)
        ranges = self._ranges.get(names)
        if ranges is None:
            ranges = self._ranges[names] = _combine((name, self._ranges_of(name)) for name in names)
        return ranges

    def _ranges_of(self, name: str, level: int = 1) -> tuple[Range, ...]:
        uid = named_uid(name)
        return (address_range(name.removeprefix("!")),) if uid is None else self._list_ranges(uid, level)

    def _list_ranges(self, uid: str, level: int) -> tuple[Range, ...]:
        """Return the addresses of a list and of those in it; a circle or too many levels (``check``) end it."""
        if level > MAX_LEVELS:
            return ()
        if uid not in self._ranges_of_list:
            self._ranges_of_list[uid] = ()
            if isinstance(prefix_list := self.lists.get(uid), PrefixList):
                texts = [*(entry.prefix for entry in prefix_list.entries), *prefix_list.contains]
                self._ranges_of_list[uid] = (
                    _combine((text, self._ranges_of(text, level + 1)) for text in texts) if texts else ()
                )
        return self._ranges_of_list[uid]

    def texts(self, names: Sequence[str]) -> list[str]:
        """The addresses spelled out as prefixes."""
        if all(named_uid(name) == name or "/" in name for name in names) and all(
            entry.is_route for entry in self.entries(names)
        ):
            return [entry.prefix for entry in self.entries(names)]
        return [prefix for pair in self.ranges(tuple(names)) or () for prefix in summarise_range(pair)]

    def entries(self, names: Sequence[str]) -> list[PrefixEntry]:
        """What route policies match; a plain prefix is exactly itself."""
        entries: list[PrefixEntry] = []
        pending, seen = [*reversed(names)], set[str]()
        while pending:
            uid = named_uid(name := pending.pop())
            if uid is None:
                entries.append(PrefixEntry(name))
            elif uid not in seen and isinstance(prefix_list := self.lists.get(uid), PrefixList):
                seen.add(uid)
                entries += prefix_list.entries
                pending += reversed(prefix_list.contains)
        return entries

    def headers(self, rule: FlowMatch) -> HeaderMatch:
        """Return what is matched of a packet besides its addresses."""
        l4 = self.l4(rule)
        if rule.icmp_types:
            l4 = l4_intersection(l4_ranges(_protocols(rule)[0], rule.icmp_types), l4)
        if not rule.source_ports and rule.dscp is None:
            return _match_of_l4(l4)
        return HeaderMatch(
            l4,
            port_ranges(rule.source_ports) if rule.source_ports else EVERY_SOURCE_PORT,
            EVERY_DSCP if rule.dscp is None else ((rule.dscp, rule.dscp),),
        )

    def l4(self, match: FlowMatch | NatMatch) -> L4Ranges:
        """Return the protocols and ports that a rule matches."""
        protocols = _protocols(match)
        if len(protocols) == 1 and all(map(is_port_range, match.ports)):
            return l4_ranges(protocols[0], match.ports)
        key = (protocols, match.ports)
        if key not in self._l4:
            self._l4[key] = l4_union(self._l4_of(protocol, match.ports) for protocol in protocols)
        return self._l4[key]

    def _l4_of(self, protocol: str | int, ports: tuple[str, ...]) -> L4Ranges:
        """Return the ports of one protocol: those by number, and what of the lists is of this protocol."""
        whole = l4_ranges(protocol)
        if not ports:
            return whole
        numbers = tuple(port for port in ports if is_port_range(port))
        parts = [l4_ranges(protocol, numbers)] if numbers else []
        parts += [l4_intersection(self._list_l4(name), whole) for name in ports if not is_port_range(name)]
        return l4_union(parts)

    def _list_l4(self, name: str, level: int = 1) -> L4Ranges:
        """Return what a port list or a well-known name stands for; a circle or too many levels (``check``) end it."""
        if name in WELL_KNOWN_PORTS:
            return l4_union(l4_ranges(protocol, (ports,)) for protocol, ports in WELL_KNOWN_PORTS[name])
        if level > MAX_LEVELS:
            return ()
        if name not in self._l4_of_list:
            self._l4_of_list[name] = ()
            if isinstance(port_list := self.lists.get(name), PortList):
                parts = [l4_ranges(entry.protocol, entry.ports) for entry in port_list.entries]
                parts += [self._list_l4(uid, level + 1) for uid in port_list.contains]
                self._l4_of_list[name] = l4_union(parts) if parts else ()
        return self._l4_of_list[name]


@lru_cache(maxsize=16384)
def _match_of_l4(l4: L4Ranges) -> HeaderMatch:
    """Rules by the ten thousand share few matches; each of its own would be work for the garbage collector."""
    return HeaderMatch(l4)


def _protocols(match: FlowMatch | NatMatch) -> tuple[str | int, ...]:
    return match.protocol if isinstance(match.protocol, tuple) else (match.protocol,)


def _combine(named: Iterable[tuple[str, tuple[Range, ...]]]) -> tuple[Range, ...]:
    """Return what is meant together: without a name that is not left out, everything but those that are."""
    sides: dict[bool, list[tuple[Range, ...]]] = {True: [], False: []}
    for name, ranges in named:
        sides[name.startswith("!")].append(ranges)
    meant = merge_ranges(pair for ranges in sides[False] for pair in ranges) if sides[False] else ALL_ADDRESSES
    return subtract(meant, merge_ranges(pair for ranges in sides[True] for pair in ranges)) if sides[True] else meant


@lru_cache(maxsize=65536)
def _literal_ranges(names: tuple[str, ...]) -> tuple[Range, ...]:
    """Without lists they mean the same everywhere: many segments and versions ask."""
    return _combine((name, (address_range(name.removeprefix("!")),)) for name in names)
