"""A small network written by hand as the sections that compile would produce."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

from provisioning.core.node_document import VERSION, SectionJson, section_json

TENANT = "acme"
EXCHANGES = {"eu": "aws-eu-central-1", "us": "aws-us-east-1"}
UNDERLAY = {"eu/1": "172.31.0.1", "eu/2": "172.31.0.2", "us/1": "172.31.1.1", "us/2": "172.31.1.2"}
NODES = {node: EXCHANGES[node.partition("/")[0]] for node in UNDERLAY}
INDEX = {node: number for number, node in enumerate(UNDERLAY, start=1)}


@dataclass(frozen=True)
class Site:
    name: str
    exchange: str
    prefix: str = ""
    segment: str = "corp"
    kind: str = "lab-site"
    rate: int = 0


@dataclass(frozen=True)
class HandwrittenNetwork:
    """instances: service → hosts of its instances. rules: as in a segment's body, with defaults filled in."""

    sites: tuple[Site, ...]
    default_action: dict[str, str] = field(default_factory=lambda: {"corp": "allow"})
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    instances: dict[str, list[str]] = field(default_factory=dict)
    instance_rules: list[dict[str, Any]] = field(default_factory=list)
    tenant: str = TENANT

    def with_changes(self, **changes: Any) -> HandwrittenNetwork:
        return replace(self, **changes)

    def documents(self) -> dict[str, dict[str, SectionJson]]:
        """Return node at its location ("aws-eu-central-1/1") → its sections."""
        documents: dict[str, dict[str, SectionJson]] = {}
        for node in UNDERLAY:
            exchange, _, index = node.rpartition("/")
            sections: dict[str, SectionJson] = {}

            def add(
                address: str, kind: str, body: dict[str, Any], node: str = node, to: dict[str, SectionJson] = sections
            ) -> None:
                body = {"version": VERSION, "nodes": NODES, **body}
                to[f"{self.tenant}/{address}"] = section_json(self.tenant, node, address, kind, body)

            add(
                f"exchange/{exchange}",
                "exchange.presence",
                {"location": EXCHANGES[exchange], "size": "small", "rate": 0},
            )
            for number, segment in enumerate(sorted(self.default_action), start=12):
                address = f"exchange/{exchange}/{index}/segment/{segment}"
                add(address, "exchange.vrf", self._vrf(node, segment))
                add(f"segment/{segment}", "exchange.segment", self._segment(segment, number))
            for number, site in enumerate(self.sites, start=1):
                links = self._links(number, site)
                if any(link["node"] == node for link in links):
                    body = {"number": number, "kind": site.kind, "size": "small", "rate": site.rate}
                    add(
                        f"connector/{site.name}",
                        "exchange.connector",
                        {**body, "exchange": site.exchange, "failover_exchange": None, "links": links},
                    )
            for service, hosts in self.instances.items():
                for i, host in enumerate(hosts, start=1):
                    if host.startswith(exchange):
                        body = self._instance(service, i, host)
                        add(f"service/{service}/{exchange}/instance/{i}", "exchange.instance", body)
            documents[f"{EXCHANGES[exchange]}/{index}"] = sections
        return documents

    def _vrf(self, node: str, segment: str) -> dict[str, Any]:
        return {
            "segment": segment, "node": node, "index": INDEX[node],
            "services": {
                service: {
                    "number": 40, "on_failure": "closed",
                    "instances": [
                        {
                            "id": f"{service}/{h.partition('/')[0]}/{i}", "index": 100 + i, "host": h,
                            "underlay": UNDERLAY[h],
                        }
                        for i, h in enumerate(hosts, start=1)
                    ],
                }
                for service, hosts in self.instances.items()
            },
        }  # fmt: skip

    def _segment(self, segment: str, number: int) -> dict[str, Any]:
        members: list[dict[str, Any]] = [
            {
                "id": i, "connector": site.name, "number": i, "exchange": site.exchange, "home": f"{site.exchange}/1",
                "kind": site.kind, "groups": [], "anchor_class": i, "prefixes": [site.prefix] if site.prefix else [],
                "ranges": [_range(site.prefix)] if site.prefix else [],
                "sources": [_range(site.prefix)] if site.prefix else [],
            }
            for i, site in enumerate(self.sites, start=1)
            if site.segment == segment
        ]  # fmt: skip
        exits = {
            exchange: {"member": m["id"], "home": m["home"]}
            for m in members
            if m["kind"] == "internet-exit"
            for exchange in EXCHANGES
        }
        sets = {f"c:{m['connector']}": m["ranges"] for m in members}
        sets["any"] = [r for m in members for r in m["ranges"]]
        rules = [
            {
                "id": f"p/{i}", "tier": "standard", "mode": "enforce", "reject": True, "chain": [],
                "source": None, "destination": None, "apply_to": "all", **with_l4(rule),
            }
            for i, rule in enumerate(self.rules.get(segment, ()), start=1)
        ]  # fmt: skip
        return {
            "segment": segment, "number": number, "default_action": self.default_action[segment], "vni": number,
            "members": members, "exits": exits, "address_sets": sets, "rules": rules, "bogons": [], "apps": [],
            "imported_members": [], "deciding_peers": [], "shares": [], "peer_rules": {},
            "mesh": [{"node": node, "index": INDEX[node], "underlay": UNDERLAY[node]} for node in UNDERLAY],
            "anchors": self._anchors(members),
        }  # fmt: skip

    def _anchors(self, members: list[dict[str, Any]]) -> dict[str, str]:
        """Return anchors spread over all four nodes, so that tests use every path of the mesh."""
        anchors = {}
        for a in members:
            for b in members:
                low, high = sorted((a["anchor_class"], b["anchor_class"]))
                nodes = sorted(UNDERLAY)
                choice = hashlib.sha256(f"{low}.{high}".encode()).digest()[0] % len(nodes)
                anchors[f"{low}.{high}"] = nodes[choice]
        return anchors

    def _links(self, number: int, site: Site) -> list[dict[str, Any]]:
        segment_number = 12 + sorted(self.default_action).index(site.segment)
        return [
            {
                "circuit": circuit, "node": f"{site.exchange}/{i}", "role": role, "segment": site.segment,
                "segment_number": segment_number, "interface": f"c{number}{circuit.lower()}{segment_number}",
                "local": f"169.254.{number}.{4 * i + 1}/30", "peer": f"169.254.{number}.{4 * i + 2}/30",
                "inside": [site.prefix] if site.prefix else [], "presented": [], "nat_rules": [], "filtered_routes": [],
                "route_policies": {"in": [], "out": []}, "vlan": None, "bgp": None, "remote": None,
                "transport": "internet" if site.kind == "internet-exit" else "lab",
                "nat": "203.0.113.9" if site.kind == "internet-exit" else None,
            }
            for i, circuit, role in ((1, "A", "active"), (2, "B", "standby"))
        ]  # fmt: skip

    def _instance(self, service: str, i: int, host: str) -> dict[str, Any]:
        return {
            "service": service, "number": 40, "product": "linux-firewall", "instance": i, "host": host,
            "segments": [
                {"segment": segment, "number": number, "index": 100 + i}
                for number, segment in enumerate(sorted(self.default_action), start=12)
            ],
            "license": "included", "exchange": host.partition("/")[0], "zones": [], "default_action": "allow",
            "rules": [{"source": None, "destination": None, **with_l4(rule)} for rule in self.instance_rules],
        }  # fmt: skip


def _range(prefix: str) -> str:
    network = IPv4Network(prefix)
    return f"{network[0]}-{network[-1]}"


def with_l4(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule with its protocol and ports as documents write them."""
    fields = ("protocol", "ports", "icmp_types")
    kept = {name: value for name, value in rule.items() if name not in fields}
    l4 = {"protocol": "any", "ports": [], **{name: rule[name] for name in fields if name in rule}}
    return {**kept, "l4": [l4]}


def policy_rule(source: str, destination: str, action: str = "allow", **more: Any) -> dict[str, Any]:
    return {"action": action, "from": [source], "to": [destination], **more}
