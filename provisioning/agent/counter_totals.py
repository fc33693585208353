"""Counters that only grow, whatever happens to the ones in the kernel.

A namespace that is created again, or a rule that comes back, starts at 0 in the kernel; the total goes on.
The epoch changes only when the state is lost, so a meter sees either a growing number or a new epoch.
"""

from __future__ import annotations

from collections.abc import Mapping


class CounterTotals:
    """base: what was counted by kernel counters that are gone; last: what the present ones said last."""

    def __init__(self, base: Mapping[str, int] | None = None, last: Mapping[str, int] | None = None) -> None:
        self.base, self.last = dict(base or {}), dict(last or {})

    def update(self, now: Mapping[str, int]) -> dict[str, int]:
        """The cumulative values, given what the kernel says now; keys that are gone keep their total for later."""
        for key, before in list(self.last.items()):
            if now.get(key, 0) < before:
                self.base[key] = self.base.get(key, 0) + before
                del self.last[key]
        self.last.update(now)
        return {key: self.base.get(key, 0) + value for key, value in now.items()}
