"""The driver: which noun does a change belong to, which account and region does it happen in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from provisioning.core.values.resource import Body, Change, resolve_references
from provisioning.drivers.aws.customer_gateway import CustomerGateway
from provisioning.drivers.aws.errors import EXPIRED_CREDENTIALS
from provisioning.drivers.aws.session import AwsApi, clear_cached_clients, connect
from provisioning.drivers.aws.tagged import ResourceContext
from provisioning.drivers.aws.tgw_route_table import TransitGatewayRouteTable
from provisioning.drivers.aws.transit_gateway import TransitGateway
from provisioning.drivers.aws.vpc_attachment import VpcAttachment
from provisioning.drivers.aws.vpc_routes import VpcRoutes
from provisioning.drivers.aws.vpn_connection import VpnConnection
from provisioning.drivers.base import Done, DriverContext, DriverError, ObservedResource, Waiting


class ResourceHandler(Protocol):
    """One kind of thing. A new kind is one module with this and one line in _ALL."""

    @property
    def kind(self) -> str: ...

    @property
    def replace_on(self) -> frozenset[str]: ...

    def apply(self, context: ResourceContext, change: Change) -> Done | Waiting: ...

    def observe(self, context: ResourceContext) -> ObservedResource: ...


_HANDLERS: tuple[ResourceHandler, ...] = (
    TransitGateway(),
    TransitGatewayRouteTable(),
    CustomerGateway(),
    VpnConnection(),
    VpcAttachment(),
    VpcRoutes(),
)
RESOURCE_TYPES: Mapping[str, ResourceHandler] = {handler.kind: handler for handler in _HANDLERS}


class AwsDriver:
    """AWS. Stateless but for cached clients; safe to use from many threads."""

    replace_on: Mapping[str, frozenset[str]] = {kind: handler.replace_on for kind, handler in RESOURCE_TYPES.items()}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        """One step towards the change; a Waiting means: call again with the same change."""
        handler = _handler(change.kind)
        try:
            return handler.apply(_resource_context(change, context, _connect(change, context)), change)
        except DriverError as error:
            if error.code in EXPIRED_CREDENTIALS:
                clear_cached_clients()
            raise

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        """What is there at these addresses; one listing for each kind, account and region, however many they are."""
        places: dict[tuple[str, str], AwsApi] = {}
        found = []
        for change in desired:
            place = account_and_region(change)
            if place not in places:
                places[place] = _connect(change, context).with_cache()
            found.append(_handler(change.kind).observe(_resource_context(change, context, places[place])))
        return found


def account_and_region(change: Change) -> tuple[str, str]:
    """(cloud account, region) of a change: every address begins ``aws/{account}/{region}/``."""
    parts = change.address.split("/")
    if len(parts) < 4 or parts[0] != "aws":
        raise DriverError(
            f"{change.address} names no account and region (aws/ACCOUNT/REGION/…).", code="BadAddress", permanent=True
        )
    return parts[1], parts[2]


def _handler(kind: str) -> ResourceHandler:
    try:
        return RESOURCE_TYPES[kind]
    except KeyError:
        raise DriverError(f"The AWS driver knows no {kind}.", code="UnknownKind", permanent=True) from None


def _connect(change: Change, context: DriverContext) -> AwsApi:
    account, region = account_and_region(change)
    return connect(context.credentials(account), region)


def _resource_context(change: Change, context: DriverContext, api: AwsApi) -> ResourceContext:
    before = _resolve_references(change.before, context)
    body = _resolve_references(change.after, context)
    if body is None:
        body = before if before is not None else {}
    known_attributes = context.attributes.get(change.address, {})
    return ResourceContext(api, context.tenant, change.address, body, before, known_attributes)


def _resolve_references(body: Body | None, context: DriverContext) -> Body | None:
    """A stored ``before`` still holds references; one to a thing that is gone meanwhile becomes None."""
    if body is None:
        return None
    resolved = {}
    for name, value in body.items():
        try:
            resolved[name] = resolve_references(value, context.attributes)
        except KeyError:
            resolved[name] = None
    return resolved
