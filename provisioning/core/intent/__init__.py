"""Intent: what a customer wants, typed.

A kind of object is one module here: a dataclass whose annotations declare each field once (``fields``), and a ``KIND``
with its words, plus one line in ``_KINDS``. Reading, building and references are derived (``declaration``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.intent import (
    assertions,
    billing_tags,
    connectors,
    exchanges,
    groups,
    internet_apps,
    nat_rules,
    policies,
    port_lists,
    prefix_lists,
    route_policies,
    segments,
    services,
    shares,
)
from provisioning.core.intent.assertions import Assertion
from provisioning.core.intent.billing_tags import BillingTag
from provisioning.core.intent.bulk_changes import BulkChange, read_bulk_change
from provisioning.core.intent.catalog import Catalog, CatalogNode, Location
from provisioning.core.intent.circuits import Circuit
from provisioning.core.intent.connectors import Attachment, Connector
from provisioning.core.intent.declaration import ObjectReference
from provisioning.core.intent.exchanges import Exchange
from provisioning.core.intent.field_reader import FieldReader, InvalidIntent, ResolveReference
from provisioning.core.intent.fields import ANY, INTERNET, named_uid
from provisioning.core.intent.groups import Group
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.internet_apps import AppTarget, InternetApp
from provisioning.core.intent.kind_words import capitalise, kind_plural, kind_word
from provisioning.core.intent.kinds import KINDS, Kind, all_kinds, kind_of, register_kind
from provisioning.core.intent.nat_rules import DestinationTranslation, NatMatch, NatRule, Translation
from provisioning.core.intent.policies import Policy, Rule
from provisioning.core.intent.port_lists import PortEntry, PortList
from provisioning.core.intent.prefix_lists import PrefixEntry, PrefixList
from provisioning.core.intent.renamed_fields import old_field_names, translate_old_fields, translate_old_filters
from provisioning.core.intent.route_policies import RouteMatch, RoutePolicy, RouteRule, RouteSetClause
from provisioning.core.intent.segments import Segment
from provisioning.core.intent.services import FIREWALL, FirewallRule, FirewallSettings, Placement, Service, Zone
from provisioning.core.intent.shares import Share, ShareSide
from provisioning.core.values.resource import Problem
from provisioning.core.values.text import normalise_text, slug

__all__ = [
    "ANY",
    "FIREWALL",
    "INTERNET",
    "KINDS",
    "AppTarget",
    "Assertion",
    "Attachment",
    "BillingTag",
    "BulkChange",
    "Catalog",
    "CatalogNode",
    "Circuit",
    "Connector",
    "DestinationTranslation",
    "Exchange",
    "FirewallRule",
    "FirewallSettings",
    "Group",
    "Intent",
    "IntentObject",
    "InternetApp",
    "InvalidIntent",
    "Kind",
    "Location",
    "NatMatch",
    "NatRule",
    "Placement",
    "Policy",
    "PortEntry",
    "PortList",
    "PrefixEntry",
    "PrefixList",
    "Problem",
    "RouteMatch",
    "RoutePolicy",
    "RouteRule",
    "RouteSetClause",
    "Rule",
    "Segment",
    "Service",
    "Share",
    "ShareSide",
    "Translation",
    "Zone",
    "all_kinds",
    "build_object",
    "capitalise",
    "complete_body",
    "is_same_body",
    "kind_of",
    "kind_plural",
    "kind_word",
    "load_intent",
    "named_uid",
    "normalise_body",
    "object_references",
    "old_field_names",
    "read_bulk_change",
    "slug",
    "translate_old_fields",
    "translate_old_filters",
    "with_sorted_sets",
]

_KINDS: tuple[Kind, ...] = (
    exchanges.KIND,
    segments.KIND,
    groups.KIND,
    prefix_lists.KIND,
    port_lists.KIND,
    billing_tags.KIND,
    connectors.KIND,
    services.KIND,
    policies.KIND,
    shares.KIND,
    nat_rules.KIND,
    route_policies.KIND,
    internet_apps.KIND,
    assertions.KIND,
)

for _kind in _KINDS:
    register_kind(_kind)


@dataclass(frozen=True, slots=True)
class Intent:
    """A whole network: uid → object for each kind, and the catalogue it was drawn on.

    Kinds that code asks for by name have an attribute of their own; ``of`` answers for every kind.
    """

    catalog: Catalog = field(default_factory=Catalog)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    port_lists: dict[str, PortList] = field(default_factory=dict)
    billing_tags: dict[str, BillingTag] = field(default_factory=dict)
    connectors: dict[str, Connector] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    nat_rules: dict[str, NatRule] = field(default_factory=dict)
    route_policies: dict[str, RoutePolicy] = field(default_factory=dict)
    internet_apps: dict[str, InternetApp] = field(default_factory=dict)
    assertions: dict[str, Assertion] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Any]:
        attribute = kind.replace("-", "_")
        if attribute in _ATTRIBUTES:
            objects: dict[str, Any] = getattr(self, attribute)
            return objects
        return self.others.setdefault(kind, {})

    def items(self) -> Iterator[tuple[str, IntentObject]]:
        for kind in KINDS:
            for item in self.of(kind).values():
                yield kind, item

    def find(self, kind: str, name: str) -> Any | None:
        """Return the object with this uid, name or key; None when there is none."""
        objects = self.of(kind)
        if name in objects:
            return objects[name]
        name = normalise_text(name)
        return next((item for item in objects.values() if name in (normalise_text(item.name), item.key)), None)

    def label(self, uid: str) -> str:
        """Return the name of what a policy names; ``any``, ``internet`` and what is gone stand for themselves."""
        item = self.groups.get(uid) or self.connectors.get(uid) or self.internet_apps.get(uid)
        return item.name if item else uid


_ATTRIBUTES = frozenset(kind.key.replace("-", "_") for kind in _KINDS) & frozenset(Intent.__dataclass_fields__)


def normalise_body(kind: str, body: Any, resolve: ResolveReference) -> dict[str, Any]:
    """Return the body with defaults filled in, prefixes in their one spelling, and names replaced by uids.

    ``resolve(kind, name or id)`` gives a uid or None. Raises InvalidIntent with every problem found. Normalising a
    normalised body changes nothing.
    """
    if not isinstance(body, dict):
        raise InvalidIntent([Problem("wrong_type", "", "An object with fields was expected.")])
    reader = FieldReader(body, resolve)
    read = kind_of(kind).declaration.read(reader)
    if reader.problems:
        raise InvalidIntent(reader.problems)
    return read


def is_same_body(kind: str, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two stored bodies say the same. Sets compare as sets: older bodies have them in another order."""
    if one is None or other is None:
        return one is other
    return one == other or with_sorted_sets(kind, one) == with_sorted_sets(kind, other)


def with_sorted_sets(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored body with its sets in the order that new bodies have them in."""
    return kind_of(kind).declaration.with_sorted_sets(body)


def complete_body(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a stored body by today's declaration; the very same one where an up-to-date release wrote it.

    One that can no longer be read stays as it is.
    """
    if kind_of(kind).declaration.is_complete(body):
        return body
    try:
        return normalise_body(kind, body, lambda _kind, uid: uid)
    except InvalidIntent:
        return body


def build_object(kind: str, uid: str, number: int, key: str, body: Mapping[str, Any]) -> Any:
    """Return the typed object of a stored (normalised) body; raise InvalidIntent where the body is not one."""
    declaration = kind_of(kind).declaration
    try:
        return declaration.build(body, number, uid, number, key)
    except (KeyError, TypeError, ValueError):
        # Stored bodies were normalised by the version that wrote them; an older one may lack a newer field.
        normalised = normalise_body(kind, dict(body), lambda _kind, uid: uid)
        return declaration.build(normalised, number, uid, number, key)


def load_intent(rows: Iterable[tuple[str, str, int, str, Mapping[str, Any]]], catalog: Catalog) -> Intent:
    """Return the network of (kind, uid, number, key, body) rows in any order; objects are kept in order of number."""
    intent = Intent(catalog)
    for kind, uid, number, key, body in sorted(rows, key=lambda row: (row[0], row[2], row[1])):
        intent.of(kind)[uid] = build_object(kind, uid, number, key, body)
    return intent


def object_references(kind: str, body: Mapping[str, Any]) -> set[ObjectReference]:
    """Return (kind, uid) of the items that a stored body names.

    A policy does not store whether it names a group or a connector, so such a uid is given for both kinds.
    """
    return set(kind_of(kind).declaration.references(body))
