"""The topology and health of the live network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.sample_network import (
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def test_the_topology_and_health_show_what_is_live(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    empty = netadmin.get("t/acme/topology/").json()
    assert (empty["nodes"], empty["edges"]) == ([], [])
    finish(provision(netadmin, create_sample_network(netadmin)))
    drawn = netadmin.get("t/acme/topology/").json()
    kinds = sorted(node["kind"] for node in drawn["nodes"])
    assert kinds == ["connector", "connector", "exchange", "service"]
    ends = {node["id"] for node in drawn["nodes"]}
    assert all(edge["from"] in ends and edge["to"] in ends for edge in drawn["edges"])
    assert netadmin.get("t/acme/health/").json()["state"] in ("pending", "down")
