"""Connectors: link addresses given by hand, cloud networks, failover, and clouds that are set up by hand."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from provisioning.core.intent import Connector
from provisioning.core.intent.circuits import link_addresses, link_slot
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.exchange_numbers import MESH_PREFIX
from provisioning.core.values.resource import Problem

_GIVEN_LINKS = DerivedKey[list[int]]("link addresses given by hand, by connector")
_CLOUD_NETWORKS = DerivedKey[tuple[str, ...]]("the cloud network that a connector attaches")
_SET_UP_BY_HAND = DerivedKey[bool]("connectors whose cloud is set up by hand")
_MESH_NETWORK = ipaddress.IPv4Network(MESH_PREFIX)


def check_link_addresses(network: Network) -> Iterator[Problem]:
    """Report link addresses given by hand that are not two ends of one network, or overlap the mesh or other links."""
    taken: dict[tuple[str, int, str, str], Connector] = {}
    connectors = network.intent.connectors
    given = network.derived.get_by_object(_GIVEN_LINKS, connectors, _given_links)
    for connector in _by_number(connectors, given):
        for index in given[connector.uid]:
            circuit = connector.circuits[index]
            path = f"connectors/{connector.key}/circuits[{index}].local"
            local, peer = ipaddress.ip_interface(circuit.local), ipaddress.ip_interface(circuit.peer)
            if local.network != peer.network or local.ip == peer.ip:
                yield Problem(
                    "bad_link",
                    path,
                    f"Circuit {circuit.name} of connector “{connector.name}”: {circuit.local} and {circuit.peer} have "
                    "to be two addresses of one network.",
                )
            elif local.version != 4:
                yield Problem("bad_link", path, f"{circuit.local} cannot be used: links have IPv4 addresses. Give one.")
            elif local.network.overlaps(_MESH_NETWORK):
                yield Problem(
                    "bad_link", path, f"{circuit.local} cannot be used: exchanges use {MESH_PREFIX} themselves."
                )
            for segment in {attachment.segment for attachment in connector.attachments}:
                other = taken.setdefault((connector.exchange, circuit.node, segment, str(local.ip)), connector)
                if other is not connector and connector.enabled and other.enabled:
                    yield Problem(
                        "address_in_use",
                        path,
                        f"Connectors “{other.name}” and “{connector.name}” both use {local.ip} on the same node.",
                    )


def _given_links(connector: Connector) -> list[int]:
    """Return the indexes of the circuits whose addresses are not those that the connector's number gives."""
    return [
        index
        for index, circuit in enumerate(connector.circuits)
        if (circuit.local, circuit.peer) != link_addresses(link_slot(connector.number, index))
    ]


def check_shared_networks(network: Network) -> Iterator[Problem]:
    """Report cloud networks that more than one connector attaches."""
    first: dict[tuple[str, ...], Connector] = {}
    connectors = network.intent.connectors
    cloud_networks = network.derived.get_by_object(_CLOUD_NETWORKS, connectors, _cloud_network)
    for connector in _by_number(connectors, cloud_networks):
        fields = CONNECTOR_KINDS[connector.kind].cloud_network
        other = first.setdefault(cloud_networks[connector.uid], connector)
        if other is not connector:
            yield Problem(
                "network_in_use",
                f"connectors/{connector.key}/settings.{fields[-1]}",
                f"Connectors “{other.name}” and “{connector.name}” both attach {connector.settings[fields[-1]]}. "
                "Keep one of them.",
            )


def _cloud_network(connector: Connector) -> tuple[str, ...]:
    fields = CONNECTOR_KINDS[connector.kind].cloud_network
    return (connector.kind, *(str(connector.settings[field]) for field in fields)) if fields else ()


def _by_number(connectors: Mapping[str, Connector], uids: Iterable[str]) -> list[Connector]:
    return sorted((connectors[uid] for uid in uids), key=lambda connector: connector.number)


def check_failover(network: Network) -> Iterator[Problem]:
    for connector in network.intent.connectors.values():
        if not connector.failover_exchange:
            continue
        path = f"connectors/{connector.key}/failover_exchange"
        if not CONNECTOR_KINDS[connector.kind].supports_failover:
            yield Problem(
                "no_failover",
                path,
                f"Connector “{connector.name}” cannot fail over: of kind {connector.kind} another connector takes over "
                "at the other exchange. Add one there and leave the failover exchange out.",
            )
        elif connector.failover_exchange == connector.exchange:
            exchange = network.intent.exchanges.get(connector.exchange)
            yield Problem(
                "failover_to_itself",
                path,
                f"Connector “{connector.name}” fails over to exchange “{exchange.name if exchange else ''}”, where it "
                "is already. Choose another exchange.",
            )


def check_manual_cloud_side(network: Network) -> Iterator[Problem]:
    """Warn about clouds that Causeway does not set up itself yet: it makes the exchange's side, the customer theirs."""
    provisioned, connectors = network.intent.catalog.provisioned_kinds, network.intent.connectors

    def is_manual(connector: Connector) -> bool:
        return connector.enabled and connector.kind not in provisioned and bool(CONNECTOR_KINDS[connector.kind].cloud)

    manual = network.derived.get_by_object(_SET_UP_BY_HAND, connectors, is_manual, shared=(provisioned,))
    for connector in _by_number(connectors, manual):
        yield Problem(
            "cloud_side_by_hand",
            f"connectors/{connector.key}",
            f"Only the exchange's side of connector “{connector.name}” is set up. "
            + _MANUAL_CLOUD_STEPS.get(connector.kind, _MANUAL_STEPS).format(
                **connector.settings, nodes=_node_addresses(network, connector)
            ),
            "warning",
        )


_MANUAL_CLOUD_STEPS = {
    "azure-vnet": "In Azure, give VNet {vnet} ({resource_group}) a VPN gateway with a connection to each of {nodes}, "
    "and routes to the segment's prefixes.",
    "gcp-vpc": "In Google Cloud, give network {network} an HA VPN gateway in {region} with a tunnel to each of "
    "{nodes}, and a cloud router or routes to the segment's prefixes.",
}
_MANUAL_STEPS = (
    "In the cloud, give the network a VPN gateway with a connection to each of {nodes}, and routes to the segment's "
    "prefixes."
)


def _node_addresses(network: Network, connector: Connector) -> str:
    exchange = network.intent.exchanges.get(connector.exchange)
    location = network.intent.catalog.locations.get(exchange.location) if exchange else None
    return " and ".join(node.public_ip for node in location.nodes) if location else "the exchange's nodes"
