"""Association, propagation and static routes: how an attachment uses transit gateway route tables.

None of them carries tags, so each belongs to the attachment it names. Somebody else's route for the same destination
is an error that names it; it is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.drivers.aws.tagged import AwsContext
from provisioning.drivers.base import DriverError, Waiting
from provisioning.drivers.tagged import Item


def ensure_association(context: AwsContext, attachment: str, table: str, previous: str | None) -> Waiting | None:
    """Associate the attachment with this table; leave another table only when it is ``previous``, set by us."""
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


def _association_state(context: AwsContext, attachment: str, table: str) -> str | None:
    associations = context.api.list(
        "GetTransitGatewayRouteTableAssociations",
        "Associations",
        TransitGatewayRouteTableId=table,
        Filters=[{"Name": "transit-gateway-attachment-id", "Values": [attachment]}],
    )
    return next((str(association["State"]) for association in associations), None)


def _move_association(
    context: AwsContext, attachment: str, table: str, previous: str | None, error: DriverError
) -> Waiting:
    """Leave the table that the attachment is associated with, if that is ``previous``; raises where it is not ours."""
    attachments = context.api.list(
        "DescribeTransitGatewayAttachments", "TransitGatewayAttachments", TransitGatewayAttachmentIds=[attachment]
    )
    association = attachments[0].get("Association", {}) if attachments else {}
    other = association.get("TransitGatewayRouteTableId")
    if other is None or other == table or association.get("State") == "disassociating":
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


def ensure_propagations(context: AwsContext, attachment: str, desired: Iterable[str], previous: Iterable[str]) -> None:
    """Propagate the attachment's routes into the desired tables, and no longer into the other ``previous`` ones."""
    desired_tables = set(desired)
    for table in sorted(desired_tables):
        if not _active_propagations(context, attachment, table):
            context.api.write(
                "EnableTransitGatewayRouteTablePropagation",
                TransitGatewayRouteTableId=table,
                TransitGatewayAttachmentId=attachment,
            )
    for table in sorted(set(previous) - desired_tables):
        if _active_propagations(context, attachment, table):
            context.api.write(
                "DisableTransitGatewayRouteTablePropagation",
                TransitGatewayRouteTableId=table,
                TransitGatewayAttachmentId=attachment,
            )


def is_associated(context: AwsContext, attachment: str, table: str) -> bool:
    return _association_state(context, attachment, table) == "associated"


def is_propagated(context: AwsContext, attachment: str, table: str) -> bool:
    return bool(_active_propagations(context, attachment, table))


def _active_propagations(context: AwsContext, attachment: str, table: str) -> list[Item]:
    propagations = context.api.list(
        "GetTransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTablePropagations",
        TransitGatewayRouteTableId=table,
        Filters=[{"Name": "transit-gateway-attachment-id", "Values": [attachment]}],
    )
    return [propagation for propagation in propagations if propagation["State"] in {"enabled", "enabling"}]


def static_route_targets(context: AwsContext, table: str, prefix: str) -> list[str] | None:
    """Return the attachments that the static route of this prefix leads to ([]: a blackhole); None without one."""
    routes = context.api.list(
        "SearchTransitGatewayRoutes",
        "Routes",
        TransitGatewayRouteTableId=table,
        Filters=[
            {"Name": "type", "Values": ["static"]},
            {"Name": "route-search.exact-match", "Values": [prefix]},
        ],
    )
    for route in routes:
        if route.get("State") not in {"deleting", "deleted"}:
            return [target["TransitGatewayAttachmentId"] for target in route.get("TransitGatewayAttachments") or []]
    return None
