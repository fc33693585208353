"""Presented prefixes of a segment: equal, overlapping, colliding, outside, reserved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.intent import NatRule
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import Range, merge_ranges, prefix_range
from provisioning.core.values.resource import Problem

DEFAULT_ROUTES = ("0.0.0.0/0", "::/0")

RESERVED_TEXT = "0.0.0.0/8, 100.127.255.0/24, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3, ::/8, fe80::/10 or ff00::/8"
RESERVED_RANGES = merge_ranges(prefix_range(prefix) for prefix in RESERVED_TEXT.replace(" or", ",").split(", "))
"""Not unicast, or what exchanges use for links, the mesh, and clients of internet applications."""
_RESERVED_STARTS = [low for low, _ in RESERVED_RANGES]


@dataclass(frozen=True, slots=True)
class _PresentedPrefix:
    prefix: str
    held: Range
    member: Member
    translated: bool

    def is_redundant_with(self, other: _PresentedPrefix) -> bool:
        group = self.member.connector.redundancy_group
        return group is not None and group == other.member.connector.redundancy_group


def _presented_prefixes(resolved: ResolvedSegment) -> list[_PresentedPrefix]:
    nat = resolved.routing_table.nat
    return [
        _PresentedPrefix(prefix, held, member, member.connector.uid in nat and prefix not in member.attachment.prefixes)
        for member in resolved.members
        for prefix, held in member.routes
        if prefix not in DEFAULT_ROUTES
    ]


def check_overlapping_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Equal prefixes are an error, one inside another a warning, and with NAT always an error; defaults are exempt."""
    claims = _presented_prefixes(resolved)
    claims.sort(key=lambda claim: (claim.held[0], -claim.held[1], claim.member.id))
    around: list[_PresentedPrefix] = []
    for claim in claims:
        while around and around[-1].held[1] < claim.held[0]:
            around.pop()
        outer = next((one for one in reversed(around) if _is_conflict(one, claim)), None) if around else None
        if outer is not None and not outer.is_redundant_with(claim):
            yield _overlap_problem(resolved, outer, claim)
        around.append(claim)


def _is_conflict(outer: _PresentedPrefix, claim: _PresentedPrefix) -> bool:
    return outer.member.connector is not claim.member.connector or (
        outer.member is not claim.member and outer.held == claim.held and not claim.translated
    )


def _overlap_problem(resolved: ResolvedSegment, outer: _PresentedPrefix, inner: _PresentedPrefix) -> Problem:
    one, other, segment = outer.member.connector, inner.member.connector, resolved.segment.name
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
    if outer.held == inner.held:
        names = f"Connectors “{one.name}” and “{other.name}”"
        if one is other:
            names = f"Two attachments of connector “{other.name}”"
        return Problem(
            "equal_prefixes",
            prefix_path(resolved, inner.member, inner.prefix),
            f"{names} both attach {inner.prefix} to segment “{segment}”. "
            "Change one, or give both the same redundancy group.",
        )
    return Problem(
        "overlapping_prefixes",
        prefix_path(resolved, inner.member, inner.prefix),
        f"{inner.prefix} of connector “{other.name}” lies inside {outer.prefix} of connector “{one.name}” in segment "
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
    """Where a presented prefix is written down: with the attachment, else in the NAT rule that brings it."""
    connector, prefixes = member.connector, member.attachment.prefixes
    if prefix in prefixes:
        place = next(nth for nth, one in enumerate(connector.attachments) if one is member.attachment)
        return f"connectors/{connector.key}/attachments[{place}].prefixes[{prefixes.index(prefix)}]"
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
            place = bisect_right(lows, low) - 1
            if (place < 0 or high > inside[place][1]) and prefix not in DEFAULT_ROUTES:
                yield Problem(
                    "outside_segment",
                    prefix_path(resolved, member, prefix),
                    f"{prefix} of connector “{member.connector.name}” is outside the prefixes of segment "
                    f"“{segment.name}” ({', '.join(segment.prefixes)}); cloud networks will have no route to it.",
                    "warning",
                )


def is_reserved(held: Range) -> bool:
    place = bisect_right(_RESERVED_STARTS, held[1]) - 1
    return place >= 0 and held[0] <= RESERVED_RANGES[place][1]


def check_reserved_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Attached prefixes, also those that NAT hides, and presented ones."""
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
