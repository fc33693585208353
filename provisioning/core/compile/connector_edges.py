"""The edge of a connector in one segment: what is behind it, what the segment sees of that, how the one becomes the
other, and what is announced.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.core.compile.rules import match_entry, range_texts
from provisioning.core.intent import Attachment, Connector, NatRule, RouteRule
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.node_document import EdgeEntry
from provisioning.core.node_document_rules import NatRuleEntry, RoutePolicyEntry, RouteRuleEntry
from provisioning.core.resolve.connector_edge import RouteFilter
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import merge_ranges

_EDGES = DerivedKey[dict[str, EdgeEntry]]("connector edges")


def edge_entries(resolved: ResolvedSegment) -> dict[str, EdgeEntry]:
    """Return connector uid → its edge in the segment, which all its links share; kept with the resolved segment."""
    attached = resolved.routing_table.attached
    return resolved.derived.get(
        _EDGES,
        (),
        lambda: {connector.uid: _edge_entry(resolved, connector, attachments) for connector, attachments in attached},
    )


def _edge_entry(resolved: ResolvedSegment, connector: Connector, attachments: Iterable[Attachment]) -> EdgeEntry:
    presented = (ranges for member in resolved.members_of(connector) for _, ranges in member.routes)
    routing_table = resolved.local_segment.routing_table
    return {
        "inside": sorted({prefix for attachment in attachments for prefix in attachment.prefixes}),
        "presented": range_texts(merge_ranges(presented)),
        "nat_rules": [_nat_rule(rule, resolved.prefixes) for rule in routing_table.nat.get(connector.uid, ())],
        "filtered_routes": range_texts(resolved.filtered_routes(connector)),
        "route_policies": {
            "in": [_route_policy(policy) for policy in routing_table.filters(connector, "in")],
            "out": [_route_policy(policy) for policy in routing_table.filters(connector, "out")],
        },
    }


def _nat_rule(rule: NatRule, prefixes: ListResolver) -> NatRuleEntry:
    """Return a rule whose ``from`` and ``to`` pair off, in this order; a pool has no ``from``."""
    match, source, destination = rule.match, rule.source, rule.destination
    return {
        "id": f"nat/{rule.key}",
        "direction": rule.direction,
        **match_entry(prefixes, match, prefixes.l4(match)),
        "to_source": {
            "type": source.type,
            "from": prefixes.texts(match.source) if source.type == "static" else [],
            "to": list(source.prefixes),
        },
        "to_destination": {
            "type": destination.type,
            "from": prefixes.texts(match.destination) if destination.type == "static" else [],
            "to": list(destination.prefixes),
            "port": destination.port,
        },
    }


def _route_policy(route_filter: RouteFilter) -> RoutePolicyEntry:
    policy = route_filter.policy
    return {
        "id": f"routes/{policy.key}",
        "rules": [_route_rule(rule, route_filter.prefixes) for rule in policy.rules],
    }


def _route_rule(rule: RouteRule, prefixes: ListResolver) -> RouteRuleEntry:
    match, set_ = rule.match, rule.set
    return {
        "action": rule.action,
        "prefixes": [
            {"prefix": entry.prefix, "ge": entry.ge, "le": entry.le} for entry in prefixes.entries(match.prefixes)
        ]
        if match.prefixes
        else None,
        "as_path": match.as_path,
        "communities": list(match.communities),
        "set": {
            "prepend": set_.prepend,
            "med": set_.med,
            "local_preference": set_.local_preference,
            "communities": list(set_.communities),
        },
    }
