"""The addresses of one side of flows, cut into atoms that every rule treats as one, over one or two versions.

The atoms of Yang and Lam, "Real-time verification of network properties using atomic predicates" (IEEE/ACM Transactions
on Networking 24(2), 2016), of one dimension: a stretch of the line of addresses with its endpoint in each version.
Destinations of members are one line, however often an address changes its owner; sources are a line for each connector,
since two may send from the same address.
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
"""First and last address, and the index of its endpoint in each version."""

EndpointInterval = tuple[int, int, int]
"""First and last address, and the index of its endpoint."""


class AddressAtoms:
    """edges: the sorted addresses where atoms begin or end. low, high: indexes of each atom's edges, the upper one
    excluded; low rises.

    endpoints[k]: of version k. endpoint[k], connector[k]: index of each atom's endpoint and connector in version k;
    NO_ENDPOINT where the version does not have the atom.
    """

    def __init__(
        self,
        rule_table: RuleTable,
        rule_ranges: Sequence[tuple[Range, ...] | None],
        endpoints: Sequence[list[FlowEndpoint]],
        connectors: dict[str, int],
        extra_cuts: tuple[Range, ...] = (),
    ) -> None:
        """rule_ranges: the addresses that each rule of the table matches on this side; None: all."""
        self.rule_table, self.endpoints = rule_table, endpoints
        self._named_by_index: dict[tuple[int, int], BoolArray] = {}
        intervals = list(_atom_intervals(endpoints))
        cuts = {
            edge for ranges in {*rule_ranges, extra_cuts} if ranges for low, high in ranges for edge in (low, high + 1)
        }
        self.edges = sorted(cuts.union(*((low, high + 1) for low, high, _ in intervals)))
        rank = {edge: index for index, edge in enumerate(self.edges)}
        self._cut(intervals, rank, np.array(sorted(rank[edge] for edge in cuts), np.intp))
        self.connector = [
            _map_endpoints(
                self.endpoint[k], [connectors.setdefault(endpoint.connector, len(connectors)) for endpoint in version]
            )
            for k, version in enumerate(endpoints)
        ]
        self._rule_spans = [
            None if ranges is None else [(rank[low], rank[high + 1]) for low, high in ranges] for ranges in rule_ranges
        ]

    def _cut(self, intervals: Sequence[AtomInterval], rank: dict[int, int], cuts: IndexArray) -> None:
        low = np.array([rank[low] for low, _, _ in intervals], np.intp)
        high = np.array([rank[high + 1] for _, high, _ in intervals], np.intp)
        first, after = np.searchsorted(cuts, low, "right"), np.searchsorted(cuts, high, "left")
        parts = np.maximum(after - first, 0) + 1
        whole = np.repeat(np.arange(len(intervals)), parts)
        nth = np.arange(len(whole)) - np.repeat(np.cumsum(parts) - parts, parts)
        lows, highs = low[whole].copy(), high[whole].copy()
        inner = nth > 0
        lows[inner] = cuts[(first[whole] + nth - 1)[inner]]
        inner = nth < parts[whole] - 1
        highs[inner] = cuts[(first[whole] + nth)[inner]]
        order = np.argsort(lows, kind="stable")
        self.low, self.high = lows[order], highs[order]
        indexes = np.array([indexes for _, _, indexes in intervals], np.intp).reshape(
            len(intervals), len(self.endpoints)
        )
        self.endpoint = [indexes[whole[order], k] for k in range(len(self.endpoints))]

    def __len__(self) -> int:
        return len(self.low)

    def range(self, atom: int) -> Range:
        return self.edges[self.low[atom]], self.edges[self.high[atom]] - 1

    @cached_property
    def changed(self) -> BoolArray:
        """Atoms that rules of two versions may name differently, or that only one version has."""
        codes: dict[Hashable, int] = {}
        named = [
            _map_endpoints(
                self.endpoint[k], [codes.setdefault(endpoint.naming_key, len(codes)) for endpoint in version]
            )
            for k, version in enumerate(self.endpoints)
        ]
        return named[0] != named[1]

    # Which rules match which atoms

    def match_matrix(self, version: int, rules: IndexArray, atoms: IndexArray) -> BoolArray:
        """Return [rule, atom]: whether a rule names the atom's endpoint and matches its addresses, in one version."""
        matches = np.zeros((len(rules), len(atoms)), bool)
        endpoint = self.endpoint[version][atoms]
        policies, policy_indexes = self.rule_table.policies[version][rules], self.rule_table.policy_indexes[rules]
        for policy_index in range(ALL_ENDPOINTS, TAGGED_ENDPOINTS + 1):
            selected = np.flatnonzero((policy_indexes == policy_index) & (policies != ABSENT_RULE))
            if not len(selected):
                continue
            if policy_index == ALL_ENDPOINTS:
                matches[selected] = endpoint != NO_ENDPOINT
            else:
                named = np.take(self._named(version, policy_index), endpoint, axis=1)
                matches[selected] = np.take(named, policies[selected], axis=0)
        self._clear_outside_ranges(matches, rules, self.low[atoms])
        return matches

    def match_matrix_any_version(self, rules: IndexArray, atoms: IndexArray) -> BoolArray:
        """Return the same for atoms that did not change, of rules that may be in either version."""
        matches = self.match_matrix(1, rules, atoms)
        only = np.flatnonzero(~self.rule_table.is_present[1][rules])
        if len(only):
            matches[only] = self.match_matrix(0, rules[only], atoms)
        return matches

    def _named(self, version: int, policy_index: int) -> BoolArray:
        """Return [policy, endpoint]: whether the policy names it; and one more column for no endpoint."""
        key = version, policy_index
        if key not in self._named_by_index:
            rule_table = self.rule_table
            count = int(rule_table.policies[version][rule_table.policy_indexes == policy_index].max(initial=0)) + 1
            width, whole = (count + 7) // 8, (1 << count) - 1
            raw = b"".join(
                (endpoint.policy_masks[policy_index] & whole).to_bytes(width, "little")
                for endpoint in self.endpoints[version]
            )
            table = np.frombuffer(raw + bytes(width), np.uint8).reshape(-1, width)
            self._named_by_index[key] = np.unpackbits(table, axis=1, count=count, bitorder="little").T.astype(bool)
        return self._named_by_index[key]

    def _clear_outside_ranges(self, matches: BoolArray, rules: IndexArray, lows: IndexArray) -> None:
        """Clear what lies outside the addresses that rules match."""
        bounded = [n for n in np.flatnonzero(matches.any(axis=1)).tolist() if self._rule_spans[rules[n]] is not None]
        spans = [self._rule_spans[rules[n]] or [] for n in bounded]
        flat = np.array([edge for rule_spans in spans for pair in rule_spans for edge in pair], np.intp)
        bounds = iter(np.searchsorted(lows, flat).tolist())
        for n, rule_spans in zip(bounded, spans, strict=True):
            row, cursor = matches[n], 0
            for _ in rule_spans:
                row[cursor : next(bounds)] = False
                cursor = next(bounds)
            row[cursor:] = False


def _map_endpoints(endpoint: IndexArray, codes: list[int]) -> IndexArray:
    return np.array([*codes, NO_ENDPOINT], np.intp)[endpoint]


def _atom_intervals(endpoints: Sequence[list[FlowEndpoint]]) -> Iterator[AtomInterval]:
    if len(endpoints) == 1:
        for index, endpoint in enumerate(endpoints[0]):
            for low, high in endpoint.ranges:
                yield low, high, (index,)
        return
    before, after = _group_by_identity(endpoints[0]), _group_by_identity(endpoints[1])
    rest: dict[Hashable, tuple[list[EndpointInterval], list[EndpointInterval]]] = {}
    for key in {**before, **after}:
        was, becomes = before.get(key, []), after.get(key, [])
        if [interval[:2] for interval in was] == [interval[:2] for interval in becomes]:
            for (low, high, old), (_, _, new) in zip(was, becomes, strict=True):
                yield low, high, (old, new)
        else:
            pool = rest.setdefault(key[0], ([], []))
            pool[0].extend(was)
            pool[1].extend(becomes)
    for was, becomes in rest.values():
        yield from _sweep_intervals(sorted(was), sorted(becomes))


def _group_by_identity(endpoints: list[FlowEndpoint]) -> dict[tuple[Hashable, str], list[EndpointInterval]]:
    groups: dict[tuple[Hashable, str], list[EndpointInterval]] = {}
    for index, endpoint in enumerate(endpoints):
        group = groups.setdefault((endpoint.identity, endpoint.connector), [])
        group.extend((low, high, index) for low, high in endpoint.ranges)
    return groups


def _sweep_intervals(before: list[EndpointInterval], after: list[EndpointInterval]) -> Iterator[AtomInterval]:
    """Yield intervals, cut wherever an endpoint of either version begins or ends."""
    versions = (before, after)
    edges = sorted({edge for version in versions for low, high, _ in version for edge in (low, high + 1)})
    lows = [[interval[0] for interval in version] for version in versions]
    for low, following in pairwise(edges):
        indexes = []
        for version, starts in zip(versions, lows, strict=True):
            at = bisect_right(starts, low) - 1
            indexes.append(version[at][2] if at >= 0 and low <= version[at][1] else NO_ENDPOINT)
        if indexes != [NO_ENDPOINT, NO_ENDPOINT]:
            yield low, following - 1, (indexes[0], indexes[1])
