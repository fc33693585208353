"""The last 24 hours of a connector and of a mesh link, from counters by the minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioning.models import CounterReading, Node, NodeSection
from provisioning.selectors.traffic_history import traffic_history
from tests.people import People

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SLOT_SECONDS = 900


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


def test_each_slot_has_the_mean_rate_of_what_grew_in_it(count: Callable[..., None]) -> None:
    for minutes_ago, value in ((40, 0), (25, 900_000), (10, 900_000)):
        count("connector/office|corp|in|bytes", minutes_ago, value)
    count("connector/office-2|corp|in|bytes", 10, 10**9)
    history = traffic_history("connector/office", NOW)
    assert history is not None
    assert history.forth[-3:] == [0, 900_000 * 8 / SLOT_SECONDS, 0] and not any(history.back)
    assert history.peak == 8000


def test_a_gap_is_spread_and_a_new_epoch_begins_at_nought(count: Callable[..., None]) -> None:
    count("connector/office|corp|out|bytes", 55, 0)
    count("connector/office|corp|out|bytes", 10, 2_700_000)
    count("connector/office|corp|out|bytes", 5, 100, epoch="second")
    history = traffic_history("connector/office", NOW)
    assert history is not None and history.back[-4:] == [0, 8000, 8000, 8000]


def test_a_mesh_link_has_the_counters_of_both_ends_and_nothing_is_none(count: Callable[..., None]) -> None:
    for minutes_ago, value in ((25, 0), (10, 900_000)):
        count("mesh/us|corp|out|bytes", minutes_ago, value)
    history = traffic_history("mesh/eu/us", NOW)
    assert history is not None and history.forth[-1] == 8000
    assert traffic_history("mesh/ap/eu", NOW) is None
    assert traffic_history("connector/office", NOW) is None
