"""What stands in the way of a change in an account, as discovery last saw it: named before a run meets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.values.resource import Change, Problem

Attributes = Mapping[str, Mapping[str, Any]]
REMEDY = "Then discover the account again and plan again."


def find_conflicts(change: Change, inventory: Mapping[str, Any], attributes: Attributes) -> Iterator[Problem]:
    """Yield what would be refused of a VPC's routes: a route table that is not there, and prefixes that somebody else
    routes already. A VPC that was not discovered is not judged: its region may be one that discovery does not look at.

    ``attributes``: of what is there at the address itself and at those that its body refers to. A route is ours where
    it leads to a gateway that one of these knows.
    """
    if change.kind != "aws.vpc-routes" or change.after is None:
        return
    body = change.after
    vpc = next((vpc for vpc in inventory.get("vpcs", ()) if vpc["id"] == body["vpc_id"]), None)
    if vpc is None:
        return
    tables, named = _selected_tables(body["route_tables"], vpc["route_tables"]), body["route_tables"]
    missing = sorted(set(named) - {table["id"] for table in tables}) if not isinstance(named, str) else []
    if missing:
        message = f"{vpc['id']} has no route table {', '.join(missing)}. Correct the connector's route tables. {REMEDY}"
        yield Problem("unknown_route_table", change.address, message)
    ours = {value for known in attributes.values() for name, value in known.items() if name in ("id", "tgw")}
    prefixes = set(body["prefixes"])
    for table in tables:
        for route in table["routes"]:
            if route["destination"] in prefixes and route["target"] not in ours:
                message = (
                    f"{table['id']} of {vpc['id']} already routes {route['destination']} to {route['target']}, and "
                    "Causeway never overwrites a route it did not write. Remove it, or name the connector's route "
                    f"tables without this one. {REMEDY}"
                )
                yield Problem("foreign_route", change.address, message)


def _selected_tables(which: str | Sequence[str], tables: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [table for table in tables if which == "all" or (which == "main" and table["main"]) or table["id"] in which]
