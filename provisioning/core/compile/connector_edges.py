"""The edge of a connector in one segment, as its links are told: what is behind it, what the network sees of that, and
how the two are translated and announced.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioning.core.compile.rules import range_texts
from provisioning.core.intent import Attachment, Connector, NatRule, RouteRule
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.resolve.connector_edge import RouteFilter
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import merge_ranges

EdgeSection = dict[str, Any]
_EDGE_SECTIONS = DerivedKey[dict[str, EdgeSection]]("edge sections")


def edge_sections(resolved: ResolvedSegment) -> dict[str, EdgeSection]:
    """Connector uid → its edge here; all its links share it. Kept with the realm."""
    attached = resolved.routing_table.attached
    return resolved.derived.get(
        _EDGE_SECTIONS,
        (),
        lambda: {connector.uid: _edge_section(resolved, connector, attachments) for connector, attachments in attached},
    )


def _edge_section(resolved: ResolvedSegment, connector: Connector, attachments: Iterable[Attachment]) -> EdgeSection:
    shown = (held for member in resolved.members_of(connector) for _, held in member.routes)
    local_segment = resolved.local_segment
    return {
        "inside": sorted({prefix for attachment in attachments for prefix in attachment.prefixes}),
        "presented": range_texts(merge_ranges(shown)),
        "nat_rules": [
            _nat_rule(rule, resolved.prefixes) for rule in local_segment.routing_table.nat.get(connector.uid, ())
        ],
        "blind": range_texts(resolved.filtered_routes(connector)),
        "route_policies": {
            "in": [_route_policy(one) for one in local_segment.routing_table.filters(connector, "in")],
            "out": [_route_policy(one) for one in local_segment.routing_table.filters(connector, "out")],
        },
    }


def _nat_rule(rule: NatRule, prefixes: PrefixResolver) -> dict[str, Any]:
    """One to one where ``from`` and ``to`` pair off, in this order; a pool has no ``from``."""
    match, source, destination = rule.match, rule.source, rule.destination
    return {
        "id": f"nat/{rule.key}",
        "direction": rule.direction,
        "source": _match_ranges(prefixes, match.source),
        "destination": _match_ranges(prefixes, match.destination),
        "protocol": str(match.protocol),
        "ports": list(match.ports),
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


def _match_ranges(prefixes: PrefixResolver, names: tuple[str, ...]) -> list[str] | None:
    found = prefixes.ranges(names)
    return None if found is None else range_texts(found)


def _route_policy(filtering: RouteFilter) -> dict[str, Any]:
    """First match inside a policy; a route has to get past every policy."""
    policy = filtering.policy
    return {
        "id": f"routes/{policy.key}",
        "rules": [_route_rule(rule, filtering.prefixes) for rule in policy.rules],
    }


def _route_rule(rule: RouteRule, prefixes: PrefixResolver) -> dict[str, Any]:
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
