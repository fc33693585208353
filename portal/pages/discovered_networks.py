"""The networks that discovery found in a cloud account, with the connector that attaches each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioning.drivers import CLOUDS
from provisioning.drivers.cloud import NetworkKey
from provisioning.models import CloudAccount
from provisioning.snapshots.queries import StoredObject


def discovered_networks(account: CloudAccount, connectors: Iterable[StoredObject]) -> list[dict[str, Any]]:
    """Return the networks as discovery kept them, each with ``connector``: the one that attaches it, or None."""
    cloud = CLOUDS[account.provider]
    by_network: dict[NetworkKey, StoredObject] = {}
    for row in connectors:
        if row.body["kind"] in cloud.connector_settings:
            by_network[cloud.network_key(row.body["kind"], row.body["settings"])] = row
    networks = cloud.networks(account.account_id, account.inventory)
    for network in networks:
        rows = (
            by_network.get(cloud.network_key(kind, cloud.settings_for(kind, network)))
            for kind in cloud.connector_settings
        )
        network["connector"] = next(filter(None, rows), None)
    return networks
