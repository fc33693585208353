"""A small network for tests of pages: two groups at two exchanges, one denying segment, an exit."""

from __future__ import annotations

from typing import Any

from provisioning.core.intent import all_kinds
from provisioning.models import Draft
from provisioning.services.drafts import editing


def create_sample_network(draft: Draft) -> dict[str, str]:
    """Add the network to a draft; return name → uid."""

    def add(kind: str, body: dict[str, Any]) -> str:
        return editing.add_object(draft, kind, body).uid

    def site(name: str, exchange: str, group: str | None, prefix: str) -> dict[str, Any]:
        attachment = {"segment": "corp", "group": group, "prefixes": [prefix]}
        return {"name": name, "kind": "lab-site", "exchange": exchange, "attachments": [attachment]}

    return {
        "eu": add("exchanges", {"name": "eu", "location": "aws-eu-central-1"}),
        "us": add("exchanges", {"name": "us", "location": "aws-us-east-1"}),
        "corp": add("segments", {"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"]}),
        "prod": add("groups", {"name": "prod"}),
        "dev": add("groups", {"name": "dev"}),
        "site-prod": add("connectors", site("site-prod", "eu", "prod", "10.1.0.0/24")),
        "site-dev": add("connectors", site("site-dev", "us", "dev", "10.2.0.0/24")),
    }


EXIT = {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "corp"}]}
EVERY_KIND: dict[str, dict[str, Any]] = {
    "segments": {"name": "partner", "default_action": "deny", "color": "#a8527f"},
    "prefix-lists": {"name": "clinics", "entries": [{"prefix": "10.1.0.0/16", "ge": 20, "le": 24}]},
    "port-lists": {"name": "imaging", "entries": [{"protocol": "tcp", "ports": ["104", "11112"]}]},
    "billing-tags": {"name": "it", "color": "#123456"},
    "connectors": {
        "name": "colo-fra",
        "kind": "colo",
        "exchange": "eu",
        "attachments": [
            {"segment": "corp", "group": "prod", "prefixes": ["10.3.0.0/24"]},
            {"segment": "partner", "prefixes": ["10.9.0.0/24"]},
        ],
        "circuits": [{"name": "A", "vlan": 100, "bgp": {"peer_asn": 65010, "bfd": False}}],
        "settings": {"facility": "FR2", "cross_connect_a": "port 7"},
        "billing_tags": ["it"],
    },
    "services": {
        "name": "fw",
        "product": "linux-firewall",
        "segments": ["corp", "partner"],
        "placements": [{"exchange": "eu", "min_instances": 1, "max_instances": 2}],
        "settings": {"default": "deny", "rules": [{"action": "allow", "protocol": "tcp", "ports": ["443"]}]},
    },
    "policies": {
        "name": "web",
        "segments": ["corp"],
        "from": ["prod", "colo-fra"],
        "to": ["any"],
        "rules": [
            {"name": "look", "action": "watch"},
            {"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"],
             "source": ["clinics", "10.99.0.0/16"]},
        ],
    },
    "shares": {
        "name": "partners",
        "a": {"segment": "corp", "groups": ["prod"]},
        "b": {"segment": "partner", "prefixes": ["10.9.0.0/24"]},
        "direction": "b-to-a",
        "services": ["fw"],
    },
    "nat-rules": {
        "name": "hide",
        "segment": "partner",
        "connector": "colo-fra",
        "position": 10,
        "direction": "outbound",
        "match": {"source": ["10.9.0.0/24"]},
        "source": {"type": "static", "prefixes": ["10.8.0.0/24"]},
    },
    "route-policies": {
        "name": "told",
        "segment": "corp",
        "direction": "out",
        "targets": ["colo-fra"],
        "rules": [{"match": {"prefixes": ["clinics"], "as_path": "^65010_"}, "action": "allow", "set": {"med": 5}}],
    },
    "internet-apps": {
        "name": "shop",
        "connector": "exit",
        "port": 443,
        "target": {"connector": "site-prod", "addresses": ["10.1.0.5"], "port": 8443},
    },
    "assertions": {"name": "apart", "from": "dev", "to": "prod", "segment": "corp", "expect": "blocked"},
}  # fmt: skip


def add_every_kind(draft: Draft) -> dict[str, str]:
    """Add one object of every kind but exchanges and groups, which the network has; return kind → uid.

    A kind without a body above is added as the example of its declaration says.
    """
    editing.add_object(draft, "connectors", EXIT)
    bodies = {kind.key: EVERY_KIND.get(kind.key) or dict(kind.example) for kind in all_kinds()}
    return {
        kind: editing.add_object(draft, kind, body).uid
        for kind, body in bodies.items()
        if kind not in ("exchanges", "groups")
    }
