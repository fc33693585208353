"""The page about real networks adds up, and is about the networks that are here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.networks.real_networks import NETWORKS

PAGE = Path(__file__).parents[3] / "docs" / "real-networks.md"
AT_LEAST = {
    "aws-security-groups": 90,
    "azure-vwan": 80,
    "batfish-hybrid-aws": 80,
    "batfish-iptables": 90,
    "cloudwan-simple": 90,
    "k8s-netpol": 90,
    "mesh-acl": 90,
}
"""Percent of the statements without routing."""


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def test_every_network_is_on_the_page() -> None:
    for heading in ("What is said", "What is missing", "Where they come from"):
        assert sorted({row[0] for row in rows(heading)}) == [*NETWORKS], heading


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_said_of_a_network_is_the_sum_of_its_parts(name: str) -> None:
    parts = [row for row in rows("What is missing") if row[0] == name]
    plain = [row for row in parts if not row[5].startswith("routing")]
    (total,) = [row for row in rows("What is said") if row[0] == name]
    there_are, said, without_effect = (sum(int(row[column] or 0) for row in parts) for column in (2, 3, 4))
    assert total[1:5] == [str(there_are), str(said), f"{100 * said // there_are} %", str(without_effect or "")]
    without_routing = 100 * sum(int(row[3]) for row in plain) // sum(int(row[2]) for row in plain)
    assert total[5] == f"{without_routing} %"
    assert without_routing >= AT_LEAST.get(name, 0)
    assert all((row[2] == row[3]) == (row[5] == "") for row in parts)
