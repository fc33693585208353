"""A segment's section: who is in it, what is shared, what leads in and out, and the rules.

Numbers that nodes agree on among themselves (ids, classes, anchors) and sets of addresses follow from what is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.plan.describe import named_items, rules
from provisioning.core.plan.describe.addresses import format_range_difference, format_ranges
from provisioning.core.values.resource import Body

SectionPart = Mapping[str, Any]


def describe_segment(before: Body, after: Body) -> Iterator[str]:
    line = None
    for line in _describe_parts(before, after):
        yield line
    if line is None and before != after:
        yield "(only numbers that nodes agree on among themselves)"


def _describe_parts(before: Body, after: Body) -> Iterator[str]:
    if before.get("stance") != after.get("stance"):
        yield f"stance: {before['stance']} → {after['stance']}" if before else f"stance: {after['stance']}"
    yield from _describe_nodes(before.get("mesh", ()), after.get("mesh", ()))
    yield from _describe_members(before.get("members", ()), after.get("members", ()))
    yield from named_items.describe_named_items("guest", _imported_members(before), _imported_members(after))
    yield from named_items.describe_named_items("handover to", _exported(before), _exported(after))
    yield from named_items.describe_named_items("share", _shares(before), _shares(after))
    yield from named_items.describe_named_items("exit of", _exits(before), _exits(after))
    yield from named_items.describe_named_items("application", _apps(before), _apps(after))
    yield from rules.describe_rules(before.get("rules", ()), after.get("rules", ()))
    for segment in sorted({*before.get("foreign", {}), *after.get("foreign", {})}):
        held = [body.get("foreign", {}).get(segment, {}).get("rules", ()) for body in (before, after)]
        if (count := _format_rule_change_count(*held)) and before:
            yield f"{count} of {segment} for flows through shares"


def _describe_nodes(before: Sequence[SectionPart], after: Sequence[SectionPart]) -> Iterator[str]:
    old, new = [one["node"] for one in before], [one["node"] for one in after]
    if before:
        yield from (f"- node {one}" for one in old if one not in new)
        yield from (f"+ node {one}" for one in new if one not in old)
    elif new:
        yield f"nodes: {', '.join(new)}"


def _describe_members(before: Sequence[SectionPart], after: Sequence[SectionPart]) -> Iterator[str]:
    old, new = _by_attachment(before), _by_attachment(after)
    for key in old:
        if key not in new:
            yield f"- member {_format_member(old[key])}"
    for key, member in new.items():
        if key not in old:
            yield f"+ member {_format_member(member)}"
        elif changes := list(_describe_changed_member(old[key], member)):
            yield f"~ member {member['connector']}: {'; '.join(changes)}"


def _by_attachment(members: Sequence[SectionPart]) -> dict[tuple[str, int], SectionPart]:
    """By connector and place among its attachments: a connector may be in a segment several times."""
    found: dict[tuple[str, int], SectionPart] = {}
    places: dict[str, int] = {}
    for member in members:
        place = places[member["connector"]] = places.get(member["connector"], -1) + 1
        found[member["connector"], place] = member
    return found


def _format_member(member: SectionPart) -> str:
    group = f" in {member['group']}" if member.get("group") else ""
    if member["kind"] == "internet-exit":
        return f"{member['connector']} at {member['home']}: a way to the internet"
    return f"{member['connector']}{group} at {member['home']}: {format_ranges(member['ranges'])}"


def _describe_changed_member(before: SectionPart, after: SectionPart) -> Iterator[str]:
    if before["home"] != after["home"]:
        yield f"{before['home']} → {after['home']}"
    if before.get("group") != after.get("group"):
        yield f"group {before.get('group') or 'none'} → {after.get('group') or 'none'}"
    if found := format_range_difference(before["ranges"], after["ranges"]):
        yield found
    sources = [one.get("sources", one["ranges"]) for one in (before, after)]
    if (found := format_range_difference(*sources)) and found != format_range_difference(
        before["ranges"], after["ranges"]
    ):
        yield f"may send from {found}"


def _imported_members(body: Body) -> dict[str, str]:
    return {
        f"{one['connector']} of {one['segment']}": f"{format_ranges(one['ranges'])} at {one['home']}"
        for one in body.get("guests", ())
    }


def _exported(body: Body) -> dict[str, str]:
    return {one["segment"]: format_ranges(one["ranges"]) for one in body.get("handover", ())}


def _shares(body: Body) -> dict[str, str]:
    found = {}
    for one in body.get("passages", ()):
        arrow = {("a",): "→", ("b",): "←"}.get(tuple(one["initiate"]), "↔")
        sides = f" {arrow} ".join(f"{one[side]['segment']} {format_ranges(one[side]['ranges'])}" for side in "ab")
        through = f", through {', '.join(one['chain'])}" if one["chain"] else ""
        found[one["id"].partition("/")[2]] = f"{sides}{through}"
    return found


def _exits(body: Body) -> dict[str, str]:
    connectors = {member["id"]: member["connector"] for member in body.get("members", ())}
    return {
        exchange: f"{connectors[one['member']]} at {one['home']}" for exchange, one in body.get("exits", {}).items()
    }


def _apps(body: Body) -> dict[str, str]:
    return {
        one["id"].partition(":")[2]: (
            f"{one['public']} {one['protocol']} {one['port']} at {one['home']} → "
            f"{', '.join(one['targets'])} port {one['target_port']}"
            + (f", clients appear as {one['source_nat']}" if one["source_nat"] else "")
        )
        for one in body.get("apps", ())
    }


def _format_rule_change_count(before: Sequence[SectionPart], after: Sequence[SectionPart]) -> str:
    old, new = ({one["id"]: one for one in rules} for rules in (before, after))
    differ = sum(1 for name in {**old, **new} if old.get(name) != new.get(name)) or int(list(old) != list(new))
    return f"{differ} change{'s' if differ > 1 else ''} of rules" if differ else ""
