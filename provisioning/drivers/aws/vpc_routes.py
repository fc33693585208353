"""VPC routes: routes in a customer's own route tables that lead to our transit gateway.

Routes carry no tags. A route is ours where we wrote its destination (``before`` is the write record) and its target
still is our transit gateway. Everything else in the table is the customer's: it is read, never written.
"""

from __future__ import annotations

from typing import ClassVar

from provisioning.core.values.resource import Body, Change
from provisioning.drivers.aws.tagged import AwsContext
from provisioning.drivers.base import Done, ObservedResource, Waiting
from provisioning.drivers.tagged import Item

TARGET_FIELDS = (
    "TransitGatewayId",
    "GatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)


class VpcRoutes:
    """Body: vpc_id, tgw, route_tables ("main", "all" or ids), prefixes.

    Attributes: tgw, route_tables, written (pairs of route table and prefix).
    """

    kind = "aws.vpc-routes"
    replace_on: ClassVar[frozenset[str]] = frozenset()

    def apply(self, context: AwsContext, change: Change) -> Done | Waiting:
        before, removing = context.before, change.action == "remove"
        tables = _list_route_tables(context)
        if not removing:
            _refuse_unknown_tables(context, tables)
        desired = set() if removing else _requested_routes(context.body, tables)
        ours = _requested_routes(before, tables) if before else set()
        current = {(table["RouteTableId"], _destination(route)): route for table in tables for route in table["Routes"]}
        # With the gateway that we wrote then: a reference in ``before`` may by now lead to its successor.
        records = (context.body, before, context.known_attributes)
        targets = {str(record["tgw"]) for record in records if record and record.get("tgw")}
        _refuse_foreign_routes(context, desired, current, targets)
        for table, prefix in sorted(desired):
            route = current.get((table, prefix))
            if route is None:
                context.api.write(
                    "CreateRoute",
                    RouteTableId=table,
                    TransitGatewayId=context.body["tgw"],
                    **_destination_argument(prefix),
                )
            elif _target(route) != context.body["tgw"]:
                context.api.write(
                    "ReplaceRoute",
                    RouteTableId=table,
                    TransitGatewayId=context.body["tgw"],
                    **_destination_argument(prefix),
                )
        for table, prefix in sorted(ours - desired):
            route = current.get((table, prefix))
            if route is not None and _target(route) in targets:
                context.api.write("DeleteRoute", RouteTableId=table, **_destination_argument(prefix))
        return Done({}, None) if removing else Done(_attributes(context, desired), dict(context.body))

    def observe(self, context: AwsContext) -> ObservedResource:
        """Return the body with those prefixes that every chosen table routes to our gateway."""
        chosen = _select_tables(context.body["route_tables"], _list_route_tables(context))
        routed = {
            (table["RouteTableId"], _destination(route))
            for table in chosen
            for route in table["Routes"]
            if _target(route) == context.body["tgw"]
        }
        if not routed:
            return ObservedResource(context.address, self.kind, None, {})
        prefixes = [
            prefix
            for prefix in context.body["prefixes"]
            if all((table["RouteTableId"], prefix) in routed for table in chosen)
        ]
        return ObservedResource(
            context.address, self.kind, {**context.body, "prefixes": prefixes}, _attributes(context, routed)
        )


def _list_route_tables(context: AwsContext) -> list[Item]:
    vpc = str(context.body["vpc_id"])
    return context.api.list("DescribeRouteTables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])


def _refuse_unknown_tables(context: AwsContext, tables: list[Item]) -> None:
    """Raise where the body names a route table that the VPC does not have; it would be left out silently."""
    existing = {table["RouteTableId"] for table in tables}
    which = context.body["route_tables"]
    missing = sorted(set(which) - existing) if isinstance(which, list | tuple) else []
    if not tables or missing:
        raise context.permanent_error(
            f"{context.body['vpc_id']} in {context.api.region} has no route table {', '.join(missing)}".rstrip()
            + ". Correct the connector's VPC or route tables.",
            "ec2.DescribeRouteTables",
            "InvalidRouteTableID.NotFound",
        )


def _refuse_foreign_routes(
    context: AwsContext, desired: set[tuple[str, str]], current: dict[tuple[str, str], Item], targets: set[str]
) -> None:
    """Raise before anything is written, naming every route of somebody else that stands in the way."""
    foreign = [
        f"{table} already routes {prefix} to {_target(route)}"
        for (table, prefix) in sorted(desired)
        if (route := current.get((table, prefix))) is not None and _target(route) not in targets
    ]
    if foreign:
        raise context.permanent_error(
            f"{'; '.join(foreign)}. Causeway never overwrites a route it did not write: remove it, or name the "
            "connector's route tables without this one.",
            "ec2.CreateRoute",
            "RouteAlreadyExists",
        )


def _attributes(context: AwsContext, written: set[tuple[str, str]]) -> dict[str, object]:
    return {
        "tgw": context.body["tgw"],
        "route_tables": sorted({table for table, _ in written}),
        "written": [list(pair) for pair in sorted(written)],
    }


def _select_tables(which: object, tables: list[Item]) -> list[Item]:
    if which == "all":
        return tables
    if which == "main":
        return [table for table in tables if any(link.get("Main") for link in table.get("Associations") or [])]
    table_ids = set(which) if isinstance(which, list | tuple) else set()
    return [table for table in tables if table["RouteTableId"] in table_ids]


def _requested_routes(body: Body, tables: list[Item]) -> set[tuple[str, str]]:
    """Return the (route table, destination) pairs that a body asks for."""
    chosen = _select_tables(body["route_tables"], tables)
    return {(table["RouteTableId"], prefix) for table in chosen for prefix in body["prefixes"]}


def _destination(route: Item) -> str:
    return str(
        route.get("DestinationCidrBlock")
        or route.get("DestinationIpv6CidrBlock")
        or route.get("DestinationPrefixListId")
    )


def _destination_argument(prefix: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in prefix else "DestinationCidrBlock": prefix}


def _target(route: Item) -> str:
    return str(next((route[name] for name in TARGET_FIELDS if route.get(name)), "nothing"))
