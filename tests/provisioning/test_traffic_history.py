"""What nodes counted, summed by slots of time: the history of connectors, mesh links and exchanges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.models import CounterReading, EdgeTraffic, Node, NodeSection, TrafficRollup
from provisioning.selectors.traffic_history import SPANS, traffic_history
from provisioning.services.traffic_rollup import SLOT, SlotReading, growth, roll_up
from tests.people import People

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IN, OUT = "connector/office|corp|in|bytes", "connector/office|corp|out|bytes"


@pytest.fixture
def count(people: People, tenant_scope: Callable[..., Any], db: None) -> Any:
    """Return a function that stores what the node of eu counted some minutes ago; the tenant is in force."""
    node = Node.objects.create(location="aws-eu-central-1", index=1)
    with tenant_scope(people.acme):
        NodeSection(node=node, exchange="eu", address="exchange/eu", kind="exchange").save()

        def count(key: str, minutes_ago: int, value: int, epoch: str = "first") -> None:
            at = NOW - timedelta(minutes=minutes_ago)
            CounterReading(node=node, key=key, epoch=epoch, minute=at, at=at, value=value).save()

        yield count


def test_each_slot_has_what_grew_in_it(count: Callable[..., None]) -> None:
    for minutes_ago, value in ((19, 0), (14, 300_000), (13, 600_000), (8, 600_000), (3, 1_200_000)):
        count(IN, minutes_ago, value)
    count("connector/office-2|corp|in|bytes", 3, 10**9)
    roll_up(NOW)
    history = traffic_history("connector/office", SPANS["6h"])
    assert history is not None and history.end == NOW
    assert list(history.forth[-5:]) == [None, 0, 16_000, 0, 16_000] and history.peak == 16_000
    exchange = traffic_history("exchange/eu")
    assert exchange is not None and exchange.forth[-1] == (1_200_000 + 10**9) * 8 / 900


def test_sums_are_the_same_however_often_a_worker_looks(count: Callable[..., None]) -> None:
    values = [(minutes_ago, (130 - minutes_ago) * 7919) for minutes_ago in range(130, 0, -1) if minutes_ago % 17]
    for minutes_ago, value in values:
        count(OUT, minutes_ago, value)
        roll_up(NOW - timedelta(minutes=minutes_ago))
        roll_up(NOW - timedelta(minutes=minutes_ago))
    roll_up(NOW)
    stepwise = set(EdgeTraffic.objects.values_list("slot_minutes", "start", "back"))
    EdgeTraffic.objects.all().delete()
    TrafficRollup.objects.all().delete()
    roll_up(NOW)
    assert stepwise == set(EdgeTraffic.objects.values_list("slot_minutes", "start", "back"))
    for length in (5, 60):
        assert sum(EdgeTraffic.objects.filter(slot_minutes=length).values_list("back", flat=True)) == values[-1][1]


def test_a_silence_is_shared_out_and_a_new_epoch_begins_at_nought(count: Callable[..., None]) -> None:
    count(OUT, 59, 0)
    roll_up(NOW - timedelta(minutes=50))
    count(IN, 34, 0)
    roll_up(NOW - timedelta(minutes=30))
    count(OUT, 14, 2_700_000)
    count(OUT, 9, 100, epoch="second")
    roll_up(NOW)
    history = traffic_history("connector/office", SPANS["6h"])
    assert history is not None and list(history.back[-12:-2]) == [0, *([8_000] * 9)]
    assert history.back[-2] == 100 * 8 / 300 and history.back[-1] is None
    assert history.forth[-6] == 0, "what was heard meanwhile stays"


def test_a_mesh_link_has_the_counters_of_both_ends_and_drops_are_told_apart(count: Callable[..., None]) -> None:
    for minutes_ago, value in ((24, 0), (9, 900_000)):
        count("mesh/us|corp|out|bytes", minutes_ago, value)
        count("spoof/office|corp", minutes_ago, value // 100_000)
        count("over-rate/office|corp", minutes_ago, value // 10_000)
    count(IN, 9, 0)
    assert traffic_history("mesh/eu/us") is None
    roll_up(NOW)
    history = traffic_history("mesh/eu/us")
    assert history is not None and history.forth[-1] == 600_000 * 8 / 900
    assert traffic_history("mesh/ap/eu") is None
    office = traffic_history("connector/office")
    assert office is not None and (office.spoofed, office.over_rate) == (9, 90)


def test_old_slots_are_deleted_and_hours_outlive_them(count: Callable[..., None]) -> None:
    count(IN, 3, 1)
    roll_up(NOW)
    assert EdgeTraffic.objects.count() == 2
    count(IN, -9 * 24 * 60, 1)
    for days in range(9, 11):
        roll_up(NOW + timedelta(days=days))
    assert not EdgeTraffic.objects.filter(slot_minutes=5, start__lt=NOW + timedelta(days=1)).exists()
    assert EdgeTraffic.objects.filter(slot_minutes=60, start__lt=NOW).exists()
    TrafficRollup.objects.update(until=NOW + timedelta(days=39))
    roll_up(NOW + timedelta(days=40))
    assert not EdgeTraffic.objects.filter(start__lt=NOW + timedelta(days=1)).exists()


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10**12)), min_size=1, max_size=8))
def test_shares_add_up_to_what_was_counted(steps: list[tuple[int, int]]) -> None:
    at, value, readings = NOW, 0, []
    for slots, grown in steps:
        at, value = at + slots * SLOT, value + grown
        readings.append(SlotReading(at, value, 1))
    shares = list(growth(readings, (NOW, 0)))
    assert sum(share for _, share, _ in shares) == value
    assert all(after[0] - before[0] == SLOT for before, after in pairwise(shares))
