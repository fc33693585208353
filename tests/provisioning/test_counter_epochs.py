"""What a node counts is charged once, whenever its machine is rebooted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from billing.core.samples import CounterReadingValue, increments
from provisioning.agent.agent import Agent
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.state import AgentState
from provisioning.models import CounterReading, Node, NodeTenant
from provisioning.services import telemetry
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db

KEY = "connector/a|corp|out|bytes"
BEGAN = datetime(2026, 1, 1, 10, tzinfo=UTC)


class RebootableNode:
    """An agent whose kernel counts ten bytes a second; ``reboot`` starts it with an empty kernel."""

    def __init__(self, folder: Path, people: People) -> None:
        self.folder, self.boots, self.counted, self.now = folder, 0, 0, BEGAN
        self.tenant = people.acme
        row = Node.objects.create(location="aws-eu-central-1", index=1, token_digest="t")
        NodeTenant.objects.create(node=row, tenant=people.acme)
        self.reboot()

    def reboot(self) -> None:
        self.boots += 1
        self.kernel = {f"acme|{KEY}": 0}
        self.start_agent()

    def start_agent(self) -> None:
        state = AgentState(self.folder, f"boot {self.boots}")
        self.agent = Agent("aws-eu-central-1", 1, PortalClient("http://127.0.0.1:1"), state, Netlink())
        kernel: Any = SimpleNamespace(counters=lambda: dict(self.kernel), circuits=lambda document: {})
        self.agent.kernel = kernel

    def forward(self, seconds: int, *, delivered: bool = True) -> None:
        """Count and report every two seconds."""
        for _ in range(seconds // 2):
            self.now += timedelta(seconds=2)
            self.kernel[f"acme|{KEY}"] += 20
            self.counted += 20
            report = self.agent.build_report()
            if delivered:
                telemetry.store_report("t", report, {}, self.now)
                self.agent.state.forget_ended_epoch()

    def charged(self) -> int:
        """Return the bytes that follow from the readings, after the last counts were stored."""
        Node.objects.update(counted_at=None)
        self.forward(2)
        with scope(self.tenant):
            rows = CounterReading.objects.order_by("at").values_list("at", "epoch", "value")
            return sum(count for _, _, count in increments(CounterReadingValue(*row) for row in rows))


@pytest.fixture
def node(tmp_path: Path, people: People) -> RebootableNode:
    return RebootableNode(tmp_path, people)


def test_a_reboot_in_mid_minute_loses_nothing_and_counts_nothing_twice(node: RebootableNode) -> None:
    node.forward(100)
    node.reboot()
    node.forward(50)
    node.now += timedelta(hours=3)
    node.reboot()
    node.forward(70)
    node.start_agent()
    node.forward(30)
    assert node.charged() == node.counted


def test_reboots_while_the_portal_is_away_lose_nothing(node: RebootableNode) -> None:
    node.forward(100)
    for _ in range(3):
        node.reboot()
        node.forward(30, delivered=False)
    node.reboot()
    node.forward(30)
    assert node.charged() == node.counted


def test_a_disk_that_was_set_back_charges_nothing_twice(node: RebootableNode) -> None:
    node.forward(30)
    saved = {path: path.read_bytes() for path in node.folder.iterdir()}
    node.forward(100)
    for path, content in saved.items():
        path.write_bytes(content)
    node.reboot()
    node.forward(30)
    charged = node.charged()
    assert 0 <= node.counted - charged <= 600, "at most a minute, in the customer's favour"
