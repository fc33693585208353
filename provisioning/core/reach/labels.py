"""Sets of addresses as people name them: groups, connectors, parts of connectors, the internet; and example packets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioning.core.addresses import V6, Range, address_number, address_text, contains, merge
from provisioning.core.flows import example
from provisioning.core.intent import ANY, INTERNET
from provisioning.core.network import Network
from provisioning.core.reach.atlas import BEYOND, AddressClass
from provisioning.core.realm import Realm
from provisioning.core.roster import Member


@dataclass(frozen=True, slots=True)
class Example:
    """One packet that shows what is meant; ``port`` None where the protocol has none."""

    source: str
    destination: str
    protocol: str
    port: int | None


def labels(network: Network, realm: Realm, version: int, classes: Iterable[AddressClass]) -> tuple[str, ...]:
    """The shortest true names of what these classes hold in one version, sorted."""
    held: dict[int, list[Range]] = {}
    by_id: dict[int, Member] = {}
    beyond = False
    for one in classes:
        beyond = beyond or one.views[version].whose == BEYOND
        for stretch, owner in one.owners(version):
            held.setdefault(owner.id, []).append(stretch)
            by_id[owner.id] = owner
    whole = {place for place, ranges in held.items() if merge(ranges) == by_id[place].ranges}
    names = [INTERNET] if beyond else []
    with_addresses = [member for member in realm.members if member.ranges]
    if len(with_addresses) > 1 and all(member.id in whole for member in with_addresses):
        return (ANY, *names)
    told: set[int] = set()
    for group in network.intent.groups.values():
        members = [member.id for member in with_addresses if member.attachment.group == group.uid]
        if members and whole.issuperset(members):
            names.append(group.name)
            told.update(members)
    for place, ranges in held.items():
        if place not in told:
            name = by_id[place].connector.name
            names.append(name if place in whole else f"{name} ({_prefixes(merge(ranges))})")
    return tuple(sorted(set(names)))


def _prefixes(ranges: Sequence[Range]) -> str:
    shown = [prefix for low, high in ranges[:3] for prefix in _cover(low, high)]
    return ", ".join(shown[:3]) + (" …" if len(shown) > 3 or len(ranges) > 3 else "")


def _cover(low: int, high: int) -> list[str]:
    ends = [ipaddress.ip_address(address_text(edge)) for edge in (low, high)]
    return [str(prefix) for prefix in ipaddress.summarize_address_range(ends[0], ends[1])]


def pick(ranges: Sequence[Range]) -> int:
    """A host's address of some ranges: the second one of the first range that has two."""
    low, high = next((one for one in ranges if one[0] < one[1]), ranges[0])
    return min(low + 1, high)


_SOMEWHERE = address_number("198.51.100.10")


def packet_between(version: int, start: AddressClass, end: AddressClass, cell: int) -> Example:
    """A packet from one class to the other that crosses an exchange, in a version where it could flow."""
    sources = [(stretch, owners[version]) for stretch, owners in start.stretches]
    ends = [(stretch, owners[version]) for stretch, owners in end.stretches]
    source, destination = next(
        (
            (one, other)
            for one, first in sources
            for other, second in ends
            if first is None or second is None or first.connector is not second.connector
        ),
        (sources[0][0], ends[0][0]),
    )
    target = pick([destination])
    if end.views[version].whose == BEYOND:
        stretches = merge(stretch for stretch, _ in end.stretches if stretch[0] < V6)
        target = _SOMEWHERE if contains(stretches, _SOMEWHERE) else target
    protocol, port = example(cell)
    return Example(address_text(pick([source])), address_text(target), protocol, port)
