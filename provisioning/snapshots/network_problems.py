"""Everything that is wrong with the network of a snapshot, also compared with what discovery last saw."""

from __future__ import annotations

from provisioning.core.check import check_network
from provisioning.core.values.resource import Problem
from provisioning.drivers.discovered import check_accounts, check_discovered_prefixes
from provisioning.snapshots import resource_state, tenant_cache
from provisioning.snapshots.queries import Snapshot


def find_problems(snapshot: Snapshot) -> list[Problem]:
    """Return all problems, errors first."""
    network = tenant_cache.load_network(snapshot)
    return [
        *check_network(network),
        *check_accounts(network.intent, resource_state.added_accounts()),
        *check_discovered_prefixes(network.intent, resource_state.discovered_inventories()),
    ]
