"""Many pairs told as few: pairs with the same meaning become products of sets."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.core.reach.atlas import AddressClass

Pair = tuple[AddressClass, AddressClass]
Rectangle = tuple[list[AddressClass], list[AddressClass]]


def rectangles(pairs: Iterable[Pair]) -> list[Rectangle]:
    """Sources with equal sets of destinations together."""
    ends_of: dict[int, list[AddressClass]] = {}
    starts: dict[int, AddressClass] = {}
    for start, end in pairs:
        ends_of.setdefault(id(start), []).append(end)
        starts[id(start)] = start
    alike: dict[frozenset[int], Rectangle] = {}
    for place, ends in ends_of.items():
        alike.setdefault(frozenset(map(id, ends)), ([], ends))[0].append(starts[place])
    return list(alike.values())
