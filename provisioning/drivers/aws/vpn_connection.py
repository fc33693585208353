"""Two tunnels from a transit gateway to one exchange node, for one segment.

The VPN looks at the segment's exchange table. Into the spoke table its routes come by BGP (``propagate``): with both
nodes' VPNs there, AWS spreads flows over four tunnels and a dead node's routes vanish. Static routes (``routes_spoke``)
are possible too, but AWS takes one target for a destination: the first VPN of the segment holds it, the other stands
by and takes it over when the first is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.drivers.aws import routing
from provisioning.drivers.aws.noun import ADDRESS, OWNER, Item, Job, Noun, tags_of
from provisioning.drivers.base import Waiting


class VpnConnection(Noun):
    """Body: tgw, cgw, route_table, inside_cidrs (2), and ``propagate`` (a table) or
    ``routes_spoke`` ({"route_table", "prefixes"}), or neither.

    Attributes: id, attachment, tunnels ([{"outside", "inside_cidr"}]), standby (prefixes another VPN holds).
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
        routing.propagated(
            job, attachment, filter(None, [job.body.get("propagate")]), filter(None, [before.get("propagate")])
        )
        self._route(job, attachment)
        return None

    def delete(self, job: Job, found: Item) -> None:
        # A static route outlives its attachment as a blackhole, so it goes (or moves to the other VPN) first.
        if (attachment := self._attachment(job, found)) is not None:
            for body in (job.body, job.before or {}):
                for table, prefix in _static(body):
                    self._withdraw(job, attachment, table, prefix)
        job.api.write("DeleteVpnConnection", VpnConnectionId=found[self.id_key])

    def attributes(self, job: Job, found: Item) -> dict[str, Any]:
        attachment = self._attachment(job, found)
        tunnels = [
            {"outside": tunnel.get("OutsideIpAddress", ""), "inside_cidr": tunnel.get("TunnelInsideCidr", "")}
            for tunnel in found.get("Options", {}).get("TunnelOptions") or []
        ]
        standby = [
            prefix
            for table, prefix in _static(job.body)
            if attachment not in (routing.static_route(job, table, prefix) or [])
        ]
        return {"id": found[self.id_key], "attachment": attachment, "tunnels": tunnels, "standby": standby}

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        attachment = self._attachment(job, found)
        told: dict[str, Any] = {"tgw": found.get("TransitGatewayId"), "cgw": found["CustomerGatewayId"]}
        inside = [tunnel.get("TunnelInsideCidr") for tunnel in found.get("Options", {}).get("TunnelOptions") or []]
        if inside and all(inside):
            told["inside_cidrs"] = inside
        if attachment is None or not routing.is_associated(job, attachment, str(job.body["route_table"])):
            told["route_table"] = None
        if (table := job.body.get("propagate")) and not (attachment and routing.propagates(job, attachment, table)):
            told["propagate"] = None
        if spoke := job.body.get("routes_spoke"):
            held = [prefix for table, prefix in _static(job.body) if routing.static_route(job, table, prefix)]
            told["routes_spoke"] = {**spoke, "prefixes": held}
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

    def _route(self, job: Job, attachment: str) -> None:
        wanted = set(_static(job.body))
        for table, prefix in sorted(wanted):
            via = routing.static_route(job, table, prefix)
            if via is None:
                job.api.write(
                    "CreateTransitGatewayRoute",
                    TransitGatewayRouteTableId=table,
                    DestinationCidrBlock=prefix,
                    TransitGatewayAttachmentId=attachment,
                )
            elif attachment not in via and not set(via) & set(self._siblings(job)):
                raise job.refuse(
                    f"{table} already routes {prefix} to {', '.join(via) or 'nowhere (blackhole)'}, which is not ours. "
                    "Remove that route, then retry.",
                    "ec2.CreateTransitGatewayRoute",
                    "RouteAlreadyExists",
                )
        for table, prefix in sorted(set(_static(job.before or {})) - wanted):
            self._withdraw(job, attachment, table, prefix, heir=False)

    def _withdraw(self, job: Job, attachment: str, table: str, prefix: str, *, heir: bool = True) -> None:
        """Take a static route of ours away, or hand it to the segment's other VPN."""
        if attachment not in (routing.static_route(job, table, prefix) or []):
            return
        route = {"TransitGatewayRouteTableId": table, "DestinationCidrBlock": prefix}
        siblings = self._siblings(job) if heir else []
        if siblings:
            job.api.write("ReplaceTransitGatewayRoute", TransitGatewayAttachmentId=siblings[0], **route)
        else:
            job.api.write("DeleteTransitGatewayRoute", **route)


def _static(body: Any) -> Iterator[tuple[str, str]]:
    """(table, prefix) of the static routes a body asks for."""
    spoke = body.get("routes_spoke") or {}
    for prefix in spoke.get("prefixes") or []:
        yield str(spoke["route_table"]), str(prefix)
