"""Sample networks of the core's tests, built through ``normalise_body`` and ``load_intent`` like a customer's."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from provisioning.core.intent import KINDS, Catalog, CatalogNode, Intent, Location, load_intent, normalise_body, slug
from provisioning.core.resolve.network import Network

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
                CatalogNode(1, f"172.31.{index}.1", f"203.0.113.{index * 2 + 1}"),
                CatalogNode(2, f"172.31.{index}.2", f"203.0.113.{index * 2 + 2}"),
            ),
        )
        for index, (key, region, city, latitude, longitude) in enumerate(
            [
                ("aws-eu-central-1", "eu-central-1", "Frankfurt", 50.1, 8.7),
                ("aws-us-east-1", "us-east-1", "Ashburn", 39.0, -77.5),
                ("aws-eu-west-1", "eu-west-1", "Dublin", 53.3, -6.3),
            ]
        )
    },
    sizes={"small": 100_000_000, "medium": 500_000_000, "large": 1_000_000_000},
    products=("linux-firewall",),
    provisioned_kinds=("aws-vpc",),
)


HTTPS = {"action": "allow", "protocol": "tcp", "ports": ["443"]}


TODAY = date(2026, 11, 30)
"""The day on which assertions are checked."""


class IntentBuilder:
    """Rows of a network; ``add`` numbers objects in order and resolves names as the store does."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, int, str, dict[str, Any]]] = {}
        self._named: dict[tuple[str, str], str] = {}
        self._last = 0

    def resolve(self, kind: str, name_or_uid: str) -> str | None:
        row = self.rows.get(name_or_uid)
        if row is not None and row[0] == kind:
            return name_or_uid
        uid = self._named.get((kind, name_or_uid))
        return uid if uid in self.rows else None

    def uid_of(self, kind: str, name: str) -> str:
        uid = self.resolve(kind, name)
        assert uid is not None, name
        return uid

    def uid(self, kind: str, number: int) -> str:
        return f"u{KINDS.index(kind)}-{number:04d}"

    def add(self, kind: str, body: dict[str, Any]) -> str:
        number = self._last = self._last + 1
        uid = self.uid(kind, number)
        self._put(kind, uid, number, slug(body["name"]), normalise_body(kind, body, self.resolve))
        return uid

    def edit(self, kind: str, name: str, /, **fields: Any) -> None:
        uid = self.resolve(kind, name)
        assert uid is not None, name
        _, _, number, key, body = self.rows[uid]
        self._forget(uid)
        self._put(kind, uid, number, key, normalise_body(kind, {**body, **fields}, self.resolve))

    def _put(self, kind: str, uid: str, number: int, key: str, body: dict[str, Any]) -> None:
        self.rows[uid] = (kind, uid, number, key, body)
        self._named.setdefault((kind, body["name"]), uid)

    def remove(self, kind: str, name: str) -> None:
        uid = self.resolve(kind, name)
        assert uid is not None, name
        self._forget(uid)
        del self.rows[uid]

    def _forget(self, uid: str) -> None:
        kind, _, _, _, body = self.rows[uid]
        if self._named.get((kind, body["name"])) == uid:
            del self._named[kind, body["name"]]

    def copy(self) -> Self:
        other = type(self)()
        other.rows, other._named, other._last = dict(self.rows), dict(self._named), self._last
        return other

    def intent(self) -> Intent:
        return load_intent(self.rows.values(), CATALOG)

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


def hospital_network() -> IntentBuilder:
    """Return two exchanges, an allowing segment with VPCs, hospitals, an exit and a firewall, and a denying segment."""
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "medium"})
    draw.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    draw.add("segments", {"name": "corp", "prefixes": ["10.0.0.0/8"]})
    draw.add("segments", {"name": "guest", "default_action": "deny"})
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


def partner_network() -> IntentBuilder:
    """Return the hospital, and in segment guest a clearing house and an insurer whose flows are logged."""
    draw = hospital_network()
    draw.add("groups", {"name": "insurers"})
    draw.add("connectors", site("clearing", "eu", None, "172.20.4.0/23", segment="guest"))
    draw.add("connectors", site("insurer", "us", "insurers", "172.21.0.0/16", segment="guest"))
    seen = {"name": "seen", "action": "watch", "protocol": "tcp"}
    draw.add("policies", policy("log", 60, "any", "any", seen, segments=["guest"]))
    return draw
