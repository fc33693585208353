"""Bodies written in earlier versions, read as the present one.

Portal and agents are upgraded apart, bodies are stored, and an agent keeps its last document on disk: what was written
before an upgrade is read for as long as the next run has not written it again. Version 2 is the present one without
source ports, ICMP types and DSCP, which are left out where a rule names none, and without unanswered flows. With the
next version, what stands here of version 1 goes, and that step takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core.node_document import VERSION, body_version


def upgrade_body(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body as the present version writes it; the very same one where it is written so already.

    Raises ValueError for a version that is not known.
    """
    version = body_version(body)
    if version == VERSION or not kind.startswith("exchange."):
        return body
    if version not in (1, 2):
        raise ValueError(f"written in document version {version}, which is not known")
    return {**(_from_version_1(kind, body) if version == 1 else body), "version": VERSION}


def _from_version_1(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    upgraded = dict(body)
    if kind == "exchange.segment":
        upgraded["members"] = [_with_groups(member) for member in body["members"]]
        upgraded["rules"] = [_with_tier(rule) for rule in body["rules"]]
        upgraded["peer_rules"] = {
            segment: {**peer, "rules": [_with_tier(rule) for rule in peer["rules"]]}
            for segment, peer in body["peer_rules"].items()
        }
    elif kind == "exchange.connector":
        upgraded["links"] = [
            {**link, "nat_rules": [_with_l4(rule) for rule in link["nat_rules"]]} for link in body["links"]
        ]
    elif kind == "exchange.instance":
        upgraded["rules"] = [_with_l4(rule) for rule in body["rules"]]
    return upgraded


def _with_groups(member: Mapping[str, Any]) -> dict[str, Any]:
    """A member was in one group at most."""
    kept = {name: value for name, value in member.items() if name != "group"}
    return {**kept, "groups": [group] if (group := member["group"]) else []}


def _with_tier(rule: Mapping[str, Any]) -> dict[str, Any]:
    """There was one tier, and an action ``watch`` that counted and went on."""
    is_watch = rule["action"] == "watch"
    mode, action = ("monitor", "allow") if is_watch else ("enforce", rule["action"])
    return {**_with_l4(rule), "tier": "standard", "mode": mode, "action": action, "reject": True}


def _with_l4(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule matched one protocol."""
    kept = {name: value for name, value in rule.items() if name not in ("protocol", "ports")}
    return {**kept, "l4": [{"protocol": rule["protocol"], "ports": rule["ports"]}]}
