"""Format a failing case as short YAML: names in place of uids, no default values."""

from __future__ import annotations

from typing import Any

import yaml

from tests.core.sample_networks import IntentBuilder

DEFAULTS: dict[str, Any] = {
    "color": None,
    "description": "",
    "enabled": True,
    "failover_exchange": None,
    "group": None,
    "license": "byol",
    "apply_to": "all",
    "name": "",
    "port": None,
    "preference": 100,
    "product": "linux-firewall",
    "protocol": "any",
    "public_ip": None,
    "redundancy_group": "all",
    "route_limit": 100,
    "size": "small",
    "source_nat": True,
    "ge": None,
    "le": None,
    "as_path": None,
    "kind": "lab-site",
    "max_instances": 1,
}

EMPTY: list[Any] = [[], ["any"], {}, {"prepend": 0, "med": None, "local_preference": None}, {"type": "none"}]
NEVER = object()


def format_failing_case(*nets: IntentBuilder, **asked: Any) -> str:
    """Return the first network, the differences of the others to it, and the query."""
    parts = [_format_network(nets[0], None), *(_format_network(net, nets[0]) for net in nets[1:])]
    return "\n".join(["", *parts, yaml.safe_dump(asked, sort_keys=False, allow_unicode=True)])


def _format_network(net: IntentBuilder, known: IntentBuilder | None) -> str:
    names = {uid: row[4]["name"] for uid, row in (*(known.rows.items() if known else ()), *net.rows.items())}
    objects: dict[str, list[Any]] = {}
    for uid, (kind, _, _, _, body) in net.rows.items():
        if known is None or known.rows.get(uid) != net.rows[uid]:
            objects.setdefault(kind, []).append({"name": body["name"], **_without_defaults(body, names)})
    gone = [names[uid] for uid in known.rows if uid not in net.rows] if known else []
    document = {**({"later": objects} if known else objects), **({"removed": gone} if gone else {})}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=160)


def _without_defaults(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        peers = [circuit["bgp"]["peer_asn"] for circuit in value.get("circuits", ()) if circuit.get("bgp")]
        short = {key: _without_defaults(inner, names) for key, inner in value.items() if key != "circuits"}
        short = {key: inner for key, inner in short.items() if inner not in EMPTY and DEFAULTS.get(key, NEVER) != inner}
        return {**short, "peer_asn": peers[0]} if peers else short
    if isinstance(value, list):
        return [_without_defaults(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
