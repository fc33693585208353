"""Networks that the core's tests talk about, drawn through ``normalise`` and ``load`` like a customer's."""

from __future__ import annotations

from typing import Any

from provisioning.core.intent import KINDS, Catalog, Intent, Location, NodeSite, load, normalise, slug
from provisioning.core.network import Network

CATALOG = Catalog(
    locations={
        key: Location(
            key,
            "aws",
            region,
            city,
            latitude,
            longitude,
            (
                NodeSite(1, f"172.31.{place}.1", f"203.0.113.{place * 2 + 1}"),
                NodeSite(2, f"172.31.{place}.2", f"203.0.113.{place * 2 + 2}"),
            ),
        )
        for place, (key, region, city, latitude, longitude) in enumerate(
            [
                ("aws-eu-central-1", "eu-central-1", "Frankfurt", 50.1, 8.7),
                ("aws-us-east-1", "us-east-1", "Ashburn", 39.0, -77.5),
                ("aws-eu-west-1", "eu-west-1", "Dublin", 53.3, -6.3),
            ]
        )
    },
    sizes={"small": 100_000_000, "medium": 500_000_000, "large": 1_000_000_000},
    products=("linux-firewall",),
)


HTTPS = {"action": "allow", "protocol": "tcp", "ports": ["443"]}


class Drawing:
    """Rows of a network; ``add`` gives numbers in order and resolves names like the store does."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, int, str, dict[str, Any]]] = {}

    def resolve(self, kind: str, wanted: str) -> str | None:
        for uid, (held, _, _, _, body) in self.rows.items():
            if held == kind and wanted in (uid, body["name"]):
                return uid
        return None

    def add(self, kind: str, body: dict[str, Any]) -> str:
        number = len(self.rows) + 1
        uid = f"{KINDS.index(kind)}-{number:04d}"
        self.rows[uid] = (kind, uid, number, slug(body["name"]), normalise(kind, body, self.resolve))
        return uid

    def edit(self, kind: str, name: str, /, **fields: Any) -> None:
        uid = self.resolve(kind, name)
        assert uid is not None, name
        _, _, number, key, body = self.rows[uid]
        self.rows[uid] = (kind, uid, number, key, normalise(kind, {**body, **fields}, self.resolve))

    def remove(self, kind: str, name: str) -> None:
        uid = self.resolve(kind, name)
        assert uid is not None, name
        del self.rows[uid]

    def copy(self) -> Drawing:
        other = Drawing()
        other.rows = dict(self.rows)
        return other

    def intent(self) -> Intent:
        return load(self.rows.values(), CATALOG)

    def network(self) -> Network:
        return Network(self.intent())


def site(name: str, exchange: str, group: str | None, *prefixes: str, segment: str = "corp") -> dict[str, Any]:
    return {
        "name": name,
        "kind": "lab-site",
        "exchange": exchange,
        "attachments": [{"segment": segment, "group": group, "prefixes": list(prefixes)}],
    }


def vpc(name: str, exchange: str, group: str, prefix: str, vpc_id: str) -> dict[str, Any]:
    return {
        **site(name, exchange, group, prefix),
        "kind": "aws-vpc",
        "settings": {"account": "111122223333", "region": "eu-central-1", "vpc_id": vpc_id},
    }


def policy(name: str, position: int, start: str, end: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "position": position,
        "segments": ["corp"],
        "from": [start],
        "to": [end],
        "rules": list(rules),
        **more,
    }


def hospital() -> Drawing:
    """Two exchanges, an open segment, VPCs, hospitals, an exit, a firewall with two instances in Europe."""
    draw = Drawing()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "medium"})
    draw.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    draw.add("segments", {"name": "corp", "prefixes": ["10.0.0.0/8"]})
    draw.add("segments", {"name": "guest", "stance": "closed"})
    for name in ("prod", "dev", "sites"):
        draw.add("groups", {"name": name})
    draw.add("connectors", vpc("vpc-prod", "eu", "prod", "10.1.0.0/16", "vpc-0a1"))
    draw.add("connectors", vpc("vpc-dev", "eu", "dev", "10.2.0.0/16", "vpc-0a2"))
    draw.add("connectors", site("hospital-a", "eu", "sites", "10.3.0.0/16"))
    draw.add("connectors", site("hospital-b", "us", "sites", "10.4.0.0/16", "10.5.0.0/16"))
    draw.add("connectors", site("lobby", "us", None, "10.1.0.0/16", segment="guest"))
    draw.add(
        "connectors",
        {
            "name": "exit-eu",
            "kind": "internet-exit",
            "exchange": "eu",
            "attachments": [{"segment": "corp"}],
        },
    )
    draw.add(
        "services",
        {
            "name": "fw",
            "product": "linux-firewall",
            "segments": ["corp"],
            "placements": [{"exchange": "eu", "min_instances": 2, "max_instances": 3}],
            "settings": {
                "default": "allow",
                "rules": [{"action": "deny", "protocol": "tcp", "ports": ["8080"]}],
            },
        },
    )
    draw.add(
        "policies",
        policy(
            "sites-to-prod",
            10,
            "sites",
            "prod",
            {"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": [443, "8000-8100"]},
            {"name": "ssh", "action": "deny", "protocol": "tcp", "ports": ["22"]},
        ),
    )
    draw.add("policies", policy("no-dev-in-prod", 20, "dev", "prod", {"action": "deny"}))
    draw.add(
        "policies",
        policy(
            "web-out", 30, "prod", "internet", {"name": "web", "action": "allow", "protocol": "tcp", "ports": [443]}
        ),
    )
    draw.add("assertions", {"name": "dev never reaches prod", "from": "dev", "to": "prod", "expect": "blocked"})
    return draw
