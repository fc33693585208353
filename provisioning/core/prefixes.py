"""Names of addresses (prefixes and prefix lists) as ranges and as route matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisioning.core.addresses import Range, merge, span
from provisioning.core.intent import PrefixList


class Prefixes:
    """Looks into the prefix lists of one network; remembers what it was asked."""

    def __init__(self, lists: Mapping[str, PrefixList]) -> None:
        self.lists = lists
        self._ranges: dict[tuple[str, ...], tuple[Range, ...]] = {}

    def ranges(self, names: tuple[str, ...]) -> tuple[Range, ...] | None:
        """The addresses of prefixes and prefix lists, merged; None (every address) for no names at all."""
        if not names:
            return None
        if names not in self._ranges:
            self._ranges[names] = merge(span(text) for text in self.texts(names))
        return self._ranges[names]

    def texts(self, names: Sequence[str]) -> list[str]:
        """Prefix lists spelled out."""
        return [text for text, _, _ in self.entries(names)]

    def entries(self, names: Sequence[str]) -> list[tuple[str, int | None, int | None]]:
        """(prefix, ge, le), as routes are matched; a plain prefix is exactly itself."""
        found: list[tuple[str, int | None, int | None]] = []
        for name in names:
            held = self.lists.get(name)
            if held is not None:
                found += [(entry.prefix, entry.ge, entry.le) for entry in held.entries]
            elif "/" in name:
                found.append((name, None, None))
        return found
