"""Protocols, ports and the other headers that rules match as bits: one bit for each part that no rule cuts.

The line of L4 numbers (see values/l4) is cut into stretches, source ports and DSCP into classes. Every pair of classes
has a bit for each stretch. Where no rule names a source port or a DSCP there is one pair, and the bits are those of the
line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import product

from provisioning.core.values.addresses import contains, merge_ranges
from provisioning.core.values.headers import (
    EVERY_DSCP,
    EVERY_SOURCE_PORT,
    HeaderDescription,
    HeaderMatch,
    Headers,
    Ranges,
    describe_headers,
    partition,
    representative_headers,
)
from provisioning.core.values.l4 import ALL_L4, L4Ranges


class L4Bitmap:
    """Sets of headers as masks, for everything that these matches tell apart."""

    def __init__(self, matches: Collection[HeaderMatch]) -> None:
        cuts = {edge for low, high in ALL_L4 for edge in (low, high + 1)}
        cuts.update(edge for match in matches for low, high in match.l4 for edge in (low, high + 1))
        self.cuts = sorted(cuts)
        self._classes: list[tuple[Ranges, Ranges]] = list(
            product(
                partition(EVERY_SOURCE_PORT, {match.source_ports for match in matches}),
                partition(EVERY_DSCP, {match.dscp for match in matches}),
            )
        )
        self._masks: dict[HeaderMatch, int] = {}
        self._descriptions: dict[int, list[HeaderDescription]] = {}
        self.full = self.mask(HeaderMatch(ALL_L4))

    def mask(self, match: HeaderMatch) -> int:
        mask = self._masks.get(match)
        if mask is None:
            line = mask = 0
            for low, high in match.l4:
                line |= (1 << bisect_left(self.cuts, high + 1)) - (1 << bisect_left(self.cuts, low))
            for index, (source_ports, dscp) in enumerate(self._classes):
                if contains(match.source_ports, source_ports[0][0]) and contains(match.dscp, dscp[0][0]):
                    mask |= line << index * len(self.cuts)
            self._masks[match] = mask
        return mask

    def matches(self, mask: int) -> Iterator[HeaderMatch]:
        """Yield what a mask consists of; what all classes have comes first."""
        for line, indexes in self._lines(mask):
            intervals = self._intervals(line)
            # Source ports that are alike for the same code points are told together.
            by_dscp: dict[Ranges, dict[Ranges, None]] = {}
            for index in indexes:
                source_ports, dscp = self._classes[index]
                by_dscp.setdefault(dscp, {})[source_ports] = None
            by_source_ports: dict[Ranges, list[Ranges]] = {}
            for dscp, parts in by_dscp.items():
                whole = merge_ranges(pair for ranges in parts for pair in ranges)
                by_source_ports.setdefault(whole, []).append(dscp)
            for source_ports, alike in by_source_ports.items():
                yield HeaderMatch(intervals, source_ports, merge_ranges(pair for ranges in alike for pair in ranges))

    def _lines(self, mask: int) -> list[tuple[int, list[int]]]:
        """Return the bits of the line that the same classes have, with the indexes of these classes."""
        width = len(self.cuts)
        lines = [mask >> index * width & (1 << width) - 1 for index in range(len(self._classes))]
        if len(lines) == 1:
            return [(mask, [0])]
        groups: list[tuple[int, list[int]]] = [((1 << width) - 1, [])]
        for index, line in enumerate(lines):
            groups = [
                part
                for bits, indexes in groups
                for part in ((bits & line, [*indexes, index]), (bits & ~line, indexes))
                if part[0]
            ]
        return [(bits, indexes) for bits, indexes in groups if indexes]

    def _intervals(self, line: int) -> L4Ranges:
        """Return the intervals of some bits of the line, touching ones joined."""
        # Stretches follow each other without gaps, so a run of bits is one interval.
        return tuple((self.cuts[first], self.cuts[after] - 1) for first, after in _bit_runs(line))

    def describe(self, mask: int) -> Sequence[HeaderDescription]:
        """Return the headers of a mask as people write them."""
        if mask not in self._descriptions:
            self._descriptions[mask] = [
                described for match in self.matches(mask) for described in describe_headers(match)
            ]
        return self._descriptions[mask]

    def example(self, mask: int) -> Headers:
        """Return headers of a mask that people know."""
        return representative_headers(next(self.matches(mask)))


def _bit_runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yield the index of the first bit and the one after the last, of every run of set bits."""
    index = 0
    while mask:
        skip = (mask & -mask).bit_length() - 1
        mask >>= skip
        length = (~mask & (mask + 1)).bit_length() - 1
        yield index + skip, index + skip + length
        mask >>= length
        index += skip + length
