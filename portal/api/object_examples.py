"""One body of every kind as it may be sent, for the schema; references are names here. A test reads each of them."""

from __future__ import annotations

from typing import Any

OBJECT_EXAMPLES: dict[str, dict[str, Any]] = {
    "exchanges": {"name": "eu", "location": "aws-eu-central-1", "size": "small"},
    "segments": {"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"], "color": "#2f6fed"},
    "groups": {"name": "prod", "description": "What customers depend on"},
    "prefix-lists": {"name": "offices", "entries": [{"prefix": "10.20.0.0/16", "ge": None, "le": 24}]},
    "billing-tags": {"name": "research", "color": "#2f6fed"},
    "connectors": {
        "name": "vpc-prod",
        "kind": "aws-vpc",
        "exchange": "eu",
        "size": "small",
        "attachments": [{"segment": "corp", "group": "prod", "prefixes": ["10.1.0.0/16"]}],
        "settings": {"account": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-0a1b2c3d"},
        "billing_tags": ["research"],
    },
    "services": {
        "name": "fw",
        "product": "linux-firewall",
        "segments": ["corp"],
        "license": "payg",
        "on_failure": "closed",
        "placements": [{"exchange": "eu", "min_instances": 1, "max_instances": 3}],
        "zones": [{"name": "trust", "segment": "corp", "groups": ["prod"]}],
    },
    "policies": {
        "name": "prod-out",
        "position": 10,
        "segments": ["corp"],
        "from": ["prod"],
        "to": ["any"],
        "rules": [
            {"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443", "8000-8100"]},
            {"name": "offices", "action": "allow", "protocol": "any", "destination": ["offices", "10.30.0.0/24"]},
        ],
    },
    "shares": {
        "name": "partner-orders",
        "a": {"segment": "corp", "groups": ["prod"], "prefixes": []},
        "b": {"segment": "partner", "groups": [], "prefixes": ["10.9.0.0/24"]},
        "direction": "b-to-a",
        "services": ["fw"],
        "route_limit": 100,
    },
    "nat-rules": {
        "name": "hide-branch",
        "segment": "corp",
        "connector": "site-1",
        "position": 10,
        "direction": "outbound",
        "match": {"source": ["192.168.0.0/24"], "destination": ["any"], "protocol": "any", "ports": []},
        "source": {"type": "pool", "prefixes": ["10.200.0.0/30"]},
    },
    "route-policies": {
        "name": "offices-only",
        "segment": "corp",
        "direction": "out",
        "targets": ["site-1"],
        "rules": [
            {
                "match": {"prefixes": ["offices"]},
                "action": "allow",
                "set": {"prepend": 2, "communities": ["65000:100"]},
            },
            {"match": {}, "action": "deny"},
        ],
    },
    "internet-apps": {
        "name": "shop",
        "connector": "exit-eu",
        "protocol": "tcp",
        "port": 443,
        "target": {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443},
        "source_nat": True,
    },
    "assertions": {
        "name": "dev never reaches prod",
        "from": "dev",
        "to": "prod",
        "segment": "corp",
        "protocol": "any",
        "expect": "blocked",
    },
}
