"""Random networks with every kind of object: segments with overlapping addresses, sites in several segments, shares
in both directions, NAT, route policies, prefix lists, internet applications, services that deny or have no
instances, IPv6.

The networks are small and most objects overlap, yet ``check`` finds no error in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.core.random_groups import SELECTORS, attachment_groups, group_fields, labels
from tests.core.random_header_fields import narrowing_fields
from tests.core.random_routes import route_rules
from tests.core.reference_evaluator import ReferenceEvaluator
from tests.core.reference_objects import Span, prefix_span
from tests.core.sample_networks import IntentBuilder, policy, site

POLICY_ACTIONS = ["allow", "deny", "inspect", "pass"]
TIERS = ["mandatory", "standard", "standard", "baseline"]
SEGMENTS = ["corp", "guest", "lab"]
GROUPS = ["red", "blue", "green"]
PREFIXES = ["10.0.0.0/14", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.128/25", "10.1.0.0/16", "10.2.0.0/16", "10.2.3.0/24"]
DISJOINT_PREFIXES = {"corp": "10.8.0.0/16", "guest": "10.9.0.0/16", "lab": "10.10.0.0/16"}
"""Prefixes that only one segment uses, so that shares can import them into the others."""

V6 = ["fd00:1::/32", "fd00:1:2::/48", "fd00:7::/32"]
PORTS = ["22", "80", "80-90", "443", "8000-8100"]
LISTS = ["near", "empty"]
"""Lists of routes."""
ADDRESSES = ["10.0.1.100-10.0.2.7", "!10.0.1.128/25", "!10.1.0.0-10.1.3.255", "10.2.0.0/16"]
"""Ranges, and addresses left out."""


# Strategies are cached: building one takes longer than drawing from it.


@cache
def _sampled(options: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


@cache
def _several(options: tuple[Any, ...], least: int, most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(_sampled(options), min_size=least, max_size=most, unique=True)


def one_of(options: Sequence[Any]) -> st.SearchStrategy[Any]:
    return _sampled(tuple(options))


def several_of(options: Sequence[Any], least: int = 0, most: int = 2) -> st.SearchStrategy[list[Any]]:
    return _several(tuple(options), least, most)


@st.composite
def asserted_ends(draw: st.DrawFn, sites: Sequence[str]) -> dict[str, Any]:
    """Draw both ends of an assertion or an exception: objects, words, prefixes and selectors."""
    ends = ["any", "any", "internet", *GROUPS, *sites[:2], *PREFIXES[1:5], "10.8.0.0/24", "10.9.0.0/20", V6[0]]
    ends += [selector for selector in SELECTORS if selector and "=" in selector]
    return {"from": draw(one_of(ends)), "to": draw(one_of(ends))}


@st.composite
def rules(draw: st.DrawFn, actions: list[str], most: int = 3) -> list[dict[str, Any]]:
    listed = []
    for _ in range(draw(one_of(range(1, most + 1)))):
        protocol = draw(one_of(["any", "any", "tcp", "tcp", "udp", 1, 47]))
        rule: dict[str, Any] = {"action": draw(one_of(actions)), "protocol": protocol}
        if draw(one_of([False, False, True])):
            rule["protocol"] = draw(several_of(["tcp", "udp", 1, 47], 1, 3))
        if set(rule["protocol"] if isinstance(rule["protocol"], list) else [protocol]) <= {"tcp", "udp"}:
            rule["ports"] = draw(several_of([*PORTS, "web", "https", "dns"])) or ["any"]
        elif draw(one_of([False, False, True])):
            rule["ports"] = draw(several_of(["web", "dns", "others"], 1, 2))
        rule |= draw(narrowing_fields(rule["protocol"]))
        for side in ("source", "destination"):
            if draw(one_of([False, False, False, True])):
                rule[side] = draw(
                    several_of(
                        [
                            *(*PREFIXES, *DISJOINT_PREFIXES.values(), *ADDRESSES, *LISTS, "mixed", "!mixed"),
                            *("100.64.0.0/17", V6[0], "8.8.8.8/32"),
                        ],
                        1,
                    )
                )
        if rule["action"] == "inspect":
            rule["services"] = draw(several_of(["fw", "ids"], 1))
        if "pass" in actions:
            rule["mode"] = draw(one_of(["enforce"] * 4 + ["monitor", "disabled"]))
        listed.append(rule)
    return listed


def _is_alike(attachment: dict[str, Any], segment: str, joins: dict[str, Any]) -> bool:
    """Return whether an attachment joins the segment with these groups and labels, which one of a connector may."""
    return attachment["segment"] == segment and {name: attachment[name] for name in joins} == joins


class NetworkGenerator:
    """Draw one network; ``net`` holds the objects drawn so far."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.net = draw, IntentBuilder()
        self.sites: list[str] = []
        self.exits: list[str] = []

    def ground(self) -> None:
        add, draw = self.net.add, self.draw
        for name, location in (("eu", "aws-eu-central-1"), ("us", "aws-us-east-1")):
            add("exchanges", {"name": name, "location": location})
        for name in SEGMENTS:
            add("segments", {"name": name, "default_action": draw(one_of(["allow", "deny"]))})
        for index, name in enumerate(GROUPS):
            add("groups", {"name": name, **draw(group_fields(GROUPS[:index]))})
        entries: dict[str, dict[str, Any]] = {
            "10.0.0.0/16": {"ge": 24, "le": draw(one_of([24, 25]))},
            "10.1.0.0/16": {},
            DISJOINT_PREFIXES["guest"]: {"le": 32},
        }
        near = [{"prefix": prefix, **entries[prefix]} for prefix in draw(several_of([*entries], 1, 3))]
        add("prefix-lists", {"name": "near", "entries": near})
        web = [{"protocol": "tcp", "ports": ["80-90", "443"]}, {"protocol": "udp", "ports": draw(several_of(PORTS, 1))}]
        add("port-lists", {"name": "web", "entries": web})
        add(
            "port-lists", {"name": "others", "entries": [{"protocol": 47}], "contains": draw(several_of(["web"], 0, 1))}
        )
        add("prefix-lists", {"name": "empty", "entries": []})
        inner = [{"prefix": prefix} for prefix in draw(several_of(ADDRESSES, 0, 2))]
        add("prefix-lists", {"name": "mixed", "entries": inner, "contains": draw(several_of(LISTS, 0, 1))})
        for name in ("fw", "ids"):
            settings = {"default": draw(one_of(["allow", "deny"])), "rules": draw(rules(["allow", "deny"], 2))}
            placed = [{"exchange": "eu", "min_instances": draw(one_of([1, 1, 2, 0]))}]
            body = {"name": name, "product": "linux-firewall", "segments": SEGMENTS, "settings": settings}
            add("services", {**body, "placements": placed, "on_failure": draw(one_of(["closed", "open"]))})

    def connectors(self) -> None:
        draw = self.draw
        for index in range(draw(one_of([2, 3, 4, 5, 1]))):
            homes = draw(several_of(SEGMENTS[:2] if index % 2 else SEGMENTS, 1, 2))
            if draw(st.booleans()) and draw(st.booleans()):
                homes.append(homes[0])
            taken: set[tuple[str, str]] = set()
            attachments: list[dict[str, Any]] = []
            for segment in homes:
                joins = draw(attachment_groups(GROUPS))
                if any(_is_alike(attachment, segment, joins) for attachment in attachments):
                    continue
                prefixes = [
                    prefix for prefix in draw(several_of([*PREFIXES, *V6], 0, 3)) if (segment, prefix) not in taken
                ]
                if not prefixes or draw(st.booleans()):
                    prefixes.append(DISJOINT_PREFIXES[segment].replace(".0.0/16", f".{len(taken) + 8 * index}.0/24"))
                prefixes += draw(one_of([()] * 6 + [("0.0.0.0/0",), ("0.0.0.0/0", "::/0")]))
                taken |= {(segment, prefix) for prefix in prefixes}
                attachments.append({"segment": segment, **joins, "prefixes": prefixes})
            peer = draw(one_of([None, 65001, 65002]))
            circuits = [{"name": "A", "bgp": {"peer_asn": peer} if peer else None}]
            body = {**site(f"s{index}", draw(one_of(["eu", "us"])), None), "attachments": attachments}
            more = {
                "kind": draw(one_of(["lab-site", "lab-site", "remote-access"])),
                "labels": draw(labels()),
                "preference": draw(one_of([100, 200])),
                "enabled": draw(one_of([True] * 5 + [False])),
            }
            # Only connectors of one redundancy group may have equal prefixes; all of them share one.
            self.net.add("connectors", {**body, **more, "redundancy_group": "all", "circuits": circuits})
            self.sites.append(f"s{index}")
        for exchange in draw(several_of(["eu", "us"])):
            self.exits.append(f"exit-{exchange}")
            attachments = [{"segment": segment} for segment in draw(several_of(SEGMENTS, 1, 3))]
            self.net.add(
                "connectors",
                {"name": f"exit-{exchange}", "kind": "internet-exit", "exchange": exchange, "attachments": attachments},
            )

    def nat_rules(self) -> None:
        """Add NAT rules to sites with one attachment in the segment: an outside prefix belongs to one attachment."""
        draw = self.draw
        edges = [edge for segment in SEGMENTS for edge in self.edges(segment)]
        alone = [edge for edge in edges if not edge.is_exit and edge.whole == edge.inside]
        for index in range(draw(st.integers(0, 3)) if alone else 0):
            edge = alone[draw(one_of(range(len(alone))))]
            segment, name = self.net.rows[edge.segment][4]["name"], self.net.rows[edge.connector][4]["name"]
            attached = next(
                attachment["prefixes"]
                for attachment in self.net.rows[edge.connector][4]["attachments"]
                if attachment["segment"] == edge.segment
            )
            inside = [prefix for prefix in attached if ":" not in prefix and prefix not in (PREFIXES[0], "0.0.0.0/0")]
            if not inside:
                continue
            outside = f"100.64.{(index + 1) * 8}.0/24"
            part = draw(one_of(inside)).replace("/16", "/24")
            outside = outside.replace("/24", "/" + part.partition("/")[2])
            match: dict[str, Any] = {}
            if draw(st.booleans()):
                match = {"protocol": "tcp", "ports": draw(several_of(PORTS)) or ["any"]}
            body = {"segment": segment, "connector": name, "position": draw(st.integers(0, 3)), "name": f"n{index}"}
            self.net.add("nat-rules", {**body, **draw(self.translation(match, part, outside))})

    @st.composite
    @staticmethod
    def translation(draw: st.DrawFn, match: dict[str, Any], part: str, outside: str) -> dict[str, Any]:
        port = draw(one_of([None, 8080])) if match else None
        kind = draw(one_of(["static", "pool", "any-pool", "towards", "inward", "inward", "both"]))
        if kind == "static":
            return _nat("outbound", {**match, "source": [part]}, source=("static", outside))
        if kind == "pool":
            towards = draw(one_of(["any", "any", "10.1.0.0/16"]))
            narrowed = {**match, "source": [part], "destination": [towards]}
            return _nat("outbound", narrowed, source=("pool", outside[: outside.index("/")] + "/31"))
        if kind == "any-pool":
            return _nat("outbound", match, source=("pool", outside[: outside.index("/")] + "/31"))
        if kind == "towards":
            return _nat("outbound", {**match, "destination": ["198.18.0.0/16"]}, towards=("10.1.0.0/16", port))
        source = draw(one_of(["any", "any", "10.2.0.0/16"]))
        hidden = ("pool", "192.168.9.1/32") if kind == "both" else None
        return _nat("inbound", {**match, "source": [source], "destination": [outside]}, hidden, (part, port))

    def shares(self) -> None:
        draw = self.draw
        for index in range(draw(one_of([1, 2, 3, 0]))):
            a, b = draw(several_of(SEGMENTS, 2, 2))
            body = {
                "name": f"sh{index}",
                "a": self.side(a),
                "b": {**self.side(b), "internet": draw(one_of([False, False, True]))},
                "direction": draw(one_of(["both", "a-to-b", "b-to-a"])),
                "services": draw(several_of(["fw", "ids"], 0, 1)),
            }
            self.net.add("shares", body)
            if has_conflicts(self.net):
                self.net.remove("shares", f"sh{index}")

    def side(self, segment: str) -> dict[str, Any]:
        groups = self.draw(several_of(GROUPS, 0, 1))
        known = [DISJOINT_PREFIXES[segment], "10.8.0.0/14", "10.1.0.0/16", "100.64.0.0/16", V6[1], V6[2]]
        known += ["0.0.0.0/0", "128.0.0.0/1"]
        prefixes = self.draw(several_of(known, 0 if groups else 1, 2))
        return {"segment": segment, "groups": groups, "prefixes": prefixes}

    def route_policies(self) -> None:
        draw = self.draw
        known = [*PREFIXES[:5], *DISJOINT_PREFIXES.values(), *V6, *LISTS, "100.64.8.0/24", "100.64.16.0/24"]
        for index in range(draw(one_of([0, 1, 2]))):
            listed = [draw(route_rules(known)) for _ in range(draw(one_of([1, 2])))]
            targets = draw(several_of([*self.sites, *GROUPS], 1))
            body = {"name": f"rp{index}", "segment": draw(one_of(SEGMENTS)), "direction": draw(one_of(["in", "out"]))}
            self.net.add("route-policies", {**body, "targets": targets, "rules": listed})

    def internet_apps(self) -> list[str]:
        """Add applications in segments that have an exit and a target that owns an address; return their names."""
        draw = self.draw
        reference = ReferenceEvaluator(self.net)
        targets: list[tuple[list[Any], Any, int]] = []
        for segment in SEGMENTS:
            uid = self.net.resolve("segments", segment)
            assert uid is not None
            exits = [edge for edge in self.edges(segment) if edge.is_exit]
            for edge in self.edges(segment) if exits else ():
                for span in edge.inside:
                    owner = reference.owner(uid, span.low + 9) if span.high < 1 << 128 else None
                    if owner and owner.connector == edge.connector and draw(st.booleans()):
                        targets.append((exits, edge, span.low + 9))
        apps = []
        for index, (ways_in, edge, address) in enumerate(targets[:2]):
            way_in = ways_in[draw(one_of(range(len(ways_in))))]
            name = self.net.rows[way_in.connector][4]["name"]
            target = {"connector": edge.connector, "addresses": [dotted(address)], "port": 8443}
            body = {"name": f"app{index}", "connector": name, "port": 443 + index, "target": target}
            self.net.add("internet-apps", body)
            apps.append(f"app{index}")
        return apps

    def edges(self, segment: str) -> list[Any]:
        uid = self.net.resolve("segments", segment)
        assert uid is not None
        return ReferenceEvaluator(self.net).edges(uid)

    def policies(self, apps: list[str]) -> None:
        draw = self.draw
        starts = one_of(["any", "any", "any", "any", *GROUPS, *self.sites[:1]])
        ends = one_of(["any", "any", "any", "any", *GROUPS, *self.sites[:1], "internet", *apps])
        for index in range(draw(one_of([2, 3, 4, 1, 0]))):
            listed = draw(rules(POLICY_ACTIONS))
            end = draw(ends)
            start = "internet" if end in apps else draw(starts)
            body = policy(f"p{index}", draw(one_of(range(9))) * 4 + index, start, end, *listed)
            segments = SEGMENTS if draw(st.booleans()) else [draw(one_of(SEGMENTS))]
            if end == "internet":
                body["via"] = draw(one_of([None, None, *self.exits, *SEGMENTS]))
            self.net.add("policies", {**body, "segments": segments, "tier": draw(one_of(TIERS))})
        for index in range(draw(st.integers(0, 2))):
            protocol = draw(one_of(["tcp", "tcp", 1]))
            has_ports = protocol == "tcp"
            body = {"name": f"kept{index}", **draw(asserted_ends(self.sites)), "protocol": protocol}
            body |= draw(narrowing_fields(protocol))
            expect = draw(one_of(["blocked", "reachable", "inspected"]))
            excused = [
                {
                    **draw(asserted_ends(self.sites)),
                    "ports": (has_ports and draw(several_of(PORTS))) or ["any"],
                    "protocol": protocol,
                    **draw(narrowing_fields(protocol)),
                    "reason": "generated",
                    "until": draw(one_of(["2026-11-29", "2026-11-30", "2027-01-01"])),
                }
                for _ in range(draw(one_of([0, 0, 1, 2])))
            ]
            ports = (has_ports and draw(several_of(PORTS))) or ["any"]
            self.net.add("assertions", {**body, "ports": ports, "expect": expect, "except": excused})


def _nat(
    direction: str,
    match: dict[str, Any],
    source: tuple[str, str] | None = None,
    towards: tuple[str, int | None] | None = None,
) -> dict[str, Any]:
    body: dict[str, Any] = {"direction": direction, "match": match}
    if source:
        body["source"] = {"type": source[0], "prefixes": [source[1]]}
    if towards:
        body["destination"] = {"type": "static", "prefixes": [towards[0]], "port": towards[1]}
    return body


def dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def has_conflicts(net: IntentBuilder) -> bool:
    """Return whether shares import an address that the segment has already, or import it twice; by longer prefixes
    than a default route."""
    reference = ReferenceEvaluator(net)
    for row in reference.rows.of("segments"):
        routes = (route for edge in reference.edges(row.uid) for route in edge.routes)
        seen: list[tuple[str, Span]] = [("", route) for route in routes if route.length]
        imported: dict[str, list[Span]] = {}
        for _, _, other, far, _ in reference.directed_shares(row.uid):
            for edge in reference.edges(other):
                for route in filter(lambda route: route.length, edge.routes):
                    listed = [_intersection(route, prefix_span(prefix)) for prefix in far["prefixes"]]
                    whole = [route] if edge.groups.intersection(far["groups"]) else []
                    imported.setdefault(other, []).extend(span for span in (*whole, *listed) if span)
        seen += [(other, span) for other, spans in imported.items() for span in spans]
        for index, (whose, first) in enumerate(seen):
            for other, second in seen[:index]:
                if whose != other and _intersection(first, second):
                    return True
    return False


def _intersection(first: Span, second: Span) -> Span | None:
    """Return the inner prefix of two; None where they are disjoint. Prefixes never overlap in part."""
    if first.low <= second.low and second.high <= first.high:
        return second
    return first if second.low <= first.low and first.high <= second.high else None


@st.composite
def full_networks(draw: st.DrawFn) -> IntentBuilder:
    generator = NetworkGenerator(draw)
    generator.ground()
    generator.connectors()
    generator.nat_rules()
    generator.route_policies()
    generator.shares()
    generator.policies(generator.internet_apps())
    return generator.net
