"""Days in the address of a page, as instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

from django.utils.dateparse import parse_date


def parse_day(text: str) -> date | None:
    """Return the day that ``2026-11-30`` names; None for a text that names none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def midnight(day: date, zone: tzinfo = UTC) -> datetime:
    """Return when a day begins: in UTC, by which usage is charged, or in another zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)
