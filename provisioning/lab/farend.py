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
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, netns
from pyroute2.netlink.exceptions import NetlinkError

from provisioning.agent.document import Document, Section
from provisioning.agent.inside import inside, path
from provisioning.agent.netlink import Circuits
from provisioning.agent.view import Circuit, connector_key

INTERNET = "198.51.100.10"
WORKLOADS = Path("/run/lab/workloads")
ACTIVE, STANDBY, LAST = 10, 20, 1000
UNREACHABLE = "unreachable"


def workload_namespace(tenant: str, connector: str) -> str:
    return f"w.{tenant}.{connector}"


def first_usable(prefix: str) -> str:
    network = IPv4Network(prefix)
    return str(network[0] if network.prefixlen >= 31 else network[1])


class LabCircuits(Circuits):
    """Makes both ends of every circuit of this node before the agent looks for them."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._made: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
        """circuit interface → (workload namespace, its interface there, link)"""

    def prepare(self, document: Document) -> None:
        for section in document.of_kind("exchange.connector"):
            mine = [link for link in section.body["links"] if link["node"] == section.node]
            space = workload_namespace(section.tenant, connector_key(section))
            fresh = [link for link in mine if self._made.get(link["interface"], ("", "", None))[2] != link]
            if not fresh:
                continue
            with _one_at_a_time(space):
                if not os.path.exists(path(space)):
                    _make(space)
                for link in fresh:
                    self._wire(space, section, link)
                    self._made[link["interface"]] = (space, far_interface(link), link)
                _announce(section, _places(document, section.tenant))

    def release(self, name: str) -> None:
        """The circuit is back in the node's own namespace: take the wire away, and an empty workload with it."""
        with inside(self.home), IPRoute() as node:
            for index in node.link_lookup(ifname=name):
                node.link("del", index=index)
        space, _, _ = self._made.pop(name, ("", "", None))
        if not space:
            return
        with _one_at_a_time(space):
            if not os.path.exists(path(space)):
                return
            with inside(space), IPRoute() as far:
                left = [link for link in far.get_links() if link.get("ifname") != "lo"]
            if not left:
                (WORKLOADS / f"{space}.json").unlink(missing_ok=True)
                netns.remove(space)

    def _wire(self, space: str, section: Section, link: Mapping[str, Any]) -> None:
        there = far_interface(link)
        with inside(space), IPRoute() as far:
            if not list(far.link_lookup(ifname=there)):
                with inside(self.home), IPRoute() as node:
                    node.link("add", ifname=link["interface"], kind="veth", peer={"ifname": there, "net_ns_fd": space})
            configure(far, str(section.body["kind"]), link)


def far_interface(link: Mapping[str, Any]) -> str:
    """For example a12: circuit A in segment number 12."""
    return f"{str(link['circuit']).lower()[:4]}{link['segment_number']}"


def configure(far: IPRoute, kind: str, link: Mapping[str, Any]) -> None:
    """Addresses and routes of one circuit's far end; also after it was down, which loses its routes."""
    index = next(iter(far.link_lookup(ifname=far_interface(link))))
    mtu = Circuit("", kind, 0, link).mtu
    far.link("set", index=index, state="up", mtu=mtu)
    address, _, length = str(link["peer"]).partition("/")
    length = length or str(link["local"]).partition("/")[2]
    gateway = str(link["local"]).partition("/")[0]
    metric = ACTIVE if link.get("role", "active") == "active" else STANDBY
    _again(far.addr, "add", index=index, address=address, prefixlen=int(length or 30))
    if kind == "internet-exit":
        _again(far.addr, "add", index=1, address=INTERNET, prefixlen=32)
        if link.get("nat"):
            far.route("replace", dst=f"{link['nat']}/32", gateway=gateway, oif=index, priority=metric)
        return
    table = 1000 + int(link["segment_number"])
    source = ""
    for prefix in link["prefixes"]:
        source = source or first_usable(prefix)
        _again(far.addr, "add", index=1, address=first_usable(prefix), prefixlen=32)
        _again(far.rule, "add", src=prefix, table=table, priority=500)
        for where in (254, table):
            far.route("replace", dst=prefix, type=UNREACHABLE, table=where, priority=LAST)
    order = 100 * int(link["segment_number"])
    for where, preference in ((table, metric), (254, order + metric)):
        far.route(
            "replace", dst="0.0.0.0/0", gateway=gateway, oif=index, table=where, priority=preference,
            **({"prefsrc": source} if source else {}),
        )  # fmt: skip


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


def _announce(section: Section, places: Mapping[str, str]) -> None:
    """Tells the world process, and `lab exec`, who is there. Written last: what is announced works."""
    space = workload_namespace(section.tenant, connector_key(section))
    links = section.body["links"]
    addresses = [first_usable(prefix) for link in links for prefix in link.get("prefixes") or ()]
    if section.body["kind"] == "internet-exit":
        addresses = [INTERNET]
    told = {
        "namespace": space,
        "tenant": section.tenant,
        "connector": connector_key(section),
        "kind": section.body["kind"],
        "addresses": list(dict.fromkeys(addresses)),
        "segments": sorted({link["segment"] for link in links}),
        "links": links,
        "nodes": places,
    }
    target = WORKLOADS / f"{space}.json"
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(target)


@contextmanager
def _one_at_a_time(space: str) -> Iterator[None]:
    """Two nodes' agents make the two circuits of one workload."""
    with open(f"/run/lab/{space}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _again(call: Any, *args: Any, **kwargs: Any) -> None:
    """Doing it twice is no error."""
    try:
        call(*args, **kwargs)
    except NetlinkError as error:
        if error.code != 17:
            raise
