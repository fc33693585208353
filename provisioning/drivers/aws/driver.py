"""The driver: which noun does a change belong to, which account and region does it happen in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from provisioning.core.values.resource import Body, Change, resolve_references
from provisioning.drivers.aws.customer_gateway import CustomerGateway
from provisioning.drivers.aws.errors import OUR_CLOCK
from provisioning.drivers.aws.noun import Job
from provisioning.drivers.aws.session import Api, connect, forget
from provisioning.drivers.aws.tgw_route_table import TransitGatewayRouteTable
from provisioning.drivers.aws.transit_gateway import TransitGateway
from provisioning.drivers.aws.vpc_attachment import VpcAttachment
from provisioning.drivers.aws.vpc_routes import VpcRoutes
from provisioning.drivers.aws.vpn_connection import VpnConnection
from provisioning.drivers.base import Context, Done, DriverError, Observed, Waiting


class Handler(Protocol):
    """One kind of thing. A new kind is one module with this and one line in _ALL."""

    @property
    def kind(self) -> str: ...

    @property
    def replace_on(self) -> frozenset[str]: ...

    def apply(self, job: Job, change: Change) -> Done | Waiting: ...

    def observe(self, job: Job) -> Observed: ...


_ALL: tuple[Handler, ...] = (
    TransitGateway(),
    TransitGatewayRouteTable(),
    CustomerGateway(),
    VpnConnection(),
    VpcAttachment(),
    VpcRoutes(),
)
NOUNS: Mapping[str, Handler] = {noun.kind: noun for noun in _ALL}


class Driver:
    """AWS. Stateless but for cached clients; safe to use from many threads."""

    replace_on: Mapping[str, frozenset[str]] = {kind: noun.replace_on for kind, noun in NOUNS.items()}

    def apply(self, change: Change, context: Context) -> Done | Waiting:
        """One step towards the change; a Waiting means: call again with the same change."""
        noun = _noun(change.kind)
        try:
            return noun.apply(_job(change, context, _connect(change, context)), change)
        except DriverError as error:
            if error.code in OUR_CLOCK:
                forget()
            raise

    def observe(self, wanted: Iterable[Change], context: Context) -> list[Observed]:
        """What is there at these addresses; one listing for each kind, account and region, however many they are."""
        places: dict[tuple[str, str], Api] = {}
        found = []
        for change in wanted:
            place = place_of(change)
            if place not in places:
                places[place] = _connect(change, context).remembering()
            found.append(_noun(change.kind).observe(_job(change, context, places[place])))
        return found


def place_of(change: Change) -> tuple[str, str]:
    """(cloud account, region) of a change: every address begins ``aws/{account}/{region}/``."""
    parts = change.address.split("/")
    if len(parts) < 4 or parts[0] != "aws":
        raise DriverError(
            f"{change.address} names no account and region (aws/ACCOUNT/REGION/…).", code="BadAddress", permanent=True
        )
    return parts[1], parts[2]


def _noun(kind: str) -> Handler:
    try:
        return NOUNS[kind]
    except KeyError:
        raise DriverError(f"The AWS driver knows no {kind}.", code="UnknownKind", permanent=True) from None


def _connect(change: Change, context: Context) -> Api:
    account, region = place_of(change)
    return connect(context.credentials(account), region)


def _job(change: Change, context: Context, api: Api) -> Job:
    before = _resolved(change.before, context)
    body = _resolved(change.after, context)
    if body is None:
        body = before if before is not None else {}
    known = context.attributes.get(change.address, {})
    return Job(api, context.tenant, change.address, body, before, known)


def _resolved(body: Body | None, context: Context) -> Body | None:
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
