"""The distinct lists of rules that pairs of atoms meet, each to be evaluated once.

Atoms that the same rules name and match are one equivalence class. The list of a pair of classes holds the rules that
match both; a matrix product gives every list a number of its own (see set_hashes), so that of a million pairs only the
few thousand lists that differ are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.rule_table import BoolArray, IndexArray, RuleTable
from provisioning.core.reach.compare.set_hashes import HashArray, exact_float_weights, mix64

CHUNK_SIZE = 1 << 21
"""Array elements that are worked on at a time; eight bytes each, a few arrays of them."""

SEVERAL_CONNECTORS = -2
"""Stands for the connector of a class whose atoms have more than one."""


class EndpointClasses:
    """Atoms by equivalence class.

    atoms: in rising order. class_of_atom: the class of each. match_matrices[k]: [rule, class] for version k; a single
    one where both versions match alike.
    """

    def __init__(self, side: AddressAtoms, atoms: IndexArray, match_matrices: Sequence[BoolArray]) -> None:
        self.side, self.atoms = side, atoms
        packed = np.ascontiguousarray(
            np.concatenate([np.packbits(match_matrix, axis=0) for match_matrix in match_matrices]).T
        )
        words = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, firsts, self.class_of_atom = np.unique(words, return_index=True, return_inverse=True)
        self.match_matrices = [np.ascontiguousarray(match_matrix[:, firsts]) for match_matrix in match_matrices]

    def __len__(self) -> int:
        return self.match_matrices[0].shape[1]

    @cached_property
    def _sorted(self) -> tuple[IndexArray, IndexArray]:
        order = np.argsort(self.class_of_atom, kind="stable")
        return self.atoms[order], np.searchsorted(self.class_of_atom[order], np.arange(len(self) + 1))

    def atoms_of(self, classes: IndexArray) -> IndexArray:
        """Return the atoms of some classes, in rising order."""
        atoms, bounds = self._sorted
        return np.sort(np.concatenate([atoms[bounds[number] : bounds[number + 1]] for number in classes.tolist()]))

    def connector(self, version: int) -> IndexArray:
        """Return the connector of each class; SEVERAL_CONNECTORS where it has more than one."""
        atoms, bounds = self._sorted
        connectors = self.side.connector[version][atoms]
        low = np.minimum.reduceat(connectors, bounds[:-1])
        high = np.maximum.reduceat(connectors, bounds[:-1])
        return np.where(low == high, low, SEVERAL_CONNECTORS)


class RuleLists:
    """The lists of all pairs of some sources and destinations.

    ids: [class of source, class of destination] → number of the pair's list; -1 for a pair whose lists are the same in
    both versions, or that is behind one connector.

    same_endpoints: whether both versions name all these atoms alike, so that lists differ by changed rules only.
    """

    def __init__(
        self,
        rule_table: RuleTable,
        starts: AddressAtoms,
        ends: AddressAtoms,
        rows: IndexArray,
        columns: IndexArray,
        same_endpoints: bool,
    ) -> None:
        self.rule_table, self.same_endpoints = rule_table, same_endpoints
        every = np.arange(len(rule_table.rules))
        sides = ((starts, rows), (ends, columns))
        # The smaller side tells which rules matter; the larger one is matched against those only.
        small = int(len(columns) < len(rows))
        first = self._match_matrices(*sides[small], every)
        matter = np.flatnonzero(np.logical_or.reduce([match_matrix.any(axis=1) for match_matrix in first]))
        second = self._match_matrices(*sides[1 - small], matter)
        used = np.flatnonzero(np.logical_or.reduce([match_matrix.any(axis=1) for match_matrix in second]))
        self.rules = matter[used]
        matrices = {
            small: [match_matrix[self.rules] for match_matrix in first],
            1 - small: [match_matrix[used] for match_matrix in second],
        }
        self.rows, self.columns = (
            EndpointClasses(starts, rows, matrices[0]),
            EndpointClasses(ends, columns, matrices[1]),
        )
        self.ids = np.full((len(self.rows), len(self.columns)), -1, np.int32)
        self._examples: list[tuple[int, int]] = []
        self._number()

    def _match_matrices(self, side: AddressAtoms, atoms: IndexArray, rules: IndexArray) -> list[BoolArray]:
        if self.same_endpoints:
            return [side.match_matrix_any_version(rules, atoms)]
        return [side.match_matrix(k, rules, atoms) for k in range(len(self.rule_table.policies))]

    def __len__(self) -> int:
        return len(self._examples)

    def _number(self) -> None:
        known: dict[int, int] = {}
        local = [(self.rows.connector(k), self.columns.connector(k)) for k in range(len(self.rule_table.policies))]
        step = max(1, CHUNK_SIZE // max(len(self.columns), len(self.rules), 1))
        for begin in range(0, len(self.rows), step):
            part = slice(begin, begin + step)
            words, asked = self._list_hashes(part)
            for senders, receivers in local:
                asked &= (senders[part, None] != receivers[None, :]) | (senders[part, None] < 0)
            # Flat indexes: numpy is several times slower at finding pairs of indexes.
            indexes = np.flatnonzero(asked)
            if len(indexes):
                distinct, firsts, of = np.unique(words.ravel()[indexes], return_index=True, return_inverse=True)
                numbers = []
                for word, first in zip(distinct.tolist(), firsts.tolist(), strict=True):
                    number = known.setdefault(word, len(known))
                    if number == len(self._examples):
                        row, column = divmod(int(indexes[first]), len(self.columns))
                        self._examples.append((begin + row, column))
                    numbers.append(number)
                self.ids[part].reshape(-1)[indexes] = np.array(numbers, np.int32)[of]

    def _list_hashes(self, part: slice) -> tuple[HashArray, BoolArray]:
        """Return a hash of the list of each pair, and whether the pair is of interest at all."""
        if len(self.rule_table.policies) == 1:
            (only,) = self._weight_sums(part)
            return only, np.ones(only.shape, bool)
        before, after = self._weight_sums(part)
        return mix64(before) ^ after, before != after

    def _weight_sums(self, part: slice) -> list[HashArray]:
        sums = [factor.multiply(part) for factor in self._weight_products]
        if not self.same_endpoints:
            return [_hash_sums(version) for version in sums]
        common, before, after = sums
        return [_hash_sums(common + before), _hash_sums(common + after)]

    @cached_property
    def _weight_products(self) -> list[_WeightProduct]:
        """One for each version; or, for the same endpoints, one for common rules and one for what each version adds."""
        weights = exact_float_weights(len(self.rules))
        if not self.same_endpoints:
            pairs = zip(self.rows.match_matrices, self.columns.match_matrices, strict=True)
            return [_WeightProduct(row, column, weights) for row, column in pairs]
        before, after = (present[self.rules] for present in self.rule_table.is_present)
        row, column = self.rows.match_matrices[0], self.columns.match_matrices[0]
        return [
            _WeightProduct(row[part], column[part], weights[:, part])
            for part in (before & after, before & ~after, after & ~before)
        ]

    def iter_rules(self) -> Iterator[list[list[int]]]:
        """Yield the lists by number: for each version, the rising indexes of its rules."""
        match_matrices = [
            (np.ascontiguousarray(row.T), np.ascontiguousarray(column.T))
            for row, column in zip(self.rows.match_matrices, self.columns.match_matrices, strict=True)
        ]
        step = max(1, 2 * CHUNK_SIZE // max(len(self.rules), 1))
        for begin in range(0, len(self._examples), step):
            pairs = np.array(self._examples[begin : begin + step], np.intp)
            both = [row[pairs[:, 0]] & column[pairs[:, 1]] for row, column in match_matrices]
            if self.same_endpoints:
                both = [
                    both[0] & self.rule_table.is_present[k][self.rules] for k in range(len(self.rule_table.policies))
                ]
            split = [self._split(version) for version in both]
            yield from ([version[n] for version in split] for n in range(len(pairs)))

    def _split(self, flags: BoolArray) -> list[list[int]]:
        which, rule = np.divmod(np.flatnonzero(flags), flags.shape[1])
        bounds = np.searchsorted(which, np.arange(len(flags) + 1)).tolist()
        rules = self.rules[rule].tolist()
        return [rules[bounds[n] : bounds[n + 1]] for n in range(len(flags))]


class _WeightProduct:
    """A matrix product: for every pair of classes, the sum of the weights of the rules that match both."""

    def __init__(self, row: BoolArray, column: BoolArray, weights: npt.NDArray[np.float64]) -> None:
        self.row, self.weights = row, weights
        self.column = column.astype(np.float64)

    def multiply(self, part: slice) -> npt.NDArray[np.float64]:
        """Return [weight, row, column] for some rows."""
        row = self.row[:, part].T.astype(np.float64)
        weighed = (row * self.weights[:, None, :]).reshape(len(self.weights) * len(row), row.shape[1])
        return (weighed @ self.column).reshape(len(self.weights), len(row), self.column.shape[1])


def _hash_sums(sums: npt.NDArray[np.float64]) -> HashArray:
    first, second = sums.astype(np.uint64)
    return mix64(first) ^ mix64(second * np.uint64(0x9E3779B97F4A7C15))


def without_local_pairs(
    starts: AddressAtoms, ends: AddressAtoms, rows: IndexArray, columns: IndexArray
) -> tuple[IndexArray, IndexArray]:
    """Return rows and columns without what can only be local: a single connector's own addresses on the other side."""
    for k in range(len(starts.connector)):
        senders, receivers = starts.connector[k][rows], ends.connector[k][columns]
        if len(senders) and senders[0] != NO_ENDPOINT and (senders == senders[0]).all():
            columns = columns[receivers != senders[0]]
        elif len(receivers) and receivers[0] != NO_ENDPOINT and (receivers == receivers[0]).all():
            rows = rows[senders != receivers[0]]
    return rows, columns


def find_non_local_pair(
    starts: AddressAtoms, ends: AddressAtoms, rows: IndexArray, columns: IndexArray
) -> tuple[int, int] | None:
    """Return a source and a destination among these atoms that no version has behind one connector; None: none."""
    if not len(columns):
        return None
    tried: set[tuple[int, ...]] = set()
    for row in rows.tolist():
        connectors = tuple(int(version[row]) for version in starts.connector)
        if connectors in tried:
            continue
        tried.add(connectors)
        fits = np.ones(len(columns), bool)
        for k, connector in enumerate(connectors):
            if connector != NO_ENDPOINT:
                fits &= ends.connector[k][columns] != connector
        first = int(np.argmax(fits))
        if fits[first]:
            return row, int(columns[first])
    return None
