"""The far ends of circuits: a workload namespace behind each connector, made by the agent of each of its nodes.

A workload has the first usable address of every prefix of its connector, and of those that NAT rules or internet
applications single out. Behind an internet exit there is the internet: hosts at 198.51.100.10 and 198.51.100.77.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, netns

from provisioning.agent import ranges
from provisioning.agent.document import DocumentSection, NodeDocument
from provisioning.agent.netlink import CircuitProvider
from provisioning.agent.netns import in_netns, netns_path
from provisioning.agent.parsed_segment import connector_key
from provisioning.lab.workload_network import apply_workload_network, first_usable, workload_interface

INTERNET_HOST = "198.51.100.10"
INTERNET_HOSTS = (INTERNET_HOST, "198.51.100.77")
"""Hosts on the internet; both begin connections to internet applications."""

WORKLOADS_DIR = Path("/run/lab/workloads")


def workload_namespace(tenant: str, connector: str) -> str:
    return f"w.{tenant}.{connector}"


class LabCircuitProvider(CircuitProvider):
    """Makes both ends of every circuit of this node before the agent looks for them."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._made: dict[str, tuple[str, str]] = {}
        """circuit interface → (workload namespace, digest of what is told of it)"""

    def prepare(self, document: NodeDocument) -> None:
        for section in document.of_kind("exchange.connector"):
            mine = [link for link in section.body["links"] if link["node"] == section.node]
            space = workload_namespace(section.tenant, connector_key(section))
            told = _describe_workload(section, document)
            made = space, hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
            if all(self._made.get(link["interface"]) == made for link in mine):
                continue
            with _workload_lock(space):
                if not os.path.exists(netns_path(space)):
                    _create_workload(space)
                with in_netns(space), IPRoute() as far:
                    for link in mine:
                        self._create_veth(far, space, link)
                        self._made[link["interface"]] = made
                    apply_workload_network(far, told)
                _write_workload_file(told)

    def release(self, name: str) -> None:
        """The circuit is back in the node's own namespace: take the wire away, and an empty workload with it."""
        space, _ = self._made.pop(name, ("", ""))
        with _workload_lock(space or "unknown"):
            with in_netns(self.home), IPRoute() as node:
                for index in node.link_lookup(ifname=name):
                    node.link("del", index=index)
            if not space or not os.path.exists(netns_path(space)):
                return
            with in_netns(space), IPRoute() as far:
                left = [link for link in far.get_links() if link.get("ifname") != "lo"]
            if not left:
                (WORKLOADS_DIR / f"{space}.json").unlink(missing_ok=True)
                netns.remove(space)

    def _create_veth(self, far: IPRoute, space: str, link: Mapping[str, Any]) -> None:
        there = workload_interface(link)
        if list(far.link_lookup(ifname=there)):
            return
        with in_netns(self.home), IPRoute() as node:
            for index in node.link_lookup(ifname=link["interface"]):
                node.link("del", index=index)
            node.link("add", ifname=link["interface"], kind="veth", peer={"ifname": there, "net_ns_fd": space})


def _create_workload(space: str) -> None:
    netns.create(space)
    with in_netns(space):
        for key, value in {
            "net/ipv4/conf/all/rp_filter": "0",
            "net/ipv4/conf/default/rp_filter": "0",
            "net/ipv4/conf/all/ignore_routes_with_linkdown": "1",
            "net/ipv6/conf/default/accept_dad": "0",
            "net/ipv6/conf/default/accept_ra": "0",
            "net/ipv6/conf/default/addr_gen_mode": "1",
            "net/ipv6/conf/all/ignore_routes_with_linkdown": "1",
            "net/ipv4/ping_group_range": "0 0",
        }.items():
            Path(f"/proc/sys/{key}").write_text(value)
        with IPRoute() as far:
            far.link("set", index=1, state="up")


def _node_names(document: NodeDocument, tenant: str) -> dict[str, str]:
    """The tenant's name of a node → the node's own, for all nodes of its meshes."""
    peers = (peer for section in document.of_kind("exchange.segment", tenant) for peer in section.body["mesh"])
    return {peer["node"]: f"{peer['location']}/{peer['node'].rpartition('/')[2]}" for peer in peers}


def _describe_workload(section: DocumentSection, document: NodeDocument) -> dict[str, Any]:
    """What the world process and `lab exec` are told of a workload."""
    links, connector = section.body["links"], connector_key(section)
    shared = document.of_kind("exchange.segment", section.tenant)
    addresses = [first_usable(prefix) for link in links for prefix in (*link["inside"], *_translated_prefixes(link))]
    addresses += [target for segment in shared for target in _application_targets(segment, links)]
    if section.body["kind"] == "internet-exit":
        addresses = list(INTERNET_HOSTS)
    return {
        "namespace": workload_namespace(section.tenant, connector),
        "tenant": section.tenant,
        "connector": connector,
        "kind": section.body["kind"],
        "addresses": list(dict.fromkeys(addresses)),
        "segments": sorted({link["segment"] for link in links}),
        "links": links,
        "nodes": _node_names(document, section.tenant),
        "apps": [app for segment in shared for app in _published_applications(segment, connector)],
    }


def _translated_prefixes(link: Mapping[str, Any]) -> Iterator[str]:
    """Inside prefixes that NAT rules translate: something is behind them."""
    for rule in link.get("nat_rules") or ():
        if rule["direction"] == "outbound" and rule["to_source"]["type"] == "static":
            yield from rule["to_source"]["from"]
        elif rule["direction"] == "inbound" and rule["to_destination"]["type"] == "static":
            yield from rule["to_destination"]["to"]


def _application_targets(segment: DocumentSection, links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Addresses behind these links that internet applications of a segment are served from."""
    here = ranges.parse_union(p for link in links if link["segment"] == segment.body["segment"] for p in link["inside"])
    for app in segment.body.get("apps", ()):
        yield from (target for target in app["targets"] if ranges.intersect((ranges.parse_range(target),), here))


def _published_applications(segment: DocumentSection, connector: str) -> Iterator[dict[str, Any]]:
    """What an exit publishes; ``number`` is the routing table of the segment it is in."""
    ids = {member["id"] for member in segment.body["members"] if member["connector"] == connector}
    for app in segment.body.get("apps", ()):
        if app["exit"] in ids:
            told = {key: app[key] for key in ("public", "protocol", "port")}
            yield {**told, "number": 1000 + int(segment.body["number"])}


def _write_workload_file(told: Mapping[str, Any]) -> None:
    """Written last: what is announced works."""
    target = WORKLOADS_DIR / f"{told['namespace']}.json"
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(target)


@contextmanager
def _workload_lock(space: str) -> Iterator[None]:
    """Two nodes' agents make the two circuits of one workload."""
    with open(f"/run/lab/{space}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
