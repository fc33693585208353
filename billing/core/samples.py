"""Samples: one metered quantity for one thing in one window of at most an hour; how hours and counters become them.

Everything here is exact. Hours are differences of one rounded scale, so the parts of an hour always add up to 1;
counts are integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

HOUR = timedelta(hours=1)
QUANTITY_PLACES = Decimal("1e-12")
"""Decimal places of a quantity in the database; a third of an hour has no finite decimal, so it is rounded here."""


@dataclass(frozen=True, slots=True)
class SampleValue:
    """``quantity`` of ``meter`` that ``subject`` used in [window_start, window_end), which lies inside one hour of UTC.

    ``key`` is its identity: a second sample with the same key is a repeat, never more usage.
    """

    meter: str
    subject: str
    window_start: datetime
    window_end: datetime
    quantity: Decimal
    dimensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.window_start.tzinfo is None or self.window_end.tzinfo is None:
            raise ValueError(f"Sample of {self.meter} for {self.subject}: its window has no time zone.")
        object.__setattr__(self, "window_start", self.window_start.astimezone(UTC))
        object.__setattr__(self, "window_end", self.window_end.astimezone(UTC))
        object.__setattr__(self, "dimensions", tuple(sorted(self.dimensions)))
        if not self.window_start <= self.window_end <= start_of_hour(self.window_start) + HOUR:
            raise ValueError(f"Sample of {self.meter} for {self.subject}: its window is not inside one hour.")
        if not isinstance(self.quantity, Decimal) or not self.quantity.is_finite() or self.quantity < 0:
            raise ValueError(f"Sample of {self.meter} for {self.subject}: quantity {self.quantity} is not 0 or more.")

    @property
    def key(self) -> tuple[str, str, datetime]:
        return self.meter, self.subject, self.window_start


def start_of_hour(when: datetime) -> datetime:
    """Return the start of the UTC hour that holds ``when``."""
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def end_of_hour(when: datetime) -> datetime:
    """Return the first full UTC hour that is not before ``when``."""
    hour = start_of_hour(when)
    return hour if hour == when else hour + HOUR


def hour_windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield [start, end) cut at the hours of UTC."""
    while start < end:
        cut = min(end, start_of_hour(start) + HOUR)
        yield start, cut
        start = cut


def hours_between(start: datetime, end: datetime) -> Decimal:
    """Return how much of its hour the window [start, end) is, to 12 places; windows that tile an hour sum to 1."""
    base = start_of_hour(start)
    return _rounded_hours(end - base) - _rounded_hours(start - base)


def _rounded_hours(into: timedelta) -> Decimal:
    microseconds = Decimal(into // timedelta(microseconds=1))
    return (microseconds / Decimal(3_600_000_000)).quantize(QUANTITY_PLACES, ROUND_HALF_EVEN, Context(prec=40))


@dataclass(frozen=True, slots=True)
class CounterReadingValue:
    """What a cumulative counter showed. ``epoch`` changes when it started again (a reboot, a recreated namespace)."""

    at: datetime
    epoch: str
    total: int


def increments(
    readings: Iterable[CounterReadingValue], before: CounterReadingValue | None = None
) -> Iterator[tuple[datetime, datetime, int]]:
    """Yield (from, to, count) between neighbouring readings, in order of time.

    ``before`` is the last reading already counted. Without one, and after a reset (a new epoch, or a value that went
    down), the counter began at 0 and all it shows is new. The last reading before a reset is what the node told of the
    epoch that ended (services/telemetry.py); where its disk is lost too, what it counted after its last stored reading
    is lost, in the customer's favour. A repeated reading adds nothing.
    """
    for reading in sorted(set(readings), key=lambda reading: (reading.at, reading.total)):
        if before is None:
            yield reading.at, reading.at, reading.total
        elif reading.epoch != before.epoch or reading.total < before.total:
            yield before.at, reading.at, reading.total
        else:
            yield before.at, reading.at, reading.total - before.total
        before = reading


def spread_over_hours(start: datetime, end: datetime, count: int) -> Iterator[tuple[datetime, int]]:
    """Yield (hour, part): a count shared over the hours of [start, end) by time; the parts add up to it exactly."""
    length = (end - start) // timedelta(microseconds=1)
    if not length:
        yield start_of_hour(end), count
        return
    shared = 0
    for _, cut in hour_windows(start, end):
        until = count * ((cut - start) // timedelta(microseconds=1)) // length
        if until > shared:
            yield start_of_hour(cut - timedelta(microseconds=1)), until - shared
        shared = until


def counts_by_hour(
    readings: Iterable[CounterReadingValue], before: CounterReadingValue | None = None
) -> dict[datetime, int]:
    """Return hour → what one counter counted in it; hours in which it counted nothing are absent."""
    hourly: dict[datetime, int] = {}
    for start, end, count in increments(readings, before):
        for hour, part in spread_over_hours(start, end, count):
            hourly[hour] = hourly.get(hour, 0) + part
    return {hour: count for hour, count in sorted(hourly.items()) if count}
