"""NAT rules that cannot translate what they match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.check.match_sets import ranges_overlap
from provisioning.core.intent import Attachment, NatRule, named_uid
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import V6_OFFSET, Range, contains, covers, merge_ranges, prefix_range
from provisioning.core.values.resource import Problem


def check_nat_attachment(network: Network) -> Iterator[Problem]:
    """Report NAT rules of internet exits, and of connectors that are not attached to the rule's segment."""
    intent = network.intent
    for rule in intent.nat_rules.values():
        connector, segment = intent.connectors.get(rule.connector), intent.segments.get(rule.segment)
        if connector is None or segment is None:
            continue
        if connector.kind == "internet-exit":
            yield Problem(
                "nat_at_exit",
                f"nat-rules/{rule.key}/connector",
                f"NAT rule “{rule.name}” is for internet exit “{connector.name}”, which translates by itself. Remove "
                "the rule.",
            )
        elif all(attachment.segment != segment.uid for attachment in connector.attachments):
            yield Problem(
                "nat_not_attached",
                f"nat-rules/{rule.key}/segment",
                f"NAT rule “{rule.name}” is for connector “{connector.name}” in segment “{segment.name}”, to which the "
                "connector is not attached. Choose a segment it is attached to.",
            )


def check_translations(resolved: ResolvedSegment) -> Iterator[Problem]:
    for connector, attachments in resolved.routing_table.attached:
        for rule in resolved.routing_table.nat.get(connector.uid, ()) if connector.kind != "internet-exit" else ():
            pair_problems = list(_check_static_pairs(rule))
            yield from pair_problems or _check_inside(resolved, connector.name, attachments, rule)


def check_hidden_prefixes(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about prefixes that NAT hides and another connector presents: packets from behind the first stay there."""
    for connector, attachments in resolved.routing_table.attached:
        if connector.uid not in resolved.routing_table.nat:
            continue
        presented = merge_ranges(range_ for member in resolved.members_of(connector) for range_ in member.ranges)
        for attachment in attachments:
            for prefix in attachment.prefixes:
                low, high = prefix_range(prefix)
                owner = resolved.owner(low) if not contains(presented, low) else None
                if owner is not None and any(first <= low and high <= last for _, (first, last) in owner.routes):
                    where = f"attachments[{connector.attachments.index(attachment)}]"
                    yield Problem(
                        "nat_kept_inside",
                        f"connectors/{connector.key}/{where}.prefixes[{attachment.prefixes.index(prefix)}]",
                        f"NAT hides {prefix} of connector “{connector.name}”, and “{owner.connector.name}” shows it to "
                        f"segment “{resolved.segment.name}”. From behind “{connector.name}” these "
                        f"addresses are its own; "
                        f"to reach “{owner.connector.name}” from there, translate the destination too.",
                        "warning",
                    )


def _check_static_pairs(rule: NatRule) -> Iterator[Problem]:
    """Report static translations whose prefixes do not have the same length on both sides, pair by pair."""
    for field, translation, matched in (
        ("source", rule.source, rule.match.source),
        ("destination", rule.destination, rule.match.destination),
    ):
        path = f"nat-rules/{rule.key}/{field}.prefixes"
        if translation.type != "static":
            continue
        if not matched or any(map(named_uid, matched)):
            yield Problem(
                "nat_pairs",
                f"nat-rules/{rule.key}/match.{field}",
                f"NAT rule “{rule.name}” translates the {field} one to one, so match.{field} has to name its prefixes "
                "one by one, not any or a list.",
            )
        elif len(matched) != len(translation.prefixes):
            yield Problem(
                "nat_pairs",
                path,
                f"NAT rule “{rule.name}” translates {len(matched)} prefixes to {len(translation.prefixes)}. "
                f"Give as many in {field}.prefixes as in match.{field}.",
            )
        else:
            for index, (inner, outer) in enumerate(zip(matched, translation.prefixes, strict=True)):
                if _family_and_length(inner) != _family_and_length(outer):
                    yield Problem(
                        "nat_pairs",
                        f"{path}[{index}]",
                        f"NAT rule “{rule.name}” translates {inner} to {outer}, which has another size. One to one "
                        "needs prefixes of the same length and family.",
                    )


def _family_and_length(prefix: str) -> tuple[bool, str]:
    return ":" in prefix, prefix.rpartition("/")[2]


def _check_inside(
    resolved: ResolvedSegment, name: str, attachments: Sequence[Attachment], rule: NatRule
) -> Iterator[Problem]:
    """Report inside addresses that are not behind the connector, and rules that present several groups as one."""
    ranges_by_group = [
        (attachment.member_of, merge_ranges(prefix_range(prefix) for prefix in attachment.prefixes))
        for attachment in attachments
    ]
    attached = merge_ranges(range_ for _, ranges in ranges_by_group for range_ in ranges)
    for path, inside, translated in _inside_addresses(resolved, rule, attached):
        if not covers(attached, inside):
            yield Problem(
                "nat_outside_connector",
                f"nat-rules/{rule.key}/{path}",
                f"NAT rule “{rule.name}” translates addresses that are not behind connector “{name}” in segment "
                f"“{resolved.segment.name}”. Name prefixes that it attaches there.",
            )
        groups = {group for group, ranges in ranges_by_group if ranges_overlap(ranges, inside)}
        if translated and len(groups) > 1:
            yield Problem(
                "nat_two_groups",
                f"nat-rules/{rule.key}/{path}",
                f"NAT rule “{rule.name}” puts addresses of several groups of connector “{name}” behind the same ones, "
                "so that policies could not tell them apart. Make a rule for each group.",
            )
    if rule.direction == "outbound" and rule.source.type == "pool":
        yield from _check_pool_families(resolved, rule, attached)


def _inside_addresses(
    resolved: ResolvedSegment, rule: NatRule, attached: tuple[Range, ...]
) -> Iterator[tuple[str, tuple[Range, ...], bool]]:
    """Yield (field, inside addresses, whether several of them may be presented as the same address)."""
    if rule.direction == "outbound":
        matched = resolved.prefixes.ranges(rule.match.source)
        yield "match.source", attached if matched is None else matched, rule.source.type != "none"
    elif rule.destination.type == "static":
        for index, prefix in enumerate(rule.destination.prefixes):
            yield f"destination.prefixes[{index}]", (prefix_range(prefix),), True
    elif rule.match.destination:
        yield "match.destination", resolved.prefixes.ranges(rule.match.destination) or (), False


def _check_pool_families(resolved: ResolvedSegment, rule: NatRule, attached: tuple[Range, ...]) -> Iterator[Problem]:
    matched = resolved.prefixes.ranges(rule.match.source)
    for is_v6, family in ((False, "IPv4"), (True, "IPv6")):
        needs = any((low >= V6_OFFSET) is is_v6 for low, _ in (attached if matched is None else matched))
        if needs and not any((":" in prefix) is is_v6 for prefix in rule.source.prefixes):
            yield Problem(
                "nat_family",
                f"nat-rules/{rule.key}/source.prefixes",
                f"NAT rule “{rule.name}” hides {family} addresses behind a pool that has none. Add {family} addresses "
                "to the pool, or match the other family only.",
            )
