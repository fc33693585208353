"""The lines of a traffic chart."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.pages.traffic_chart import WIDTH, history_chart
from provisioning.selectors.traffic_history import DEFAULT_SPAN, TrafficHistory


def test_a_slot_between_silences_is_drawn_inside_the_chart_even_when_it_is_the_newest() -> None:
    slots = DEFAULT_SPAN.slots + 1
    newest, oldest = [*[None] * (slots - 1), 5.0], [5.0, *[None] * (slots - 1)]
    start = timezone.now() - timedelta(days=1)
    chart = history_chart(TrafficHistory(DEFAULT_SPAN, start, newest, oldest, 0, 0))
    assert chart is not None
    for (line,) in (chart["forth"], chart["back"]):
        (left, right) = (float(point.split(",")[0]) for point in line.split())
        assert 0 <= left < right <= WIDTH
