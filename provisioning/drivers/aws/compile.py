"""Compile for AWS: a transit gateway per account and region, and two route tables per segment.

VPCs are associated with the *spoke* table, which routes to the exchange only; VPN connections are associated with the
*exchange* table, into which VPCs propagate. So VPC-to-VPC traffic always crosses the exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from provisioning.core.intent import Connector, Exchange, Intent, Segment
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.fabric import ExchangeNode, allocate_indexes, sort_by_number
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import address_number, address_text
from provisioning.core.values.exchange_numbers import CLOUD_TUNNEL_PREFIX, EXCHANGE_ASN
from provisioning.core.values.resource import Body, Resource, body_references
from provisioning.drivers.aws.compile_routes import spoke_routes, vpc_routes

GATEWAY_ASN = 64512
"""The ASN of Amazon's side of a transit gateway."""

# AWS reserves seven /30 blocks of 169.254.0.0/16 (169.254.0.0 to 169.254.5.0 and 169.254.169.252), none of them for
# our tunnels: https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html
_TUNNEL_BASE = address_number(CLOUD_TUNNEL_PREFIX.partition("/")[0])
_BLOCK_SIZE = 4
"""Tunnels of one segment at one exchange: two nodes with two each."""
_BLOCK_COUNT = (1 << 12) // _BLOCK_SIZE
_SHARED_RESOURCES = DerivedKey[list[Resource]]("what the VPCs on a transit gateway share")
_VPC_RESOURCES = DerivedKey[list[Resource]]("VPC attachment and routes")


@dataclass(slots=True)
class _TransitGateway:
    """One transit gateway and the connectors of the VPCs that attach to it."""

    account: str
    region: str
    connectors: list[Connector] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"aws/{self.account}/{self.region}"

    @property
    def tgw(self) -> dict[str, str]:
        return _ref(f"{self.base}/tgw")

    def table(self, segment: Segment, role: str) -> str:
        return f"{self.base}/segment/{segment.key}/{role}"

    def segments(self, intent: Intent) -> list[Segment]:
        uids = {connector.attachments[0].segment for connector in self.connectors}
        return sorted((intent.segments[uid] for uid in uids), key=lambda segment: segment.number)

    def exchanges(self, intent: Intent, segment: Segment | None = None) -> list[Exchange]:
        """Return the exchanges that this gateway's connectors (of one segment) attach to."""
        uids = {
            connector.exchange
            for connector in self.connectors
            if segment is None or connector.attachments[0].segment == segment.uid
        }
        return sort_by_number(intent.exchanges[uid] for uid in uids)


def _ref(address: str) -> dict[str, str]:
    return {"ref": address, "attr": "id"}


def _build_resource(address: str, kind: str, body: Body, subjects: tuple[str, ...], *depends: str) -> Resource:
    """Return a resource that depends on what its body refers to, and on ``depends`` besides."""
    needed = {target for target, _ in body_references(body)} | {*depends}
    return Resource(address, kind, body, tuple(sorted(needed)), tuple(dict.fromkeys(subjects)))


def compile_aws(network: Network) -> Iterator[Resource]:
    """Yield what AWS accounts get. Pure: imports nothing but the core."""
    intent = network.intent
    gateways: dict[tuple[str, str], _TransitGateway] = {}
    for connector in sorted(intent.connectors.values(), key=lambda connector: connector.number):
        if connector.kind == "aws-vpc" and connector.enabled:
            key = str(connector.settings["account"]), str(connector.settings["region"])
            gateways.setdefault(key, _TransitGateway(*key)).connectors.append(connector)
    for key, gateway in gateways.items():
        segments = gateway.segments(intent)
        routes = {segment.uid: spoke_routes(network.resolved(segment.uid)) for segment in segments}
        read = (*gateway.connectors, *intent.exchanges.values(), *segments, *routes.values())
        make = partial(_shared_resources, network, gateway, routes)
        yield from network.derived.get(_SHARED_RESOURCES, read, make, of=key)
    yield from _vpc_resources(network, gateways.values())


def _shared_resources(network: Network, gateway: _TransitGateway, routes: dict[str, list[str]]) -> list[Resource]:
    """Return the resources that the VPCs on a gateway share."""
    return [*_gateway_resources(network, gateway), *_vpn_connections(network.intent, gateway, network.nodes, routes)]


def _gateway_resources(network: Network, gateway: _TransitGateway) -> Iterator[Resource]:
    intent = network.intent
    users = tuple(connector.uid for connector in gateway.connectors)
    body = {"account": gateway.account, "region": gateway.region, "asn": GATEWAY_ASN}
    yield _build_resource(f"{gateway.base}/tgw", "aws.transit-gateway", body, users)
    exchanges = {exchange.uid for exchange in gateway.exchanges(intent)}
    for node in network.nodes:
        if node.exchange.uid in exchanges:
            address = f"{gateway.base}/cgw/{node.id}"
            body = {"public_ip": node.public_ip, "asn": EXCHANGE_ASN}
            yield _build_resource(address, "aws.customer-gateway", body, (node.exchange.uid, *users))
    for segment in gateway.segments(intent):
        for role in ("spoke", "exchange"):
            body = {"tgw": gateway.tgw, "role": role, "segment": segment.key}
            yield _build_resource(gateway.table(segment, role), "aws.tgw-route-table", body, (segment.uid,))


def _vpn_connections(
    intent: Intent, gateway: _TransitGateway, mesh: list[ExchangeNode], routes: dict[str, list[str]]
) -> Iterator[Resource]:
    """Yield two VPN connections per segment and exchange, one to each node.

    A table takes one static route for a prefix, so the spoke routes lead to the first node of the first exchange; the
    other connections are standby.
    """
    blocks = _tunnel_blocks(intent, gateway)
    for segment in gateway.segments(intent):
        exchanges = gateway.exchanges(intent, segment)
        for node in mesh:
            if node.exchange not in exchanges:
                continue
            is_first = node.exchange.uid == exchanges[0].uid and node.index == 1
            tunnel_index = blocks[segment.uid, node.exchange.uid] * _BLOCK_SIZE + (node.index - 1) * 2
            yield _build_resource(
                f"{gateway.base}/segment/{segment.key}/vpn/{node.id}",
                "aws.vpn-connection",
                {
                    "tgw": gateway.tgw,
                    "cgw": _ref(f"{gateway.base}/cgw/{node.id}"),
                    "route_table": _ref(gateway.table(segment, "exchange")),
                    "spoke_table": _ref(gateway.table(segment, "spoke")),
                    "inside_cidrs": [f"{address_text(_TUNNEL_BASE + 4 * (tunnel_index + n))}/30" for n in (0, 1)],
                    "routes_spoke": routes[segment.uid] if is_first else [],
                },
                (segment.uid, node.exchange.uid),
            )


def _tunnel_blocks(intent: Intent, gateway: _TransitGateway) -> dict[tuple[str, str], int]:
    """Return (segment, exchange) → its block of tunnel addresses.

    There are more blocks than a gateway may have VPN connections. Where they do not suffice all the same, some are
    given twice, and AWS' quotas refuse the plan.
    """
    requests = [
        ((segment.uid, exchange.uid), segment.number * 31 + exchange.number)
        for segment in gateway.segments(intent)
        for exchange in gateway.exchanges(intent, segment)
    ]
    return {**dict(requests), **allocate_indexes(requests[:_BLOCK_COUNT], _BLOCK_COUNT)}


def _vpc_resources(network: Network, gateways: Iterable[_TransitGateway]) -> Iterator[Resource]:
    """Yield the attachment of each VPC and the routes in it; those that no edit touched are taken over."""
    vpcs = {connector.uid: (gateway, connector) for gateway in gateways for connector in gateway.connectors}
    reads = {
        uid: (connector, network.resolved(connector.attachments[0].segment)) for uid, (_, connector) in vpcs.items()
    }
    resources = network.derived.get_each(
        _VPC_RESOURCES, reads, lambda uid: _attachment_and_routes(vpcs[uid][0], *reads[uid])
    )
    yield from chain.from_iterable(resources)


def _attachment_and_routes(gateway: _TransitGateway, connector: Connector, resolved: ResolvedSegment) -> list[Resource]:
    settings = connector.settings
    base = f"{gateway.base}/vpc/{settings['vpc_id']}"
    attachment = {
        "vpc_id": settings["vpc_id"],
        "tgw": gateway.tgw,
        "subnets": settings["subnets"],
        "associate": _ref(gateway.table(resolved.segment, "spoke")),
        "propagate": _ref(gateway.table(resolved.segment, "exchange")),
    }
    routes = {
        "vpc_id": settings["vpc_id"],
        "tgw": gateway.tgw,
        "route_tables": settings["route_tables"],
        "prefixes": vpc_routes(resolved, connector),
    }
    return [
        _build_resource(f"{base}/attachment", "aws.vpc-attachment", attachment, (connector.uid,)),
        # A route through a transit gateway is refused until the VPC is attached to it.
        _build_resource(f"{base}/routes", "aws.vpc-routes", routes, (connector.uid,), f"{base}/attachment"),
    ]
