"""Names of addresses (prefixes and uids of prefix lists) as ranges and as routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from provisioning.core.intent import PrefixEntry, PrefixList, is_prefix
from provisioning.core.values.addresses import Range, merge_ranges, prefix_range


class PrefixResolver:
    """Looks into the prefix lists of one network; remembers what it was asked."""

    def __init__(self, lists: Mapping[str, PrefixList]) -> None:
        self.lists = lists
        self._ranges: dict[tuple[str, ...], tuple[Range, ...]] = {}

    def ranges(self, names: tuple[str, ...]) -> tuple[Range, ...] | None:
        """The addresses meant, merged; None (every address) for no names at all. A list that is empty means none."""
        if not names:
            return None
        if self.lists.keys().isdisjoint(names):
            return _literal_ranges(names)
        ranges = self._ranges.get(names)
        if ranges is None:
            ranges = self._ranges[names] = merge_ranges(prefix_range(entry.prefix) for entry in self.entries(names))
        return ranges

    def texts(self, names: Sequence[str]) -> list[str]:
        """Prefix lists spelled out."""
        return [entry.prefix for entry in self.entries(names)]

    def entries(self, names: Sequence[str]) -> list[PrefixEntry]:
        """What route policies match; a plain prefix is exactly itself."""
        entries: list[PrefixEntry] = []
        for name in names:
            if is_prefix(name):
                entries.append(PrefixEntry(name))
            elif name in self.lists:
                entries += self.lists[name].entries
        return entries


@lru_cache(maxsize=65536)
def _literal_ranges(names: tuple[str, ...]) -> tuple[Range, ...]:
    """Without lists they mean the same everywhere: many segments and versions ask."""
    return merge_ranges(prefix_range(name) for name in names if is_prefix(name))
