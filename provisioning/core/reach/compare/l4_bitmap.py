"""Protocols and ports as bits: one bit for each stretch of the line of cells (see flows) that no rule cuts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from provisioning.core.values.l4 import ALL_L4, L4Description, L4Ranges, describe_l4


class L4Bitmap:
    """The line of cells cut where any of these intervals begins or ends; sets of cells are then masks."""

    def __init__(self, intervals: Iterable[L4Ranges]) -> None:
        cuts = {edge for low, high in ALL_L4 for edge in (low, high + 1)}
        cuts.update(edge for held in intervals for low, high in held for edge in (low, high + 1))
        self.cuts = sorted(cuts)
        self._masks: dict[L4Ranges, int] = {}
        self._descriptions: dict[int, list[L4Description]] = {}
        self.full = self.mask(ALL_L4)

    def mask(self, held: L4Ranges) -> int:
        found = self._masks.get(held)
        if found is None:
            found = 0
            for low, high in held:
                found |= (1 << bisect_left(self.cuts, high + 1)) - (1 << bisect_left(self.cuts, low))
            self._masks[held] = found
        return found

    def intervals(self, mask: int) -> list[tuple[int, int]]:
        """Back to intervals, touching ones joined."""
        found: list[tuple[int, int]] = []
        for first, after in _bit_runs(mask):
            # Stretches follow each other without gaps, so a run of bits is one interval.
            found.append((self.cuts[first], self.cuts[after] - 1))
        return found

    def describe(self, mask: int) -> Sequence[L4Description]:
        """As people write it."""
        if mask not in self._descriptions:
            self._descriptions[mask] = describe_l4(self.intervals(mask))
        return self._descriptions[mask]


def _bit_runs(mask: int) -> Iterator[tuple[int, int]]:
    """First place and the place after the last, for every run of set bits."""
    place = 0
    while mask:
        skip = (mask & -mask).bit_length() - 1
        mask >>= skip
        length = (~mask & (mask + 1)).bit_length() - 1
        yield place + skip, place + skip + length
        mask >>= length
        place += skip + length
