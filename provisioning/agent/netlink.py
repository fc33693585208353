"""Bring the links, addresses, neighbours and routes of a namespace to what is desired, changing only what differs.

pyroute2 rather than ``ip -batch``: a route costs it 0.5 ms, which is quick enough (ten sites are there in a second),
its errors are numbers and not text, it observes as well as it changes, and a router need not have iproute2.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyroute2 import IPRoute, netns
from pyroute2.netlink.exceptions import NetlinkError

from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace
from provisioning.agent.document import NodeDocument
from provisioning.agent.netns import NETNS_DIR, in_netns

ROUTE_PROTOCOL = 0xC5
"""Routing protocol number of our routes; others' are left alone."""
VXLAN_PORT = 4789
NUD_PERMANENT, NUD_NOARP = 0x80, 0x40
NTF_SELF, NTF_MASTER = 0x02, 0x04
AF_INET, AF_INET6, AF_BRIDGE = 2, 10, 7
FAMILIES = (AF_INET, AF_INET6)
LOOPBACK = 1
IFF_LOWER_UP = 0x10000
"""The interface has a carrier (netdevice(7))."""

SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/accept_local": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv4/conf/all/accept_redirects": "0",
    "net/ipv4/conf/all/ignore_routes_with_linkdown": "1",
    "net/ipv6/conf/all/disable_ipv6": "0",
    "net/ipv6/conf/default/disable_ipv6": "0",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv6/conf/all/accept_redirects": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/addr_gen_mode": "1",
    "net/ipv6/conf/all/ignore_routes_with_linkdown": "1",
    "net/netfilter/nf_conntrack_tcp_be_liberal": "1",
    "net/bridge/bridge-nf-call-iptables": "0",
    "net/bridge/bridge-nf-call-ip6tables": "0",
}
"""Packets cross an anchor twice when a service inspects them, hence liberal windows and no redirects; the mesh bridge
must not hand what it merely bridges to the routing rules. A node has one mesh address in all its segments, and errors
come from it over the veth pair to another. IPv6 addresses are given, never made up or waited for."""


class CircuitProvider:
    """Where circuits come from: on a real node an interface of that name appears in the node's own namespace.

    The lab gives its own kind, which makes the far ends.
    """

    def prepare(self, document: NodeDocument) -> None:
        """Called with every document before it is applied."""

    def release(self, name: str) -> None:
        """Called when a circuit is no longer wanted; it is back in the node's own namespace."""


@dataclass
class Netlink:
    """Keeps one socket open in each namespace. ``home`` is the node's own namespace ("" is the process' own)."""

    home: str = ""
    circuits: CircuitProvider = field(default_factory=CircuitProvider)
    sockets: dict[str, IPRoute] = field(default_factory=dict)
    desired: frozenset[str] = frozenset()
    """Circuits that are to be in some namespace: one that leaves another is only moved."""
    shaped_rates: dict[str, int] = field(default_factory=dict)
    """circuit interface → bits per second it was last shaped to"""

    def socket(self, name: str) -> IPRoute:
        if name not in self.sockets:
            with in_netns(name):
                self.sockets[name] = IPRoute()
        return self.sockets[name]

    def ensure_namespace(self, name: str) -> bool:
        """Make the namespace where it is missing; return whether it was."""
        is_new = not os.path.exists(f"{NETNS_DIR}/{name}")
        if is_new:
            netns.create(name)
        if name not in self.sockets:
            # Also in a namespace that an earlier agent, maybe of an older release, has made.
            with in_netns(name):
                for key, value in SYSCTLS.items():
                    if os.path.exists(f"/proc/sys/{key}"):
                        with open(f"/proc/sys/{key}", "w") as file:
                            file.write(value)
        if is_new:
            self.socket(name).link("set", index=1, state="up")
        return is_new

    def namespaces(self, prefix: str) -> list[str]:
        return sorted(name for name in os.listdir(NETNS_DIR) if name.startswith(prefix))

    def remove_namespace(self, name: str) -> None:
        """Its circuits go back to the node's own namespace, and its VXLAN's number is free when this returns."""
        self.clear(NetworkNamespace(name, ()))
        if socket := self.sockets.pop(name, None):
            socket.close()
        netns.remove(name)

    def close(self) -> None:
        for socket in self.sockets.values():
            socket.close()
        self.sockets.clear()

    # -- links -----------------------------------------------------------------------------------------------------

    def links(self, name: str) -> dict[str, Any]:
        return {link.get("ifname"): link for link in self.socket(name).get_links()}

    def clear(self, desired: NetworkNamespace) -> None:
        """Remove links that are not desired; circuits go back to the node's own namespace."""
        names = {link.name for link in desired.links} | {"lo"}
        for name, link in self.links(desired.name).items():
            if name in names:
                continue
            if _is_created_by_agent(name, link):
                _call_ignoring_missing(self.socket(desired.name).link, "del", index=link["index"])
            else:
                self._return_circuit(desired.name, name)

    def create(self, desired: NetworkNamespace) -> tuple[dict[str, str], set[str]]:
        """Make missing links; return interface → why it cannot be made, and the namespaces that got any."""
        present = self.links(desired.name)
        missing: dict[str, str] = {}
        touched: set[str] = set()
        for link in desired.links:
            if link.name not in present:
                if problem := self._create_link(desired.name, link):
                    missing[link.name] = problem
                touched |= {desired.name, link.peer[0] if link.peer else desired.name}
        return missing, touched

    def apply(self, desired: NetworkNamespace) -> None:
        """Bring the links that are present, and everything on them, to what is desired."""
        socket, present = self.socket(desired.name), self.links(desired.name)
        for link in desired.links:
            if link.name in present:
                self._configure_link(socket, link, present)
        down = {link.name for link in desired.links if not _is_desired_up(link, present)}
        index = {name: link["index"] for name, link in present.items() if name not in down}
        self._apply_addresses(desired, index)
        self._apply_neighbours(desired, index)
        self._apply_forwarding(desired, index)
        self._apply_routes(desired, index)
        self._apply_fwmark_rules(desired)

    def _create_link(self, namespace: str, link: KernelLink) -> str:
        """Return why the link cannot be made, "" where it was."""
        if link.kind == "bridge":
            self.socket(namespace).link("add", ifname=link.name, kind="bridge", address=link.mac)
        elif link.kind == "vxlan":
            self.socket(self.home).link(
                "add", ifname=link.name, kind="vxlan", vxlan_id=link.vni, vxlan_local=link.underlay,
                vxlan_port=VXLAN_PORT, vxlan_learning=False, vxlan_gbp=True, net_ns_fd=namespace,
            )  # fmt: skip
        elif link.kind == "veth" and link.peer:
            peer_namespace, peer = link.peer
            if os.path.exists(f"{NETNS_DIR}/{peer_namespace}") and peer not in self.links(peer_namespace):
                end = {"ifname": peer, "net_ns_fd": peer_namespace}
                self.socket(namespace).link("add", ifname=link.name, kind="veth", peer=end)
        elif link.kind == "circuit":
            indexes = list(self.socket(self.home).link_lookup(ifname=link.name))
            if not indexes:
                return f"circuit interface {link.name} has not appeared on this node"
            self.socket(self.home).link("set", index=indexes[0], net_ns_fd=namespace)
        return ""

    def _configure_link(self, socket: IPRoute, link: KernelLink, present: dict[str, Any]) -> None:
        have = present[link.name]
        master = present[link.master]["index"] if link.master else 0
        change: dict[str, Any] = {}
        if link.mac and have.get("address") != link.mac:
            change["address"] = link.mac
        if have.get("mtu") != link.mtu:
            change["mtu"] = link.mtu
        if (have.get("master") or 0) != master:
            change["master"] = master
        up = _is_desired_up(link, present)
        if bool(have["flags"] & 1) != up:
            change["state"] = "up" if up else "down"
        if change:
            socket.link("set", index=have["index"], **change)
        self._set_shaper(socket, link, have)

    def _set_shaper(self, socket: IPRoute, link: KernelLink, have: Any) -> None:
        if link.rate and self.shaped_rates.get(link.name) != link.rate:
            # A tenth of a second's burst, at most 256 KiB: large segments pass whole, the rate holds over a second.
            burst = min(max(link.rate // 80, 65536), 262144)
            rate = link.rate // 8
            socket.tc("replace", "tbf", have["index"], 0x10000, rate=rate, burst=burst, latency="50ms", mtu=65536)
            self.shaped_rates[link.name] = link.rate
        elif not link.rate and have.get("qdisc") == "tbf":
            socket.tc("del", index=have["index"], root=True)
            self.shaped_rates.pop(link.name, None)

    def _return_circuit(self, namespace: str, name: str) -> None:
        socket = self.socket(namespace)
        for index in socket.link_lookup(ifname=name):
            with in_netns(self.home):
                descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            try:
                socket.link("set", index=index, net_ns_fd=descriptor)
            finally:
                os.close(descriptor)
        self.shaped_rates.pop(name, None)
        if name not in self.desired:
            self.circuits.release(name)

    # -- layer 3 ---------------------------------------------------------------------------------------------------

    def _apply_addresses(self, desired: NetworkNamespace, index: dict[str, int]) -> None:
        socket = self.socket(desired.name)
        want = {(index[link], address) for link, address in desired.addresses if link in index}
        have = {
            (a["index"], f"{a.get('local') or a.get('address')}/{a['prefixlen']}")
            for family in FAMILIES
            for a in socket.get_addr(family=family)
            if a["index"] != LOOPBACK
        }
        for action, changes in (("del", have - want), ("add", want - have)):
            for number, text in changes:
                address, _, length = text.partition("/")
                socket.addr(action, index=number, address=address, prefixlen=int(length))

    def _apply_neighbours(self, desired: NetworkNamespace, index: dict[str, int]) -> None:
        socket = self.socket(desired.name)
        want = {(index[link], address, mac) for link, address, mac in desired.neighbours if link in index}
        have = {
            (n["ifindex"], n.get("dst"), n.get("lladdr"))
            for family in FAMILIES
            for n in socket.get_neighbours(family=family)
            if n["state"] & NUD_PERMANENT
        }
        for number, address, _ in {x for x in have - want if x[:2] not in {y[:2] for y in want}}:
            _call_ignoring_missing(socket.neigh, "del", family=_address_family(address), ifindex=number, dst=address)
        for number, address, mac in want - have:
            socket.neigh(
                "replace", family=_address_family(address), ifindex=number, dst=address, lladdr=mac, state="permanent"
            )

    def _apply_forwarding(self, desired: NetworkNamespace, index: dict[str, int]) -> None:
        socket = self.socket(desired.name)
        want = {(index[link], mac, dst) for link, mac, dst in desired.forwarding if link in index}
        have = {
            (n["ifindex"], n.get("lladdr"), n.get("dst") or "")
            for n in socket.get_neighbours(family=AF_BRIDGE)
            if (str(n.get("lladdr")).startswith("02:c5:") and not n["state"] & NUD_PERMANENT and n["state"] & NUD_NOARP)
            or n.get("dst")
        }
        for number, mac, dst in have - want:
            where: dict[str, Any] = {"dst": dst, "flags": NTF_SELF} if dst else {"flags": NTF_MASTER}
            _call_ignoring_missing(socket.fdb, "del", ifindex=number, lladdr=mac, **where)
        for number, mac, dst in want - have:
            where = (
                {"dst": dst, "flags": NTF_SELF, "state": NUD_PERMANENT}
                if dst
                else {"flags": NTF_MASTER, "state": NUD_NOARP}
            )
            socket.fdb("replace", ifindex=number, lladdr=mac, **where)

    def _apply_routes(self, desired: NetworkNamespace, index: dict[str, int]) -> None:
        socket = self.socket(desired.name)
        links = {number: name for name, number in index.items() if name != "lo"}
        have = {
            KernelRoute(
                f"{r.get('dst') or ('0.0.0.0' if family == AF_INET else '::')}/{r['dst_len']}", r.get("gateway") or "",
                links.get(r.get("oif"), ""), r.get("table"), r.get("priority") or 0,
            )
            for family in FAMILIES
            for r in socket.get_routes(family=family)
            if r["proto"] == ROUTE_PROTOCOL
        }  # fmt: skip
        want = {route for route in desired.routes if not route.link or route.link in index}
        # Of IPv6 routes several may have equal metrics, so the old one has to go first.
        for route in {route for route in have - want if ":" in route.destination}:
            _call_ignoring_missing(socket.route, "del", **_route_request(route, index))
        for route in want - have:
            socket.route("replace", **_route_request(route, index))
        for route in {route for route in have - want if ":" not in route.destination}:
            _call_ignoring_missing(socket.route, "del", **_route_request(route, index))

    def _apply_fwmark_rules(self, desired: NetworkNamespace) -> None:
        socket = self.socket(desired.name)
        for family in FAMILIES:
            have = {(r.get("fwmark"), r.get("table")) for r in socket.get_rules(family=family) if r.get("fwmark")}
            for action, changes in (("add", desired.fwmark_rules - have), ("del", have - desired.fwmark_rules)):
                for mark, table in changes:
                    mask = 0xFFFF if mark <= 0xFFFF else 0xFFFFFFFF
                    socket.rule(action, family=family, fwmark=mark, fwmask=mask, table=table, priority=1000)


def _is_desired_up(link: KernelLink, present: Mapping[str, Any]) -> bool:
    return not link.follows or (link.follows in present and bool(present[link.follows]["flags"] & IFF_LOWER_UP))


def _is_created_by_agent(name: str, link: Any) -> bool:
    """Whether the agent made the link itself; the rest are circuits, which came from outside."""
    return link.get(("linkinfo", "kind")) in ("bridge", "vxlan") or name.startswith(("arm", "seg", "inside", "x", "w"))


def _address_family(address: str) -> int:
    return AF_INET6 if ":" in address else AF_INET


def _route_request(route: KernelRoute, index: dict[str, int]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "dst": route.destination, "table": route.table, "priority": route.metric, "proto": ROUTE_PROTOCOL,
        "family": _address_family(route.destination),
    }  # fmt: skip
    if not route.gateway:
        return {**request, "type": "unreachable"}
    return {**request, "gateway": route.gateway, "oif": index[route.link], "flags": ["onlink"]}


def _call_ignoring_missing(call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Removing what went away by itself (with its link) is no error: ENOENT, ESRCH, ENODEV."""
    try:
        call(*args, **kwargs)
    except NetlinkError as error:
        if error.code not in (errno.ENOENT, errno.ESRCH, errno.ENODEV):
            raise
