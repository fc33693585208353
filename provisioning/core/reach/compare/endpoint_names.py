"""Names for sets of addresses: groups, connectors, parts of connectors, applications, the internet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from provisioning.core.intent import ANY, INTERNET, Group
from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.rule_table import BoolArray, IndexArray
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp
from provisioning.core.values.addresses import summarise_range
from provisioning.core.values.headers import PacketHeaders

MAX_SHOWN = 3
"""Prefixes of one endpoint in a name."""
MAX_COMPARED = 8
"""Prefixes that are counted at most, to choose between those an endpoint has and those it is without."""


@dataclass(frozen=True, slots=True)
class ExamplePacket(PacketHeaders):
    """One packet as an example."""

    source: str
    destination: str


class EndpointNames:
    """The shortest true names for atoms of one side in one version."""

    def __init__(
        self, side: AddressAtoms, version: int, any_members: Sequence[Member], groups: Mapping[str, Group]
    ) -> None:
        """any_members: those that ``any`` means. A group is named where all of its members among them are."""
        self.side, self._endpoint = side, side.endpoint[version]
        self._endpoints = side.endpoints[version]
        self._any_count = len(any_members)
        self._atoms = np.bincount(self._endpoint[self._endpoint != NO_ENDPOINT], minlength=len(self._endpoints))
        members = [endpoint.owner if isinstance(endpoint.owner, Member) else None for endpoint in self._endpoints]
        self._is_member = np.array([member is not None for member in members], bool)
        self._attachments = Counter(member.connector.uid for member in any_members)
        self._set_groups(members, any_members, groups)
        self._names: dict[bytes, tuple[str, ...]] = {}
        self._parts: dict[bytes, str] = {}

    def _set_groups(
        self, members: Sequence[Member | None], any_members: Sequence[Member], groups: Mapping[str, Group]
    ) -> None:
        """Set the groups, the large ones first, and the pairs of an endpoint and a group that it is in."""
        sizes = Counter(uid for member in any_members for uid in member.attachment.member_of)
        present = dict.fromkeys(uid for member in members if member for uid in member.attachment.member_of)
        uids = sorted((uid for uid in present if uid in groups), key=lambda uid: (-sizes[uid], groups[uid].number))
        numbers = {uid: number for number, uid in enumerate(uids)}
        pairs = [
            (index, numbers[uid])
            for index, member in enumerate(members)
            if member
            for uid in member.attachment.member_of
            if uid in numbers
        ]
        self._groups = [groups[uid].name for uid in uids]
        self._size = np.array([sizes[uid] for uid in uids], np.intp)
        self._member_of_pair, self._group_of_pair = np.array(pairs, np.intp).reshape(-1, 2).T

    def find(self, atoms: IndexArray) -> tuple[str, ...]:
        """Return the sorted names of some atoms; ``any`` for all members, where there are more than one."""
        key = atoms.tobytes()
        if key not in self._names:
            self._names[key] = self._find_names(atoms)
        return self._names[key]

    def internet_part(self, atoms: IndexArray) -> str:
        """Return the name of what is the internet's among some atoms; "" for nothing."""
        owners = ((index, self._endpoints[index].owner) for index in np.unique(self._endpoint[atoms]).tolist())
        return next(
            (self._other(index, atoms) for index, owner in owners if index != NO_ENDPOINT and owner is None), ""
        )

    def _find_names(self, atoms: IndexArray) -> tuple[str, ...]:
        atoms = atoms[self._endpoint[atoms] != NO_ENDPOINT]
        counts = np.bincount(self._endpoint[atoms], minlength=len(self._endpoints))
        names = {self._other(index, atoms) for index in np.flatnonzero((counts > 0) & ~self._is_member).tolist()}
        whole = self._is_member & (counts == self._atoms)
        if self._any_count > 1 and whole.sum() == self._any_count:
            return (ANY, *sorted(names))
        covered = self._add_groups(whole, names)
        rest = np.flatnonzero((counts > 0) & self._is_member & ~covered).tolist()
        order = atoms[np.argsort(self._endpoint[atoms], kind="stable")]
        ends = np.cumsum(counts).tolist()
        complete = Counter(self._uid(index) for index in rest if whole[index])
        for index in rest:
            owner = self._endpoints[index].owner
            assert isinstance(owner, Member)
            # One of several attachments is only a part of its connector.
            if whole[index] and complete[self._uid(index)] == self._attachments[self._uid(index)]:
                names.add(owner.connector.name)
            else:
                names.add(self._part(index, order[ends[index] - int(counts[index]) : ends[index]]))
        return tuple(sorted(names))

    def _add_groups(self, whole: BoolArray, names: set[str]) -> BoolArray:
        """Add the names of groups of which all members are among ``whole``; return the members that they cover."""
        counts = np.bincount(self._group_of_pair[whole[self._member_of_pair]], minlength=len(self._size))
        covered = np.zeros_like(whole)
        for number in np.flatnonzero(counts == self._size).tolist():
            members = self._member_of_pair[self._group_of_pair == number]
            if not covered[members].all():
                names.add(self._groups[number])
                covered[members] = True
        return covered

    def _uid(self, index: int) -> str:
        owner = self._endpoints[index].owner
        assert isinstance(owner, Member)
        return owner.connector.uid

    def _other(self, index: int, atoms: IndexArray) -> str:
        owner = self._endpoints[index].owner
        if isinstance(owner, PublishedApp):
            return owner.app.name
        some = atoms[self._endpoint[atoms] == index]
        return INTERNET if len(some) == self._atoms[index] else f"{INTERNET} ({self._parts_of(index, some)})"

    def _part(self, index: int, atoms: IndexArray) -> str:
        """A member's name with the prefixes of some of its atoms."""
        key = atoms.tobytes()
        if key not in self._parts:
            owner = self._endpoints[index].owner
            assert isinstance(owner, Member)
            several = self._attachments[self._uid(index)] > 1
            self._parts[key] = f"{owner.connector.name} ({self._parts_of(index, atoms, several)})"
        return self._parts[key]

    def _parts_of(self, index: int, atoms: IndexArray, several: bool = False) -> str:
        """Return the prefixes of some atoms of an endpoint, or those it is ``without`` where these are fewer.

        several: whether the endpoint is one of several of its name, so that it has to be told by its prefixes itself.
        """
        some = self._prefixes(atoms)
        if len(some) == 1 or len(atoms) == self._atoms[index]:
            return _format_prefixes(some)
        order, starts = self._atoms_by_endpoint
        every = order[starts[index] : starts[index + 1]]
        rest = self._prefixes(np.setdiff1d(every, atoms, assume_unique=True))
        whole = self._prefixes(every) if several else []
        if len(some) <= len(whole) + len(rest):
            return _format_prefixes(some)
        return " ".join(filter(None, [_format_prefixes(whole), "without", _format_prefixes(rest)]))

    @cached_property
    def _atoms_by_endpoint(self) -> tuple[IndexArray, IndexArray]:
        """All atoms by endpoint, in rising order each, and where those of an endpoint start."""
        order = np.argsort(self._endpoint, kind="stable")
        return order, np.searchsorted(self._endpoint[order], np.arange(len(self._endpoints) + 1))

    def _runs(self, atoms: IndexArray) -> list[tuple[int, int]]:
        """Return the indexes of the first and last atom of each run of touching atoms, which are in rising order."""
        gaps = np.flatnonzero(self.side.low[atoms[1:]] != self.side.high[atoms[:-1]]).tolist()
        return list(zip([0, *(index + 1 for index in gaps)], [*gaps, len(atoms) - 1], strict=True))

    def _prefixes(self, atoms: IndexArray) -> list[str]:
        """Return the first prefixes of some atoms, as many as it takes to choose."""
        side = self.side
        ranges = ((side.range(atoms[first])[0], side.range(atoms[last])[1]) for first, last in self._runs(atoms))
        prefixes = (prefix for pair in ranges for prefix in summarise_range(pair))
        return list(islice(prefixes, MAX_COMPARED))


def _format_prefixes(prefixes: list[str]) -> str:
    return ", ".join(prefixes[:MAX_SHOWN]) + (" …" if len(prefixes) > MAX_SHOWN else "")
