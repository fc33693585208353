"""A segment: who is in it, what is shared, its internet exits and applications, and the rules.

Numbers that nodes agree on among themselves (ids, classes, anchors) and address sets follow from what is described.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.node_document import MemberEntry, MeshPeerEntry, SegmentBody
from provisioning.core.node_document_rules import RuleEntry
from provisioning.core.plan.describe import named_items, rules
from provisioning.core.plan.describe.addresses import format_range_difference, format_ranges

_EMPTY_SEGMENT: SegmentBody = {
    "version": 0, "nodes": {}, "segment": "", "number": 0, "default_action": "", "vni": 0, "mesh": [], "members": [],
    "imported_members": [], "deciding_peers": [], "shares": [], "peer_rules": {}, "anchors": {}, "exits": {},
    "bogons": [], "apps": [], "address_sets": {}, "rules": [],
}  # fmt: skip
"""What a segment that is created is compared with."""


def describe_segment(before: SegmentBody | None, after: SegmentBody) -> Iterator[str]:
    line = None
    for line in _describe_parts(before or _EMPTY_SEGMENT, after):
        yield line
    if line is None and before != after:
        yield "(only numbers that nodes agree on among themselves)"


def _describe_parts(before: SegmentBody, after: SegmentBody) -> Iterator[str]:
    if before["default_action"] != after["default_action"]:
        old = f"{before['default_action']} → " if before["default_action"] else ""
        yield f"default action: {old}{after['default_action']}"
    yield from _describe_nodes(before["mesh"], after["mesh"])
    yield from _describe_members(before["members"], after["members"])
    yield from named_items.describe_named_items("chosen way out of", _chosen_ways(before), _chosen_ways(after))
    for noun, describe in (
        ("imported member", _imported_members),
        ("flows decided by", _deciding_peers),
        ("share", _shares),
        ("exit of", _exits),
        ("application", _apps),
    ):
        yield from named_items.describe_named_items(noun, describe(before), describe(after))
    yield from rules.describe_rules(before["rules"], after["rules"])
    for segment in sorted({*before["peer_rules"], *after["peer_rules"]}) if before["segment"] else ():
        if count := _format_rule_change_count(_peer_rules(before, segment), _peer_rules(after, segment)):
            yield f"{count} of {segment} for flows through shares"


def _describe_nodes(before: Sequence[MeshPeerEntry], after: Sequence[MeshPeerEntry]) -> Iterator[str]:
    old, new = [peer["node"] for peer in before], [peer["node"] for peer in after]
    if before:
        yield from (f"- node {node}" for node in old if node not in new)
        yield from (f"+ node {node}" for node in new if node not in old)
    elif new:
        yield f"nodes: {', '.join(new)}"


def _describe_members(before: Sequence[MemberEntry], after: Sequence[MemberEntry]) -> Iterator[str]:
    old, new = _by_attachment(before), _by_attachment(after)
    for key in old:
        if key not in new:
            yield f"- member {_format_member(old[key])}"
    for key, member in new.items():
        if key not in old:
            yield f"+ member {_format_member(member)}"
        elif changes := list(_describe_changed_member(old[key], member)):
            yield f"~ member {member['connector']}: {'; '.join(changes)}"


def _by_attachment(members: Sequence[MemberEntry]) -> dict[tuple[str, int], MemberEntry]:
    """Return the members by connector and position among its attachments: a connector may be in a segment twice."""
    by_attachment: dict[tuple[str, int], MemberEntry] = {}
    positions: dict[str, int] = {}
    for member in members:
        position = positions[member["connector"]] = positions.get(member["connector"], -1) + 1
        by_attachment[member["connector"], position] = member
    return by_attachment


def _format_member(member: MemberEntry) -> str:
    groups = f" in {', '.join(member['groups'])}" if member["groups"] else ""
    if member["kind"] == "internet-exit":
        return f"{member['connector']} at {member['home']}: a way to the internet"
    return f"{member['connector']}{groups} at {member['home']}: {format_ranges(member['ranges'])}"


def _describe_changed_member(before: MemberEntry, after: MemberEntry) -> Iterator[str]:
    if before["home"] != after["home"]:
        yield f"{before['home']} → {after['home']}"
    for verb, groups, others in (("leaves", before, after), ("joins", after, before)):
        if differing := [group for group in groups["groups"] if group not in others["groups"]]:
            yield f"{verb} {', '.join(differing)}"
    ranges = format_range_difference(before["ranges"], after["ranges"])
    if ranges:
        yield ranges
    sources = format_range_difference(before["sources"], after["sources"])
    if sources and sources != ranges:
        yield f"may send from {sources}"


def _imported_members(body: SegmentBody) -> dict[str, str]:
    return {
        f"{member['connector']} of {member['segment']}": f"{format_ranges(member['ranges'])} at {member['home']}"
        for member in body["imported_members"]
    }


def _deciding_peers(body: SegmentBody) -> dict[str, str]:
    return {peer["segment"]: format_ranges(peer["ranges"]) for peer in body["deciding_peers"]}


def _shares(body: SegmentBody) -> dict[str, str]:
    shares = {}
    for share in body["shares"]:
        arrow = {"a": "→", "b": "←"}.get("".join(share["initiate"]), "↔")
        a, b = (f"{side['segment']} {format_ranges(side['ranges'])}" for side in (share["a"], share["b"]))
        through = f", through {', '.join(share['chain'])}" if share["chain"] else ""
        shares[share["id"].partition("/")[2]] = f"{a} {arrow} {b}{through}"
    return shares


def _exits(body: SegmentBody) -> dict[str, str]:
    connectors = {member["id"]: member["connector"] for member in body["members"]}
    return {exchange: f"{connectors[exit_['member']]} at {exit_['home']}" for exchange, exit_ in body["exits"].items()}


def _chosen_ways(body: SegmentBody) -> dict[str, str]:
    """Return member → the exit, or the segment by whose exits it leaves, where a policy chooses that."""
    members = [*body["members"], *body["imported_members"]]
    names = {member["id"]: member["connector"] for member in members}
    peers = {id_: peer["segment"] for peer in body["deciding_peers"] for id_ in peer.get("leaving", ())}
    return {
        f"{member['connector']} ({member['id']})": f"exits of {peers[member['id']]}"
        if member["id"] in peers
        else names.get(member["exit"], "none")
        for member in members
        if "exit" in member or member["id"] in peers
    }


def _apps(body: SegmentBody) -> dict[str, str]:
    return {
        app["id"].partition(":")[2]: (
            f"{app['public']} {app['protocol']} {app['port']} at {app['home']} → "
            f"{', '.join(app['targets'])} port {app['target_port']}"
            + (f", clients appear as {app['source_nat']}" if app["source_nat"] else "")
            + (f", members appear as {app['hairpin_source']}" if "hairpin_source" in app else "")
        )
        for app in body["apps"]
    }


def _peer_rules(body: SegmentBody, segment: str) -> Sequence[RuleEntry]:
    return body["peer_rules"][segment]["rules"] if segment in body["peer_rules"] else ()


def _format_rule_change_count(before: Sequence[RuleEntry], after: Sequence[RuleEntry]) -> str:
    old, new = ({rule["id"]: rule for rule in entries} for entries in (before, after))
    count = sum(1 for name in {**old, **new} if old.get(name) != new.get(name)) or int(list(old) != list(new))
    return f"{count} change{'s' if count > 1 else ''} of rules" if count else ""
