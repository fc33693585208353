"""Differentiated services code points by name (RFC 2474, 2597, 3246, 5865, 8622)."""

from __future__ import annotations

from collections.abc import Mapping

MAX_DSCP = 63

DSCP_NUMBERS: Mapping[str, int] = {
    "BE": 0,
    "LE": 1,
    **{f"CS{number}": 8 * number for number in range(8)},
    **{f"AF{group}{drop}": 8 * group + 2 * drop for group in range(1, 5) for drop in range(1, 4)},
    "VA": 44,
    "EF": 46,
}
_NAMES = {number: name for name, number in DSCP_NUMBERS.items()}


def parse_dscp(text: str) -> int | None:
    """Return the number of a code point that is written by name or by number; None where there is no such one."""
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MAX_DSCP:
        return int(text)
    return DSCP_NUMBERS.get(text.upper())


def dscp_text(low: int, high: int) -> str:
    """Return a code point as people write it, or the span of several."""
    return _NAMES.get(low, str(low)) if low == high else f"{low}-{high}"
