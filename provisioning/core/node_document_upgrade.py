"""Bodies written in earlier versions, read as the present one.

Portal and agents are upgraded apart, bodies are stored, and an agent keeps its last document on disk: what was written
before an upgrade is read for as long as the next run has not written it again. A body is taken from version to version;
the steps of versions that no release wrote any more go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioning.core.node_document import VERSION, body_version

_Rule = Mapping[str, Any]
_Step = Callable[[_Rule], _Rule]


def upgrade_body(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body as the present version writes it; the very same one where it is written so already.

    Raises ValueError for a version that is not known.
    """
    version = body_version(body)
    if version == VERSION or not kind.startswith("exchange."):
        return body
    if version not in _STEPS:
        raise ValueError(f"written in document version {version}, which is not known")
    while version < VERSION:
        body = _STEPS[version](kind, body)
        version += 1
    return {**body, "version": VERSION}


def _from_version_1(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """There was one group for a member, one tier, one protocol for a rule."""
    if kind == "exchange.segment":
        body = {**body, "members": [_with_groups(member) for member in body["members"]]}
    return _with_rules(kind, body, policy=_with_tier, firewall=_with_l4, nat=_with_l4)


def _from_version_2(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule matched no source ports, ICMP types or DSCP."""

    def with_first_packet(rule: _Rule) -> _Rule:
        return {**_with_icmp_types(rule), "source_ports": [], "dscp": None}

    return _with_rules(kind, body, policy=with_first_packet, firewall=with_first_packet, nat=_with_icmp_types)


_STEPS: Mapping[int, Callable[[str, Mapping[str, Any]], Mapping[str, Any]]] = {1: _from_version_1, 2: _from_version_2}
"""Version → what makes the next one of it."""


def _with_rules(kind: str, body: Mapping[str, Any], *, policy: _Step, firewall: _Step, nat: _Step) -> Mapping[str, Any]:
    """Return the body with every rule of a policy, a firewall and NAT made anew."""
    if kind == "exchange.segment":
        peers = {
            segment: {**peer, "rules": [policy(rule) for rule in peer["rules"]]}
            for segment, peer in body["peer_rules"].items()
        }
        return {**body, "rules": [policy(rule) for rule in body["rules"]], "peer_rules": peers}
    if kind == "exchange.connector":
        links = [{**link, "nat_rules": [nat(rule) for rule in link["nat_rules"]]} for link in body["links"]]
        return {**body, "links": links}
    if kind == "exchange.instance":
        return {**body, "rules": [firewall(rule) for rule in body["rules"]]}
    return body


def _with_groups(member: Mapping[str, Any]) -> dict[str, Any]:
    """A member was in one group at most."""
    kept = {name: value for name, value in member.items() if name != "group"}
    return {**kept, "groups": [group] if (group := member["group"]) else []}


def _with_tier(rule: _Rule) -> _Rule:
    """There was one tier, and an action ``watch`` that counted and went on."""
    is_watch = rule["action"] == "watch"
    mode, action = ("monitor", "allow") if is_watch else ("enforce", rule["action"])
    return {**_with_l4(rule), "tier": "standard", "mode": mode, "action": action, "reject": True}


def _with_l4(rule: _Rule) -> _Rule:
    """A rule matched one protocol."""
    kept = {name: value for name, value in rule.items() if name not in ("protocol", "ports")}
    return {**kept, "l4": [{"protocol": rule["protocol"], "ports": rule["ports"]}]}


def _with_icmp_types(rule: _Rule) -> _Rule:
    return {**rule, "l4": [{**part, "icmp_types": []} for part in rule["l4"]]}
