"""References, names and what the catalogue offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from provisioning.core.intent import ANY, INTERNET, KINDS, Intent, IntentObject, is_prefix
from provisioning.core.intent.policies import ENDPOINT_KINDS
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.fabric import MAX_EXCHANGES
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

References = Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]
"""Field path (of a list, without the place), kinds it may be of, uids."""

MEMBER_KINDS = ("groups", "connectors")
PREFIX_LIST_KINDS = ("prefix-lists",)


def _connector_references(connector: Any) -> References:
    yield "exchange", ("exchanges",), (connector.exchange,)
    if connector.failover_exchange:
        yield "failover_exchange", ("exchanges",), (connector.failover_exchange,)
    for place, attachment in enumerate(connector.attachments):
        yield f"attachments[{place}].segment", ("segments",), (attachment.segment,)
        if attachment.group:
            yield f"attachments[{place}].group", ("groups",), (attachment.group,)
    if connector.billing_tags:
        yield "billing_tags[]", ("billing-tags",), connector.billing_tags


def _policy_references(policy: Any) -> References:
    yield "segments[]", ("segments",), policy.segments
    yield "from[]", ENDPOINT_KINDS, policy.from_
    yield "to[]", ENDPOINT_KINDS, policy.to
    for place, rule in enumerate(policy.rules):
        if rule.services:
            yield f"rules[{place}].services[]", ("services",), rule.services
        if rule.source or rule.destination:
            yield from _prefix_list_references(f"rules[{place}]", rule)


def _prefix_list_references(path: str, match: Any) -> References:
    yield f"{path}.source[]", PREFIX_LIST_KINDS, match.source
    yield f"{path}.destination[]", PREFIX_LIST_KINDS, match.destination


def _service_references(service: Any) -> References:
    yield "segments[]", ("segments",), service.segments
    for place, placement in enumerate(service.placements):
        yield f"placements[{place}].exchange", ("exchanges",), (placement.exchange,)
    for place, zone in enumerate(service.zones):
        yield f"zones[{place}].segment", ("segments",), (zone.segment,)
        yield f"zones[{place}].groups[]", ("groups",), zone.groups
    for place, rule in enumerate(service.firewall_rules):
        yield from _prefix_list_references(f"settings.rules[{place}]", rule)
    yield "billing_tags[]", ("billing-tags",), service.billing_tags


def _share_references(share: Any) -> References:
    for field, side in share.sides:
        yield f"{field}.segment", ("segments",), (side.segment,)
        yield f"{field}.groups[]", ("groups",), side.groups
    yield "services[]", ("services",), share.services


def _nat_rule_references(rule: Any) -> References:
    yield "segment", ("segments",), (rule.segment,)
    yield "connector", ("connectors",), (rule.connector,)
    yield from _prefix_list_references("match", rule.match)


def _route_policy_references(policy: Any) -> References:
    yield "segment", ("segments",), (policy.segment,)
    yield "targets[]", MEMBER_KINDS, policy.targets
    for place, rule in enumerate(policy.rules):
        yield f"rules[{place}].match.prefixes[]", PREFIX_LIST_KINDS, rule.match.prefixes


def _internet_app_references(app: Any) -> References:
    yield "connector", ("connectors",), (app.connector,)
    yield "target.connector", ("connectors",), (app.target.connector,)
    yield "billing_tags[]", ("billing-tags",), app.billing_tags


def _assertion_references(assertion: Any) -> References:
    yield "from", MEMBER_KINDS, (assertion.from_,)
    yield "to", MEMBER_KINDS, (assertion.to,)
    if assertion.segment:
        yield "segment", ("segments",), (assertion.segment,)


_SEGMENTS, _CONNECTORS, _SERVICES = ("segments",), ("connectors",), ("services",)
_EXCHANGES, _GROUPS, _TAGS = ("exchanges",), ("groups",), ("billing-tags",)

_REFERENCES: dict[str, tuple[Callable[[Any], References], tuple[tuple[str, ...], ...]]] = {
    "connectors": (_connector_references, (_EXCHANGES, _SEGMENTS, _GROUPS, _TAGS)),
    "policies": (_policy_references, (_SEGMENTS, ENDPOINT_KINDS, _SERVICES, PREFIX_LIST_KINDS)),
    "services": (_service_references, (_SEGMENTS, _EXCHANGES, _GROUPS, PREFIX_LIST_KINDS, _TAGS)),
    "shares": (_share_references, (_SEGMENTS, _GROUPS, _SERVICES)),
    "nat-rules": (_nat_rule_references, (_SEGMENTS, _CONNECTORS, PREFIX_LIST_KINDS)),
    "route-policies": (_route_policy_references, (_SEGMENTS, MEMBER_KINDS, PREFIX_LIST_KINDS)),
    "internet-apps": (_internet_app_references, (_CONNECTORS, _TAGS)),
    "assertions": (_assertion_references, (MEMBER_KINDS, _SEGMENTS)),
}
"""Kind → what its objects name, and all the kinds that its fields may name."""

KnownUids = Mapping[tuple[str, ...], frozenset[str]]
"""Kinds that a field may name → what there is of them."""


_UNKNOWN_REFERENCES = DerivedKey[list[Problem]]("unknown references of an object, by kind")
_DUPLICATE_NAMES = DerivedKey[list[Problem]]("duplicate names, by kind")


def check_references(network: Network) -> Iterator[Problem]:
    """What was found in an object is kept as long as it, and all there is of what it may name, stay the same."""
    intent = network.intent
    uids = {kind: frozenset(intent.of(kind)) for kind in KINDS}
    literals = frozenset((ANY, INTERNET))
    known: dict[tuple[str, ...], frozenset[str]] = {(kind,): held for kind, held in uids.items()}
    known |= {kinds: literals.union(*(uids[kind] for kind in kinds)) for kinds in (MEMBER_KINDS, ENDPOINT_KINDS)}
    for kind, (_, named) in _REFERENCES.items():
        theirs = {kinds: known[kinds] for kinds in named}
        items = intent.of(kind)
        found = network.derived.get_each(
            _UNKNOWN_REFERENCES,
            {uid: (item,) for uid, item in items.items()},
            partial(_object_problems, kind, items, theirs),
            shared=tuple(theirs.values()),
            of=kind,
        )
        yield from chain.from_iterable(found)


def _object_problems(kind: str, items: Mapping[str, IntentObject], known: KnownUids, uid: str) -> list[Problem]:
    return list(_unknown_references(kind, items[uid], known))


def _unknown_references(kind: str, item: Any, known: KnownUids) -> Iterator[Problem]:
    for path, kinds, uids in _REFERENCES[kind][0](item):
        if known[kinds].issuperset(uids):
            continue
        for place, uid in enumerate(uids):
            if uid not in known[kinds] and not (kinds == PREFIX_LIST_KINDS and is_prefix(uid)):
                yield Problem(
                    "unknown_reference",
                    f"{kind}/{item.key}/{path.replace('[]', f'[{place}]')}",
                    f"{object_label(kind, item)} names a {' or '.join(map(kind_label, kinds))} that does "
                    f"not exist any more. "
                    "Choose another one.",
                )


def kind_label(kind: str) -> str:
    """One of a kind in a sentence: ``policy``, ``NAT rule``."""
    word = kind.removesuffix("ies") + "y" if kind.endswith("ies") else kind.removesuffix("s")
    return word.replace("-", " ").replace("nat ", "NAT ")


def object_label(kind: str, item: IntentObject) -> str:
    word = kind_label(kind)
    return f"{word[0].upper()}{word[1:]} “{item.name}”"


def check_catalog_values(network: Network) -> Iterator[Problem]:
    """Locations, sizes and products have to be on offer."""
    intent, catalog = network.intent, network.intent.catalog
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
                    f"{object_label(kind, item)}: the {field} “{value}” is not on offer. "
                    f"Choose one of {', '.join(sorted(offered)) or 'none (the catalogue is empty)'}.",
                )


def check_duplicate_names(network: Network) -> Iterator[Problem]:
    """Names are unique in their kind."""
    for kind in KINDS:
        yield from _duplicate_names(network, kind)


def _duplicate_names(network: Network, kind: str) -> list[Problem]:
    items = network.intent.of(kind).values()

    def look() -> Iterator[Problem]:
        first: dict[str, IntentObject] = {}
        for item in items:
            other = first.setdefault(item.name.casefold(), item)
            if other is not item:
                yield Problem(
                    "duplicate_name",
                    f"{kind}/{item.key}/name",
                    f"Two {kind.replace('-', ' ')} are called “{item.name}”. Give one of them another name.",
                )

    return network.derived.get(_DUPLICATE_NAMES, tuple(items), lambda: list(look()), of=kind)


def check_duplicate_positions(network: Network) -> Iterator[Problem]:
    """Positions are unique among policies, and among the NAT rules of a connector in a segment."""
    intent = network.intent
    policies: dict[str, Any] = {uid: one.position for uid, one in intent.policies.items()}
    rules = {uid: (one.connector, one.segment, one.position) for uid, one in intent.nat_rules.items()}
    yield from _duplicate_positions("policies", policies, intent)
    yield from _duplicate_positions("nat-rules", rules, intent)


def _duplicate_positions(kind: str, places: dict[str, Any], intent: Intent) -> Iterator[Problem]:
    first: dict[Any, str] = {}
    for uid, place in places.items():
        held = first.setdefault(place, uid)
        if held != uid:
            other, item = intent.of(kind)[held], intent.of(kind)[uid]
            yield Problem(
                "duplicate_position",
                f"{kind}/{item.key}/position",
                f"{object_label(kind, other)} and “{item.name}” both have position {item.position}. Move one of them.",
            )


def check_exchange_limits(network: Network) -> Iterator[Problem]:
    """A location's nodes carry one exchange of a tenant, and the mesh has an end."""
    intent = network.intent
    first: dict[str, Any] = {}
    for exchange in intent.exchanges.values():
        other = first.setdefault(exchange.location, exchange)
        if other is not exchange:
            yield Problem(
                "duplicate_location",
                f"exchanges/{exchange.key}/location",
                f"Exchanges “{other.name}” and “{exchange.name}” are both at {exchange.location}. Keep one of them.",
            )
    if len(intent.exchanges) > MAX_EXCHANGES:
        yield Problem(
            "too_many_exchanges",
            "exchanges",
            f"A network has at most {MAX_EXCHANGES} exchanges; this one has {len(intent.exchanges)}.",
        )
