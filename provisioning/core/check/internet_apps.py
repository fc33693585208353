"""Internet applications that cannot be reached, and public addresses that two of them or a member have."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent import Connector, InternetApp
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_number, address_text, contains
from provisioning.core.values.resource import Problem


def check_internet_apps(network: Network) -> Iterator[Problem]:
    first: dict[tuple[str, str, int], InternetApp] = {}
    for app in network.intent.internet_apps.values():
        exit_connector = network.intent.connectors.get(app.connector)
        target = network.intent.connectors.get(app.target.connector)
        if exit_connector is None or target is None:
            continue
        yield from _check_exit(app, exit_connector) or _check_target(network, app, exit_connector, target)
        if public := _public_address(network, app, exit_connector):
            other = first.setdefault((public, app.protocol, app.port), app)
            if other is not app:
                yield Problem(
                    "app_in_use",
                    f"internet-apps/{app.key}/port",
                    f"Internet applications “{other.name}” and “{app.name}” both use {app.protocol}/{app.port} at "
                    f"{public}. Give one of them another port or public address.",
                )


def _check_exit(app: InternetApp, exit_connector: Connector) -> list[Problem]:
    if exit_connector.kind == "internet-exit":
        return []
    return [
        Problem(
            "not_an_exit",
            f"internet-apps/{app.key}/connector",
            f"Internet application “{app.name}” names connector “{exit_connector.name}”, which is no internet exit. "
            "Choose the exit it is reached through.",
        )
    ]


def _check_target(
    network: Network, app: InternetApp, exit_connector: Connector, target: Connector
) -> Iterator[Problem]:
    path = f"internet-apps/{app.key}"
    shared_segments = {attachment.segment for attachment in exit_connector.attachments} & {
        attachment.segment for attachment in target.attachments
    }
    if not shared_segments or target.kind == "internet-exit":
        yield Problem(
            "app_apart",
            f"{path}/target.connector",
            f"Internet application “{app.name}”: exit “{exit_connector.name}” and target “{target.name}” have no "
            "segment in common. Attach the exit to a segment of the target.",
        )
        return
    if not (exit_connector.enabled and target.enabled):
        return
    uid = network.segment_of(app)
    if uid is None:
        yield _not_owned_problem(app, target, 0)
        return
    members = network.resolved(uid).members_of(target)
    for index, address in enumerate(app.target.addresses):
        if not any(contains(member.ranges, address_number(address)) for member in members):
            yield _not_owned_problem(app, target, index)
    yield from _check_symmetry(network, app, exit_connector, target, uid)
    yield from _check_public_address(network, app, uid)


def _not_owned_problem(app: InternetApp, target: Connector, index: int) -> Problem:
    return Problem(
        "app_address",
        f"internet-apps/{app.key}/target.addresses[{index}]",
        f"Internet application “{app.name}”: {app.target.addresses[index]} does not belong to connector "
        f"“{target.name}” in a segment of the exit. Name an address that it presents there.",
    )


def _check_symmetry(
    network: Network, app: InternetApp, exit_connector: Connector, target: Connector, segment: str
) -> Iterator[Problem]:
    resolved = network.resolved(segment)
    owner = resolved.owner(address_number(app.target.addresses[0]))
    used_exit = resolved.way_out(owner).exit if owner else None
    if not app.source_nat and used_exit is None:
        yield Problem(
            "app_asymmetric",
            f"internet-apps/{app.key}/source_nat",
            f"Internet application “{app.name}” shows its target the clients' own addresses, and no exit carries the "
            "answers: the one that a policy chooses for the target is not there. Turn source_nat on, or enable it.",
        )
    elif not app.source_nat and used_exit is not None and used_exit.connector.uid != exit_connector.uid:
        yield Problem(
            "app_asymmetric",
            f"internet-apps/{app.key}/source_nat",
            f"Internet application “{app.name}” shows its target the clients' own addresses, so answers leave through "
            f"exit “{used_exit.connector.name}” and not through “{exit_connector.name}”. Turn source_nat on, or use "
            f"“{used_exit.connector.name}”.",
        )


def _check_public_address(network: Network, app: InternetApp, segment: str) -> Iterator[Problem]:
    resolved = network.resolved(segment)
    for published in resolved.apps:
        owner = resolved.owner(published.public)
        if published.app.uid == app.uid and owner is not None:
            yield Problem(
                "app_address_taken",
                f"internet-apps/{app.key}/public_ip",
                f"Internet application “{app.name}”: its public address {address_text(published.public)} lies in a "
                f"prefix of connector “{owner.connector.name}” in segment “{resolved.segment.name}”, so packets to it "
                "would go there. Take the address out of that prefix, or publish from a segment without it.",
            )


def _public_address(network: Network, app: InternetApp, exit_connector: Connector) -> str | None:
    """Return the address that it is reached at; None where the exit's exchange is not known."""
    if app.public_ip or exit_connector.exchange not in network.intent.exchanges:
        return app.public_ip
    exchange = network.intent.exchanges[exit_connector.exchange]
    node = network.nodes_by_id.get(f"{exchange.key}/{exit_connector.active_circuit.node}")
    return node.public_ip if node else None
