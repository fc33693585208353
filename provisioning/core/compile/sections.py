"""Sections: the part of a node's document that one resource is. They leave the agent no choices."""

from __future__ import annotations

from typing import Any

from provisioning.core.compile import shares
from provisioning.core.compile.rules import address_sets, range_texts, rules_section
from provisioning.core.intent import Exchange
from provisioning.core.resolve.fabric import ExchangeNode, serving_exchange
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import BOGON_RANGES, address_text, range_text

_DEFAULT_ACTION_WORDS = {"allow": "open", "deny": "closed"}


def segment_section(network: Network, resolved: ResolvedSegment) -> dict[str, Any]:
    """What is the same on every node of a segment: one resource, published to all of them."""
    segment, exchanges = resolved.segment, resolved.exchanges
    return {
        "segment": segment.key,
        "number": segment.number,
        "stance": _DEFAULT_ACTION_WORDS[segment.default_action],
        "vni": segment.number,
        "mesh": [
            {"node": node.id, "index": node.mesh, "location": node.exchange.location, "underlay": node.underlay}
            for node in network.nodes
        ],
        "members": [_member_section(network, resolved, member) for member in resolved.members],
        "guests": shares.imported_members_section(resolved),
        "handover": shares.exported_section(resolved),
        "passages": shares.shares_section(network, resolved),
        "foreign": shares.peer_rules_section(network, resolved),
        "anchors": {f"{low}.{high}": node for (low, high), node in resolved.anchors.items()},
        "exits": {
            exchanges[uid].key: {"member": member.id, "home": member.home} for uid, member in resolved.exits.items()
        },
        "private": [range_text(one) for one in BOGON_RANGES] if resolved.exits else [],
        "apps": [_app_section(app) for app in resolved.apps],
        "sets": address_sets(
            network, resolved.policies, (*resolved.members, *resolved.imported_members), resolved.apps
        ),
        "rules": rules_section(network, resolved.policies),
    }


def _member_section(network: Network, resolved: ResolvedSegment, member: Member) -> dict[str, Any]:
    ranges = range_texts(member.ranges)
    return {
        "id": member.id,
        "connector": member.connector.key,
        "number": member.connector.number,
        "exchange": member.exchange.key,
        "home": member.home,
        "kind": member.connector.kind,
        "group": network.intent.groups[group].key if (group := member.attachment.group) else None,
        "prefixes": list(member.attachment.prefixes),
        "ranges": ranges,
        "sources": ranges if member.sources == member.ranges else range_texts(member.sources),
        "class": resolved.class_of(member).id,
    }


def _app_section(app: PublishedApp) -> dict[str, Any]:
    return {
        "id": f"app:{app.app.key}",
        "exit": app.exit.id,
        "home": app.exit.home,
        "public": address_text(app.public),
        "protocol": app.app.protocol,
        "port": app.app.port,
        "targets": [address_text(address) for address in app.addresses],
        "target_port": app.port,
        "source_nat": None if app.source_nat is None else address_text(app.source_nat),
    }


def vrf_section(resolved: ResolvedSegment, node: ExchangeNode, services: dict[str, Any]) -> dict[str, Any]:
    """What one node alone needs to know to carry a segment out."""
    return {"segment": resolved.segment.key, "node": node.id, "index": node.mesh, "services": services}


def services_section(network: Network, resolved: ResolvedSegment, here: Exchange) -> dict[str, Any]:
    """The services that flows decided in this segment may be sent through, each with the instances that serve the
    nodes of an exchange."""
    found = {}
    for uid in shares.services_in_use(resolved):
        service = resolved.services[uid]
        # A realm of an earlier network keeps that network's objects: equal ones, not the same.
        where = serving_exchange(resolved.catalog, resolved.exchanges, service, here)
        at = where.uid if where else ""
        found[service.key] = {
            "number": service.number,
            "on_failure": service.on_failure,
            "instances": [
                {"id": one.id, "index": one.mesh, "host": one.host, "underlay": one.underlay}
                for one in network.instances
                if (one.service.uid, one.exchange.uid) == (uid, at)
            ],
        }
    return found
