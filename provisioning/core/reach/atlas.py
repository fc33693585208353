"""Classes of addresses that every rule treats alike, in one segment, over one or two versions of the network.

The line of addresses is cut wherever a member or a rule's prefix begins or ends in any version; stretches with equal
signatures are one class. Answers for all packets are then answers for all pairs of classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from provisioning.core.addresses import ALL_V4, Range
from provisioning.core.reach.book import Book, CellMap, Verdicts
from provisioning.core.reach.decision import Outcome
from provisioning.core.realm import Realm
from provisioning.core.roster import Member

NOWHERE, MEMBER, BEYOND = 0, 1, 2
"""Whose an address is: nobody's, a member's, or the internet's."""


@dataclass(frozen=True, slots=True)
class View:
    """How one version sees a class: whose it is, and the rules it matches as source and as destination."""

    whose: int
    source: int
    destination: int


NOTHING = View(NOWHERE, 0, 0)


@dataclass(slots=True)
class AddressClass:
    """``stretches``: range and its owner in each version. ``connectors``: uids of all owners."""

    views: tuple[View, ...]
    stretches: list[tuple[Range, tuple[Member | None, ...]]] = field(default_factory=list)
    connectors: set[str] = field(default_factory=set)

    def owners(self, version: int) -> Iterator[tuple[Range, Member]]:
        for stretch, owners in self.stretches:
            owner = owners[version]
            if owner is not None:
                yield stretch, owner


class Atlas:
    """``Atlas([realm])`` or ``Atlas([before, after])``; None where a version lacks the segment."""

    def __init__(self, realms: Sequence[Realm | None]) -> None:
        self.realms = realms
        self.books = [Book(realm) if realm else None for realm in realms]
        self.cells = CellMap(held for book in self.books if book for held in book.cells())
        for book in self.books:
            if book:
                book.use(self.cells)
        self.no_route: Verdicts = ((self.cells.full, Outcome("no_route")),)
        self.classes = self._classify()

    def _classify(self) -> list[AddressClass]:
        sweeps = [_Sweep(book) if book else None for book in self.books]
        edges = {ALL_V4[0], ALL_V4[1] + 1}.union(*(sweep.edges for sweep in sweeps if sweep))
        line = sorted(edges)
        found: dict[tuple[View, ...], AddressClass] = {}
        for low, following in pairwise(line):
            seen = [sweep.at(low) if sweep else (NOTHING, None) for sweep in sweeps]
            views = tuple(view for view, _ in seen)
            if all(view.whose == NOWHERE for view in views):
                continue
            owners = tuple(owner for _, owner in seen)
            held = found.setdefault(views, AddressClass(views))
            held.stretches.append(((low, following - 1), owners))
            held.connectors.update(owner.connector.uid for owner in owners if owner)
        return list(found.values())

    def verdicts(self, version: int, start: AddressClass, end: AddressClass) -> Verdicts:
        """What becomes of flows between two classes; flows start at members only."""
        one, other = start.views[version], end.views[version]
        book = self.books[version]
        if book is None or one.whose != MEMBER or other.whose == NOWHERE:
            return self.no_route
        return book.verdicts(one.source & other.destination, other.whose == BEYOND)

    @staticmethod
    def real(start: AddressClass, end: AddressClass) -> bool:
        """Whether any flow between the classes reaches an exchange: not when both are the same single connector."""
        return not (len(start.connectors) == 1 and start.connectors == end.connectors)


class _Sweep:
    """Walks the line of addresses from low to high for one version; ``at`` has to be called with rising edges."""

    def __init__(self, book: Book) -> None:
        self.book, self.realm = book, book.realm
        self._source, self._source_flips = book.events("source")
        self._destination, self._destination_flips = book.events("destination")
        self._owned = sorted(
            ((stretch, member) for member in self.realm.members for stretch in member.ranges), key=lambda one: one[0]
        )
        self._next = 0
        self._beyond = NOWHERE if not self.realm.exits else BEYOND

    @property
    def edges(self) -> set[int]:
        owned = {edge for (low, high), _ in self._owned for edge in (low, high + 1)}
        return owned | self._source_flips.keys() | self._destination_flips.keys()

    def at(self, edge: int) -> tuple[View, Member | None]:
        """How addresses from this edge to the next one are seen."""
        self._source ^= self._source_flips.get(edge, 0)
        self._destination ^= self._destination_flips.get(edge, 0)
        while self._next < len(self._owned) and self._owned[self._next][0][1] < edge:
            self._next += 1
        if self._next < len(self._owned) and self._owned[self._next][0][0] <= edge:
            owner = self._owned[self._next][1]
            source = self._source & self.book.starting(owner)
            return View(MEMBER, source, self._destination & self.book.ending(owner)), owner
        if edge > ALL_V4[1] or self._beyond == NOWHERE:
            return NOTHING, None
        return View(BEYOND, 0, self._destination & self.book.ending(None)), None
