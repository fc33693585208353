"""Routes in a customer's own route tables that lead to our transit gateway.

Routes carry no tags. Ours is one whose destination we wrote (``before`` is the write record) and whose target still is
our transit gateway; everything else in the table is the customer's and is read, never written.
"""

from __future__ import annotations

from typing import ClassVar

from provisioning.core.values.resource import Body, Change
from provisioning.drivers.aws.tagged import AwsItem, ResourceContext
from provisioning.drivers.base import Done, ObservedResource, Waiting

TARGETS = (
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
    """Body: vpc_id, tgw, route_tables ("main", "all" or ids), prefixes. Attributes: tgw, route_tables, written."""

    kind = "aws.vpc-routes"
    replace_on: ClassVar[frozenset[str]] = frozenset()

    def apply(self, context: ResourceContext, change: Change) -> Done | Waiting:
        before, removing = context.before, change.action == "remove"
        tables = _list_route_tables(context)
        if not removing:
            _refuse_unknown_tables(context, tables)
        desired = set() if removing else _requested_routes(context.body, tables)
        ours = _requested_routes(before, tables) if before else set()
        there = {(table["RouteTableId"], _destination(route)): route for table in tables for route in table["Routes"]}
        # The gateway we wrote then: a reference in ``before`` may by now lead to its successor.
        targets = {
            str(held["tgw"]) for held in (context.body, before, context.known_attributes) if held and held.get("tgw")
        }
        _refuse_foreign_routes(context, desired, there, targets)
        for table, prefix in sorted(desired):
            route = there.get((table, prefix))
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
            route = there.get((table, prefix))
            if route is not None and _target(route) in targets:
                context.api.write("DeleteRoute", RouteTableId=table, **_destination_argument(prefix))
        return Done({}, None) if removing else Done(_attributes(context, desired), dict(context.body))

    def observe(self, context: ResourceContext) -> ObservedResource:
        """The prefixes that every table holds towards our gateway; a lost one shows as missing."""
        chosen = _select_tables(context.body["route_tables"], _list_route_tables(context))
        held = {
            (table["RouteTableId"], _destination(route))
            for table in chosen
            for route in table["Routes"]
            if _target(route) == context.body["tgw"]
        }
        if not held:
            return ObservedResource(context.address, self.kind, None, {})
        prefixes = [
            prefix
            for prefix in context.body["prefixes"]
            if all((table["RouteTableId"], prefix) in held for table in chosen)
        ]
        return ObservedResource(
            context.address, self.kind, {**context.body, "prefixes": prefixes}, _attributes(context, held)
        )


def _list_route_tables(context: ResourceContext) -> list[AwsItem]:
    vpc = str(context.body["vpc_id"])
    return context.api.list("DescribeRouteTables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])


def _refuse_unknown_tables(context: ResourceContext, tables: list[AwsItem]) -> None:
    """A table by name that the VPC does not have would otherwise be left out without a word."""
    there = {table["RouteTableId"] for table in tables}
    which = context.body["route_tables"]
    missing = sorted(set(which) - there) if isinstance(which, list | tuple) else []
    if not tables or missing:
        raise context.permanent_error(
            f"{context.body['vpc_id']} in {context.api.region} has no route table {', '.join(missing)}".rstrip()
            + ". Correct the connector's VPC or route tables.",
            "ec2.DescribeRouteTables",
            "InvalidRouteTableID.NotFound",
        )


def _refuse_foreign_routes(
    context: ResourceContext, desired: set[tuple[str, str]], there: dict[tuple[str, str], AwsItem], targets: set[str]
) -> None:
    """Told before anything is written, all at once."""
    foreign = [
        f"{table} already routes {prefix} to {_target(route)}"
        for (table, prefix) in sorted(desired)
        if (route := there.get((table, prefix))) is not None and _target(route) not in targets
    ]
    if foreign:
        raise context.permanent_error(
            f"{'; '.join(foreign)}. Causeway never overwrites a route it did not write: remove it, or name the "
            "connector's route tables without this one.",
            "ec2.CreateRoute",
            "RouteAlreadyExists",
        )


def _attributes(context: ResourceContext, written: set[tuple[str, str]]) -> dict[str, object]:
    return {
        "tgw": context.body["tgw"],
        "route_tables": sorted({table for table, _ in written}),
        "written": [list(pair) for pair in sorted(written)],
    }


def _select_tables(which: object, tables: list[AwsItem]) -> list[AwsItem]:
    if which == "all":
        return tables
    if which == "main":
        return [table for table in tables if any(each.get("Main") for each in table.get("Associations") or [])]
    named = set(which) if isinstance(which, list | tuple) else set()
    return [table for table in tables if table["RouteTableId"] in named]


def _requested_routes(body: Body, tables: list[AwsItem]) -> set[tuple[str, str]]:
    """(route table, destination) a body asks for."""
    chosen = _select_tables(body["route_tables"], tables)
    return {(table["RouteTableId"], prefix) for table in chosen for prefix in body["prefixes"]}


def _destination(route: AwsItem) -> str:
    return str(
        route.get("DestinationCidrBlock")
        or route.get("DestinationIpv6CidrBlock")
        or route.get("DestinationPrefixListId")
    )


def _destination_argument(prefix: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in prefix else "DestinationCidrBlock": prefix}


def _target(route: AwsItem) -> str:
    return str(next((route[name] for name in TARGETS if route.get(name)), "nothing"))
