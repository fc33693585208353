"""The ground of a generated network: exchanges, segments, groups, firewalls and connectors."""

from __future__ import annotations

import ipaddress
import random
import uuid
from dataclasses import dataclass
from typing import Any

from provisioning.catalog import catalog
from provisioning.core.intent import KINDS, Catalog, Intent, load_intent
from tests.core.sample_networks import IntentBuilder

_PREFIX_LENGTHS = (20, 22, 23, 24, 24, 24, 26)
_CLOUDS = ("aws-vpc", "azure-vnet", "gcp-vpc")
_CONNECTOR_MIX = {
    "aws-vpc": 25,
    "azure-vnet": 10,
    "gcp-vpc": 10,
    "ipsec-site": 20,
    "sdwan": 5,
    "direct-connect": 4,
    "expressroute": 3,
    "interconnect": 3,
    "colo": 5,
    "remote-access": 2,
    "lab-site": 13,
}
"""Kinds of connectors, in percent."""


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """How many objects; ``side``: the most groups on one side of a policy of a dense network."""

    name: str
    connectors: int
    segments: int
    groups: int
    rules: int
    side: int

    def times(self, factor: float, name: str) -> NetworkSize:
        """A network of as many connectors, and of everything else in proportion."""

        def scaled(count: int) -> int:
            return max(1, round(count * factor))

        return NetworkSize(
            *(name, scaled(self.connectors), scaled(self.segments)),
            *(scaled(self.groups), scaled(self.rules), self.side),
        )


SIZES = {"a": NetworkSize("a", 1_000, 40, 200, 2_000, 15), "b": NetworkSize("b", 10_000, 100, 1_000, 10_000, 40)}


class BenchNetwork(IntentBuilder):
    """A drawing on the operator's catalogue, whose uids look like those of the store."""

    def uid(self, kind: str, number: int) -> str:
        return str(uuid.UUID(int=number << 64 | 0x4000 << 64 | 0x8 << 60 | KINDS.index(kind)))

    def catalog(self) -> Catalog:
        return catalog()

    def intent(self) -> Intent:
        return load_intent(self.rows.values(), self.catalog())

    def of(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """(uid, body) of every object of a kind, by number."""
        return [(uid, body) for uid, (row_kind, _, _, _, body) in self.rows.items() if row_kind == kind]


class BaseObjectGenerator:
    """Draws one network; what later steps need of earlier ones is kept by segment."""

    def __init__(self, size: NetworkSize, shape: str, every_kind: bool, seed: int) -> None:
        self.size, self.dense, self.skewed, self.every_kind = size, shape != "plain", shape == "skewed", every_kind
        self.chance = random.Random(f"{size.name}/{shape}/{seed}")
        self.net = BenchNetwork()
        self.members: list[list[tuple[str, str]]] = [[] for _ in range(size.segments)]
        self.prefixes: list[list[str]] = [[] for _ in range(size.segments)]
        self.hubs: list[list[tuple[str, str]]] = [[] for _ in range(size.segments)]
        self.exits: list[list[str]] = [[] for _ in range(size.segments)]
        self.next = [int(ipaddress.IPv4Address("10.0.0.0"))] * size.segments
        # Group g-0 is that of the hubs, see ``hub``.
        named = range(1, size.groups)
        self.groups = [self.some(named, max(10, size.groups // 4)) for _ in range(size.segments)]
        if self.skewed:
            self.groups[0] = list(named)

    def some(self, of: Any, count: int) -> list[Any]:
        return self.chance.sample(of, min(count, len(of)))

    def odds(self, share: float) -> bool:
        return self.chance.random() < share

    def add_base_objects(self) -> None:
        """Exchanges at every location, segments, groups, firewalls."""
        add, size = self.net.add, self.size
        self.exchanges = [f"x-{place}" for place in range(len(catalog().locations))]
        for name, location in zip(self.exchanges, catalog().locations, strict=True):
            add("exchanges", {"name": name, "location": location, "size": "large"})
        for place in range(size.segments):
            default_action = "allow" if self.odds(0.3) else "deny"
            mine = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", *(["fd00::/8"] if self.every_kind else [])]
            add("segments", {"name": f"s-{place}", "default_action": default_action, "prefixes": mine})
        for place in range(size.groups):
            add("groups", {"name": f"g-{place}"})
        self.tags = [f"tag-{place}" for place in range(10)] if self.every_kind else []
        for place, tag in enumerate(self.tags):
            add("billing-tags", {"name": tag, "color": f"#3355{place:02d}"})
        self.lists = [f"list-{place}" for place in range(max(4, size.rules // 100))] if self.every_kind else []
        for name in self.lists:
            entries = [{"prefix": self.anywhere()} for _ in range(self.chance.randint(2, 20))]
            add("prefix-lists", {"name": name, "entries": entries})
        for name, at in (("fw", self.exchanges[:2]), ("ids", self.exchanges[1:4])):
            rules = [{"action": "deny", "protocol": "tcp", "ports": ["23", "135-139"]}]
            placed = [{"exchange": exchange, "min_instances": 2, "max_instances": 3} for exchange in at]
            self.service(name, placed, rules)

    def service(self, name: str, placed: list[dict[str, Any]], rules: list[dict[str, Any]]) -> None:
        body = {"name": name, "product": "linux-firewall", "placements": placed}
        segments = [f"s-{place}" for place in range(self.size.segments)]
        self.net.add("services", {**body, "segments": segments, "settings": {"default": "allow", "rules": rules}})

    def connectors(self) -> None:
        size = self.size
        kinds = _CONNECTOR_MIX if self.every_kind else {"aws-vpc": 40, "lab-site": 60}
        # Each segment gets an exit or two, by turns.
        between = max(5, size.connectors // (2 * size.segments))
        places = iter(range(size.connectors))
        for place in places:
            if place % between == 4:
                self.exit(place, place // between % size.segments)
                continue
            kind = self.chance.choices(list(kinds), list(kinds.values()))[0]
            homes = [self.home()]
            if kind not in _CLOUDS and self.odds(0.05):
                homes.append(self.home())
            body = self.connector(place, kind, list(dict.fromkeys(homes)))
            if body["redundancy_group"] and (other := next(places, None)) is not None:
                twin = {"name": f"c-{other}", "kind": "lab-site", "preference": self.chance.choice([100, 50])}
                self.net.add("connectors", {**body, **twin, "settings": {}})

    def home(self) -> int:
        return 0 if self.skewed and self.odds(0.3) else self.chance.randrange(self.size.segments)

    def exit(self, place: int, segment: int) -> None:
        ends = {"kind": "internet-exit", "exchange": self.chance.choice(self.exchanges)}
        self.net.add("connectors", {"name": f"c-{place}", **ends, "attachments": [{"segment": f"s-{segment}"}]})
        self.exits[segment].append(f"c-{place}")

    def connector(self, place: int, kind: str, homes: list[int]) -> dict[str, Any]:
        exchange = self.chance.choice(self.exchanges)
        body = {
            "name": f"c-{place}",
            "kind": kind,
            "exchange": exchange,
            "redundancy_group": f"r-{place}" if self.odds(0.01) else None,
            "attachments": [self.attachment(place, segment) for segment in homes],
            "settings": self.settings(kind, place, self.exchanges.index(exchange)),
            "billing_tags": self.some(self.tags, self.chance.randint(0, 2)),
        }
        self.net.add("connectors", body)
        return body

    def attachment(self, place: int, segment: int) -> dict[str, Any]:
        if len(self.hubs[segment]) < 2:
            return self.hub(place, segment)
        mine = [self.prefix(segment) for _ in range(self.chance.randint(1, 3))]
        self.prefixes[segment] += mine
        self.members[segment].append((f"c-{place}", mine[0]))
        if self.every_kind and self.odds(0.1):
            mine.append(f"fd00:{segment:x}:{place:x}::/48")
        group = f"g-{self.chance.choice(self.groups[segment])}" if self.odds(0.97) else None
        return {"segment": f"s-{segment}", "group": group, "prefixes": mine}

    def hub(self, place: int, segment: int) -> dict[str, Any]:
        """Shared services: addresses that no other segment has, so that shares can bring them anywhere."""
        count = 1 << ((1 << 20) // (2 * self.size.segments)).bit_length() - 1
        nth = 2 * segment + len(self.hubs[segment])
        start = ipaddress.IPv4Address("172.16.0.0") + count * nth
        prefix = f"{start}/{33 - count.bit_length()}"
        self.hubs[segment].append((f"c-{place}", prefix))
        return {"segment": f"s-{segment}", "group": "g-0", "prefixes": [prefix]}

    def settings(self, kind: str, place: int, exchange: int) -> dict[str, Any]:
        region = ["eu-central-1", "us-east-1", "ap-southeast-1", "eu-west-1", "eu-west-2", "sa-east-1"][exchange]
        peers = [f"198.51.100.{place % 250 + 1}"]
        settings: dict[str, dict[str, Any]] = {
            "aws-vpc": {"account": "111122223333", "region": region, "vpc_id": f"vpc-{place:08x}"},
            "azure-vnet": {
                "subscription": "00000000-0000-4000-8000-000000000001",
                "resource_group": f"rg-{place}",
                "vnet": f"vnet-{place}",
                "region": "westeurope",
            },
            "gcp-vpc": {"project": "acme-prod-1", "network": f"vpc-{place}", "region": "europe-west2"},
            "ipsec-site": {"peer_addresses": peers},
            "sdwan": {"vendor": "cisco", "peer_addresses": peers},
            "direct-connect": {"connection_id": f"dxcon-{place:08x}", "region": region},
            "expressroute": {"circuit": f"er-{place}"},
            "interconnect": {"attachments": [f"attachment-{place}"]},
            "colo": {"facility": "FR5"},
        }
        return settings.get(kind, {})

    def prefix(self, segment: int) -> str:
        """Mostly free addresses of the segment; now and then a longer prefix inside somebody else's."""
        if self.prefixes[segment] and self.odds(0.01):
            outer = ipaddress.ip_network(self.chance.choice(self.prefixes[segment]))
            inner = f"{outer.network_address + 8 * self.chance.randrange(outer.num_addresses // 8)}/29"
            if outer.prefixlen < 27 and inner not in self.prefixes[segment]:
                return inner
        length = self.chance.choice(_PREFIX_LENGTHS)
        count = 1 << (32 - length)
        start = -(-self.next[segment] // count) * count
        self.next[segment] = start + count + (self.chance.randrange(4) << 8)
        return f"{ipaddress.IPv4Address(start)}/{length}"

    def anywhere(self) -> str:
        return f"10.{self.chance.randrange(256)}.{self.chance.randrange(256)}.0/24"
