"""What is drawn of a cloud network, compared with what discovery last saw of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.core.check.prefixes import DEFAULT_ROUTES
from provisioning.core.intent import Connector, Intent
from provisioning.core.values.addresses import covers, merge_ranges, prefix_range
from provisioning.core.values.resource import Problem
from provisioning.drivers import CLOUDS
from provisioning.drivers.cloud import Cloud, NetworkKey

Inventories = Mapping[tuple[str, str], Mapping[str, Any]]
"""(cloud, account) → what was discovered."""


def check_discovered_prefixes(intent: Intent, inventories: Inventories) -> Iterator[Problem]:
    """Warn of prefixes that a connector attaches and its network does not have. A network that was not discovered is
    not judged: its region may be one that discovery does not look at."""
    networks = dict(_networks_by_key(inventories))
    for connector in intent.connectors.values() if networks else ():
        cloud = next((cloud for cloud in CLOUDS.values() if connector.kind in cloud.connector_settings), None)
        network = networks.get(cloud.network_key(connector.kind, connector.settings)) if cloud else None
        if cloud and network and network["prefixes"]:
            yield from _foreign_prefixes(cloud, connector, network)


def _networks_by_key(inventories: Inventories) -> Iterator[tuple[NetworkKey, Mapping[str, Any]]]:
    for (name, account), inventory in inventories.items():
        cloud = CLOUDS[name]
        for network in cloud.networks(account, inventory):
            for kind in cloud.connector_settings:
                yield cloud.network_key(kind, cloud.settings_for(kind, network)), network


def _foreign_prefixes(cloud: Cloud, connector: Connector, network: Mapping[str, Any]) -> Iterator[Problem]:
    own = merge_ranges(map(prefix_range, network["prefixes"]))
    for index, attachment in enumerate(connector.attachments):
        for place, prefix in enumerate(attachment.prefixes):
            if prefix not in DEFAULT_ROUTES and not covers(own, [prefix_range(prefix)]):
                yield Problem(
                    "not_in_network",
                    f"connectors/{connector.key}/attachments[{index}].prefixes[{place}]",
                    f"{prefix} of connector “{connector.name}” is not in {cloud.network_word} {network['id']}, which "
                    f"has {', '.join(network['prefixes'])}. Correct it, or discover the account again.",
                    "warning",
                )
