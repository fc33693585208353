"""Networks of any size, made by seed: the same call always draws the same network.

``network(SIZES["b"], "dense")`` is a ``Network``; its ``rows`` are (kind, uid, number, key, body) with bodies as the
store keeps them. Three shapes: *plain* (few members a policy), *dense* (up to 40 groups a side; half the rules with
prefixes, random port ranges) and *skewed* (dense, with 30 % of all connectors in one segment). Every segment uses the
same private addresses; what shares bring elsewhere and what NAT presents is apart.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.bench.base_objects import BaseObjectGenerator, BenchNetwork, NetworkSize

__all__ = ["SHAPES", "SIZES", "BenchNetwork", "NetworkSize", "generate_network"]

SHAPES = ("plain", "dense", "skewed")
SIZES = {"a": NetworkSize("a", 1_000, 40, 200, 2_000, 15), "b": NetworkSize("b", 10_000, 100, 1_000, 10_000, 40)}
_PORTS = [*map(str, (22, 25, 53, 80, 88, 110, 123, 135, 139, 143, 161, 389, 443, 445, 514, 587, 636, 993, 1433, 1521))]
_PORTS += [*map(str, (1812, 2049, 3128, 3268, 3306, 3389, 5060, 5432, 5671, 6379, 6443, 8080, 8443, 9000, 9200, 27017))]
_PORTS += ["8000-8100", "49152-65535", "1-1023"]


def generate_network(size: NetworkSize, shape: str = "plain", every_kind: bool = True, seed: int = 1) -> BenchNetwork:
    """``every_kind`` False leaves out shares, NAT, prefix lists, route policies, applications, tags and IPv6."""
    hand = NetworkGenerator(size, shape, every_kind, seed)
    hand.add_base_objects()
    hand.connectors()
    if every_kind:
        hand.nat_rules()
        hand.shares()
        hand.route_policies()
        hand.internet_apps()
    hand.policies()
    hand.assertions()
    return hand.net


class NetworkGenerator(BaseObjectGenerator):
    """Draws what is said about the connectors."""

    def nat_rules(self) -> None:
        """Three in a hundred sites hide a prefix: two behind as many addresses as it has, one behind four."""
        outside = [int(ipaddress.IPv4Address("100.64.0.0"))] * self.size.segments
        self.hidden = set()
        for segment, members in enumerate(self.members):
            for nth, (connector, inside) in enumerate(members):
                if (choice := self.chance.random()) > 0.03:
                    continue
                length = int(inside.partition("/")[2]) if choice < 0.02 else 30
                count = 1 << (32 - length)
                start = -(-outside[segment] // count) * count
                outside[segment] = start + count
                shown = f"{ipaddress.IPv4Address(start)}/{length}"
                body = {"segment": f"s-{segment}", "connector": connector}
                way_out = {"type": "static" if choice < 0.02 else "pool", "prefixes": [shown]}
                out = {**body, "name": f"out-{segment}-{nth}", "position": 10, "direction": "outbound"}
                self.net.add("nat-rules", {**out, "match": {"source": [inside]}, "source": way_out})
                self.hidden.add((segment, connector))
                if choice < 0.02:
                    into = {**body, "name": f"in-{segment}-{nth}", "position": 20, "direction": "inbound"}
                    way_in = {"type": "static", "prefixes": [inside]}
                    self.net.add("nat-rules", {**into, "match": {"destination": [shown]}, "destination": way_in})

    def shares(self) -> None:
        """As many as there are segments, between what only one segment has."""
        segments, seen = self.size.segments, set()
        for place in range(segments):
            one, other = place, (place * 7 + 1 + place // 7) % segments
            pair = frozenset((one, other))
            if one == other or pair in seen or not self.hubs[one] or not self.hubs[other]:
                continue
            seen.add(pair)
            services = ["fw"] if self.odds(0.2) else []
            direction = self.chance.choice(["both", "a-to-b", "b-to-a"])
            self.net.add(
                "shares",
                {
                    "name": f"share-{place}",
                    "a": self.side(one),
                    "b": self.side(other),
                    "direction": direction,
                    "services": services,
                },
            )

    def side(self, segment: int) -> dict[str, Any]:
        if self.odds(0.5):
            return {"segment": f"s-{segment}", "groups": ["g-0"]}
        return {"segment": f"s-{segment}", "prefixes": [prefix for _, prefix in self.some(self.hubs[segment], 1)]}

    def route_policies(self) -> None:
        for place in range(max(2, self.size.connectors // 200)):
            segment = self.home()
            if len(self.members[segment]) < 3:
                continue
            target, mine = self.chance.choice(self.members[segment])
            way = self.chance.choice(["in", "out"])
            known = [mine] if way == "in" else [prefix for _, prefix in self.some(self.members[segment], 3)]
            deny = {"match": {"prefixes": known}, "action": "deny"}
            tuned = {"match": {"prefixes": [self.anywhere()]}, "action": "allow", "set": {"prepend": 2}}
            body = {"name": f"routes-{place}", "segment": f"s-{segment}", "direction": way, "targets": [target]}
            self.net.add("route-policies", {**body, "rules": [tuned, deny]})

    def internet_apps(self) -> None:
        self.apps: list[list[str]] = [[] for _ in range(self.size.segments)]
        for place in range(max(2, self.size.connectors // 200)):
            segment = place % self.size.segments
            if not self.exits[segment] or not self.hubs[segment]:
                continue
            target, prefix = self.hubs[segment][0]
            address = ipaddress.ip_network(prefix)[5 + place // self.size.segments]
            body = {"name": f"app-{place}", "connector": self.exits[segment][0], "protocol": "tcp"}
            inside = {"connector": target, "addresses": [str(address)], "port": 8443}
            self.net.add("internet-apps", {**body, "port": 10_000 + place, "target": inside})
            self.apps[segment].append(f"app-{place}")

    def policies(self) -> None:
        bodies: list[dict[str, Any]] = []
        left = self.size.rules
        while left:
            count = min(left, self.chance.randint(1, 9))
            left -= count
            bodies.append(self.policy(len(bodies), count))
        order = list(range(len(bodies)))
        self.chance.shuffle(order)
        for place, body in zip(order, bodies, strict=True):
            self.net.add("policies", {**body, "position": 10 * place + 10})

    def policy(self, place: int, count: int) -> dict[str, Any]:
        segments = self.segments_of(place)
        from_, to = self.ends(segments), self.ends(segments)
        if self.odds(0.05):
            to = ["internet"]
        elif self.every_kind and (apps := self.apps[segments[0]]) and self.odds(0.05):
            from_, to = ["internet"], apps
        rules = [self.rule(nth, segments) for nth in range(count)]
        body = {"name": f"p-{place}", "segments": [f"s-{one}" for one in segments], "from": from_, "to": to}
        return {**body, "rules": rules}

    def segments_of(self, place: int) -> list[int]:
        every = range(self.size.segments)
        if place == 0 or self.odds(0.02):
            return list(every)
        if self.skewed and self.odds(0.4):
            return [0]
        count = self.chance.choice([1, 1, 1, 2, 3])
        return sorted(self.some(every, count * 4 if self.dense and self.odds(0.9) else count))

    def ends(self, segments: list[int]) -> list[str]:
        if self.odds(0.05 if self.dense else 0.15):
            return ["any"]
        segment = self.chance.choice(segments)
        if self.odds(0.05) and self.members[segment]:
            return [self.chance.choice(self.members[segment])[0]]
        most = self.size.side if self.dense else 3
        return [f"g-{one}" for one in self.some(self.groups[segment], self.chance.randint(1, most))]

    def rule(self, nth: int, segments: list[int]) -> dict[str, Any]:
        action = self.chance.choices(["allow", "deny", "inspect", "watch"], [50, 30, 15, 5])[0]
        protocol = self.chance.choice(["tcp", "tcp", "tcp", "udp", "icmp", "any"])
        rule: dict[str, Any] = {"name": f"r-{nth}", "action": action, "protocol": protocol}
        if protocol in ("tcp", "udp") and self.odds(0.9):
            rule["ports"] = self.ports()
        if action == "inspect":
            rule["services"] = ["fw", "ids"] if self.odds(0.2) else ["fw"]
        half = 1.0 if self.dense else 0.3
        if self.odds(0.25 * half):
            rule["source"] = [self.part(segments)]
        if self.odds(0.35 * half):
            rule["destination"] = [self.part(segments) for _ in range(self.chance.randint(1, 2))]
        return rule

    def ports(self) -> list[str]:
        if self.dense or self.odds(0.2):
            low = self.chance.randrange(1, 60_000)
            return [f"{low}-{low + self.chance.randrange(2_000)}"]
        return self.some(_PORTS, self.chance.choice([1, 1, 1, 2]))

    def part(self, segments: list[int]) -> str:
        """A connector's prefix, something around it or something inside it; or a list of prefixes."""
        known = self.prefixes[self.chance.choice(segments)]
        if self.lists and self.odds(0.15):
            return self.chance.choice(self.lists)
        if not known:
            return "10.0.0.0/12"
        prefix = ipaddress.IPv4Network(self.chance.choice(known))
        kind = self.chance.random()
        if kind < 0.5:
            return str(prefix)
        if kind < 0.7:
            return str(prefix.supernet(self.chance.randint(1, 6)))
        length = min(30, prefix.prefixlen + self.chance.randint(1, 4))
        inside = 1 << (length - prefix.prefixlen)
        start = prefix.network_address + self.chance.randrange(inside) * (1 << (32 - length))
        return f"{start}/{length}"

    def assertions(self) -> None:
        for place in range(10):
            segment = self.home()
            start, end = (f"g-{one}" for one in self.some(self.groups[segment], 2))
            body = {"name": f"kept-{place}", "from": start, "to": end, "segment": f"s-{segment}", "protocol": "tcp"}
            self.net.add("assertions", {**body, "ports": ["23"], "expect": "blocked"})
