"""What discovery finds in an AWS account: the shape of ``CloudAccount.inventory`` and of the API's answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    name: str
    zone: str
    prefix: str
    free_addresses: int
    route_table: str


@dataclass(frozen=True, slots=True)
class VpcRoute:
    destination: str
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class VpcRouteTable:
    id: str
    name: str
    main: bool
    subnets: tuple[str, ...]
    routes: tuple[VpcRoute, ...]


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One rule of a security group.

    protocol: a name or number, or "any". from_port, to_port: None means all ports.
    peer: a prefix, a security group's id or a prefix list's id.
    """

    direction: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str
    description: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    id: str
    name: str
    description: str
    rules: tuple[SecurityRule, ...]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC. ``prefixes`` begins with its primary IPv4 CIDR; ``attached`` is our attachment's address tag, or ""."""

    id: str
    name: str
    region: str
    prefixes: tuple[str, ...]
    default: bool
    attached: str
    subnets: tuple[Subnet, ...]
    route_tables: tuple[VpcRouteTable, ...]
    security_groups: tuple[SecurityGroup, ...]


@dataclass(frozen=True, slots=True)
class CloudInventory:
    """``errors``: region → why it could not be read (a region switched off does not hide the others)."""

    account: str
    vpcs: tuple[Vpc, ...]
    errors: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
