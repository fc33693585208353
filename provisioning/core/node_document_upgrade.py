"""Bodies written in the version before, read as the present one.

Portal and agents are upgraded apart, bodies are stored, and an agent keeps its last document on disk: what was written
before an upgrade is read for as long as the next run has not written it again. Only the version before the present one
is read; with the next version, what stands here goes and that step takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core.node_document import VERSION, body_version

_NAMES: Mapping[str, Mapping[str, str]] = {
    "exchange.segment": {
        "guests": "imported_members",
        "handover": "deciding_peers",
        "passages": "shares",
        "foreign": "peer_rules",
        "private": "bogons",
        "sets": "address_sets",
    },
    "exchange.instance": {"default": "default_action"},
}
_DEFAULT_ACTIONS = {"open": "allow", "closed": "deny"}


def upgrade_body(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body as the present version writes it; the very same one where it is written so already.

    ``nodes`` is left out where the old body does not tell locations: only the portal reads it, of bodies it has just
    compiled. Raises ValueError for a version that is not known.
    """
    version = body_version(body)
    if version == VERSION or not kind.startswith("exchange."):
        return body
    if version != 0:
        raise ValueError(f"written in document version {version}, which is not known")
    names = _NAMES.get(kind, {})
    upgraded = {names.get(name, name): value for name, value in body.items()}
    if kind == "exchange.segment":
        _upgrade_segment(upgraded)
    elif kind == "exchange.connector":
        upgraded["links"] = [_renamed(link, "blind", "filtered_routes") for link in body["links"]]
    return {**upgraded, "version": VERSION}


def _upgrade_segment(body: dict[str, Any]) -> None:
    body["default_action"] = _DEFAULT_ACTIONS[body.pop("stance")]
    body["nodes"] = {peer["node"]: peer["location"] for peer in body["mesh"]}
    body["mesh"] = [{name: value for name, value in peer.items() if name != "location"} for peer in body["mesh"]]
    for field in ("members", "imported_members"):
        body[field] = [_renamed(member, "class", "anchor_class") for member in body[field]]
    body["peer_rules"] = {
        segment: _renamed(rules, "sets", "address_sets") for segment, rules in body["peer_rules"].items()
    }


def _renamed(entry: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in entry.items()}
