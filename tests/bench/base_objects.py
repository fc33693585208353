"""The base objects of a generated network: exchanges, segments, groups, firewalls and connectors."""

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
        """Return a size with ``factor`` times the connectors, segments, groups and rules."""

        def scaled(count: int) -> int:
            return max(1, round(count * factor))

        return NetworkSize(
            *(name, scaled(self.connectors), scaled(self.segments)),
            *(scaled(self.groups), scaled(self.rules), self.side),
        )


SIZES = {"a": NetworkSize("a", 1_000, 40, 200, 2_000, 15), "b": NetworkSize("b", 10_000, 100, 1_000, 10_000, 40)}


class BenchNetwork(IntentBuilder):
    """An IntentBuilder on the operator's catalogue, with UUIDs as the store has them."""

    def uid(self, kind: str, number: int) -> str:
        return str(uuid.UUID(int=number << 64 | 0x4000 << 64 | 0x8 << 60 | KINDS.index(kind)))

    def catalog(self) -> Catalog:
        return catalog()

    def intent(self) -> Intent:
        return load_intent(self.rows.values(), self.catalog())

    def of(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Return (uid, body) of every object of a kind, by number."""
        return [(uid, body) for uid, (row_kind, _, _, _, body) in self.rows.items() if row_kind == kind]


_LABEL_KEYS = ("app", "env", "zone")


def _selector_key(group: int) -> str:
    """Return the key of the label by which the group selects, in labelled networks; empty for two groups in three."""
    return _LABEL_KEYS[group // 3 % 3] if group and group % 3 == 0 else ""


class BaseObjectGenerator:
    """Generate one network; lists by segment hold what later steps need of earlier ones."""

    def __init__(self, size: NetworkSize, shape: str, every_kind: bool, seed: int) -> None:
        self.size, self.every_kind = size, every_kind
        self.dense, self.skewed, self.labelled = shape in ("dense", "skewed"), shape == "skewed", shape == "labelled"
        self.rng = random.Random(f"{size.name}/{shape}/{seed}")
        self.net = BenchNetwork()
        self.members: list[list[tuple[str, str]]] = [[] for _ in range(size.segments)]
        self.prefixes: list[list[str]] = [[] for _ in range(size.segments)]
        self.hubs: list[list[tuple[str, str]]] = [[] for _ in range(size.segments)]
        self.exits: list[list[str]] = [[] for _ in range(size.segments)]
        self.next = [int(ipaddress.IPv4Address("10.0.0.0"))] * size.segments
        # Group g-0 is the group of the hubs, see ``hub``.
        named = range(1, size.groups)
        self.groups = [self.sample(named, max(10, size.groups // 4)) for _ in range(size.segments)]
        if self.skewed:
            self.groups[0] = list(named)

    def sample(self, options: Any, count: int) -> list[Any]:
        return self.rng.sample(options, min(count, len(options)))

    def chance_of(self, share: float) -> bool:
        return self.rng.random() < share

    def add_base_objects(self) -> None:
        """Add exchanges at every location, segments, groups, tags, prefix lists and firewalls."""
        add, size = self.net.add, self.size
        self.exchanges = [f"x-{index}" for index in range(len(catalog().locations))]
        for name, location in zip(self.exchanges, catalog().locations, strict=True):
            add("exchanges", {"name": name, "location": location, "size": "large"})
        for index in range(size.segments):
            default_action = "allow" if self.chance_of(0.3) else "deny"
            mine = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", *(["fd00::/8"] if self.every_kind else [])]
            add("segments", {"name": f"s-{index}", "default_action": default_action, "prefixes": mine})
        for index in range(size.groups):
            add("groups", {"name": f"g-{index}", **self.selector(index)})
        self.tags = [f"tag-{index}" for index in range(10)] if self.every_kind else []
        for index, tag in enumerate(self.tags):
            add("billing-tags", {"name": tag, "color": f"#3355{index:02d}"})
        self.lists = [f"list-{index}" for index in range(max(4, size.rules // 100))] if self.every_kind else []
        for name in self.lists:
            entries = [{"prefix": self.random_prefix()} for _ in range(self.rng.randint(2, 20))]
            add("prefix-lists", {"name": name, "entries": entries})
        for name, at in (("fw", self.exchanges[:2]), ("ids", self.exchanges[1:4])):
            rules = [{"action": "deny", "protocol": "tcp", "ports": ["23", "135-139"]}]
            placed = [{"exchange": exchange, "min_instances": 2, "max_instances": 3} for exchange in at]
            self.service(name, placed, rules)

    def service(self, name: str, placed: list[dict[str, Any]], rules: list[dict[str, Any]]) -> None:
        body = {"name": name, "product": "linux-firewall", "placements": placed}
        segments = [f"s-{index}" for index in range(self.size.segments)]
        self.net.add("services", {**body, "segments": segments, "settings": {"default": "allow", "rules": rules}})

    def connectors(self) -> None:
        size = self.size
        kinds = _CONNECTOR_MIX if self.every_kind else {"aws-vpc": 40, "lab-site": 60}
        # Segments get one or two exits each, in turn.
        between = max(5, size.connectors // (2 * size.segments))
        indexes = iter(range(size.connectors))
        for index in indexes:
            if index % between == 4:
                self.exit(index, index // between % size.segments)
                continue
            kind = self.rng.choices(list(kinds), list(kinds.values()))[0]
            homes = [self.home()]
            if kind not in _CLOUDS and self.chance_of(0.05):
                homes.append(self.home())
            body = self.connector(index, kind, list(dict.fromkeys(homes)))
            if body["redundancy_group"] and (other := next(indexes, None)) is not None:
                twin = {"name": f"c-{other}", "kind": "lab-site", "preference": self.rng.choice([100, 50])}
                self.net.add("connectors", {**body, **twin, "settings": {}})

    def home(self) -> int:
        return 0 if self.skewed and self.chance_of(0.3) else self.rng.randrange(self.size.segments)

    def exit(self, index: int, segment: int) -> None:
        ends = {"kind": "internet-exit", "exchange": self.rng.choice(self.exchanges)}
        self.net.add("connectors", {"name": f"c-{index}", **ends, "attachments": [{"segment": f"s-{segment}"}]})
        self.exits[segment].append(f"c-{index}")

    def connector(self, index: int, kind: str, homes: list[int]) -> dict[str, Any]:
        exchange = self.rng.choice(self.exchanges)
        body = {
            "name": f"c-{index}",
            "kind": kind,
            "exchange": exchange,
            "redundancy_group": f"r-{index}" if self.chance_of(0.01) else None,
            "attachments": [self.attachment(index, segment) for segment in homes],
            "settings": self.settings(kind, index, self.exchanges.index(exchange)),
            "billing_tags": self.sample(self.tags, self.rng.randint(0, 2)),
        }
        self.net.add("connectors", body)
        return body

    def attachment(self, index: int, segment: int) -> dict[str, Any]:
        if len(self.hubs[segment]) < 2:
            return self.hub(index, segment)
        mine = [self.prefix(segment) for _ in range(self.rng.randint(1, 3))]
        self.prefixes[segment] += mine
        self.members[segment].append((f"c-{index}", mine[0]))
        if self.every_kind and self.chance_of(0.1):
            mine.append(f"fd00:{segment:x}:{index:x}::/48")
        return {"segment": f"s-{segment}", **self.groups_of_member(segment), "prefixes": mine}

    def groups_of_member(self, segment: int) -> dict[str, Any]:
        """Return the fields that put a member into groups: into one, or in a labelled network into five."""
        if not self.labelled:
            return {"group": f"g-{self.rng.choice(self.groups[segment])}" if self.chance_of(0.97) else None}
        named, selecting = [], dict[str, list[int]]()
        for group in self.groups[segment]:
            if key := _selector_key(group):
                selecting.setdefault(key, []).append(group)
            else:
                named.append(f"g-{group}")
        labels = {key: f"v-{self.rng.choice(groups)}" for key, groups in selecting.items()}
        return {"groups": self.sample(named, 5 - len(labels)), "labels": labels}

    def selector(self, group: int) -> dict[str, Any]:
        key = _selector_key(group) if self.labelled else ""
        return {"selector": f"{key}=v-{group}"} if key else {}

    def hub(self, index: int, segment: int) -> dict[str, Any]:
        """Return an attachment of shared services with addresses unique to it, so that any segment can import them."""
        count = 1 << ((1 << 20) // (2 * self.size.segments)).bit_length() - 1
        nth = 2 * segment + len(self.hubs[segment])
        start = ipaddress.IPv4Address("172.16.0.0") + count * nth
        prefix = f"{start}/{33 - count.bit_length()}"
        self.hubs[segment].append((f"c-{index}", prefix))
        return {"segment": f"s-{segment}", "group": "g-0", "prefixes": [prefix]}

    def settings(self, kind: str, index: int, exchange: int) -> dict[str, Any]:
        region = ["eu-central-1", "us-east-1", "ap-southeast-1", "eu-west-1", "eu-west-2", "sa-east-1"][exchange]
        peers = [f"198.51.100.{index % 250 + 1}"]
        settings: dict[str, dict[str, Any]] = {
            "aws-vpc": {"account": "111122223333", "region": region, "vpc_id": f"vpc-{index:08x}"},
            "azure-vnet": {
                "subscription": "00000000-0000-4000-8000-000000000001",
                "resource_group": f"rg-{index}",
                "vnet": f"vnet-{index}",
                "region": "westeurope",
            },
            "gcp-vpc": {"project": "acme-prod-1", "network": f"vpc-{index}", "region": "europe-west2"},
            "ipsec-site": {"peer_addresses": peers},
            "sdwan": {"vendor": "cisco", "peer_addresses": peers},
            "direct-connect": {"connection_id": f"dxcon-{index:08x}", "region": region},
            "expressroute": {"circuit": f"er-{index}"},
            "interconnect": {"attachments": [f"attachment-{index}"]},
            "colo": {"facility": "FR5"},
        }
        return settings.get(kind, {})

    def prefix(self, segment: int) -> str:
        """Return a free prefix of the segment; in one of a hundred cases a longer prefix inside another connector's."""
        if self.prefixes[segment] and self.chance_of(0.01):
            outer = ipaddress.ip_network(self.rng.choice(self.prefixes[segment]))
            inner = f"{outer.network_address + 8 * self.rng.randrange(outer.num_addresses // 8)}/29"
            if outer.prefixlen < 27 and inner not in self.prefixes[segment]:
                return inner
        length = self.rng.choice(_PREFIX_LENGTHS)
        count = 1 << (32 - length)
        start = -(-self.next[segment] // count) * count
        self.next[segment] = start + count + (self.rng.randrange(4) << 8)
        return f"{ipaddress.IPv4Address(start)}/{length}"

    def random_prefix(self) -> str:
        return f"10.{self.rng.randrange(256)}.{self.rng.randrange(256)}.0/24"
