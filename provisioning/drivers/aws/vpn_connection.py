"""Two tunnels from a transit gateway to one exchange node, for one segment.

The VPN looks at the segment's exchange table. Into the spoke table its routes come by BGP: with both nodes' VPNs
propagating there, AWS spreads flows over four tunnels and a dead node's routes vanish. Static routes stand beside them
where the plan says so; a table takes one static route for a destination, so the plan gives each to one VPN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.core.values.resource import Body
from provisioning.drivers.aws import tgw_routing
from provisioning.drivers.aws.tagged import ADDRESS_TAG, TENANT_TAG, AwsItem, ResourceContext, TaggedResource, tags_of
from provisioning.drivers.base import Waiting


class VpnConnection(TaggedResource):
    """Body: tgw, cgw, route_table (exchange), spoke_table, inside_cidrs (2), routes_spoke (static prefixes).

    Attributes: id, attachment, tunnels ([{"outside", "inside_cidr"}]).
    Pre-shared keys are not among them: what is known of a step is shown to people.
    """

    kind = "aws.vpn-connection"
    replace_on = frozenset({"tgw", "cgw", "inside_cidrs"})
    listing, items, id_key = "DescribeVpnConnections", "VpnConnections", "VpnConnectionId"
    resource_type = "vpn-connection"
    poll_seconds = 15.0

    def create(self, context: ResourceContext) -> AwsItem:
        tunnels = [{"TunnelInsideCidr": cidr} for cidr in context.body.get("inside_cidrs") or []]
        answer = context.api.write(
            "CreateVpnConnection",
            Type="ipsec.1",
            CustomerGatewayId=context.body["cgw"],
            TransitGatewayId=context.body["tgw"],
            Options={"StaticRoutesOnly": False, **({"TunnelOptions": tunnels} if tunnels else {})},
            TagSpecifications=context.tags(self.resource_type),
        )
        item: AwsItem = answer["VpnConnection"]
        return item

    def reconcile(self, context: ResourceContext, found: AwsItem) -> Waiting | None:
        attachment, before = self._attachment(context, found), context.before or {}
        if attachment is None:
            return Waiting(self.poll_seconds, f"{found[self.id_key]} has no attachment yet")
        if waiting := tgw_routing.ensure_association(
            context, attachment, context.body["route_table"], before.get("route_table")
        ):
            return waiting
        # Cleared before the new ones come: a route that moves to another table must not be in both.
        desired = set(_static_routes(context.body))
        for table, prefix in sorted(set(_static_routes(before)) - desired):
            self._withdraw_static_route(context, attachment, table, prefix)
        tgw_routing.ensure_propagations(
            context, attachment, [context.body["spoke_table"]], filter(None, [before.get("spoke_table")])
        )
        for table, prefix in sorted(desired):
            self._ensure_static_route(context, attachment, table, prefix)
        return None

    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        # A static route outlives its attachment as a blackhole, so it goes first.
        if (attachment := self._attachment(context, found)) is not None:
            for table, prefix in sorted({*_static_routes(context.body), *_static_routes(context.before or {})}):
                self._withdraw_static_route(context, attachment, table, prefix)
        context.api.write("DeleteVpnConnection", VpnConnectionId=found[self.id_key])

    def attributes(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        attachment = self._attachment(context, found)
        tunnels = [
            {"outside": tunnel.get("OutsideIpAddress", ""), "inside_cidr": tunnel.get("TunnelInsideCidr", "")}
            for tunnel in found.get("Options", {}).get("TunnelOptions") or []
        ]
        return {"id": found[self.id_key], "attachment": attachment, "tunnels": tunnels}

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        attachment = self._attachment(context, found)
        told: dict[str, Any] = {"tgw": found.get("TransitGatewayId"), "cgw": found["CustomerGatewayId"]}
        inside = [tunnel.get("TunnelInsideCidr") for tunnel in found.get("Options", {}).get("TunnelOptions") or []]
        if inside and all(inside):
            told["inside_cidrs"] = inside
        if attachment is None or not tgw_routing.is_associated(context, attachment, str(context.body["route_table"])):
            told["route_table"] = None
        if attachment is None or not tgw_routing.is_propagated(context, attachment, str(context.body["spoke_table"])):
            told["spoke_table"] = None
        told["routes_spoke"] = [
            prefix
            for table, prefix in _static_routes(context.body)
            if attachment in (tgw_routing.static_route_targets(context, table, prefix) or [])
        ]
        return told

    def _attachment(self, context: ResourceContext, found: AwsItem) -> str | None:
        """AWS makes the attachment with the connection, but never names it in the same breath."""
        return next(iter(self._attachments(context, [found[self.id_key]])), None)

    def _attachments(self, context: ResourceContext, connections: list[str]) -> list[str]:
        if not connections:
            return []
        listed = context.api.list(
            "DescribeTransitGatewayAttachments",
            "TransitGatewayAttachments",
            Filters=[
                {"Name": "resource-type", "Values": ["vpn"]},
                {"Name": "resource-id", "Values": connections},
            ],
        )
        return [item["TransitGatewayAttachmentId"] for item in listed if item["State"] not in {"deleted", "deleting"}]

    def _sibling_attachments(self, context: ResourceContext) -> list[str]:
        """Attachments of this segment's other VPNs: ours by their tags, told apart by the last parts of the address."""
        segment = context.tag.partition("/vpn/")[0] + "/vpn/"
        listed = context.api.list(
            self.listing, self.items, Filters=[{"Name": f"tag:{TENANT_TAG}", "Values": [context.tenant]}]
        )
        return self._attachments(
            context,
            [
                item[self.id_key]
                for item in listed
                if tags_of(item).get(ADDRESS_TAG, "").startswith(segment)
                and tags_of(item)[ADDRESS_TAG] != context.tag
                and self.state(item) == "available"
            ],
        )

    def _ensure_static_route(self, context: ResourceContext, attachment: str, table: str, prefix: str) -> None:
        via = tgw_routing.static_route_targets(context, table, prefix)
        if via is not None and attachment in via:
            return
        route = {"TransitGatewayRouteTableId": table, "DestinationCidrBlock": prefix}
        if via is not None:
            if not via or not set(via) <= set(self._sibling_attachments(context)):
                raise context.permanent_error(
                    f"{table} already routes {prefix} to {', '.join(via) or 'nowhere (blackhole)'}, which is not ours. "
                    "Remove that route, then retry.",
                    "ec2.CreateTransitGatewayRoute",
                    "RouteAlreadyExists",
                )
            # It moves here from the segment's other VPN, whose own step may come before or after this one.
            context.api.write("DeleteTransitGatewayRoute", **route)
        context.api.write("CreateTransitGatewayRoute", TransitGatewayAttachmentId=attachment, **route)

    def _withdraw_static_route(self, context: ResourceContext, attachment: str, table: str, prefix: str) -> None:
        """Take a static route away, if it still is what we wrote."""
        if attachment in (tgw_routing.static_route_targets(context, table, prefix) or []):
            context.api.write(
                "DeleteTransitGatewayRoute", TransitGatewayRouteTableId=table, DestinationCidrBlock=prefix
            )


def _static_routes(body: Body) -> Iterator[tuple[str, str]]:
    """(table, prefix) of the static routes a body asks for."""
    if table := body.get("spoke_table"):
        for prefix in body.get("routes_spoke") or []:
            yield str(table), str(prefix)
