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

from provisioning.core.reach.compare.flow_space import FlowEndpoint
from provisioning.core.reach.compare.rule_table import (
    ABSENT_RULE,
    ALL_ENDPOINTS,
    TAGGED_ENDPOINTS,
    BoolArray,
    IndexArray,
    RuleTable,
)
from provisioning.core.values.addresses import Range

NO_ENDPOINT = -1

AtomInterval = tuple[int, int, tuple[int, ...]]
"""First and last address, and the place of its holder in each version."""

EndpointInterval = tuple[int, int, int]
"""First and last address, and the place of its holder."""


class AddressAtoms:
    """edges: where atoms begin and end. low, high: places of an atom's edges, the upper one excluded; low rises.

    holders[k]: of version k. holder[k], connector[k]: of each atom; NOBODY where the version does not have it.
    """

    def __init__(
        self,
        rule_table: RuleTable,
        asked: Sequence[tuple[Range, ...] | None],
        endpoints: Sequence[list[FlowEndpoint]],
        connectors: dict[str, int],
        besides: tuple[Range, ...] = (),
    ) -> None:
        self.rule_table, self.endpoints = rule_table, endpoints
        stretches = list(_atom_intervals(endpoints))
        cuts = {edge for held in {*asked, besides} if held for low, high in held for edge in (low, high + 1)}
        edges = cuts.union(*((low, high + 1) for low, high, _ in stretches))
        self.edges = sorted(edges)
        rank = {edge: place for place, edge in enumerate(self.edges)}
        self._cut(stretches, rank, np.array(sorted(rank[edge] for edge in cuts), np.intp))
        self.connector = [
            _map_endpoints(self.endpoint[k], [connectors.setdefault(one.connector, len(connectors)) for one in held])
            for k, held in enumerate(endpoints)
        ]
        self._asked = [None if held is None else [(rank[low], rank[high + 1]) for low, high in held] for held in asked]

    def _cut(self, stretches: Sequence[AtomInterval], rank: dict[int, int], cuts: IndexArray) -> None:
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
        places = np.array([one[2] for one in stretches], np.intp).reshape(len(stretches), len(self.endpoints))
        self.endpoint = [places[whole[order], k] for k in range(len(self.endpoints))]

    def __len__(self) -> int:
        return len(self.low)

    def range(self, atom: int) -> Range:
        return self.edges[self.low[atom]], self.edges[self.high[atom]] - 1

    @cached_property
    def changed(self) -> BoolArray:
        """Atoms that lines of two versions may name differently, or that only one version has."""
        codes: dict[Hashable, int] = {}
        named = [
            _map_endpoints(self.endpoint[k], [codes.setdefault(one.naming_key, len(codes)) for one in held])
            for k, held in enumerate(self.endpoints)
        ]
        return named[0] != named[1]

    # Which lines hold which atoms

    def match_matrix(self, version: int, lines: IndexArray, atoms: IndexArray) -> BoolArray:
        """[line, atom]: whether the line names the atom's holder and matches its addresses, in one version."""
        found = np.zeros((len(lines), len(atoms)), bool)
        endpoint = self.endpoint[version][atoms]
        policies, policy_indexes = self.rule_table.policies[version][lines], self.rule_table.policy_indexes[lines]
        for policy_index in range(ALL_ENDPOINTS, TAGGED_ENDPOINTS + 1):
            those = np.flatnonzero((policy_indexes == policy_index) & (policies != ABSENT_RULE))
            if not len(those):
                continue
            if policy_index == ALL_ENDPOINTS:
                found[those] = endpoint != NO_ENDPOINT
            else:
                named = np.take(self._named(version, policy_index), endpoint, axis=1)
                found[those] = np.take(named, policies[those], axis=0)
        self._clear_outside_ranges(found, lines, self.low[atoms])
        return found

    def match_matrix_any_version(self, lines: IndexArray, atoms: IndexArray) -> BoolArray:
        """The same for unchanged atoms, of lines that may be in either version."""
        found = self.match_matrix(1, lines, atoms)
        only = np.flatnonzero(~self.rule_table.is_present[1][lines])
        if len(only):
            found[only] = self.match_matrix(0, lines[only], atoms)
        return found

    def _named(self, version: int, policy_index: int) -> BoolArray:
        """[policy, holder], and one more column for nobody."""
        key = version, policy_index
        if key not in self._tables:
            rule_table = self.rule_table
            count = int(rule_table.policies[version][rule_table.policy_indexes == policy_index].max(initial=0)) + 1
            width, whole = (count + 7) // 8, (1 << count) - 1
            raw = b"".join(
                (one.policy_masks[policy_index] & whole).to_bytes(width, "little") for one in self.endpoints[version]
            )
            table = np.frombuffer(raw + bytes(width), np.uint8).reshape(-1, width)
            self._tables[key] = np.unpackbits(table, axis=1, count=count, bitorder="little").T.astype(bool)
        return self._tables[key]

    @cached_property
    def _tables(self) -> dict[tuple[int, int], BoolArray]:
        return {}

    def _clear_outside_ranges(self, found: BoolArray, lines: IndexArray, lows: IndexArray) -> None:
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


def _map_endpoints(endpoint: IndexArray, codes: list[int]) -> IndexArray:
    return np.array([*codes, NO_ENDPOINT], np.intp)[endpoint]


def _atom_intervals(endpoints: Sequence[list[FlowEndpoint]]) -> Iterator[AtomInterval]:
    if len(endpoints) == 1:
        for place, one in enumerate(endpoints[0]):
            for low, high in one.ranges:
                yield low, high, (place,)
        return
    before, after = _group_by_identity(endpoints[0]), _group_by_identity(endpoints[1])
    rest: dict[Hashable, tuple[list[EndpointInterval], list[EndpointInterval]]] = {}
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
        yield from _sweep_intervals(sorted(was), sorted(becomes))


def _group_by_identity(endpoints: list[FlowEndpoint]) -> dict[tuple[Hashable, str], list[EndpointInterval]]:
    found: dict[tuple[Hashable, str], list[EndpointInterval]] = {}
    for place, one in enumerate(endpoints):
        found.setdefault((one.identity, one.connector), []).extend((low, high, place) for low, high in one.ranges)
    return found


def _sweep_intervals(before: list[EndpointInterval], after: list[EndpointInterval]) -> Iterator[AtomInterval]:
    """Cut wherever either version begins or ends a holding."""
    edges = sorted({edge for held in (before, after) for low, high, _ in held for edge in (low, high + 1)})
    lows = [[held[0] for held in one] for one in (before, after)]
    for low, following in pairwise(edges):
        places = []
        for version, starts in zip((before, after), lows, strict=True):
            at = bisect_right(starts, low) - 1
            places.append(version[at][2] if at >= 0 and low <= version[at][1] else NO_ENDPOINT)
        if places != [NO_ENDPOINT, NO_ENDPOINT]:
            yield low, following - 1, (places[0], places[1])
