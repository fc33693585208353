"""What binds an attachment to transit gateway route tables: association, propagation, static routes.

None of them carries tags, so each belongs to the attachment it names. A route of somebody else for the same
destination is an error that names it; it is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.drivers.aws.tagged import AwsItem, ResourceContext
from provisioning.drivers.base import DriverError, Waiting


def ensure_association(context: ResourceContext, attachment: str, table: str, previous: str | None) -> Waiting | None:
    """The attachment looks at this table. One it looked at before is left only when we associated it."""
    state = _association_state(context, attachment, table)
    if state is None:
        try:
            context.api.write(
                "AssociateTransitGatewayRouteTable",
                TransitGatewayRouteTableId=table,
                TransitGatewayAttachmentId=attachment,
            )
        except DriverError as error:
            if error.code != "Resource.AlreadyAssociated":
                raise
            return _move_association(context, attachment, table, previous, error)
        state = _association_state(context, attachment, table) or "associating"
    return None if state == "associated" else Waiting(5, f"{attachment} is {state} with {table}")


def _association_state(context: ResourceContext, attachment: str, table: str) -> str | None:
    found = context.api.list(
        "GetTransitGatewayRouteTableAssociations",
        "Associations",
        TransitGatewayRouteTableId=table,
        Filters=[{"Name": "transit-gateway-attachment-id", "Values": [attachment]}],
    )
    return next((str(item["State"]) for item in found), None)


def _move_association(
    context: ResourceContext, attachment: str, table: str, previous: str | None, error: DriverError
) -> Waiting:
    current = next(
        iter(
            context.api.list(
                "DescribeTransitGatewayAttachments",
                "TransitGatewayAttachments",
                TransitGatewayAttachmentIds=[attachment],
            )
        ),
        {},
    ).get("Association", {})
    other = current.get("TransitGatewayRouteTableId")
    if other is None or other == table or current.get("State") == "disassociating":
        return Waiting(5, f"{attachment} is changing its route table")
    if other != previous:
        raise context.permanent_error(
            f"{attachment} is associated with route table {other}, which is not ours. Disassociate it, then retry.",
            error.call,
            error.code,
        ) from error
    context.api.write(
        "DisassociateTransitGatewayRouteTable", TransitGatewayRouteTableId=other, TransitGatewayAttachmentId=attachment
    )
    return Waiting(5, f"{attachment} is leaving route table {other}")


def ensure_propagations(
    context: ResourceContext, attachment: str, desired: Iterable[str], previous: Iterable[str]
) -> None:
    """The attachment's routes appear in exactly the wanted tables, of those we ever named."""
    desired = set(desired)
    for table in sorted(desired):
        if not _active_propagations(context, attachment, table):
            context.api.write(
                "EnableTransitGatewayRouteTablePropagation",
                TransitGatewayRouteTableId=table,
                TransitGatewayAttachmentId=attachment,
            )
    for table in sorted(set(previous) - desired):
        if _active_propagations(context, attachment, table):
            context.api.write(
                "DisableTransitGatewayRouteTablePropagation",
                TransitGatewayRouteTableId=table,
                TransitGatewayAttachmentId=attachment,
            )


def is_associated(context: ResourceContext, attachment: str, table: str) -> bool:
    return _association_state(context, attachment, table) == "associated"


def is_propagated(context: ResourceContext, attachment: str, table: str) -> bool:
    return bool(_active_propagations(context, attachment, table))


def _active_propagations(context: ResourceContext, attachment: str, table: str) -> list[AwsItem]:
    found = context.api.list(
        "GetTransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTablePropagations",
        TransitGatewayRouteTableId=table,
        Filters=[{"Name": "transit-gateway-attachment-id", "Values": [attachment]}],
    )
    return [item for item in found if item["State"] in {"enabled", "enabling"}]


def static_route_targets(context: ResourceContext, table: str, prefix: str) -> list[str] | None:
    """The attachments a static route of exactly this prefix leads to ([]: a blackhole); None without such a route."""
    found = context.api.list(
        "SearchTransitGatewayRoutes",
        "Routes",
        TransitGatewayRouteTableId=table,
        Filters=[
            {"Name": "type", "Values": ["static"]},
            {"Name": "route-search.exact-match", "Values": [prefix]},
        ],
    )
    for route in found:
        if route.get("State") not in {"deleting", "deleted"}:
            return [via["TransitGatewayAttachmentId"] for via in route.get("TransitGatewayAttachments") or []]
    return None
