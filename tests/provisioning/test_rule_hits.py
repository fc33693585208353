"""Hits of rules over 24 hours, from counters that start anew with each epoch of a node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioning.models import CounterReading, Node
from provisioning.selectors.rule_hits import RuleHits, default_action_hits, rule_hits
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def nodes(people: People) -> Any:
    nodes = [Node.objects.create(location="eu-fra", index=number) for number in (1, 2)]
    with scope(people.acme):
        yield nodes


def report(node: Node, key: str, value: int, hours_ago: float, epoch: str = "e1") -> datetime:
    at = NOW - timedelta(hours=hours_ago)
    CounterReading(node=node, key=key, epoch=epoch, minute=at.replace(second=0), at=at, value=value).save()
    return at


def test_hits_are_what_was_added_within_the_window_on_all_nodes_and_in_all_segments(nodes: list[Node]) -> None:
    first, second = nodes
    report(first, "rule/corp/prod-out/web|hits", 100, 30)
    report(first, "rule/corp/prod-out/web|hits", 104, 20)
    report(first, "rule/corp/prod-out/web|hits", 104, 1)
    last = report(second, "rule/lab/prod-out/web|hits", 7, 2)
    report(second, "rule/lab/prod-out/web|hits", 7, 1)
    assert rule_hits(NOW) == {"prod-out/web": RuleHits(11, last)}


def test_a_rule_that_only_was_hit_before_has_none(nodes: list[Node]) -> None:
    report(nodes[0], "rule/corp/prod-out/web|hits", 100, 30)
    report(nodes[0], "rule/corp/prod-out/web|hits", 100, 1)
    assert rule_hits(NOW) == {"prod-out/web": RuleHits(0, None)}


def test_a_new_epoch_counts_from_zero(nodes: list[Node]) -> None:
    report(nodes[0], "rule/corp/prod-out/web|hits", 100, 30)
    report(nodes[0], "rule/corp/prod-out/web|hits", 103, 3)
    last = report(nodes[0], "rule/corp/prod-out/web|hits", 5, 2, "e2")
    assert rule_hits(NOW) == {"prod-out/web": RuleHits(8, last)}


def test_default_actions_are_counted_by_segment(nodes: list[Node]) -> None:
    last = report(nodes[0], "default-action/corp|denied", 3, 2)
    assert default_action_hits(NOW) == {"corp": RuleHits(3, last)}


def test_another_tenant_has_no_hits(people: People) -> None:
    node = Node.objects.create(location="eu-fra", index=1)
    with scope(people.acme):
        report(node, "rule/corp/prod-out/web|hits", 4, 2)
        assert rule_hits(NOW)
    with scope(people.globex):
        assert rule_hits(NOW) == {}
