"""The AWS driver: finds the handler of a change's kind, and connects to the account and region of its address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from provisioning.core.values.resource import Change
from provisioning.drivers.aws.cloud import AWS
from provisioning.drivers.aws.customer_gateway import CustomerGateway
from provisioning.drivers.aws.errors import EXPIRED_CREDENTIALS
from provisioning.drivers.aws.session import AwsApi, clear_cached_clients, connect
from provisioning.drivers.aws.tagged import AwsContext
from provisioning.drivers.aws.tgw_route_table import TransitGatewayRouteTable
from provisioning.drivers.aws.transit_gateway import TransitGateway
from provisioning.drivers.aws.vpc_attachment import VpcAttachment
from provisioning.drivers.aws.vpc_routes import VpcRoutes
from provisioning.drivers.aws.vpn_connection import VpnConnection
from provisioning.drivers.base import Done, DriverContext, DriverError, ObservedResource, Waiting
from provisioning.drivers.tagged import ResourceContext


class ResourceHandler(Protocol):
    """One kind of resource. A new kind is one module with such a class, and one line in ``_HANDLERS``."""

    @property
    def kind(self) -> str: ...

    @property
    def replace_on(self) -> frozenset[str]: ...

    def apply(self, context: AwsContext, change: Change) -> Done | Waiting: ...

    def observe(self, context: AwsContext) -> ObservedResource: ...


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
    """Stateless but for cached clients; safe to use from many threads."""

    replace_on: Mapping[str, frozenset[str]] = {kind: handler.replace_on for kind, handler in RESOURCE_TYPES.items()}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        """Take one step towards the change; after Waiting, call again with the same change."""
        handler = _handler(change.kind)
        try:
            return handler.apply(_resource_context(change, context, _connect(change, context)), change)
        except DriverError as error:
            if error.code in EXPIRED_CREDENTIALS:
                clear_cached_clients()
            raise

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        """Return what is at these addresses, with one listing for each kind, account and region."""
        apis: dict[tuple[str, str], AwsApi] = {}
        observed = []
        for change in desired:
            key = account_and_region(change)
            if key not in apis:
                apis[key] = _connect(change, context).with_cache()
            observed.append(_handler(change.kind).observe(_resource_context(change, context, apis[key])))
        return observed


def account_and_region(change: Change) -> tuple[str, str]:
    """Return (cloud account, region) of a change: every address begins ``aws/{account}/{region}/``."""
    cloud_address = AWS.parse_address(change.address)
    if cloud_address is None:
        raise DriverError(
            f"{change.address} names no account and region (aws/ACCOUNT/REGION/…).", code="BadAddress", permanent=True
        )
    return cloud_address.account, cloud_address.region


def _handler(kind: str) -> ResourceHandler:
    try:
        return RESOURCE_TYPES[kind]
    except KeyError:
        raise DriverError(f"The AWS driver knows no {kind}.", code="UnknownKind", permanent=True) from None


def _connect(change: Change, context: DriverContext) -> AwsApi:
    account, region = account_and_region(change)
    return connect(context.credentials(AWS.name, account), region)


def _resource_context(change: Change, context: DriverContext, api: AwsApi) -> AwsContext:
    body = change.after if change.after is not None else change.before or {}
    known_attributes = context.attributes.get(change.address, {})
    return ResourceContext(api, context.tenant, change.address, body, change.before, known_attributes)
