"""Names of addresses (prefixes and uids of prefix lists) as ranges and as routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from provisioning.core.intent import PrefixEntry, PrefixList, named_uid
from provisioning.core.values.addresses import (
    ALL_ADDRESSES,
    Range,
    address_range,
    merge_ranges,
    subtract,
    summarise_range,
)


class PrefixResolver:
    """Looks into the prefix lists of one network; remembers what it was asked."""

    def __init__(self, lists: Mapping[str, PrefixList]) -> None:
        self.lists = lists
        self._ranges: dict[tuple[str, ...], tuple[Range, ...]] = {}
        self._ranges_of_list: dict[str, tuple[Range, ...]] = {}

    def ranges(self, names: tuple[str, ...]) -> tuple[Range, ...] | None:
        """The addresses meant, merged; None (every address) for no names at all. A list that is empty means none."""
        if not names:
            return None
        if all(named_uid(name) is None for name in names):
            return _literal_ranges(names)
        ranges = self._ranges.get(names)
        if ranges is None:
            ranges = self._ranges[names] = _combine((name, self._ranges_of(name)) for name in names)
        return ranges

    def _ranges_of(self, name: str) -> tuple[Range, ...]:
        uid = named_uid(name)
        return (address_range(name.removeprefix("!")),) if uid is None else self._list_ranges(uid)

    def _list_ranges(self, uid: str) -> tuple[Range, ...]:
        """Return the addresses of a list and of those in it; lists in a circle (``check``) end the search."""
        if uid not in self._ranges_of_list:
            self._ranges_of_list[uid] = ()
            if (prefix_list := self.lists.get(uid)) is not None:
                texts = [*(entry.prefix for entry in prefix_list.entries), *prefix_list.contains]
                self._ranges_of_list[uid] = _combine((text, self._ranges_of(text)) for text in texts) if texts else ()
        return self._ranges_of_list[uid]

    def texts(self, names: Sequence[str]) -> list[str]:
        """The addresses spelled out as prefixes."""
        if all(named_uid(name) == name or "/" in name for name in names) and all(
            entry.is_route for entry in self.entries(names)
        ):
            return [entry.prefix for entry in self.entries(names)]
        return [prefix for pair in self.ranges(tuple(names)) or () for prefix in summarise_range(pair)]

    def entries(self, names: Sequence[str]) -> list[PrefixEntry]:
        """What route policies match; a plain prefix is exactly itself."""
        entries: list[PrefixEntry] = []
        pending, seen = list(names), set[str]()
        while pending:
            uid = named_uid(name := pending.pop(0))
            if uid is None:
                entries.append(PrefixEntry(name))
            elif uid in self.lists and uid not in seen:
                seen.add(uid)
                entries += self.lists[uid].entries
                pending = [*self.lists[uid].contains, *pending]
        return entries


def _combine(named: Iterable[tuple[str, tuple[Range, ...]]]) -> tuple[Range, ...]:
    """Return what is meant together: without a name that is not left out, everything but those that are."""
    sides: dict[bool, list[tuple[Range, ...]]] = {True: [], False: []}
    for name, ranges in named:
        sides[name.startswith("!")].append(ranges)
    meant = merge_ranges(pair for ranges in sides[False] for pair in ranges) if sides[False] else ALL_ADDRESSES
    return subtract(meant, merge_ranges(pair for ranges in sides[True] for pair in ranges)) if sides[True] else meant


@lru_cache(maxsize=65536)
def _literal_ranges(names: tuple[str, ...]) -> tuple[Range, ...]:
    """Without lists they mean the same everywhere: many segments and versions ask."""
    return _combine((name, (address_range(name.removeprefix("!")),)) for name in names)
