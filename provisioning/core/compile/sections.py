"""Sections: the part of a node's document that one resource is. They leave the agent no choices."""

from __future__ import annotations

from typing import Any

from provisioning.core.values.addresses import BOGON_RANGES, address_text, range_text
from provisioning.core.compile import shares
from provisioning.core.compile.rules import rules_section, address_sets, range_texts
from provisioning.core.fabric import Node, serving
from provisioning.core.intent import Exchange
from provisioning.core.network import Network
from provisioning.core.realm import App, Realm
from provisioning.core.roster import Member


def segment_section(network: Network, realm: Realm) -> dict[str, Any]:
    """What is the same on every node of a segment: one resource, published to all of them."""
    segment, exchanges = realm.segment, realm.exchanges
    return {
        "segment": segment.key,
        "number": segment.number,
        "stance": segment.stance,
        "vni": segment.number,
        "mesh": [
            {"node": node.id, "index": node.mesh, "location": node.exchange.location, "underlay": node.underlay}
            for node in network.nodes
        ],
        "members": [_member_section(network, realm, member) for member in realm.members],
        "guests": shares.imported_members_section(realm),
        "handover": shares.exported_section(realm),
        "passages": shares.shares_section(network, realm),
        "foreign": shares.peer_rules_section(network, realm),
        "anchors": {f"{low}.{high}": node for (low, high), node in realm.anchors.items()},
        "exits": {
            exchanges[uid].key: {"member": member.id, "home": member.home} for uid, member in realm.exits.items()
        },
        "private": [range_text(one) for one in BOGON_RANGES] if realm.exits else [],
        "apps": [_app_section(app) for app in realm.apps],
        "sets": address_sets(network, realm.policies, (*realm.members, *realm.guests), realm.apps),
        "rules": rules_section(network, realm.policies),
    }


def _member_section(network: Network, realm: Realm, member: Member) -> dict[str, Any]:
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
        "class": realm.class_of(member).id,
    }


def _app_section(app: App) -> dict[str, Any]:
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


def vrf_section(realm: Realm, node: Node, services: dict[str, Any]) -> dict[str, Any]:
    """What one node alone needs to know to carry a segment out."""
    return {"segment": realm.segment.key, "node": node.id, "index": node.mesh, "services": services}


def services_section(network: Network, realm: Realm, here: Exchange) -> dict[str, Any]:
    """The services that flows decided in this segment may be sent through, each with the instances that serve the
    nodes of an exchange."""
    found = {}
    for uid in shares.services_in_use(realm):
        service = realm.services[uid]
        # A realm of an earlier network keeps that network's objects: equal ones, not the same.
        where = serving(realm.catalog, realm.exchanges, service, here)
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
