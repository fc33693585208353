"""Intent: what a customer wants, typed.

A kind of object is one module here with ``read`` (JSON in, defaults filled, problems collected), ``build`` (a stored
body becomes a value) and ``references`` (which other items a body names), plus one line in ``_MODULES``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
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
    prefix_lists,
    route_policies,
    segments,
    services,
    shares,
)
from provisioning.core.intent.address_match import is_prefix
from provisioning.core.intent.assertions import Assertion
from provisioning.core.intent.billing_tags import BillingTag
from provisioning.core.intent.catalog import Catalog, CatalogNode, Location
from provisioning.core.intent.circuits import Circuit
from provisioning.core.intent.connectors import Attachment, Connector
from provisioning.core.intent.exchanges import Exchange
from provisioning.core.intent.field_reader import FieldReader, InvalidIntent, ResolveReference
from provisioning.core.intent.groups import Group
from provisioning.core.intent.intent_object import ANY, INTERNET, IntentObject, ObjectReference, slug
from provisioning.core.intent.internet_apps import AppTarget, InternetApp
from provisioning.core.intent.nat_rules import DestinationTranslation, NatMatch, NatRule, Translation
from provisioning.core.intent.policies import Policy, Rule
from provisioning.core.intent.prefix_lists import PrefixEntry, PrefixList
from provisioning.core.intent.renamed_fields import old_field_names, translate_old_fields, translate_old_filters
from provisioning.core.intent.route_policies import RouteMatch, RoutePolicy, RouteRule, RouteSetClause
from provisioning.core.intent.segments import Segment
from provisioning.core.intent.services import FIREWALL, FirewallRule, Placement, Service, Zone
from provisioning.core.intent.shares import Share, ShareSide
from provisioning.core.values.resource import Problem

__all__ = [
    "ANY",
    "FIREWALL",
    "INTERNET",
    "KINDS",
    "AppTarget",
    "Assertion",
    "Attachment",
    "BillingTag",
    "Catalog",
    "CatalogNode",
    "Circuit",
    "Connector",
    "DestinationTranslation",
    "Exchange",
    "FirewallRule",
    "Group",
    "Intent",
    "IntentObject",
    "InternetApp",
    "InvalidIntent",
    "Location",
    "NatMatch",
    "NatRule",
    "Placement",
    "Policy",
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
    "build_object",
    "is_prefix",
    "load_intent",
    "normalise_body",
    "object_references",
    "old_field_names",
    "slug",
    "translate_old_fields",
    "translate_old_filters",
]

_KIND_MODULES: dict[str, ModuleType] = {
    "exchanges": exchanges,
    "segments": segments,
    "groups": groups,
    "prefix-lists": prefix_lists,
    "billing-tags": billing_tags,
    "connectors": connectors,
    "services": services,
    "policies": policies,
    "shares": shares,
    "nat-rules": nat_rules,
    "route-policies": route_policies,
    "internet-apps": internet_apps,
    "assertions": assertions,
}

KINDS = tuple(_KIND_MODULES)


@dataclass(frozen=True, slots=True)
class Intent:
    """A whole network: uid → object for each kind, and the catalogue it was drawn on."""

    catalog: Catalog = field(default_factory=Catalog)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    billing_tags: dict[str, BillingTag] = field(default_factory=dict)
    connectors: dict[str, Connector] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    nat_rules: dict[str, NatRule] = field(default_factory=dict)
    route_policies: dict[str, RoutePolicy] = field(default_factory=dict)
    internet_apps: dict[str, InternetApp] = field(default_factory=dict)
    assertions: dict[str, Assertion] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Any]:
        objects: dict[str, Any] = getattr(self, kind.replace("-", "_"))
        return objects

    def items(self) -> Iterator[tuple[str, IntentObject]]:
        for kind in KINDS:
            for item in self.of(kind).values():
                yield kind, item

    def find(self, kind: str, wanted: str) -> Any | None:
        """The object with this uid, name or key; None when there is none."""
        objects = self.of(kind)
        if wanted in objects:
            return objects[wanted]
        return next((item for item in objects.values() if wanted in (item.name, item.key)), None)

    def label(self, uid: str) -> str:
        """The name of what a policy names; ``any`` and ``internet`` stand for themselves, and so does what is gone."""
        item = self.groups.get(uid) or self.connectors.get(uid) or self.internet_apps.get(uid)
        return item.name if item else uid


def normalise_body(kind: str, body: Any, resolve: ResolveReference) -> dict[str, Any]:
    """The body with defaults filled in, prefixes in their one spelling, and names replaced by uids.

    ``resolve(kind, name or id)`` gives a uid or None. Raises Invalid with every problem found. Normalising what was
    normalised changes nothing.
    """
    if not isinstance(body, dict):
        raise InvalidIntent([Problem("wrong_type", "", "An object with fields was expected.")])
    reader = FieldReader(translate_old_fields(kind, body), resolve)
    read: dict[str, Any] = _kind_module(kind).read(reader)
    reader.refuse_old_fields(kind)
    reader.reject_unknown_fields()
    if reader.problems:
        raise InvalidIntent(reader.problems)
    return read


def build_object(kind: str, uid: str, number: int, key: str, body: Mapping[str, Any]) -> Any:
    """The typed object of a stored (normalised) body. Raises Invalid when the body is not one."""
    module = _kind_module(kind)
    try:
        return module.build((uid, number, key, body["name"], body["description"]), body)
    except (KeyError, TypeError, ValueError):
        # Stored bodies were normalised by the version that wrote them; an older one may lack a newer field.
        return module.build(
            (uid, number, key, str(body.get("name", "")), str(body.get("description", ""))),
            normalise_body(kind, dict(body), lambda _kind, uid: uid),
        )


def load_intent(rows: Iterable[tuple[str, str, int, str, Mapping[str, Any]]], catalog: Catalog) -> Intent:
    """The network of (kind, uid, number, key, body) rows in any order; objects are kept in order of number."""
    intent = Intent(catalog)
    for kind, uid, number, key, body in sorted(rows, key=lambda row: (row[0], row[2], row[1])):
        intent.of(kind)[uid] = build_object(kind, uid, number, key, body)
    return intent


def object_references(kind: str, body: Mapping[str, Any]) -> set[ObjectReference]:
    """(kind, uid) of the items a stored body names.

    A policy does not store whether it names a group or a connector, so such a uid is given for both kinds.
    """
    return set(_kind_module(kind).references(body))


def _kind_module(kind: str) -> ModuleType:
    try:
        return _KIND_MODULES[kind]
    except KeyError:
        raise InvalidIntent([Problem("unknown_kind", "kind", f"There are no objects of kind “{kind}”.")]) from None
