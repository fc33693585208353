"""A history of traffic as lines of an SVG: what the panel of the topology and its time slider draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from provisioning.selectors.traffic_history import DEFAULT_SPAN, SPANS, Span, TrafficHistory, traffic_history

WIDTH, HEIGHT = 240, 44
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def chosen_span(name: str) -> Span:
    return SPANS.get(name, DEFAULT_SPAN)


def chosen_moment(request: HttpRequest) -> datetime | None:
    """Return the instant of ``?at=``; None, which is now, for one that has not been yet and for a text that is none."""
    try:
        at = parse_datetime(request.GET.get("at", ""))
    except ValueError:
        return None
    return at if at and at.tzinfo and EPOCH <= at <= timezone.now() else None


def time_slider(request: HttpRequest) -> dict[str, Any] | None:
    """Return the chart of the whole network's traffic, and the moments of its slots, of which one may be chosen.

    None where nothing was counted yet.
    """
    span = chosen_span(request.GET.get("span", ""))
    history = traffic_history("", span)
    if history is None:
        return None
    at = chosen_moment(request)
    return {
        "chart": history_chart(history),
        "span": span,
        "spans": SPANS.values(),
        "at": at,
        "until": at + span.slot if at else None,
        "seconds": int(span.slot.total_seconds()),
        "middle": history.start + span.length / 2,
        "value": min(max(0, (at - history.start) // span.slot), span.slots) if at else span.slots,
    }


def history_chart(history: TrafficHistory | None, capacity: int | None = None) -> dict[str, Any] | None:
    """Return the lines forth and back, each a list of SVG points without the slots in which nothing was heard, the peak
    and its share of the capacity in percent."""
    if history is None:
        return None
    top = history.peak or 1
    return {
        "history": history,
        "forth": list(_lines(history.forth, top)),
        "back": list(_lines(history.back, top)),
        "box": f"0 0 {WIDTH} {HEIGHT}",
        "share": round(100 * history.peak / capacity) if capacity else None,
    }


def _lines(rates: Sequence[float | None], top: float) -> Iterator[str]:
    step = WIDTH / (len(rates) - 1)
    for is_known, slots in groupby(enumerate(rates), key=lambda slot: slot[1] is not None):
        if is_known:
            points = [(index * step, HEIGHT - 2 - (rate or 0) / top * (HEIGHT - 4)) for index, rate in slots]
            if len(points) == 1:  # a slot between two silences is a dash inside the chart, not a point that nobody sees
                [(x, y)] = points
                points = [(max(x - step / 2, 0), y), (min(x + step / 2, WIDTH), y)]
            yield " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
