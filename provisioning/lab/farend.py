"""The far ends of circuits: a workload namespace behind each connector, made by the agent of each of its nodes.

A workload has the first usable address of every prefix of its connector, a default route over the active circuit and
one over the standby, and for each segment a table of its own, since segments may use the same addresses. Behind an
internet exit there is the internet: one host at 198.51.100.10.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, netns

from provisioning.agent.document import Document, Section
from provisioning.agent.inside import inside, path
from provisioning.agent.netlink import Circuits
from provisioning.agent.view import Circuit, connector_key

INTERNET = "198.51.100.10"
WORKLOADS = Path("/run/lab/workloads")
ACTIVE, STANDBY = 10, 20
SOURCE_RULES = 500
AF_INET = 2


def workload_namespace(tenant: str, connector: str) -> str:
    return f"w.{tenant}.{connector}"


def first_usable(prefix: str) -> str:
    network = IPv4Network(prefix)
    return str(network[0] if network.prefixlen >= 31 else network[1])


class LabCircuits(Circuits):
    """Makes both ends of every circuit of this node before the agent looks for them."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._made: dict[str, tuple[str, str]] = {}
        """circuit interface → (workload namespace, digest of the connector's section)"""

    def prepare(self, document: Document) -> None:
        for section in document.of_kind("exchange.connector"):
            mine = [link for link in section.body["links"] if link["node"] == section.node]
            space = workload_namespace(section.tenant, connector_key(section))
            if all(self._made.get(link["interface"]) == (space, section.digest) for link in mine):
                continue
            with _one_at_a_time(space):
                if not os.path.exists(path(space)):
                    _make(space)
                told = _told(section, document)
                with inside(space), IPRoute() as far:
                    for link in mine:
                        self._wire(far, space, link)
                        self._made[link["interface"]] = (space, section.digest)
                    converge(far, told)
                _announce(told)

    def release(self, name: str) -> None:
        """The circuit is back in the node's own namespace: take the wire away, and an empty workload with it."""
        space, _ = self._made.pop(name, ("", ""))
        with _one_at_a_time(space or "unknown"):
            with inside(self.home), IPRoute() as node:
                for index in node.link_lookup(ifname=name):
                    node.link("del", index=index)
            if not space or not os.path.exists(path(space)):
                return
            with inside(space), IPRoute() as far:
                left = [link for link in far.get_links() if link.get("ifname") != "lo"]
            if not left:
                (WORKLOADS / f"{space}.json").unlink(missing_ok=True)
                netns.remove(space)

    def _wire(self, far: IPRoute, space: str, link: Mapping[str, Any]) -> None:
        there = far_interface(link)
        if list(far.link_lookup(ifname=there)):
            return
        with inside(self.home), IPRoute() as node:
            for index in node.link_lookup(ifname=link["interface"]):
                node.link("del", index=index)
            node.link("add", ifname=link["interface"], kind="veth", peer={"ifname": there, "net_ns_fd": space})


def far_interface(link: Mapping[str, Any]) -> str:
    """For example a12: circuit A in segment number 12."""
    return f"{str(link['circuit']).lower()[:4]}{link['segment_number']}"


def converge(far: IPRoute, told: Mapping[str, Any]) -> None:
    """Addresses, rules and routes of a workload for the circuits it has; also after one was down and lost routes."""
    present = {link.get("ifname"): link["index"] for link in far.get_links()}
    links = [link for link in told["links"] if far_interface(link) in present]
    for link in links:
        mtu = Circuit("", told["kind"], 0, link).mtu
        far.link("set", index=present[far_interface(link)], state="up", mtu=mtu)
    _addresses(far, present, told, links)
    if told["kind"] == "internet-exit":
        routes = [_Way(f"{link['nat']}/32", link, 254, _metric(link)) for link in links if link.get("nat")]
        sources: set[tuple[str, int]] = set()
    else:
        routes = [way for link in links for way in _ways(link)]
        sources = {(prefix, _table(link)) for link in links for prefix in link["inside"]}
    _rules(far, sources)
    _routes(far, present, routes)


def _addresses(far: IPRoute, present: Mapping[str, int], told: Mapping[str, Any], links: list[dict[str, Any]]) -> None:
    want = {(1, address, 32) for address in told["addresses"]}
    for link in links:
        address, _, length = str(link["peer"]).partition("/")
        length = length or str(link["local"]).partition("/")[2]
        want.add((present[far_interface(link)], address, int(length or 30)))
    have = {(a["index"], a.get("local") or a.get("address"), a["prefixlen"]) for a in far.get_addr(family=AF_INET)}
    have = {entry for entry in have if not entry[1].startswith("127.")}
    for index, address, bits in have - want:
        far.addr("del", index=index, address=address, prefixlen=bits)
    for index, address, bits in want - have:
        far.addr("add", index=index, address=address, prefixlen=bits)


def _rules(far: IPRoute, want: set[tuple[str, int]]) -> None:
    have = {
        (f"{rule.get('src')}/{rule['src_len']}", rule.get("table"))
        for rule in far.get_rules(family=AF_INET)
        if rule.get("priority") == SOURCE_RULES
    }
    for prefix, table in have - want:
        far.rule("del", src=prefix, table=table, priority=SOURCE_RULES)
    for prefix, table in want - have:
        far.rule("add", src=prefix, table=table, priority=SOURCE_RULES)


@dataclass(frozen=True, slots=True)
class _Way:
    """A route of a workload through one of its circuits."""

    destination: str
    link: Mapping[str, Any]
    table: int
    metric: int


def _ways(link: Mapping[str, Any]) -> Iterator[_Way]:
    yield _Way("0.0.0.0/0", link, _table(link), _metric(link))
    # Whoever names no source speaks in the connector's first segment.
    yield _Way("0.0.0.0/0", link, 254, 100 * int(link["segment_number"]) + _metric(link))


def _routes(far: IPRoute, present: Mapping[str, int], ways: list[_Way]) -> None:
    for way in ways:
        prefixes = way.link["inside"]
        source = {"prefsrc": first_usable(prefixes[0])} if prefixes and way.destination == "0.0.0.0/0" else {}
        far.route(
            "replace", dst=way.destination, gateway=str(way.link["local"]).partition("/")[0],
            oif=present[far_interface(way.link)], table=way.table, priority=way.metric, **source,
        )  # fmt: skip


def _table(link: Mapping[str, Any]) -> int:
    return 1000 + int(link["segment_number"])


def _metric(link: Mapping[str, Any]) -> int:
    return ACTIVE if link.get("role", "active") == "active" else STANDBY


def _make(space: str) -> None:
    netns.create(space)
    with inside(space):
        for key, value in {
            "net/ipv4/conf/all/rp_filter": "0",
            "net/ipv4/conf/default/rp_filter": "0",
            "net/ipv4/conf/all/ignore_routes_with_linkdown": "1",
            "net/ipv6/conf/all/disable_ipv6": "1",
            "net/ipv4/ping_group_range": "0 0",
        }.items():
            Path(f"/proc/sys/{key}").write_text(value)
        with IPRoute() as far:
            far.link("set", index=1, state="up")


def _places(document: Document, tenant: str) -> dict[str, str]:
    """The tenant's name of a node → the node's own, for all nodes of its meshes."""
    peers = (peer for section in document.of_kind("exchange.segment", tenant) for peer in section.body["mesh"])
    return {peer["node"]: f"{peer['location']}/{peer['node'].rpartition('/')[2]}" for peer in peers}


def _told(section: Section, document: Document) -> dict[str, Any]:
    """What the world process and `lab exec` are told of a workload."""
    links = section.body["links"]
    addresses = [first_usable(prefix) for link in links for prefix in link["inside"]]
    if section.body["kind"] == "internet-exit":
        addresses = [INTERNET]
    return {
        "namespace": workload_namespace(section.tenant, connector_key(section)),
        "tenant": section.tenant,
        "connector": connector_key(section),
        "kind": section.body["kind"],
        "addresses": list(dict.fromkeys(addresses)),
        "segments": sorted({link["segment"] for link in links}),
        "links": links,
        "nodes": _places(document, section.tenant),
    }


def _announce(told: Mapping[str, Any]) -> None:
    """Written last: what is announced works."""
    target = WORKLOADS / f"{told['namespace']}.json"
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(target)


@contextmanager
def _one_at_a_time(space: str) -> Iterator[None]:
    """Two nodes' agents make the two circuits of one workload."""
    with open(f"/run/lab/{space}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
