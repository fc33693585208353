"""Sets of addresses as people name them: groups, connectors, parts of connectors, applications, the internet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from provisioning.core.intent import ANY, INTERNET, Group
from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.rule_table import IndexArray
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp
from provisioning.core.values.addresses import summarise_range


@dataclass(frozen=True, slots=True)
class ExamplePacket:
    """One packet that shows what is meant; ``port`` None where the protocol has none."""

    source: str
    destination: str
    protocol: str
    port: int | None


class EndpointNames:
    """The shortest true names of atoms of one side in one version."""

    def __init__(
        self, side: AddressAtoms, version: int, everybody: Sequence[Member], groups: Mapping[str, Group]
    ) -> None:
        """``everybody``: who would have to be among the holders of the atoms for ``any``, or for their group."""
        self.side, self._holder = side, side.endpoint[version]
        self._holders = side.endpoints[version]
        self._everybody = len(everybody)
        self._atoms = np.bincount(self._holder[self._holder != NO_ENDPOINT], minlength=len(self._holders))
        members = [one.owner if isinstance(one.owner, Member) else None for one in self._holders]
        self._member = np.array([one is not None for one in members], bool)
        self._attachments = Counter(one.connector.uid for one in everybody)
        uids = [one.attachment.group if one else None for one in members]
        known = {uid: place for place, uid in enumerate(dict.fromkeys(uid for uid in uids if uid in groups))}
        self._groups = [groups[uid].name for uid in known if uid is not None]
        # One more place for those without a group, which is never whole.
        self._group = np.array([known.get(uid, len(known)) for uid in uids], np.intp)
        sizes = Counter(one.attachment.group for one in everybody)
        self._size = np.array([*(sizes[uid] for uid in known), -1], np.intp)
        self._memo: dict[bytes, tuple[str, ...]] = {}
        self._parts: dict[bytes, str] = {}

    def of(self, atoms: IndexArray) -> tuple[str, ...]:
        """Sorted; ``any`` for all members, where there are more than one."""
        key = atoms.tobytes()
        if key not in self._memo:
            self._memo[key] = self._of(atoms)
        return self._memo[key]

    def _of(self, atoms: IndexArray) -> tuple[str, ...]:
        atoms = atoms[self._holder[atoms] != NO_ENDPOINT]
        held = np.bincount(self._holder[atoms], minlength=len(self._holders))
        names = {self._other(place, atoms) for place in np.flatnonzero((held > 0) & ~self._member).tolist()}
        whole = self._member & (held == self._atoms)
        if self._everybody > 1 and whole.sum() == self._everybody:
            return (ANY, *sorted(names))
        full = np.bincount(self._group[whole], minlength=len(self._size)) == self._size
        names.update(self._groups[place] for place in np.flatnonzero(full).tolist())
        rest = np.flatnonzero((held > 0) & self._member & ~(whole & full[self._group])).tolist()
        order = atoms[np.argsort(self._holder[atoms], kind="stable")]
        ends = np.cumsum(held).tolist()
        told = Counter(self._uid(place) for place in rest if whole[place])
        for place in rest:
            who = self._holders[place].owner
            assert isinstance(who, Member)
            # One of several attachments is only a part of its connector.
            if whole[place] and told[self._uid(place)] == self._attachments[self._uid(place)]:
                names.add(who.connector.name)
            else:
                names.add(self._part(place, order[ends[place] - int(held[place]) : ends[place]]))
        return tuple(sorted(names))

    def _uid(self, place: int) -> str:
        return self._holders[place].connector

    def _other(self, place: int, atoms: IndexArray) -> str:
        who = self._holders[place].owner
        if isinstance(who, PublishedApp):
            return who.app.name
        every = np.flatnonzero(self._holder == place)
        some, rest = np.intersect1d(every, atoms), np.setdiff1d(every, atoms)
        if not len(rest):
            return INTERNET
        if len(self._runs(rest)) < len(self._runs(some)):
            return f"{INTERNET} (without {self._prefixes(rest)})"
        return f"{INTERNET} ({self._prefixes(some)})"

    def _part(self, place: int, atoms: IndexArray) -> str:
        """A member's name with the prefixes of some of its atoms."""
        key = atoms.tobytes()
        if key not in self._parts:
            who = self._holders[place].owner
            assert isinstance(who, Member)
            self._parts[key] = f"{who.connector.name} ({self._prefixes(atoms)})"
        return self._parts[key]

    def _runs(self, atoms: IndexArray) -> list[tuple[int, int]]:
        """Places of the first and the last of atoms in rising order that touch each other."""
        apart = np.flatnonzero(self.side.low[atoms[1:]] != self.side.high[atoms[:-1]]).tolist()
        return list(zip([0, *(place + 1 for place in apart)], [*apart, len(atoms) - 1], strict=True))

    def _prefixes(self, atoms: IndexArray) -> str:
        """The first three."""
        side = self.side
        held = ((side.range(atoms[first])[0], side.range(atoms[last])[1]) for first, last in self._runs(atoms))
        listed = list(islice((prefix for one in held for prefix in summarise_range(one)), 4))
        return ", ".join(listed[:3]) + (" …" if len(listed) > 3 else "")
