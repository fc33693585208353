"""References, names and what the catalogue offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from provisioning.core.fabric import MESH_EXCHANGES
from provisioning.core.intent import ANY, INTERNET, KINDS, Intent, Item
from provisioning.core.resource import Problem

Named = Iterator[tuple[str, tuple[str, ...], str]]
"""Field path, kinds it may be of, uid."""

ENDS = ("groups", "connectors")


def _sides(field: str, uids: tuple[str, ...]) -> Named:
    return ((f"{field}[{place}]", ENDS, uid) for place, uid in enumerate(uids) if uid not in (ANY, INTERNET))


def _connector(connector: Any) -> Named:
    yield "exchange", ("exchanges",), connector.exchange
    if connector.failover_exchange:
        yield "failover_exchange", ("exchanges",), connector.failover_exchange
    for place, attachment in enumerate(connector.attachments):
        yield f"attachments[{place}].segment", ("segments",), attachment.segment
        if attachment.group:
            yield f"attachments[{place}].group", ("groups",), attachment.group


def _policy(policy: Any) -> Named:
    for place, uid in enumerate(policy.segments):
        yield f"segments[{place}]", ("segments",), uid
    yield from _sides("from", policy.from_)
    yield from _sides("to", policy.to)
    for place, rule in enumerate(policy.rules):
        for nth, uid in enumerate(rule.services):
            yield f"rules[{place}].services[{nth}]", ("services",), uid


def _service(service: Any) -> Named:
    for place, uid in enumerate(service.segments):
        yield f"segments[{place}]", ("segments",), uid
    for place, placement in enumerate(service.placements):
        yield f"placements[{place}].exchange", ("exchanges",), placement.exchange
    for place, zone in enumerate(service.zones):
        yield f"zones[{place}].segment", ("segments",), zone.segment
        for nth, uid in enumerate(zone.groups):
            yield f"zones[{place}].groups[{nth}]", ("groups",), uid


def _assertion(assertion: Any) -> Named:
    for field, uid in (("from", assertion.from_), ("to", assertion.to)):
        if uid not in (ANY, INTERNET):
            yield field, ENDS, uid
    if assertion.segment:
        yield "segment", ("segments",), assertion.segment


_NAMED: dict[str, Callable[[Any], Named]] = {
    "connectors": _connector,
    "policies": _policy,
    "services": _service,
    "assertions": _assertion,
}


def unknown_references(intent: Intent) -> Iterator[Problem]:
    for kind, named in _NAMED.items():
        for item in intent.of(kind).values():
            for path, kinds, uid in named(item):
                if not any(uid in intent.of(one) for one in kinds):
                    wanted = " or ".join(one.rstrip("s") for one in kinds)
                    yield Problem(
                        "unknown_reference",
                        f"{kind}/{item.key}/{path}",
                        f"{_title(kind, item)} names a {wanted} that does not exist any more. Choose another one.",
                    )


def _title(kind: str, item: Item) -> str:
    return f"{ {'policies': 'Policy'}.get(kind, kind[:-1].capitalize()) } “{item.name}”"


def catalogue(intent: Intent) -> Iterator[Problem]:
    """Locations, sizes and products have to be on offer."""
    catalog = intent.catalog
    offers = [
        ("exchanges", "location", catalog.locations),
        ("exchanges", "size", catalog.sizes),
        ("connectors", "size", catalog.sizes),
        ("services", "product", catalog.products),
    ]
    for kind, field, offered in offers:
        for item in intent.of(kind).values():
            if (value := getattr(item, field)) not in offered:
                yield Problem(
                    "not_one_of",
                    f"{kind}/{item.key}/{field}",
                    f"{_title(kind, item)}: the {field} “{value}” is not on offer. "
                    f"Choose one of {', '.join(sorted(offered)) or 'none (the catalogue is empty)'}.",
                )


def duplicates(intent: Intent) -> Iterator[Problem]:
    """Names are unique in their kind, positions among policies."""
    for kind in KINDS:
        first: dict[str, Item] = {}
        for item in intent.of(kind).values():
            other = first.setdefault(item.name.casefold(), item)
            if other is not item:
                yield Problem(
                    "duplicate_name",
                    f"{kind}/{item.key}/name",
                    f"Two {kind} are called “{item.name}”. Give one of them another name.",
                )
    positions: dict[int, Any] = {}
    for policy in intent.policies.values():
        held = positions.setdefault(policy.position, policy)
        if held is not policy:
            yield Problem(
                "duplicate_position",
                f"policies/{policy.key}/position",
                f"Policies “{held.name}” and “{policy.name}” both have position {policy.position}. Move one of them.",
            )


def exchange_limits(intent: Intent) -> Iterator[Problem]:
    """A location's nodes carry one exchange of a tenant, and the mesh has an end."""
    first: dict[str, Any] = {}
    for exchange in intent.exchanges.values():
        other = first.setdefault(exchange.location, exchange)
        if other is not exchange:
            yield Problem(
                "duplicate_location",
                f"exchanges/{exchange.key}/location",
                f"Exchanges “{other.name}” and “{exchange.name}” are both at {exchange.location}. Keep one of them.",
            )
    if len(intent.exchanges) > MESH_EXCHANGES:
        yield Problem(
            "too_many_exchanges",
            "exchanges",
            f"A network has at most {MESH_EXCHANGES} exchanges; this one has {len(intent.exchanges)}.",
        )
