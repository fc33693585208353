"""What AWS accounts get: a transit gateway per account and region, and two route tables per segment.

VPCs associate with the *spoke* table, which only knows the way to the exchange; VPN connections associate with the
*exchange* table, into which VPCs propagate. So VPC-to-VPC traffic always crosses the exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from provisioning.core.addresses import covers, span
from provisioning.core.fabric import Node, allocate, in_order
from provisioning.core.intent import INTERNET, Connector, Exchange, Intent, Segment
from provisioning.core.network import Network
from provisioning.core.realm import Realm
from provisioning.core.resource import Resource
from provisioning.core.roster import Member

GATEWAY_ASN = 64512
"""Amazon's side of a transit gateway."""

EXCHANGE_ASN = 65000
"""Our side, the same on every node."""

# Inside addresses of tunnels: the second quarter of the link-local block, none of which AWS reserves.
_TUNNELS = int(IPv4Address("169.254.64.0"))
_BLOCK = 4
"""Tunnels of one segment at one exchange: two nodes with two each."""
_BLOCKS = (1 << 12) // _BLOCK


@dataclass(slots=True)
class _Gateway:
    """One transit gateway and what hangs on it."""

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
        found = {connector.attachments[0].segment for connector in self.connectors}
        return sorted((intent.segments[uid] for uid in found), key=lambda segment: segment.number)

    def exchanges(self, intent: Intent, segment: Segment | None = None) -> list[Exchange]:
        """The exchanges that this gateway's connectors (of one segment) attach to."""
        uids = {
            connector.exchange
            for connector in self.connectors
            if segment is None or connector.attachments[0].segment == segment.uid
        }
        return in_order(intent.exchanges[uid] for uid in uids)


def _ref(address: str) -> dict[str, str]:
    return {"ref": address, "attr": "id"}


def resources(network: Network) -> Iterator[Resource]:
    intent = network.intent
    gateways: dict[tuple[str, str], _Gateway] = {}
    for connector in sorted(intent.connectors.values(), key=lambda connector: connector.number):
        if connector.kind == "aws-vpc" and connector.enabled:
            where = str(connector.settings["account"]), str(connector.settings["region"])
            gateways.setdefault(where, _Gateway(*where)).connectors.append(connector)
    if not gateways:
        return
    mesh = network.nodes
    for gateway in gateways.values():
        yield from _gateway(intent, gateway, mesh)
        for segment in gateway.segments(intent):
            yield from _tables(gateway, segment)
        yield from _tunnels(intent, gateway, mesh)
        for connector in gateway.connectors:
            yield from _network(gateway, connector, network.realm(connector.attachments[0].segment))


def _gateway(intent: Intent, gateway: _Gateway, mesh: list[Node]) -> Iterator[Resource]:
    users = tuple(connector.uid for connector in gateway.connectors)
    yield Resource(
        f"{gateway.base}/tgw",
        "aws.transit-gateway",
        {"account": gateway.account, "region": gateway.region, "asn": GATEWAY_ASN},
        subjects=users,
    )
    reached = {exchange.uid for exchange in gateway.exchanges(intent)}
    for node in mesh:
        if node.exchange.uid in reached:
            yield Resource(
                f"{gateway.base}/cgw/{node.id}",
                "aws.customer-gateway",
                {"public_ip": node.public_ip, "asn": EXCHANGE_ASN},
                subjects=(node.exchange.uid, *users),
            )


def _tables(gateway: _Gateway, segment: Segment) -> Iterator[Resource]:
    for role in ("spoke", "exchange"):
        yield Resource(
            gateway.table(segment, role),
            "aws.tgw-route-table",
            {"tgw": gateway.tgw, "role": role, "segment": segment.key},
            subjects=(segment.uid,),
        )


def _tunnels(intent: Intent, gateway: _Gateway, mesh: list[Node]) -> Iterator[Resource]:
    """Two VPN connections per segment and exchange, one to each node.

    A table takes a static route for a prefix once only, so the spoke routes lead to the first node of the first
    exchange; the other connections stand ready.
    """
    wanted = [
        ((segment.uid, exchange.uid), segment.number * 31 + exchange.number)
        for segment in gateway.segments(intent)
        for exchange in gateway.exchanges(intent, segment)
    ]
    blocks = allocate(wanted, _BLOCKS)
    for segment in gateway.segments(intent):
        exchanges = gateway.exchanges(intent, segment)
        for node in mesh:
            if node.exchange not in exchanges:
                continue
            first = node.exchange is exchanges[0] and node.index == 1
            place = blocks[segment.uid, node.exchange.uid] * _BLOCK + (node.index - 1) * 2
            yield Resource(
                f"{gateway.base}/segment/{segment.key}/vpn/{node.id}",
                "aws.vpn-connection",
                {
                    "tgw": gateway.tgw,
                    "cgw": _ref(f"{gateway.base}/cgw/{node.id}"),
                    "route_table": _ref(gateway.table(segment, "exchange")),
                    "spoke_table": _ref(gateway.table(segment, "spoke")),
                    "inside_cidrs": [f"{IPv4Address(_TUNNELS + 4 * (place + tunnel))}/30" for tunnel in (0, 1)],
                    "routes_spoke": _spoke_routes(segment) if first else [],
                },
                subjects=(segment.uid, node.exchange.uid),
            )


def _spoke_routes(segment: Segment) -> list[str]:
    return sorted(segment.prefixes) or ["0.0.0.0/0"]


def _network(gateway: _Gateway, connector: Connector, realm: Realm) -> Iterator[Resource]:
    """The attachment of one VPC and the routes in it."""
    settings, attachment = connector.settings, connector.attachments[0]
    base = f"{gateway.base}/vpc/{settings['vpc_id']}"
    yield Resource(
        f"{base}/attachment",
        "aws.vpc-attachment",
        {
            "vpc_id": settings["vpc_id"],
            "tgw": gateway.tgw,
            "subnets": settings["subnets"],
            "associate": _ref(gateway.table(realm.segment, "spoke")),
            "propagate": _ref(gateway.table(realm.segment, "exchange")),
        },
        subjects=(connector.uid,),
    )
    member = next((member for member in realm.members if member.attachment is attachment), None)
    body: dict[str, Any] = {
        "vpc_id": settings["vpc_id"],
        "tgw": gateway.tgw,
        "route_tables": settings["route_tables"],
        "prefixes": _routed(realm, connector, member),
    }
    # A route through a transit gateway is refused until the VPC is attached to it.
    yield Resource(f"{base}/routes", "aws.vpc-routes", body, depends=(f"{base}/attachment",), subjects=(connector.uid,))


def _routed(realm: Realm, connector: Connector, member: Member | None) -> list[str]:
    """What the VPC sends to the exchange: the segment's prefixes, or those of its other members where it names none.

    The default route only when a policy lets the VPC out through an internet exit of the segment.
    """
    own = [span(prefix) for attachment in connector.attachments for prefix in attachment.prefixes]
    prefixes = set(realm.segment.prefixes) or {
        prefix for other in realm.members if other.connector is not connector for prefix in other.attachment.prefixes
    }
    routed = {prefix for prefix in prefixes if not any(covers((pair,), (span(prefix),)) for pair in own)}
    lets_out = member is not None and any(
        member.froms >> place & 1 and INTERNET in policy.to for place, policy in enumerate(realm.policies)
    )
    if lets_out and realm.exits:
        routed.add("0.0.0.0/0")
    return sorted(routed, key=span)
