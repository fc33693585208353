"""What is drawn of cloud networks, compared with the accounts that were added and what discovery last saw in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from provisioning.core.intent import Connector, Intent
from provisioning.core.values.addresses import DEFAULT_ROUTES, covers, merge_ranges, prefix_range
from provisioning.core.values.resource import Problem
from provisioning.drivers import CLOUDS, cloud_of_connector
from provisioning.drivers.cloud import Cloud, NetworkKey

Inventories = Mapping[tuple[str, str], Mapping[str, Any]]
"""(cloud, account) → what was discovered."""


def check_accounts(intent: Intent, accounts: Set[tuple[str, str]]) -> Iterator[Problem]:
    """Warn of connectors to networks in accounts, (cloud, account), that nobody added: they may be drawn before."""
    for connector in intent.connectors.values():
        cloud = cloud_of_connector(connector.kind)
        setting = cloud.account_setting(connector.kind) if cloud else ""
        if cloud and (cloud.name, account := connector.settings[setting]) not in accounts:
            yield Problem(
                "account_missing",
                f"connectors/{connector.key}/settings.{setting}",
                f"Connector “{connector.name}” is in {cloud.label} {cloud.account_word} {account}, which was not "
                "added. Add it under Cloud accounts before you provision: until then the steps in it fail.",
                "warning",
            )


def check_discovered_prefixes(intent: Intent, inventories: Inventories) -> Iterator[Problem]:
    """Warn of prefixes that a connector attaches and its network does not have. A network that was not discovered is
    not judged: its region may be one that discovery does not look at."""
    networks = dict(_networks_by_key(inventories))
    for connector in intent.connectors.values() if networks else ():
        cloud = cloud_of_connector(connector.kind)
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
