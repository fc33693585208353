"""Addresses as people write them: prefixes rather than ranges, and of a change only what comes and goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from provisioning.core.values.addresses import Range, address_number, merge_ranges, subtract, summarise_range

MAX_PREFIXES = 6
"""Prefixes in one line."""


def format_ranges(ranges: Sequence[str]) -> str:
    """``10.1.0.0/16, 10.2.0.0/15`` of range texts; the first few and how many more."""
    return format_list(_prefixes(_parse_ranges(ranges))) or "no addresses"


def format_range_difference(before: Sequence[str], after: Sequence[str]) -> str:
    """``+ 10.6.0.0/16 - 10.3.0.0/16``; "" where the same addresses are meant."""
    old, new = _parse_ranges(before), _parse_ranges(after)
    come, gone = _prefixes(subtract(new, old)), _prefixes(subtract(old, new))
    return " ".join(f"{sign} {format_list(found)}" for sign, found in (("+", come), ("-", gone)) if found)


def format_list(found: Sequence[str]) -> str:
    more = f" and {len(found) - MAX_PREFIXES} more" if len(found) > MAX_PREFIXES else ""
    return ", ".join(found[:MAX_PREFIXES]) + more


def _parse_ranges(ranges: Iterable[str]) -> tuple[Range, ...]:
    return merge_ranges(map(_parse_range, ranges))


@lru_cache(maxsize=65536)
def _parse_range(text: str) -> Range:
    low, _, high = text.partition("-")
    return address_number(low), address_number(high or low)


def _prefixes(ranges: Iterable[Range]) -> list[str]:
    return [prefix for held in ranges for prefix in summarise_range(held)]
