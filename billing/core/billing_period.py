"""The stretch of time that is rated, within a calendar month of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """[start, end), to be rated. Tiers count from ``opened``, the start of the billing month."""

    start: datetime
    end: datetime
    opened: datetime

    @classmethod
    def month(cls, year: int, month: int) -> BillingPeriod:
        """Return a calendar month of UTC; local daylight saving time does not matter."""
        start = datetime(year, month, 1, tzinfo=UTC)
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return cls(start, end, start)

    def until(self, instant: datetime) -> BillingPeriod:
        return BillingPeriod(self.start, min(instant, self.end), self.opened)

    def since(self, instant: datetime) -> BillingPeriod:
        return BillingPeriod(max(instant, self.start), self.end, self.opened)
