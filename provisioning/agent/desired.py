"""What should exist on this node, as plain values: the renderers make them, netlink.py and nft.py make them true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from provisioning.agent.nft_names import hashed_name
from provisioning.core.values.counter_key import CounterKey


@dataclass(frozen=True, slots=True)
class KernelLink:
    """An interface. kind: bridge, vxlan, veth, or circuit (arrives by its name in the node's own namespace).

    peer: for a veth, (namespace, interface) of the other end; the side that has ``peer`` creates the pair.
    rate: bits per second this interface may send, 0 for no limit.
    follows: another link of the namespace; without a carrier there this one is down, and so its peer knows.
    """

    name: str
    kind: str
    mac: str = ""
    mtu: int = 1500
    master: str = ""
    peer: tuple[str, str] = ()  # type: ignore[assignment]
    vni: int = 0
    underlay: str = ""
    rate: int = 0
    follows: str = ""


@dataclass(frozen=True, slots=True, order=True)
class KernelRoute:
    """destination prefix → gateway (or no gateway: unreachable) in a table; a lower metric is preferred.

    The gateway is of the destination's family and directly on the link.
    """

    destination: str
    gateway: str
    link: str
    table: int = 254
    metric: int = 10


class NftCounter(NamedTuple):
    """A named counter. ``packets_only``: the key as it is counts packets; else bytes and packets have a key each."""

    tenant: str
    key: CounterKey
    packets_only: bool = False

    @property
    def name(self) -> str:
        """Its name in nftables; each table is one tenant's."""
        return hashed_name("n", str(self.key))


@dataclass(frozen=True, slots=True)
class NftTable:
    """One nftables table, ``inet causeway``, in parts so that an unchanged set is never touched.

    sets:     name → its declaration without elements; maps are written the same way.
    elements: name → element texts.
    chains:   name → (hook line or "", rule texts).
    counters: nft counter name → what it counts and how that is reported.
    """

    sets: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chains: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    counters: Mapping[str, NftCounter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkNamespace:
    """All of one network namespace. sections: keys of the document's sections that fail when it fails."""

    name: str
    sections: tuple[str, ...]
    links: tuple[KernelLink, ...] = ()
    addresses: frozenset[tuple[str, str]] = frozenset()
    """(interface, address/length)"""
    neighbours: frozenset[tuple[str, str, str]] = frozenset()
    """(interface, address, hardware address)"""
    forwarding: frozenset[tuple[str, str, str]] = frozenset()
    """(interface, hardware address, underlay address or "" for a port of the bridge)"""
    routes: frozenset[KernelRoute] = frozenset()
    fwmark_rules: frozenset[tuple[int, int]] = frozenset()
    """(packet mark, routing table); a mark of 16 bits is looked for in the low half of the packet's."""
    rules: NftTable = field(default_factory=NftTable)
