"""Routes in a customer's own route tables that lead to our transit gateway.

Routes carry no tags. Ours is one whose destination we wrote (``before`` is the write record) and whose target still is
our transit gateway; everything else in the table is the customer's and is read, never written.
"""

from __future__ import annotations

from typing import ClassVar

from provisioning.core.values.resource import Body, Change
from provisioning.drivers.aws.noun import Item, Job
from provisioning.drivers.base import Done, Observed, Waiting

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

    def apply(self, job: Job, change: Change) -> Done | Waiting:
        before, removing = job.before, change.action == "remove"
        tables = _tables(job)
        if not removing:
            _refuse_unknown(job, tables)
        wanted = set() if removing else _pairs(job.body, tables)
        ours = _pairs(before, tables) if before else set()
        there = {(table["RouteTableId"], _destination(route)): route for table in tables for route in table["Routes"]}
        # The gateway we wrote then: a reference in ``before`` may by now lead to its successor.
        targets = {str(held["tgw"]) for held in (job.body, before, job.known) if held and held.get("tgw")}
        _refuse_foreign(job, wanted, there, targets)
        for table, prefix in sorted(wanted):
            route = there.get((table, prefix))
            if route is None:
                job.api.write("CreateRoute", RouteTableId=table, TransitGatewayId=job.body["tgw"], **_argument(prefix))
            elif _target(route) != job.body["tgw"]:
                job.api.write("ReplaceRoute", RouteTableId=table, TransitGatewayId=job.body["tgw"], **_argument(prefix))
        for table, prefix in sorted(ours - wanted):
            route = there.get((table, prefix))
            if route is not None and _target(route) in targets:
                job.api.write("DeleteRoute", RouteTableId=table, **_argument(prefix))
        return Done({}, None) if removing else Done(_attributes(job, wanted), dict(job.body))

    def observe(self, job: Job) -> Observed:
        """The prefixes that every table holds towards our gateway; a lost one shows as missing."""
        chosen = _chosen(job.body["route_tables"], _tables(job))
        held = {
            (table["RouteTableId"], _destination(route))
            for table in chosen
            for route in table["Routes"]
            if _target(route) == job.body["tgw"]
        }
        if not held:
            return Observed(job.address, self.kind, None, {})
        prefixes = [
            prefix
            for prefix in job.body["prefixes"]
            if all((table["RouteTableId"], prefix) in held for table in chosen)
        ]
        return Observed(job.address, self.kind, {**job.body, "prefixes": prefixes}, _attributes(job, held))


def _tables(job: Job) -> list[Item]:
    vpc = str(job.body["vpc_id"])
    return job.api.list("DescribeRouteTables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])


def _refuse_unknown(job: Job, tables: list[Item]) -> None:
    """A table by name that the VPC does not have would otherwise be left out without a word."""
    there = {table["RouteTableId"] for table in tables}
    which = job.body["route_tables"]
    missing = sorted(set(which) - there) if isinstance(which, list | tuple) else []
    if not tables or missing:
        raise job.refuse(
            f"{job.body['vpc_id']} in {job.api.region} has no route table {', '.join(missing)}".rstrip()
            + ". Correct the connector's VPC or route tables.",
            "ec2.DescribeRouteTables",
            "InvalidRouteTableID.NotFound",
        )


def _refuse_foreign(
    job: Job, wanted: set[tuple[str, str]], there: dict[tuple[str, str], Item], targets: set[str]
) -> None:
    """Told before anything is written, all at once."""
    foreign = [
        f"{table} already routes {prefix} to {_target(route)}"
        for (table, prefix) in sorted(wanted)
        if (route := there.get((table, prefix))) is not None and _target(route) not in targets
    ]
    if foreign:
        raise job.refuse(
            f"{'; '.join(foreign)}. Causeway never overwrites a route it did not write: remove it, or name the "
            "connector's route tables without this one.",
            "ec2.CreateRoute",
            "RouteAlreadyExists",
        )


def _attributes(job: Job, written: set[tuple[str, str]]) -> dict[str, object]:
    return {
        "tgw": job.body["tgw"],
        "route_tables": sorted({table for table, _ in written}),
        "written": [list(pair) for pair in sorted(written)],
    }


def _chosen(which: object, tables: list[Item]) -> list[Item]:
    if which == "all":
        return tables
    if which == "main":
        return [table for table in tables if any(each.get("Main") for each in table.get("Associations") or [])]
    named = set(which) if isinstance(which, list | tuple) else set()
    return [table for table in tables if table["RouteTableId"] in named]


def _pairs(body: Body, tables: list[Item]) -> set[tuple[str, str]]:
    """(route table, destination) a body asks for."""
    chosen = _chosen(body["route_tables"], tables)
    return {(table["RouteTableId"], prefix) for table in chosen for prefix in body["prefixes"]}


def _destination(route: Item) -> str:
    return str(
        route.get("DestinationCidrBlock")
        or route.get("DestinationIpv6CidrBlock")
        or route.get("DestinationPrefixListId")
    )


def _argument(prefix: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in prefix else "DestinationCidrBlock": prefix}


def _target(route: Item) -> str:
    return str(next((route[name] for name in TARGETS if route.get(name)), "nothing"))
