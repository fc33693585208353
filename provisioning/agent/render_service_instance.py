"""A linux-firewall instance on the node that hosts it: one arm for each segment on that segment's mesh.

It is one-armed: every packet comes from an anchor and goes back to that same anchor, known by the hardware address it
came from. Segments may use the same addresses, so each arm has its own connection-tracking zone and routing tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, IPV6, nft_interval
from provisioning.agent.connection_labels import names_dscp, remember_dscp_rules
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftCounter, NftTable
from provisioning.agent.document import DocumentSection
from provisioning.agent.nft_matches import connection_matches
from provisioning.agent.parsed_segment import ParsedSegment
from provisioning.agent.render_namespace import in_family, instance_port
from provisioning.core.node_document import InstanceBody
from provisioning.core.node_document_rules import FirewallRuleEntry
from provisioning.core.values.addresses import parse_ranges
from provisioning.core.values.counter_key import CounterKey


def instance_namespace(
    section: DocumentSection[InstanceBody], segments: Sequence[ParsedSegment], prefix: str
) -> NetworkNamespace | None:
    """Return the instance's namespace; None when another node hosts it, or none of its segments is here yet.

    ``segments``: the tenant's on this node.
    """
    body = section.body
    if body["host"] != section.node:
        return None
    indexes = {arm["segment"]: arm["index"] for arm in body["segments"]}
    arms = [
        (zone, segment, indexes[segment.name])
        for zone, segment in enumerate(sorted(segments, key=lambda segment: segment.name), start=1)
        if segment.name in indexes and _has_instance(segment, indexes[segment.name])
    ]
    if not arms:
        return None
    links, addresses, neighbours, routes, table_marks = [], set(), set(), set(), set()
    for zone, segment, index in arms:
        interface = f"seg{segment.number}"
        links.append(
            KernelLink(interface, "veth", mac=fwmarks.mesh_mac(index), peer=(segment.namespace, instance_port(index)))
        )
        for family in segment.families:
            addresses.add((interface, in_family(f"{fwmarks.mesh_address(index)}/17", family)))
            for peer in segment.nodes.values():
                anchor, mark = in_family(fwmarks.mesh_address(peer["index"]), family), zone << 16 | peer["index"]
                neighbours.add((interface, anchor, fwmarks.mesh_mac(peer["index"])))
                routes.add(KernelRoute(family.default_route, anchor, interface, table=mark))
                table_marks.add((mark, mark))
    return NetworkNamespace(
        name=f"{prefix}{section.tenant}.{body['service']}.{body['instance']}",
        sections=(section.key,),
        links=tuple(links),
        addresses=frozenset(addresses),
        neighbours=frozenset(neighbours),
        routes=frozenset(routes),
        fwmark_rules=frozenset(table_marks),
        rules=_instance_table(section, arms),
    )


def _has_instance(segment: ParsedSegment, index: int) -> bool:
    return any(instance["index"] == index for _, instance in segment.instances)


def _instance_table(section: DocumentSection[InstanceBody], arms: Sequence[tuple[int, ParsedSegment, int]]) -> NftTable:
    """``arms``: (connection-tracking zone, segment, index on its mesh)."""
    body = section.body
    subject = f"instance/{body['service']}/{body['host'].rpartition('/')[0]}/{body['instance']}"
    passed = NftCounter(section.tenant, CounterKey(subject, verdict="passed"))
    refused = NftCounter(section.tenant, CounterKey(subject, verdict="refused"), packets_only=True)
    anchors = [
        f'"seg{segment.number}" . {fwmarks.mesh_mac(peer["index"])} : {zone << 16 | peer["index"]:#x}'
        for zone, segment, _ in arms
        for peer in segment.nodes.values()
    ]
    decide = [line for rule in body["rules"] for line in _filter_rules(rule)]
    has_dscp = names_dscp(body["rules"])
    last = "goto pass" if body["default_action"] == "allow" else "goto refuse"
    return NftTable(
        sets={"anchors": "map { type ifname . ether_addr : mark; }"},
        elements={"anchors": tuple(anchors)},
        chains={
            "arrive": (
                "type filter hook prerouting priority raw; policy accept;",
                (
                    *(f'iifname "seg{segment.number}" ct zone set {zone}' for zone, segment, _ in arms),
                    "meta mark set iifname . ether saddr map @anchors",
                ),
            ),
            # On the original tuple and for every packet: a changed rule also cuts what is under way.
            "decide": ("type filter hook forward priority filter; policy drop;", (
                "ct state invalid drop", "ct mark set meta mark", "ct state related goto pass",
                *(["jump remember_dscp"] if has_dscp else []), *decide, last)),
            **({"remember_dscp": ("", tuple(remember_dscp_rules((IPV4, IPV6))))} if has_dscp else {}),
            "pass": ("", (f"counter name {passed.name} accept",)),
            "refuse": ("", (f"counter name {refused.name}", "meta l4proto tcp reject with tcp reset", "drop")),
            # Resets that it sends itself go to the anchor whose packet it refused.
            "output": ("type route hook output priority mangle; policy accept;", ("meta mark set ct mark",)),
        },
        counters={counter.name: counter for counter in (passed, refused)},
    )  # fmt: skip


def _filter_rules(rule: FirewallRuleEntry) -> Iterator[str]:
    """Yield one nft rule for each family of addresses that the rule can match."""
    sides = (("saddr", rule["source"]), ("daddr", rule["destination"]))
    limits = [(field, parse_ranges(texts)) for field, texts in sides if texts is not None]
    verdict = "goto pass" if rule["action"] == "allow" else "goto refuse"
    ends = [" ".join(filter(None, (match, verdict))) for match in connection_matches(rule)]
    if not limits:
        yield from ends
        return
    for family in (IPV4, IPV6):
        selected = [(field, family.select(ranges)) for field, ranges in limits]
        if all(ranges for _, ranges in selected):
            matches = [
                f"ct original {family.ip} {field} {{ {', '.join(map(nft_interval, ranges))} }}"
                for field, ranges in selected
            ]
            yield from (" ".join([*matches, end]) for end in ends)
