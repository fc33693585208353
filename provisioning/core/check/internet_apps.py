"""Internet applications that nobody could reach, or two behind one address."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent import Connector, InternetApp
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_number, contains
from provisioning.core.values.resource import Problem


def check_internet_apps(network: Network) -> Iterator[Problem]:
    first: dict[tuple[str, str, int], InternetApp] = {}
    for app in network.intent.internet_apps.values():
        way_in = network.intent.connectors.get(app.connector)
        target = network.intent.connectors.get(app.target.connector)
        if way_in is None or target is None:
            continue
        yield from _check_exit(app, way_in) or _check_target(network, app, way_in, target)
        if public := _public_address(network, app, way_in):
            other = first.setdefault((public, app.protocol, app.port), app)
            if other is not app:
                yield Problem(
                    "app_in_use",
                    f"internet-apps/{app.key}/port",
                    f"Internet applications “{other.name}” and “{app.name}” both use {app.protocol}/{app.port} at "
                    f"{public}. Give one of them another port or public address.",
                )


def _check_exit(app: InternetApp, way_in: Connector) -> list[Problem]:
    if way_in.kind == "internet-exit":
        return []
    return [
        Problem(
            "not_an_exit",
            f"internet-apps/{app.key}/connector",
            f"Internet application “{app.name}” names connector “{way_in.name}”, which is no internet exit. Choose the "
            "exit it is reached through.",
        )
    ]


def _check_target(network: Network, app: InternetApp, way_in: Connector, target: Connector) -> Iterator[Problem]:
    path = f"internet-apps/{app.key}"
    shared = {one.segment for one in way_in.attachments} & {one.segment for one in target.attachments}
    if not shared or target.kind == "internet-exit":
        yield Problem(
            "app_apart",
            f"{path}/target.connector",
            f"Internet application “{app.name}”: exit “{way_in.name}” and target “{target.name}” have no segment in "
            "common. Attach the exit to a segment of the target.",
        )
        return
    if not (way_in.enabled and target.enabled):
        return
    uid = network.segment_of(app)
    if uid is None:
        yield _not_owned_problem(app, target, 0)
        return
    members = network.resolved(uid).members_of(target)
    for place, address in enumerate(app.target.addresses):
        if not any(contains(member.ranges, address_number(address)) for member in members):
            yield _not_owned_problem(app, target, place)
    yield from _check_symmetry(network, app, way_in, target, uid)


def _not_owned_problem(app: InternetApp, target: Connector, place: int) -> Problem:
    return Problem(
        "app_address",
        f"internet-apps/{app.key}/target.addresses[{place}]",
        f"Internet application “{app.name}”: {app.target.addresses[place]} does not belong to connector "
        f"“{target.name}” in a segment of the exit. Name an address that it presents there.",
    )


def _check_symmetry(
    network: Network, app: InternetApp, way_in: Connector, target: Connector, segment: str
) -> Iterator[Problem]:
    chosen = network.resolved(segment).exits.get(target.exchange)
    if not app.source_nat and chosen is not None and chosen.connector.uid != way_in.uid:
        yield Problem(
            "app_asymmetric",
            f"internet-apps/{app.key}/source_nat",
            f"Internet application “{app.name}” shows its target the clients' own addresses, so answers leave through "
            f"exit “{chosen.connector.name}” and not through “{way_in.name}”. Turn source_nat on, or use "
            f"“{chosen.connector.name}”.",
        )


def _public_address(network: Network, app: InternetApp, way_in: Connector) -> str | None:
    """The address it is reached at; None where the exit's exchange is not known."""
    if app.public_ip or way_in.exchange not in network.intent.exchanges:
        return app.public_ip
    exchange = network.intent.exchanges[way_in.exchange]
    node = network.nodes_by_id.get(f"{exchange.key}/{way_in.active_circuit.node}")
    return node.public_ip if node else None
