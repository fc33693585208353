"""Two tunnels from a transit gateway to one exchange node, for one segment.

The VPN looks at the segment's exchange table. Into the spoke table its routes come by BGP: with both nodes' VPNs
propagating there, AWS spreads flows over four tunnels and a dead node's routes vanish. Static routes stand beside them
where the plan says so; a table takes one static route for a destination, so the plan gives each to one VPN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.core.values.resource import Body
from provisioning.drivers.aws import routing
from provisioning.drivers.aws.noun import ADDRESS, OWNER, Item, Job, Noun, tags_of
from provisioning.drivers.base import Waiting


class VpnConnection(Noun):
    """Body: tgw, cgw, route_table (exchange), spoke_table, inside_cidrs (2), routes_spoke (static prefixes).

    Attributes: id, attachment, tunnels ([{"outside", "inside_cidr"}]).
    Pre-shared keys are not among them: what is known of a step is shown to people.
    """

    kind = "aws.vpn-connection"
    replace_on = frozenset({"tgw", "cgw", "inside_cidrs"})
    listing, items, id_key = "DescribeVpnConnections", "VpnConnections", "VpnConnectionId"
    resource_type = "vpn-connection"
    poll_seconds = 15.0

    def create(self, job: Job) -> Item:
        tunnels = [{"TunnelInsideCidr": cidr} for cidr in job.body.get("inside_cidrs") or []]
        answer = job.api.write(
            "CreateVpnConnection",
            Type="ipsec.1",
            CustomerGatewayId=job.body["cgw"],
            TransitGatewayId=job.body["tgw"],
            Options={"StaticRoutesOnly": False, **({"TunnelOptions": tunnels} if tunnels else {})},
            TagSpecifications=job.tags(self.resource_type),
        )
        item: Item = answer["VpnConnection"]
        return item

    def settle(self, job: Job, found: Item) -> Waiting | None:
        attachment, before = self._attachment(job, found), job.before or {}
        if attachment is None:
            return Waiting(self.poll_seconds, f"{found[self.id_key]} has no attachment yet")
        if waiting := routing.associated(job, attachment, job.body["route_table"], before.get("route_table")):
            return waiting
        # Cleared before the new ones come: a route that moves to another table must not be in both.
        wanted = set(_static(job.body))
        for table, prefix in sorted(set(_static(before)) - wanted):
            self._withdraw(job, attachment, table, prefix)
        routing.propagated(job, attachment, [job.body["spoke_table"]], filter(None, [before.get("spoke_table")]))
        for table, prefix in sorted(wanted):
            self._route(job, attachment, table, prefix)
        return None

    def delete(self, job: Job, found: Item) -> None:
        # A static route outlives its attachment as a blackhole, so it goes first.
        if (attachment := self._attachment(job, found)) is not None:
            for table, prefix in sorted({*_static(job.body), *_static(job.before or {})}):
                self._withdraw(job, attachment, table, prefix)
        job.api.write("DeleteVpnConnection", VpnConnectionId=found[self.id_key])

    def attributes(self, job: Job, found: Item) -> dict[str, Any]:
        attachment = self._attachment(job, found)
        tunnels = [
            {"outside": tunnel.get("OutsideIpAddress", ""), "inside_cidr": tunnel.get("TunnelInsideCidr", "")}
            for tunnel in found.get("Options", {}).get("TunnelOptions") or []
        ]
        return {"id": found[self.id_key], "attachment": attachment, "tunnels": tunnels}

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        attachment = self._attachment(job, found)
        told: dict[str, Any] = {"tgw": found.get("TransitGatewayId"), "cgw": found["CustomerGatewayId"]}
        inside = [tunnel.get("TunnelInsideCidr") for tunnel in found.get("Options", {}).get("TunnelOptions") or []]
        if inside and all(inside):
            told["inside_cidrs"] = inside
        if attachment is None or not routing.is_associated(job, attachment, str(job.body["route_table"])):
            told["route_table"] = None
        if attachment is None or not routing.propagates(job, attachment, str(job.body["spoke_table"])):
            told["spoke_table"] = None
        told["routes_spoke"] = [
            prefix
            for table, prefix in _static(job.body)
            if attachment in (routing.static_route(job, table, prefix) or [])
        ]
        return told

    def _attachment(self, job: Job, found: Item) -> str | None:
        """AWS makes the attachment with the connection, but never names it in the same breath."""
        return next(iter(self._attachments(job, [found[self.id_key]])), None)

    def _attachments(self, job: Job, connections: list[str]) -> list[str]:
        if not connections:
            return []
        listed = job.api.list(
            "DescribeTransitGatewayAttachments",
            "TransitGatewayAttachments",
            Filters=[
                {"Name": "resource-type", "Values": ["vpn"]},
                {"Name": "resource-id", "Values": connections},
            ],
        )
        return [item["TransitGatewayAttachmentId"] for item in listed if item["State"] not in {"deleted", "deleting"}]

    def _siblings(self, job: Job) -> list[str]:
        """Attachments of this segment's other VPNs: ours by their tags, told apart by the last parts of the address."""
        segment = job.tag.partition("/vpn/")[0] + "/vpn/"
        listed = job.api.list(self.listing, self.items, Filters=[{"Name": f"tag:{OWNER}", "Values": [job.tenant]}])
        return self._attachments(
            job,
            [
                item[self.id_key]
                for item in listed
                if tags_of(item).get(ADDRESS, "").startswith(segment)
                and tags_of(item)[ADDRESS] != job.tag
                and self.state(item) == "available"
            ],
        )

    def _route(self, job: Job, attachment: str, table: str, prefix: str) -> None:
        via = routing.static_route(job, table, prefix)
        if via is not None and attachment in via:
            return
        route = {"TransitGatewayRouteTableId": table, "DestinationCidrBlock": prefix}
        if via is not None:
            if not via or not set(via) <= set(self._siblings(job)):
                raise job.refuse(
                    f"{table} already routes {prefix} to {', '.join(via) or 'nowhere (blackhole)'}, which is not ours. "
                    "Remove that route, then retry.",
                    "ec2.CreateTransitGatewayRoute",
                    "RouteAlreadyExists",
                )
            # It moves here from the segment's other VPN, whose own step may come before or after this one.
            job.api.write("DeleteTransitGatewayRoute", **route)
        job.api.write("CreateTransitGatewayRoute", TransitGatewayAttachmentId=attachment, **route)

    def _withdraw(self, job: Job, attachment: str, table: str, prefix: str) -> None:
        """Take a static route away, if it still is what we wrote."""
        if attachment in (routing.static_route(job, table, prefix) or []):
            job.api.write("DeleteTransitGatewayRoute", TransitGatewayRouteTableId=table, DestinationCidrBlock=prefix)


def _static(body: Body) -> Iterator[tuple[str, str]]:
    """(table, prefix) of the static routes a body asks for."""
    if table := body.get("spoke_table"):
        for prefix in body.get("routes_spoke") or []:
            yield str(table), str(prefix)
