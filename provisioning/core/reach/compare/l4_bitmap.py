"""Protocols and ports as bits: one bit for each stretch of the line of L4 numbers (see values/l4) that no rule cuts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from provisioning.core.values.l4 import ALL_L4, L4Description, L4Ranges, describe_l4


class L4Bitmap:
    """The line, cut where any of these intervals begins or ends; sets of L4 numbers are then masks."""

    def __init__(self, intervals: Iterable[L4Ranges]) -> None:
        cuts = {edge for low, high in ALL_L4 for edge in (low, high + 1)}
        cuts.update(edge for ranges in intervals for low, high in ranges for edge in (low, high + 1))
        self.cuts = sorted(cuts)
        self._masks: dict[L4Ranges, int] = {}
        self._descriptions: dict[int, list[L4Description]] = {}
        self.full = self.mask(ALL_L4)

    def mask(self, ranges: L4Ranges) -> int:
        mask = self._masks.get(ranges)
        if mask is None:
            mask = 0
            for low, high in ranges:
                mask |= (1 << bisect_left(self.cuts, high + 1)) - (1 << bisect_left(self.cuts, low))
            self._masks[ranges] = mask
        return mask

    def intervals(self, mask: int) -> list[tuple[int, int]]:
        """Return the intervals of a mask, touching ones joined."""
        # Stretches follow each other without gaps, so a run of bits is one interval.
        return [(self.cuts[first], self.cuts[after] - 1) for first, after in _bit_runs(mask)]

    def describe(self, mask: int) -> Sequence[L4Description]:
        """Return the protocols and ports of a mask as people write them."""
        if mask not in self._descriptions:
            self._descriptions[mask] = describe_l4(self.intervals(mask))
        return self._descriptions[mask]


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
