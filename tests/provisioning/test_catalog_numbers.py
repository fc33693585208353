"""Locations keep their numbers: the addresses of running nodes follow from them."""

from __future__ import annotations

from provisioning.catalog import catalog

FIRST_NODES = {
    "aws-eu-central-1": ("172.31.0.1", "203.0.113.1"),
    "aws-us-east-1": ("172.31.1.1", "203.0.113.3"),
    "aws-ap-southeast-1": ("172.31.2.1", "203.0.113.5"),
    "azure-westeurope": ("172.31.3.1", "203.0.113.7"),
    "gcp-europe-west2": ("172.31.4.1", "203.0.113.9"),
    "aws-sa-east-1": ("172.31.5.1", "203.0.113.11"),
}
"""Location → underlay and public address of its first node. A new location adds a line; a line never changes."""


def test_the_addresses_of_a_locations_nodes_never_change() -> None:
    first_nodes = {key: location.node(1) for key, location in catalog().locations.items()}
    assert {key: (node.underlay, node.public_ip) for key, node in first_nodes.items()} == FIRST_NODES


def test_no_address_is_given_twice() -> None:
    nodes = [node for location in catalog().locations.values() for node in location.nodes]
    assert len({node.underlay for node in nodes}) == len({node.public_ip for node in nodes}) == len(nodes)
