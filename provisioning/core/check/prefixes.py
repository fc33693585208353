"""Presented prefixes of a segment: equal, overlapping, colliding with NAT, outside the segment, reserved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.intent import NatRule
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import DEFAULT_ROUTES, Range, merge_ranges, prefix_range
from provisioning.core.values.resource import Problem

RESERVED_TEXT = "0.0.0.0/8, 100.127.255.0/24, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3, ::/8, fe80::/10 or ff00::/8"
RESERVED_RANGES = merge_ranges(prefix_range(prefix) for prefix in RESERVED_TEXT.replace(" or", ",").split(", "))
"""Addresses that are not unicast, and what exchanges use for links, the mesh, and clients of internet applications."""
_RESERVED_STARTS = [low for low, _ in RESERVED_RANGES]


@dataclass(frozen=True, slots=True)
class _PresentedPrefix:
    prefix: str
    range: Range
    member: Member
    translated: bool

    def is_redundant_with(self, other: _PresentedPrefix) -> bool:
        group = self.member.connector.redundancy_group
        return group is not None and group == other.member.connector.redundancy_group


def _presented_prefixes(resolved: ResolvedSegment) -> list[_PresentedPrefix]:
    nat = resolved.routing_table.nat
    return [
        _PresentedPrefix(
            prefix, range_, member, member.connector.uid in nat and prefix not in member.attachment.prefixes
        )
        for member in resolved.members
        for prefix, range_ in member.routes
        if prefix not in DEFAULT_ROUTES
    ]


def check_overlapping_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Report equal prefixes and prefixes inside one another; the latter are a warning, with NAT an error too.

    Default routes are exempt.
    """
    claims = _presented_prefixes(resolved)
    claims.sort(key=lambda claim: (claim.range[0], -claim.range[1], claim.member.id))
    enclosing: list[_PresentedPrefix] = []
    for claim in claims:
        while enclosing and enclosing[-1].range[1] < claim.range[0]:
            enclosing.pop()
        outer = (
            next((outer for outer in reversed(enclosing) if _is_conflict(outer, claim)), None) if enclosing else None
        )
        if outer is not None and not outer.is_redundant_with(claim):
            yield _overlap_problem(resolved, outer, claim)
        enclosing.append(claim)


def _is_conflict(outer: _PresentedPrefix, claim: _PresentedPrefix) -> bool:
    return outer.member.connector is not claim.member.connector or (
        outer.member is not claim.member and outer.range == claim.range and not claim.translated
    )


def _overlap_problem(resolved: ResolvedSegment, outer: _PresentedPrefix, inner: _PresentedPrefix) -> Problem:
    segment, outer_name, inner_name = resolved.segment.name, outer.member.connector.name, inner.member.connector.name
    if outer.translated or inner.translated:
        claims = (outer, inner) if inner.translated else (inner, outer)
        return Problem(
            "nat_collision",
            prefix_path(resolved, claims[1].member, claims[1].prefix),
            f"{_presenter_label(resolved, claims[1])} presents {claims[1].prefix}, which overlaps "
            f"{claims[0].prefix} of "
            f"{_presenter_label(resolved, claims[0])} in segment “{segment}”. Translate to addresses that "
            f"nobody else has.",
        )
    if outer.range == inner.range:
        names = f"Connectors “{outer_name}” and “{inner_name}”"
        if outer.member.connector is inner.member.connector:
            names = f"Two attachments of connector “{inner_name}”"
        return Problem(
            "equal_prefixes",
            prefix_path(resolved, inner.member, inner.prefix),
            f"{names} both attach {inner.prefix} to segment “{segment}”. "
            "Change one, or give both the same redundancy group.",
        )
    return Problem(
        "overlapping_prefixes",
        prefix_path(resolved, inner.member, inner.prefix),
        f"{inner.prefix} of connector “{inner_name}” lies inside {outer.prefix} of connector “{outer_name}” in segment "
        f"“{segment}”. The longer prefix wins there.",
        "warning",
    )


def _presenter_label(resolved: ResolvedSegment, claim: _PresentedPrefix) -> str:
    rule = _translating_rule(resolved, claim.member, claim.prefix) if claim.translated else None
    return (f"NAT rule “{rule.name}” of connector" if rule else "connector") + f" “{claim.member.connector.name}”"


def _translating_rule(resolved: ResolvedSegment, member: Member, prefix: str) -> NatRule | None:
    return next(
        (
            rule
            for rule in resolved.routing_table.nat.get(member.connector.uid, ())
            if prefix in rule.source.prefixes or prefix in resolved.prefixes.texts(rule.match.destination)
        ),
        None,
    )


def prefix_path(resolved: ResolvedSegment, member: Member, prefix: str) -> str:
    """Return where a presented prefix is set: in the attachment, else in the NAT rule that presents it."""
    connector, prefixes = member.connector, member.attachment.prefixes
    if prefix in prefixes:
        index = next(i for i, attachment in enumerate(connector.attachments) if attachment is member.attachment)
        return f"connectors/{connector.key}/attachments[{index}].prefixes[{prefixes.index(prefix)}]"
    rule = _translating_rule(resolved, member, prefix)
    if rule is None:
        return f"connectors/{connector.key}"
    if prefix in rule.source.prefixes:
        return f"nat-rules/{rule.key}/source.prefixes[{rule.source.prefixes.index(prefix)}]"
    return f"nat-rules/{rule.key}/match.destination"


def check_segment_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    segment = resolved.segment
    if not segment.prefixes:
        return
    inside = merge_ranges(prefix_range(prefix) for prefix in segment.prefixes)
    lows = [low for low, _ in inside]
    for member in resolved.members:
        for prefix, (low, high) in member.routes:
            index = bisect_right(lows, low) - 1
            if (index < 0 or high > inside[index][1]) and prefix not in DEFAULT_ROUTES:
                yield Problem(
                    "outside_segment",
                    prefix_path(resolved, member, prefix),
                    f"{prefix} of connector “{member.connector.name}” is outside the prefixes of segment "
                    f"“{segment.name}” ({', '.join(segment.prefixes)}); cloud networks will have no route to it.",
                    "warning",
                )


def check_carried_families(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Report IPv6 prefixes, attached or presented by NAT, where the connector's link carries IPv4 only."""
    for member in resolved.members:
        connector = member.connector
        if CONNECTOR_KINDS[connector.kind].ipv6:
            continue
        for prefix in dict.fromkeys((*member.attachment.prefixes, *(prefix for prefix, _ in member.routes))):
            if ":" in prefix:
                yield Problem(
                    "not_carried",
                    prefix_path(resolved, member, prefix),
                    f"{prefix} of connector “{connector.name}” is IPv6, and the link of a connector of kind "
                    f"{connector.kind} carries IPv4 only. Leave it out.",
                )


def is_reserved(range_: Range) -> bool:
    index = bisect_right(_RESERVED_STARTS, range_[1]) - 1
    return index >= 0 and range_[0] <= RESERVED_RANGES[index][1]


def check_reserved_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Report reserved addresses in attached prefixes, also those that NAT hides, and in presented ones."""
    for member in resolved.members:
        presented = [prefix for prefix, _ in member.routes if prefix not in member.attachment.prefixes]
        for prefix in (*member.attachment.prefixes, *presented):
            if is_reserved(prefix_range(prefix)) and prefix not in DEFAULT_ROUTES:
                yield Problem(
                    "reserved_prefix",
                    prefix_path(resolved, member, prefix),
                    f"{prefix} of connector “{member.connector.name}” holds addresses that no network can be reached "
                    f"at ({RESERVED_TEXT}). Leave them out.",
                )
