"""Counters that only grow, whatever happens to the ones in the kernel.

A namespace that is created again, or a rule that comes back, starts at 0 in the kernel; the total goes on.
The epoch changes only when the kernel or the state is lost, so a meter sees either a growing number or a new epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPORTS_AFTER_END = 60
"""In how many reports a counter that is gone is told: for two minutes, since the portal keeps one report of each."""


class CounterTotals:
    """base: what was counted by kernel counters that are gone; last: what the present ones said last; gone: how often
    the total of one that is gone was told since."""

    def __init__(
        self,
        base: Mapping[str, int] | None = None,
        last: Mapping[str, int] | None = None,
        gone: Mapping[str, int] | None = None,
    ) -> None:
        self.base, self.last, self.gone = dict(base or {}), dict(last or {}), dict(gone or {})

    def update(self, now: Mapping[str, int]) -> dict[str, int]:
        """The cumulative values, given what the kernel says now; keys that are gone keep their total for later."""
        for key, before in list(self.last.items()):
            if now.get(key, 0) < before:
                self.base[key] = self.base.get(key, 0) + before
                del self.last[key]
                self.gone[key] = 0
        self.last.update(now)
        self.gone = {key: told + 1 for key, told in self.gone.items() if key not in now and told < REPORTS_AFTER_END}
        return {key: self.base.get(key, 0) + now.get(key, 0) for key in (*now, *self.gone)}

    def values(self) -> dict[str, int]:
        """Return the cumulative values as they were told last."""
        return {key: self.base.get(key, 0) + self.last.get(key, 0) for key in (*self.last, *self.gone)}

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return what ``from_json`` reads."""
        return {"base": self.base, "last": self.last, "gone": self.gone}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> CounterTotals:
        return cls(saved.get("base"), saved.get("last"), saved.get("gone"))
