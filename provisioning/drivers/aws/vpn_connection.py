"""VPN connections: two tunnels from a transit gateway to one exchange node, for one segment.

The VPN is associated with the segment's exchange table. Its routes reach the spoke table by BGP: while both nodes' VPNs
propagate there, AWS spreads flows over four tunnels, and the routes of a dead node disappear. The plan may add static
routes; a table takes one static route for a destination, so the plan gives each to one VPN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.core.values.resource import Body
from provisioning.drivers.aws import tgw_routing
from provisioning.drivers.aws.tagged import AwsContext, AwsTaggedResource, tags_of
from provisioning.drivers.base import Waiting
from provisioning.drivers.tagged import ADDRESS_TAG, TENANT_TAG, Item, ItemState


class VpnConnection(AwsTaggedResource):
    """Body: tgw, cgw, route_table (exchange), spoke_table, inside_cidrs (2), routes_spoke (static prefixes).

    Attributes: id, attachment, tunnels ([{"outside", "inside_cidr"}]).
    Pre-shared keys are not among them, because pages show a step's attributes.
    """

    kind = "aws.vpn-connection"
    replace_on = frozenset({"tgw", "cgw", "inside_cidrs"})
    listing, items, id_key = "DescribeVpnConnections", "VpnConnections", "VpnConnectionId"
    resource_type = "vpn-connection"
    poll_seconds = 15.0

    def create(self, context: AwsContext) -> Item:
        tunnels = [{"TunnelInsideCidr": cidr} for cidr in context.body.get("inside_cidrs") or []]
        answer = context.api.write(
            "CreateVpnConnection",
            Type="ipsec.1",
            CustomerGatewayId=context.body["cgw"],
            TransitGatewayId=context.body["tgw"],
            Options={"StaticRoutesOnly": False, **({"TunnelOptions": tunnels} if tunnels else {})},
            TagSpecifications=self.tag_specifications(context),
        )
        item: Item = answer["VpnConnection"]
        return item

    def reconcile(self, context: AwsContext, item: Item) -> Waiting | None:
        attachment, before = self._attachment(context, item), context.before or {}
        if attachment is None:
            return Waiting(self.poll_seconds, f"{item[self.id_key]} has no attachment yet")
        if waiting := tgw_routing.ensure_association(
            context, attachment, context.body["route_table"], before.get("route_table")
        ):
            return waiting
        # Delete before adding: a route that moves to another table must not be in both.
        desired = set(_static_routes(context.body))
        for table, prefix in sorted(set(_static_routes(before)) - desired):
            self._withdraw_static_route(context, attachment, table, prefix)
        tgw_routing.ensure_propagations(
            context, attachment, [context.body["spoke_table"]], filter(None, [before.get("spoke_table")])
        )
        for table, prefix in sorted(desired):
            self._ensure_static_route(context, attachment, table, prefix)
        return None

    def delete(self, context: AwsContext, item: Item) -> None:
        # A static route outlives its attachment as a blackhole, so it is deleted first.
        if (attachment := self._attachment(context, item)) is not None:
            for table, prefix in sorted({*_static_routes(context.body), *_static_routes(context.before or {})}):
                self._withdraw_static_route(context, attachment, table, prefix)
        context.api.write("DeleteVpnConnection", VpnConnectionId=item[self.id_key])

    def attributes(self, context: AwsContext, item: Item) -> dict[str, Any]:
        attachment = self._attachment(context, item)
        tunnels = [
            {"outside": tunnel.get("OutsideIpAddress", ""), "inside_cidr": tunnel.get("TunnelInsideCidr", "")}
            for tunnel in item.get("Options", {}).get("TunnelOptions") or []
        ]
        return {"id": item[self.id_key], "attachment": attachment, "tunnels": tunnels}

    def read_body(self, context: AwsContext, item: Item) -> dict[str, Any]:
        attachment = self._attachment(context, item)
        reported: dict[str, Any] = {"tgw": item.get("TransitGatewayId"), "cgw": item["CustomerGatewayId"]}
        inside = [tunnel.get("TunnelInsideCidr") for tunnel in item.get("Options", {}).get("TunnelOptions") or []]
        if inside and all(inside):
            reported["inside_cidrs"] = inside
        if attachment is None or not tgw_routing.is_associated(context, attachment, str(context.body["route_table"])):
            reported["route_table"] = None
        if attachment is None or not tgw_routing.is_propagated(context, attachment, str(context.body["spoke_table"])):
            reported["spoke_table"] = None
        reported["routes_spoke"] = [
            prefix
            for table, prefix in _static_routes(context.body)
            if attachment in (tgw_routing.static_route_targets(context, table, prefix) or [])
        ]
        return reported

    def _attachment(self, context: AwsContext, item: Item) -> str | None:
        """Return the id of the attachment that AWS creates with a connection; its answers never name it."""
        return next(iter(self._attachments(context, [item[self.id_key]])), None)

    def _attachments(self, context: AwsContext, connections: list[str]) -> list[str]:
        if not connections:
            return []
        attachments = context.api.list(
            "DescribeTransitGatewayAttachments",
            "TransitGatewayAttachments",
            Filters=[
                {"Name": "resource-type", "Values": ["vpn"]},
                {"Name": "resource-id", "Values": connections},
            ],
        )
        return [
            item["TransitGatewayAttachmentId"] for item in attachments if item["State"] not in {"deleted", "deleting"}
        ]

    def _sibling_attachments(self, context: AwsContext) -> list[str]:
        """Return the attachments of this segment's other VPNs, which carry our tag with another node's address."""
        segment = context.tag.partition("/vpn/")[0] + "/vpn/"
        vpns = context.api.list(
            self.listing, self.items, Filters=[{"Name": f"tag:{TENANT_TAG}", "Values": [context.tenant]}]
        )
        return self._attachments(
            context,
            [
                item[self.id_key]
                for item in vpns
                if tags_of(item).get(ADDRESS_TAG, "").startswith(segment)
                and tags_of(item)[ADDRESS_TAG] != context.tag
                and self.state(item) is ItemState.AVAILABLE
            ],
        )

    def _ensure_static_route(self, context: AwsContext, attachment: str, table: str, prefix: str) -> None:
        targets = tgw_routing.static_route_targets(context, table, prefix)
        if targets is not None and attachment in targets:
            return
        route = {"TransitGatewayRouteTableId": table, "DestinationCidrBlock": prefix}
        if targets is not None:
            if not targets or not set(targets) <= set(self._sibling_attachments(context)):
                raise context.permanent_error(
                    f"{table} already routes {prefix} to {', '.join(targets) or 'nowhere (blackhole)'}, "
                    "which is not ours. Remove that route, then retry.",
                    "ec2.CreateTransitGatewayRoute",
                    "RouteAlreadyExists",
                )
            # It moves here from the segment's other VPN, whose own step may run before or after this one.
            context.api.write("DeleteTransitGatewayRoute", **route)
        context.api.write("CreateTransitGatewayRoute", TransitGatewayAttachmentId=attachment, **route)

    def _withdraw_static_route(self, context: AwsContext, attachment: str, table: str, prefix: str) -> None:
        """Delete a static route, if it still leads to our attachment."""
        if attachment in (tgw_routing.static_route_targets(context, table, prefix) or []):
            context.api.write(
                "DeleteTransitGatewayRoute", TransitGatewayRouteTableId=table, DestinationCidrBlock=prefix
            )


def _static_routes(body: Body) -> Iterator[tuple[str, str]]:
    """Yield (table, prefix) of the static routes that a body asks for."""
    if table := body.get("spoke_table"):
        for prefix in body.get("routes_spoke") or []:
            yield str(table), str(prefix)
