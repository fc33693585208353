"""Sections: the part of a node's document that one resource is. They leave the agent no choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioning.core.addresses import merge, range_text
from provisioning.core.fabric import Instance, Node, serving
from provisioning.core.intent import ANY, FIREWALL, INTERNET, Exchange, Intent, Policy, Rule
from provisioning.core.network import Network
from provisioning.core.realm import Realm


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
        "members": _members(realm),
        "anchors": {f"{low}.{high}": node for (low, high), node in realm.anchors.items()},
        "exits": {
            exchanges[uid].key: {"member": member.id, "home": member.home} for uid, member in realm.exits.items()
        },
        "sets": _sets(network.intent, realm),
        "rules": [_rule(network, policy, rule) for policy in realm.policies for rule in policy.rules],
    }


def vrf_section(realm: Realm, node: Node, services: dict[str, Any]) -> dict[str, Any]:
    """What one node alone needs to know to carry a segment out."""
    return {"segment": realm.segment.key, "node": node.id, "index": node.mesh, "services": services}


def services_section(network: Network, realm: Realm, here: Exchange) -> dict[str, Any]:
    """The services that rules send flows through, each with the instances that serve the nodes of an exchange."""
    used = {uid for policy in realm.policies for rule in policy.rules for uid in rule.services}
    found = {}
    for uid in used & realm.services.keys():
        service = realm.services[uid]
        where = serving(realm.catalog, realm.exchanges, service, here)
        found[service.key] = {
            "number": service.number,
            "on_failure": service.on_failure,
            "instances": [
                {"id": one.id, "index": one.mesh, "host": one.host, "underlay": one.underlay}
                for one in network.instances
                if one.service.uid == uid and one.exchange is where
            ],
        }
    return dict(sorted(found.items()))


def _members(realm: Realm) -> list[dict[str, Any]]:
    return [
        {
            "id": member.id,
            "connector": member.connector.key,
            "number": member.connector.number,
            "exchange": member.exchange.key,
            "home": member.home,
            "kind": member.connector.kind,
            "prefixes": list(member.attachment.prefixes),
            "ranges": [range_text(pair) for pair in member.ranges],
            "class": realm.class_of(member).id,
        }
        for member in realm.members
    ]


def _set_name(intent: Intent, uid: str) -> str | None:
    """``g:prod``, ``c:vpc-prod``, ``any`` or ``internet``; None for what is gone."""
    if uid in (ANY, INTERNET):
        return uid
    if uid in intent.groups:
        return f"g:{intent.groups[uid].key}"
    return f"c:{intent.connectors[uid].key}" if uid in intent.connectors else None


def _set_names(intent: Intent, uids: Iterable[str]) -> list[str]:
    return sorted(name for uid in uids if (name := _set_name(intent, uid)))


def _sets(intent: Intent, realm: Realm) -> dict[str, list[str]]:
    """The addresses behind every name that a policy of this segment uses; ``any`` always, the internet never."""
    sets: dict[str, list[str]] = {}
    for uid in {ANY, *(uid for policy in realm.policies for uid in (*policy.from_, *policy.to))}:
        name = _set_name(intent, uid)
        if name and uid != INTERNET:
            owned = (
                pair
                for member in realm.members
                if uid in (ANY, member.connector.uid, member.attachment.group)
                for pair in member.ranges
            )
            sets[name] = [range_text(pair) for pair in merge(owned)]
    return dict(sorted(sets.items()))


def _ranges(network: Network, names: tuple[str, ...]) -> list[str] | None:
    """None where every address matches."""
    found = network.prefixes.ranges(names)
    return None if found is None else [range_text(pair) for pair in found]


def _rule(network: Network, policy: Policy, rule: Rule) -> dict[str, Any]:
    intent = network.intent
    return {
        "id": policy.rule_id(rule),
        "action": rule.action,
        "chain": [intent.services[uid].key for uid in rule.services if uid in intent.services],
        "from": _set_names(intent, policy.from_),
        "to": _set_names(intent, policy.to),
        "source": _ranges(network, rule.source),
        "destination": _ranges(network, rule.destination),
        "protocol": str(rule.protocol),
        "ports": list(rule.ports),
        "apply_to": policy.apply_to,
    }


def instance_section(network: Network, instance: Instance) -> dict[str, Any]:
    """What the host of a service instance runs."""
    intent, service = network.intent, instance.service
    segments = sorted(
        (intent.segments[uid] for uid in service.segments if uid in intent.segments), key=lambda one: one.number
    )
    section: dict[str, Any] = {
        "service": service.key,
        "number": service.number,
        "product": service.product,
        "license": service.license,
        "exchange": instance.exchange.key,
        "instance": instance.ordinal,
        "host": instance.host,
        "segments": [
            {"segment": segment.key, "number": segment.number, "index": instance.mesh} for segment in segments
        ],
        "default": service.firewall_default,
        "rules": [
            {
                "action": rule.action,
                "protocol": str(rule.protocol),
                "ports": list(rule.ports),
                "source": _ranges(network, rule.source),
                "destination": _ranges(network, rule.destination),
            }
            for rule in service.firewall_rules
        ],
    }
    if service.product != FIREWALL:
        section["settings"] = service.settings
    return section
