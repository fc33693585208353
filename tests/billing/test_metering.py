"""Metering samples from the lifecycle log and counters: exact, idempotent, by tenant."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction

from billing.core.samples import hour_windows, hours_between
from billing.metering import collect_samples
from billing.models import Sample
from provisioning.models import Lifecycle
from tenants.models import Tenant
from tenants.scope import ScopeError, scope
from tests.billing.conftest import (
    TEN,
    at,
    create_connector_lifecycle,
    create_lifecycle,
    create_named_item,
    get_or_create_node,
    record_reading,
)


def quantities(meter: str = "connector_hours") -> list[tuple[str, str, D]]:
    rows = Sample.objects.filter(meter=meter).order_by("subject", "window_start")
    return [(row.subject, f"{row.window_start:%H:%M}", row.quantity.normalize()) for row in rows]


def test_a_lifetime_is_metered_in_hours_once(acme: Tenant) -> None:
    with scope(acme):
        item = create_named_item("connectors", "a", "Hospital A")
        create_connector_lifecycle("a", at(15), at(135))
        assert collect_samples(at(0), at(240), now=at(240))[:3] == (3, 0, 0)
        assert quantities() == [
            ("connector/a", "10:15", D("0.75")),
            ("connector/a", "11:00", D(1)),
            ("connector/a", "12:00", D("0.25")),
        ]
        assert collect_samples(at(0), at(240), now=at(240))[:3] == (0, 0, 0)
        assert collect_samples(at(70), at(100), now=at(300))[:3] == (0, 0, 0)
        sample = Sample.objects.earliest("window_start")
        assert sample.item_uid == item.uid
        assert sample.dimensions == {"exchange": "eu", "kind": "lab-site", "size": "small"}
        assert sample.provenance == {"source": "lifecycle", "rows": [Lifecycle.objects.get().pk]}


def test_the_current_hour_grows_and_a_late_end_corrects_it(acme: Tenant) -> None:
    with scope(acme):
        row = create_connector_lifecycle("a", at(0))
        collect_samples(at(0), at(20), now=at(20))
        assert quantities() == [("connector/a", "10:00", D("0.333333333333"))]
        assert collect_samples(at(0), at(62), now=at(62))[:3] == (1, 1, 0)
        row.ended_at = at(59)
        row.save(update_fields=["ended_at"])
        assert collect_samples(at(0), at(63), now=at(63))[:3] == (0, 1, 1)
        assert quantities() == [("connector/a", "10:00", D("0.983333333333"))]


def test_a_resize_within_an_hour_gives_two_samples_that_sum_to_one_hour(acme: Tenant) -> None:
    with scope(acme):
        create_connector_lifecycle("a", at(0), at(20))
        create_connector_lifecycle("a", at(20), size="medium")
        collect_samples(at(0), at(60), now=at(60))
        assert [row.dimensions["size"] for row in Sample.objects.order_by("window_start")] == ["small", "medium"]
        assert sum(quantity for *_, quantity in quantities()) == 1


def test_overlapping_lifecycle_rows_never_meter_a_minute_twice(acme: Tenant) -> None:
    with scope(acme):
        create_connector_lifecycle("a", at(0), at(90))
        create_connector_lifecycle("a", at(30), at(120))
        collect_samples(at(0), at(180), now=at(180))
        assert sum(quantity for *_, quantity in quantities()) == 2


def test_metered_hours_equal_the_union_of_the_lifecycle_log(acme: Tenant) -> None:
    """Invariant I8, for resources that start and end at arbitrary times."""
    spans = [(0, 7.5), (7.5, 61), (59, 130.25), (200, 200), (201.1, 333.3)]
    with scope(acme):
        for number, (start, end) in enumerate(spans):
            create_connector_lifecycle(f"c{number}", at(start), at(end))
        for minute in range(0, 400, 37):
            collect_samples(at(minute), at(minute + 50), now=at(minute + 50))
        expected = sum(hours_between(a, b) for start, end in spans for a, b in hour_windows(at(start), at(end)))
        assert sum(quantity for *_, quantity in quantities()) == expected


def test_only_resources_sold_by_the_hour_are_metered_in_hours(acme: Tenant) -> None:
    with scope(acme):
        create_lifecycle("exchange/eu", "exchange.presence", at(0), location="aws-eu-central-1", size="small")
        create_lifecycle("exchange/eu/1/segment/corp", "exchange.segment", at(0))
        create_lifecycle(
            "service/fw/eu/instance/1", "exchange.instance", at(0), product="linux-firewall", license="included"
        )
        collect_samples(at(0), at(60), now=at(60))
        assert sorted(Sample.objects.values_list("meter", flat=True)) == ["exchange_hours", "service_instance_hours"]


def test_bytes_out_are_summed_by_hour_over_nodes_and_segments(acme: Tenant) -> None:
    with scope(acme):
        create_connector_lifecycle("a", at(-600))
        first, second = get_or_create_node("aws-eu-central-1", 1), get_or_create_node("aws-eu-central-1", 2)
        for node, segment, last in ((first, "corp", 5 * 10**9), (second, "corp", 10**9), (first, "guest", 7)):
            record_reading(node, f"connector/a|{segment}|out|bytes", at(1), 0)
            record_reading(node, f"connector/a|{segment}|out|bytes", at(30), last)
        record_reading(first, "connector/a|corp|in|bytes", at(30), 10**12)
        record_reading(first, "rule/corp/web|hits", at(30), 10**12)
        collect_samples(at(0), at(40), now=at(40))
        assert quantities("gb_exchange_out") == [("connector/a", "10:00", D("6.000000007"))]
        sample = Sample.objects.get(meter="gb_exchange_out")
        assert sample.provenance == {"source": "counter", "bytes": {"corp": 6 * 10**9, "guest": 7}}
        assert sample.dimensions == {"exchange": "eu", "kind": "lab-site"}


def test_a_counter_that_restarts_is_counted_from_zero_and_repeats_add_nothing(acme: Tenant) -> None:
    with scope(acme):
        node, key = get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|out|bytes"
        record_reading(node, key, at(1), 4 * 10**9)
        record_reading(node, key, at(10), 6 * 10**9)
        record_reading(node, key, at(12), 10**9, epoch="boot-2")
        record_reading(node, key, at(14), 3 * 10**9, epoch="boot-2")
        for _ in range(3):
            collect_samples(at(0), at(20), now=at(20))
            record_reading(node, key, at(14), 3 * 10**9, epoch="boot-2")
        assert quantities("gb_exchange_out") == [("connector/a", "10:00", D(9))]


def test_bytes_of_a_gap_are_distributed_over_its_hours_whenever_they_are_collected(acme: Tenant) -> None:
    with scope(acme):
        node, key = get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|out|bytes"
        record_reading(node, key, at(0), 0)
        record_reading(node, key, at(30), 10**9)
        collect_samples(at(0), at(31), now=at(31))
        record_reading(node, key, at(210), 7 * 10**9)
        collect_samples(at(0), at(211), now=at(211))
        expected = [("10:00", D(2)), ("11:00", D(2)), ("12:00", D(2)), ("13:00", D(1))]
        assert [row[1:] for row in quantities("gb_exchange_out")] == expected
        collect_samples(at(180), at(240), now=at(240))
        assert [row[1:] for row in quantities("gb_exchange_out")] == expected


def test_a_long_gap_is_distributed_over_its_hours_even_if_only_its_end_is_collected(acme: Tenant) -> None:
    with scope(acme):
        node, key = get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|out|bytes"
        record_reading(node, key, at(0), 0)
        record_reading(node, "connector/a|guest|out|bytes", at(0), 3 * 10**9)
        collect_samples(at(0), at(10), now=at(10))
        record_reading(node, key, at(600), 10 * 10**9)
        result = collect_samples(at(590), at(601), now=at(601))
        assert result.since == at(0)
        assert [row[2] for row in quantities("gb_exchange_out")] == [D(4), *[D(1)] * 9]


def test_bytes_of_a_recreated_connector_are_not_distributed_over_its_absence(acme: Tenant) -> None:
    with scope(acme):
        node, key = get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|out|bytes"
        create_connector_lifecycle("a", at(0), at(30))
        record_reading(node, key, at(29), 10**9)
        collect_samples(at(0), at(31), now=at(31))
        create_connector_lifecycle("a", at(610))
        record_reading(node, key, at(615), 3 * 10**9)
        collect_samples(at(600), at(616), now=at(616))
        assert [row[1:] for row in quantities("gb_exchange_out")] == [("10:00", D(1)), ("20:00", D(2))]


def test_traffic_is_metered_by_pair_of_exchanges_and_not_within_one(acme: Tenant) -> None:
    with scope(acme):
        create_lifecycle("exchange/eu", "exchange.presence", at(-60), location="aws-eu-central-1", size="small")
        create_lifecycle("exchange/us", "exchange.presence", at(-60), location="aws-us-east-1", size="small")
        node = get_or_create_node("aws-eu-central-1", 1)
        record_reading(node, "mesh/us|corp|out|bytes", at(5), 2 * 10**9)
        record_reading(node, "mesh/us|corp|in|bytes", at(5), 9 * 10**9)
        record_reading(node, "mesh/eu|corp|out|bytes", at(5), 9 * 10**9)
        collect_samples(at(0), at(20), now=at(20))
        assert quantities("gb_between_exchanges") == [("exchange/eu/to/us", "10:00", D(2))]
        assert Sample.objects.get(meter="gb_between_exchanges").dimensions == {
            "from": "aws-eu-central-1",
            "to": "aws-us-east-1",
        }


def test_inspected_bytes_carry_the_product(acme: Tenant) -> None:
    with scope(acme):
        create_lifecycle(
            "service/fw/eu/instance/1", "exchange.instance", at(-60),
            service="fw", product="linux-firewall", license="included", exchange="eu",
        )  # fmt: skip
        record_reading(get_or_create_node("aws-eu-central-1", 1), "service/fw|corp|bytes", at(5), 3 * 10**9)
        collect_samples(at(0), at(20), now=at(20))
        assert quantities("gb_inspected") == [("service/fw", "10:00", D(3))]
        assert Sample.objects.get(meter="gb_inspected").dimensions == {
            "license": "included",
            "product": "linux-firewall",
        }


def test_metering_reads_and_writes_only_its_own_tenant(acme: Tenant, globex: Tenant) -> None:
    with scope(acme):
        create_connector_lifecycle("a", at(0))
        record_reading(get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|out|bytes", at(5), 10**9)
    with scope(globex):
        assert collect_samples(at(0), at(60), now=at(60))[:3] == (0, 0, 0)
    with scope(acme):
        assert collect_samples(at(0), at(60), now=at(60))[:3] == (2, 0, 0)
    with scope(globex):
        assert not Sample.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM billing_sample")
            assert cursor.fetchone() == (0,)
    with pytest.raises(ScopeError):
        Sample.objects.exists()


def test_the_database_allows_one_sample_per_key(acme: Tenant) -> None:
    def sample() -> Sample:
        return Sample(
            meter="connector_hours",
            subject="connector/a",
            window_start=TEN,
            window_end=TEN + timedelta(hours=1),
            quantity=1,
        )

    with scope(acme):
        sample().save()
        with pytest.raises(IntegrityError), transaction.atomic():
            sample().save()
