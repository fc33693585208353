"""Addresses of one side of flows, cut into atoms that every line treats as one, over one or two versions.

An atom is a stretch of the line of addresses with its holder in each version. Destinations of members are one line
however often they change hands; sources are a line for each connector, since two may send from the same address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from provisioning.core.values.addresses import Range
from provisioning.core.reach.ledger import ABSENT, COVERED, EVERYBODYS, Flags, Ledger, Places
from provisioning.core.reach.scenes import Holder

NOBODY = -1

Stretch = tuple[int, int, tuple[int, ...]]
"""First and last address, and the place of its holder in each version."""

Holding = tuple[int, int, int]
"""First and last address, and the place of its holder."""


class Side:
    """edges: where atoms begin and end. low, high: places of an atom's edges, the upper one excluded; low rises.

    holders[k]: of version k. holder[k], connector[k]: of each atom; NOBODY where the version does not have it.
    """

    def __init__(
        self,
        ledger: Ledger,
        asked: Sequence[tuple[Range, ...] | None],
        holders: Sequence[list[Holder]],
        connectors: dict[str, int],
        besides: tuple[Range, ...] = (),
    ) -> None:
        self.ledger, self.holders = ledger, holders
        stretches = list(_stretches(holders))
        cuts = {edge for held in {*asked, besides} if held for low, high in held for edge in (low, high + 1)}
        edges = cuts.union(*((low, high + 1) for low, high, _ in stretches))
        self.edges = sorted(edges)
        rank = {edge: place for place, edge in enumerate(self.edges)}
        self._cut(stretches, rank, np.array(sorted(rank[edge] for edge in cuts), np.intp))
        self.connector = [
            _through(self.holder[k], [connectors.setdefault(one.connector, len(connectors)) for one in held])
            for k, held in enumerate(holders)
        ]
        self._asked = [None if held is None else [(rank[low], rank[high + 1]) for low, high in held] for held in asked]

    def _cut(self, stretches: Sequence[Stretch], rank: dict[int, int], cuts: Places) -> None:
        low = np.array([rank[one[0]] for one in stretches], np.intp)
        high = np.array([rank[one[1] + 1] for one in stretches], np.intp)
        first, after = np.searchsorted(cuts, low, "right"), np.searchsorted(cuts, high, "left")
        parts = np.maximum(after - first, 0) + 1
        whole = np.repeat(np.arange(len(stretches)), parts)
        nth = np.arange(len(whole)) - np.repeat(np.cumsum(parts) - parts, parts)
        lows, highs = low[whole].copy(), high[whole].copy()
        inner = nth > 0
        lows[inner] = cuts[(first[whole] + nth - 1)[inner]]
        inner = nth < parts[whole] - 1
        highs[inner] = cuts[(first[whole] + nth)[inner]]
        order = np.argsort(lows, kind="stable")
        self.low, self.high = lows[order], highs[order]
        places = np.array([one[2] for one in stretches], np.intp).reshape(len(stretches), len(self.holders))
        self.holder = [places[whole[order], k] for k in range(len(self.holders))]

    def __len__(self) -> int:
        return len(self.low)

    def range(self, atom: int) -> Range:
        return self.edges[self.low[atom]], self.edges[self.high[atom]] - 1

    @cached_property
    def changed(self) -> Flags:
        """Atoms that lines of two versions may name differently, or that only one version has."""
        codes: dict[Hashable, int] = {}
        named = [
            _through(self.holder[k], [codes.setdefault(one.named, len(codes)) for one in held])
            for k, held in enumerate(self.holders)
        ]
        return named[0] != named[1]

    # Which lines hold which atoms

    def asks(self, version: int, lines: Places, atoms: Places) -> Flags:
        """[line, atom]: whether the line names the atom's holder and matches its addresses, in one version."""
        found = np.zeros((len(lines), len(atoms)), bool)
        holder = self.holder[version][atoms]
        policies, books = self.ledger.policies[version][lines], self.ledger.books[lines]
        for book in range(EVERYBODYS, COVERED + 1):
            those = np.flatnonzero((books == book) & (policies != ABSENT))
            if not len(those):
                continue
            if book == EVERYBODYS:
                found[those] = holder != NOBODY
            else:
                named = np.take(self._named(version, book), holder, axis=1)
                found[those] = np.take(named, policies[those], axis=0)
        self._keep_asked(found, lines, self.low[atoms])
        return found

    def either(self, lines: Places, atoms: Places) -> Flags:
        """The same for unchanged atoms, of lines that may be in either version."""
        found = self.asks(1, lines, atoms)
        only = np.flatnonzero(~self.ledger.held[1][lines])
        if len(only):
            found[only] = self.asks(0, lines[only], atoms)
        return found

    def _named(self, version: int, book: int) -> Flags:
        """[policy, holder], and one more column for nobody."""
        key = version, book
        if key not in self._tables:
            ledger = self.ledger
            count = int(ledger.policies[version][ledger.books == book].max(initial=0)) + 1
            width, whole = (count + 7) // 8, (1 << count) - 1
            raw = b"".join((one.bits[book] & whole).to_bytes(width, "little") for one in self.holders[version])
            table = np.frombuffer(raw + bytes(width), np.uint8).reshape(-1, width)
            self._tables[key] = np.unpackbits(table, axis=1, count=count, bitorder="little").T.astype(bool)
        return self._tables[key]

    @cached_property
    def _tables(self) -> dict[tuple[int, int], Flags]:
        return {}

    def _keep_asked(self, found: Flags, lines: Places, lows: Places) -> None:
        """Clear what lies outside the addresses that lines ask for."""
        asking = [n for n in np.flatnonzero(found.any(axis=1)).tolist() if self._asked[lines[n]] is not None]
        spans = [self._asked[lines[n]] or [] for n in asking]
        flat = np.array([edge for held in spans for pair in held for edge in pair], np.intp)
        places = iter(np.searchsorted(lows, flat).tolist())
        for n, held in zip(asking, spans, strict=True):
            row, cursor = found[n], 0
            for _ in held:
                row[cursor : next(places)] = False
                cursor = next(places)
            row[cursor:] = False


def _through(holder: Places, codes: list[int]) -> Places:
    return np.array([*codes, NOBODY], np.intp)[holder]


def _stretches(holders: Sequence[list[Holder]]) -> Iterator[Stretch]:
    if len(holders) == 1:
        for place, one in enumerate(holders[0]):
            for low, high in one.ranges:
                yield low, high, (place,)
        return
    before, after = _by_identity(holders[0]), _by_identity(holders[1])
    rest: dict[Hashable, tuple[list[Holding], list[Holding]]] = {}
    for key in {**before, **after}:
        was, becomes = before.get(key, []), after.get(key, [])
        if [held[:2] for held in was] == [held[:2] for held in becomes]:
            for (low, high, place), (_, _, later) in zip(was, becomes, strict=True):
                yield low, high, (place, later)
        else:
            pool = rest.setdefault(key[0], ([], []))
            pool[0].extend(was)
            pool[1].extend(becomes)
    for was, becomes in rest.values():
        yield from _swept(sorted(was), sorted(becomes))


def _by_identity(holders: list[Holder]) -> dict[tuple[Hashable, str], list[Holding]]:
    found: dict[tuple[Hashable, str], list[Holding]] = {}
    for place, one in enumerate(holders):
        found.setdefault((one.identity, one.connector), []).extend((low, high, place) for low, high in one.ranges)
    return found


def _swept(before: list[Holding], after: list[Holding]) -> Iterator[Stretch]:
    """Cut wherever either version begins or ends a holding."""
    edges = sorted({edge for held in (before, after) for low, high, _ in held for edge in (low, high + 1)})
    lows = [[held[0] for held in one] for one in (before, after)]
    for low, following in pairwise(edges):
        places = []
        for version, starts in zip((before, after), lows, strict=True):
            at = bisect_right(starts, low) - 1
            places.append(version[at][2] if at >= 0 and low <= version[at][1] else NOBODY)
        if places != [NOBODY, NOBODY]:
            yield low, following - 1, (places[0], places[1])
