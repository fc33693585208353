"""Prefixes of connectors, and the addresses of their links."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.addresses import covers, merge, span
from provisioning.core.intent import Attachment, Connector, Intent
from provisioning.core.intent.circuits import link_addresses, link_slot
from provisioning.core.resource import Problem

DEFAULTS = ("0.0.0.0/0", "::/0")
MESH = ipaddress.IPv4Network("169.254.128.0/17")


@dataclass(frozen=True, slots=True)
class _Claim:
    prefix: str
    connector: Connector
    path: str

    def redundant_with(self, other: _Claim) -> bool:
        group = self.connector.redundancy_group
        return group is not None and group == other.connector.redundancy_group


def _attachments(intent: Intent) -> Iterator[tuple[str, Connector, Attachment]]:
    for connector in intent.connectors.values():
        for place, attachment in enumerate(connector.attachments):
            yield f"connectors/{connector.key}/attachments[{place}]", connector, attachment


def equal_and_overlapping(intent: Intent) -> Iterator[Problem]:
    """Equal prefixes in a segment are an error, one inside another a warning; the default route is exempt."""
    by_segment: dict[str, list[_Claim]] = defaultdict(list)
    for path, connector, attachment in _attachments(intent):
        if connector.enabled:
            for place, prefix in enumerate(attachment.prefixes):
                if prefix not in DEFAULTS:
                    by_segment[attachment.segment].append(_Claim(prefix, connector, f"{path}.prefixes[{place}]"))
    for uid, claims in by_segment.items():
        segment = intent.segments[uid].name if uid in intent.segments else uid
        claims.sort(key=lambda claim: (span(claim.prefix)[0], -span(claim.prefix)[1], claim.connector.number))
        around: list[_Claim] = []
        for claim in claims:
            while around and span(around[-1].prefix)[1] < span(claim.prefix)[0]:
                around.pop()
            if around and (problem := _clash(around[-1], claim, segment)):
                yield problem
            around.append(claim)


def _clash(outer: _Claim, inner: _Claim, segment: str) -> Problem | None:
    if outer.redundant_with(inner):
        return None
    names = f"Connectors “{outer.connector.name}” and “{inner.connector.name}”"
    if outer.prefix == inner.prefix:
        if outer.connector is inner.connector:
            names = f"Two attachments of connector “{inner.connector.name}”"
        return Problem(
            "equal_prefixes",
            inner.path,
            f"{names} both attach {inner.prefix} to segment “{segment}”. "
            "Change one, or give both the same redundancy group.",
        )
    if outer.connector is inner.connector:
        return None
    return Problem(
        "overlapping_prefixes",
        inner.path,
        f"{inner.prefix} of connector “{inner.connector.name}” lies inside {outer.prefix} of connector "
        f"“{outer.connector.name}” in segment “{segment}”. The longer prefix wins there.",
        "warning",
    )


def outside_segment(intent: Intent) -> Iterator[Problem]:
    for path, connector, attachment in _attachments(intent):
        segment = intent.segments.get(attachment.segment)
        if segment is None or not segment.prefixes:
            continue
        inside = merge(span(prefix) for prefix in segment.prefixes)
        for place, prefix in enumerate(attachment.prefixes):
            if prefix not in DEFAULTS and not covers(inside, (span(prefix),)):
                yield Problem(
                    "outside_segment",
                    f"{path}.prefixes[{place}]",
                    f"{prefix} of connector “{connector.name}” is outside the prefixes of segment “{segment.name}” "
                    f"({', '.join(segment.prefixes)}); cloud networks will have no route to it.",
                    "warning",
                )


def family(intent: Intent) -> Iterator[Problem]:
    """Exchanges carry IPv4 only so far."""
    for path, prefix in _prefixes(intent):
        if ":" in prefix:
            yield Problem(
                "ipv6_unsupported", path, f"{prefix} is an IPv6 prefix; exchanges carry IPv4 only. Leave it out."
            )


RESERVED = tuple(span(prefix) for prefix in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"))
"""Not unicast, or what exchanges use for links and the mesh."""


def reserved(intent: Intent) -> Iterator[Problem]:
    for path, connector, attachment in _attachments(intent):
        for place, prefix in enumerate(attachment.prefixes):
            low, high = span(prefix)
            if prefix not in DEFAULTS and any(low <= last and first <= high for first, last in RESERVED):
                yield Problem(
                    "reserved_prefix",
                    f"{path}.prefixes[{place}]",
                    f"{prefix} of connector “{connector.name}” holds addresses that no network can be reached at "
                    "(0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 or 224.0.0.0/3). Leave them out.",
                )


def _prefixes(intent: Intent) -> Iterator[tuple[str, str]]:
    lists: list[tuple[str, tuple[str, ...]]] = [
        (f"segments/{segment.key}/prefixes", segment.prefixes) for segment in intent.segments.values()
    ]
    lists += [(f"{path}.prefixes", attachment.prefixes) for path, _, attachment in _attachments(intent)]
    for policy in intent.policies.values():
        for place, rule in enumerate(policy.rules):
            lists.append((f"policies/{policy.key}/rules[{place}].source", rule.source))
            lists.append((f"policies/{policy.key}/rules[{place}].destination", rule.destination))
    for service in intent.services.values():
        for place, inner in enumerate(service.firewall_rules):
            lists.append((f"services/{service.key}/settings.rules[{place}].source", inner.source))
            lists.append((f"services/{service.key}/settings.rules[{place}].destination", inner.destination))
    return ((f"{path}[{nth}]", prefix) for path, prefixes in lists for nth, prefix in enumerate(prefixes))


def links(intent: Intent) -> Iterator[Problem]:
    """Link addresses that a person gave: two ends of one network, apart from the mesh and from other links."""
    taken: dict[tuple[str, int, str, str], Connector] = {}
    for connector in intent.connectors.values():
        for place, circuit in enumerate(connector.circuits):
            if (circuit.local, circuit.peer) == link_addresses(link_slot(connector.number, place)):
                continue
            path = f"connectors/{connector.key}/circuits[{place}].local"
            local, peer = ipaddress.ip_interface(circuit.local), ipaddress.ip_interface(circuit.peer)
            if local.network != peer.network or local.ip == peer.ip:
                yield Problem(
                    "bad_link",
                    path,
                    f"Circuit {circuit.name} of connector “{connector.name}”: {circuit.local} and {circuit.peer} have "
                    "to be two addresses of one network.",
                )
            elif local.version != 4 or local.network.overlaps(MESH):
                yield Problem("bad_link", path, f"{circuit.local} cannot be used: exchanges use {MESH} themselves.")
            for segment in {attachment.segment for attachment in connector.attachments}:
                other = taken.setdefault((connector.exchange, circuit.node, segment, str(local.ip)), connector)
                if other is not connector and connector.enabled and other.enabled:
                    yield Problem(
                        "address_in_use",
                        path,
                        f"Connectors “{other.name}” and “{connector.name}” both use {local.ip} on the same node.",
                    )


def shared_networks(intent: Intent) -> Iterator[Problem]:
    """A cloud network belongs to one connector."""
    first: dict[tuple[str, ...], Connector] = {}
    for connector in intent.connectors.values():
        if connector.kind != "aws-vpc":
            continue
        which = tuple(str(connector.settings[field]) for field in ("account", "region", "vpc_id"))
        other = first.setdefault(which, connector)
        if other is not connector:
            yield Problem(
                "network_in_use",
                f"connectors/{connector.key}/settings.vpc_id",
                f"Connectors “{other.name}” and “{connector.name}” both attach {which[2]}. Keep one of them.",
            )
