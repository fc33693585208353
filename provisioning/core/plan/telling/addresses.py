"""Addresses as people write them: prefixes rather than ranges, and of a change only what comes and goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from provisioning.core.addresses import Range, address_number, merge, prefixes_of, subtract

MOST = 6
"""Prefixes in one line."""


def prefixes(ranges: Sequence[str]) -> str:
    """``10.1.0.0/16, 10.2.0.0/15`` of range texts; the first few and how many more."""
    return few(_prefixes(_read(ranges))) or "no addresses"


def difference(before: Sequence[str], after: Sequence[str]) -> str:
    """``+ 10.6.0.0/16 - 10.3.0.0/16``; "" where the same addresses are meant."""
    old, new = _read(before), _read(after)
    come, gone = _prefixes(subtract(new, old)), _prefixes(subtract(old, new))
    return " ".join(f"{sign} {few(found)}" for sign, found in (("+", come), ("-", gone)) if found)


def few(found: Sequence[str]) -> str:
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more


def _read(ranges: Iterable[str]) -> tuple[Range, ...]:
    return merge(map(_range, ranges))


@lru_cache(maxsize=65536)
def _range(text: str) -> Range:
    low, _, high = text.partition("-")
    return address_number(low), address_number(high or low)


def _prefixes(ranges: Iterable[Range]) -> list[str]:
    return [prefix for held in ranges for prefix in prefixes_of(held)]
