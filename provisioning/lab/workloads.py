"""The far ends of circuits: a workload namespace behind each connector, made by the agent of each of its nodes.

A workload has the first usable address of every prefix of its connector, and of those that NAT rules or internet
applications single out. Behind an internet exit is the internet: hosts at 198.51.100.10 and 198.51.100.77; behind a
default route one at 198.51.100.33.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute, netns

from provisioning.agent.document import DocumentSection, NodeDocument
from provisioning.agent.netlink import CircuitProvider
from provisioning.agent.netns import in_netns, netns_path
from provisioning.agent.parsed_segment import connector_key
from provisioning.core.node_document import ConnectorBody, LinkEntry, SegmentBody
from provisioning.core.values.addresses import intersect, parse_range, parse_ranges
from provisioning.lab.workload_description import PublishedApplication, WorkloadDescription, segment_table
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
        """circuit interface → (workload namespace, digest of the workload's description)"""

    def prepare(self, document: NodeDocument) -> None:
        for section in document.of_kind("exchange.connector"):
            links = [link for link in section.body["links"] if link["node"] == section.node]
            namespace = workload_namespace(section.tenant, connector_key(section))
            workload = _describe_workload(section, document)
            made = namespace, hashlib.sha256(json.dumps(workload, sort_keys=True).encode()).hexdigest()
            if all(self._made.get(link["interface"]) == made for link in links):
                continue
            with _workload_lock(namespace):
                if not os.path.exists(netns_path(namespace)):
                    _create_workload(namespace)
                with in_netns(namespace), IPRoute() as workload_socket:
                    for link in links:
                        self._create_veth(workload_socket, namespace, link)
                        self._made[link["interface"]] = made
                    apply_workload_network(workload_socket, workload)
                _write_workload_file(workload)

    def release(self, name: str) -> None:
        """Take away the veth of a circuit that is back in the node's own namespace, and an empty workload with it."""
        namespace, _ = self._made.pop(name, ("", ""))
        with _workload_lock(namespace or "unknown"):
            with in_netns(self.home), IPRoute() as node_socket:
                for index in node_socket.link_lookup(ifname=name):
                    node_socket.link("del", index=index)
            if not namespace or not os.path.exists(netns_path(namespace)):
                return
            with in_netns(namespace), IPRoute() as workload_socket:
                remaining = [link for link in workload_socket.get_links() if link.get("ifname") != "lo"]
            if not remaining:
                (WORKLOADS_DIR / f"{namespace}.json").unlink(missing_ok=True)
                netns.remove(namespace)

    def _create_veth(self, workload_socket: IPRoute, namespace: str, link: LinkEntry) -> None:
        interface = workload_interface(link)
        if list(workload_socket.link_lookup(ifname=interface)):
            return
        with in_netns(self.home), IPRoute() as node_socket:
            for index in node_socket.link_lookup(ifname=link["interface"]):
                node_socket.link("del", index=index)
            peer = {"ifname": interface, "net_ns_fd": namespace}
            node_socket.link("add", ifname=link["interface"], kind="veth", peer=peer)


def _create_workload(namespace: str) -> None:
    netns.create(namespace)
    with in_netns(namespace):
        for key, value in {
            "net/ipv4/conf/all/rp_filter": "0",
            "net/ipv4/conf/default/rp_filter": "0",
            "net/ipv4/conf/all/accept_local": "1",
            "net/ipv4/conf/all/ignore_routes_with_linkdown": "1",
            "net/ipv6/conf/default/accept_dad": "0",
            "net/ipv6/conf/default/accept_ra": "0",
            "net/ipv6/conf/default/addr_gen_mode": "1",
            "net/ipv6/conf/all/ignore_routes_with_linkdown": "1",
            "net/ipv4/ping_group_range": "0 0",
        }.items():
            Path(f"/proc/sys/{key}").write_text(value)
        with IPRoute() as workload_socket:
            workload_socket.link("set", index=1, state="up")


def _node_names(document: NodeDocument, tenant: str) -> dict[str, str]:
    """Return the tenant's name of a node → the node's own, for all nodes of its meshes."""
    return {
        node: f"{location}/{node.rpartition('/')[2]}"
        for section in document.of_kind("exchange.segment", tenant)
        for node, location in section.body["nodes"].items()
    }


def _describe_workload(section: DocumentSection[ConnectorBody], document: NodeDocument) -> WorkloadDescription:
    links, connector = section.body["links"], connector_key(section)
    segments = [shared.body for shared in document.of_kind("exchange.segment", section.tenant)]
    addresses = [first_usable(prefix) for link in links for prefix in (*link["inside"], *_translated_prefixes(link))]
    addresses += [target for segment in segments for target in _application_targets(segment, links)]
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
        "apps": [app for segment in segments for app in _published_applications(segment, connector)],
    }


def _translated_prefixes(link: LinkEntry) -> Iterator[str]:
    """Yield the inside prefixes that NAT rules translate: something is behind them."""
    for rule in link["nat_rules"]:
        if rule["direction"] == "outbound" and rule["to_source"]["type"] == "static":
            yield from rule["to_source"]["from"]
        elif rule["direction"] == "inbound" and rule["to_destination"]["type"] == "static":
            yield from rule["to_destination"]["to"]


def _application_targets(segment: SegmentBody, links: Sequence[LinkEntry]) -> Iterator[str]:
    """Yield the addresses behind these links that internet applications of a segment are served from."""
    inside = parse_ranges(
        prefix for link in links if link["segment"] == segment["segment"] for prefix in link["inside"]
    )
    for app in segment["apps"]:
        yield from (target for target in app["targets"] if intersect((parse_range(target),), inside))


def _published_applications(segment: SegmentBody, connector: str) -> Iterator[PublishedApplication]:
    """Yield what an exit publishes of a segment."""
    exits = {member["id"] for member in segment["members"] if member["connector"] == connector}
    for app in segment["apps"]:
        if app["exit"] in exits:
            yield {
                "public": app["public"],
                "protocol": app["protocol"],
                "port": app["port"],
                "number": segment_table(segment["number"]),
            }


def _write_workload_file(workload: WorkloadDescription) -> None:
    """Announce the workload; written last, so that what is announced works."""
    target = WORKLOADS_DIR / f"{workload['namespace']}.json"
    temporary = target.with_suffix(".new")
    temporary.write_text(json.dumps(workload))
    temporary.replace(target)


@contextmanager
def _workload_lock(namespace: str) -> Iterator[None]:
    """Hold a workload: two nodes' agents make the two circuits of one."""
    with open(f"/run/lab/{namespace}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
