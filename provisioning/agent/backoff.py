"""How long an agent pauses after a failure: longer each time, spread by chance so that not all nodes come at once."""

from __future__ import annotations

import random

import httpx

SPREAD = 0.5
"""A pause is up to so much of itself longer."""


class Backoff:
    def __init__(self, first: float, longest: float) -> None:
        """``first``, ``longest``: seconds, before chance is added."""
        self._first, self._longest = first, longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def pause(self, error: Exception) -> float:
        """Return the seconds to pause after this error, at least those that the portal asked for (Retry-After)."""
        seconds, self._next = self._next, min(self._next * 2, self._longest)
        return max(seconds, _retry_after(error)) * (1 + random.uniform(0, SPREAD))


def _retry_after(error: Exception) -> float:
    """Return the seconds of the header Retry-After (RFC 9110, section 10.2.3), 0 without one or where it is a date."""
    header = error.response.headers.get("Retry-After", "") if isinstance(error, httpx.HTTPStatusError) else ""
    return float(header) if header.isdecimal() and len(header) <= 4 else 0.0
