"""Addresses as people write them: prefixes rather than ranges, and of a change only what comes and goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioning.core.values.addresses import Range, parse_ranges, subtract, summarise_range

MAX_PREFIXES = 6
"""Prefixes or other items in one line."""


def format_ranges(ranges: Sequence[str]) -> str:
    """Return ``10.1.0.0/16, 10.2.0.0/15`` for range texts: the first few and how many more."""
    return format_list(_prefixes(parse_ranges(ranges))) or "no addresses"


def format_range_difference(before: Sequence[str], after: Sequence[str]) -> str:
    """Return ``+ 10.6.0.0/16 - 10.3.0.0/16``; "" where both mean the same addresses."""
    old, new = parse_ranges(before), parse_ranges(after)
    added, removed = _prefixes(subtract(new, old)), _prefixes(subtract(old, new))
    return " ".join(f"{sign} {format_list(prefixes)}" for sign, prefixes in (("+", added), ("-", removed)) if prefixes)


def format_list(items: Sequence[str]) -> str:
    more = f" and {len(items) - MAX_PREFIXES} more" if len(items) > MAX_PREFIXES else ""
    return ", ".join(items[:MAX_PREFIXES]) + more


def _prefixes(ranges: Iterable[Range]) -> list[str]:
    return [prefix for pair in ranges for prefix in summarise_range(pair)]
