"""A connector's section: where it is attached, its circuits, and its edge in each segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.plan.describe import named_items, rules
from provisioning.core.plan.describe.addresses import format_list, format_range_difference, format_ranges
from provisioning.core.plan.describe.fields import describe_changed, format_plus_minus, format_value
from provisioning.core.values.resource import Body

SectionPart = Mapping[str, Any]
_EDGE_FIELDS = ("inside", "presented", "nat_rules", "blind", "route_policies")
_DESCRIBED_FIELDS = ("number", "links", "settings", "rate", "size")


def describe_connector(before: Body, after: Body) -> Iterator[str]:
    if not before:
        at = " with failover to ".join(filter(None, (after["exchange"], after.get("failover_exchange"))))
        yield f"{after['kind']} at {at}, {_format_size(after)}"
    elif (sizes := [_format_size(before), _format_size(after)])[0] != sizes[1]:
        yield f"size: {sizes[0]} → {sizes[1]}"
    if before:
        rest = [
            {name: held for name, held in body.items() if name not in _DESCRIBED_FIELDS} for body in (before, after)
        ]
        yield from describe_changed(*rest)
    yield from _describe_settings(before.get("settings") or {}, after.get("settings") or {})
    yield from named_items.describe_named_items("circuit", _circuits(before), _circuits(after))
    old, new = _edges(before), _edges(after)
    for segment, edge in new.items():
        several = f"{segment}: " if len(new) > 1 or len(old) > 1 else ""
        yield from (f"{several}{line}" for line in _describe_edge(old.get(segment, {}), edge))


def _format_size(body: Body) -> str:
    rate = int(body.get("rate") or 0)
    return f"{body['size']} ({_format_rate(rate)})" if rate else str(body["size"])


def _format_rate(rate: int) -> str:
    for unit, name in ((10**9, "Gbit/s"), (10**6, "Mbit/s")):
        if rate >= unit:
            return f"{rate / unit:g} {name}"
    return f"{rate} bit/s"


def _describe_settings(before: Body, after: Body) -> Iterator[str]:
    if before:
        yield from (f"settings.{line}" for line in describe_changed(before, after))
    elif some := {name: held for name, held in after.items() if held not in (None, "", [])}:
        yield "settings: " + ", ".join(f"{name} {format_value(held)}" for name, held in some.items())


def _circuits(body: Body) -> dict[str, str]:
    return {f"{link['circuit']} in {link['segment']}": _format_circuit(link) for link in body.get("links", ())}


def _format_circuit(link: SectionPart) -> str:
    bgp = link.get("bgp") or {}
    parts = [
        f"{link['role']} at {link['node']}",
        f"{link['local']} to {link['peer']}",
        f"over {link['transport']}" + (f" to {link['remote']}" if link.get("remote") else ""),
        f"VLAN {link['vlan']}" if link.get("vlan") else "",
        f"BGP with AS {bgp['peer_asn']}" + (" and BFD" if bgp.get("bfd") else "") if bgp else "",
        f"public address {link['nat']}" if link.get("nat") else "",
    ]
    return ", ".join(filter(None, parts))


def _edges(body: Body) -> dict[str, SectionPart]:
    """Segment → what all links there say alike."""
    return {
        link["segment"]: {name: link[name] for name in _EDGE_FIELDS if name in link} for link in body.get("links", ())
    }


def _describe_edge(before: SectionPart, after: SectionPart) -> Iterator[str]:
    come = [one for one in after["inside"] if one not in before.get("inside", ())]
    gone = [one for one in before.get("inside", ()) if one not in after["inside"]]
    if not before and come:
        yield f"inside: {format_list(come)}"
    elif come or gone:
        yield f"inside: {format_plus_minus(come, gone)}"
    yield from _describe_ordered("NAT rule", before.get("nat_rules", ()), after["nat_rules"], _format_nat_rule)
    for direction in ("in", "out"):
        old, new = (edge.get("route_policies", {}).get(direction, ()) for edge in (before, after))
        yield from _describe_ordered(f"route policy ({direction})", old, new, _format_route_policy)
    # Where nothing is translated or filtered, what is presented is what is inside.
    if (_is_translated_or_filtered(before) or _is_translated_or_filtered(after)) and (
        found := format_range_difference(before.get("presented", ()), after["presented"])
    ):
        yield f"presented: {found}"
    if found := format_range_difference(before.get("blind", ()), after["blind"]):
        yield f"has no route to: {found}"


def _is_translated_or_filtered(edge: SectionPart) -> bool:
    return bool(edge.get("nat_rules")) or any(edge.get("route_policies", {}).values())


def _describe_ordered(
    noun: str, before: Sequence[SectionPart], after: Sequence[SectionPart], say: Callable[[SectionPart], str]
) -> Iterator[str]:
    """Whose order counts."""
    old, new = ({one["id"].partition("/")[2]: say(one) for one in some} for some in (before, after))
    yield from named_items.describe_named_items(noun, old, new)
    yield from (f"↕ {noun} {name} is tried {where}" for name, where in rules.moved_items(list(old), list(new)))


def _format_nat_rule(rule: SectionPart) -> str:
    """``outbound tcp 443, source 10.3.0.0/16 → 100.64.0.0/16 (static)``."""
    text = f"{rule['direction']} {rules.format_match(rule)}"
    for side in ("source", "destination"):
        matched, to = rule[side], rule[f"to_{side}"]
        if matched is not None or to["type"] != "none":
            text += f", {side} {'any' if matched is None else format_ranges(matched)}"
        if to["type"] != "none":
            port = f" port {to['port']}" if to.get("port") else ""
            text += f" → {format_list(to['to'])}{port} ({to['type']})"
    return text


def _format_route_policy(policy: SectionPart) -> str:
    return "; ".join(map(_format_route_rule, policy["rules"])) or "allows everything"


def _format_route_rule(rule: SectionPart) -> str:
    routes = rule["prefixes"]
    matched = [
        "every route" if routes is None else format_list([_format_prefix_entry(one) for one in routes]) or "no route",
        f"path {rule['as_path']}" if rule["as_path"] else "",
        f"community {', '.join(rule['communities'])}" if rule["communities"] else "",
    ]
    sets = [f"{name.replace('_', ' ')} {format_value(held)}" for name, held in rule["set"].items() if held]
    return f"{rule['action']} {', '.join(filter(None, matched))}" + (f" with {', '.join(sets)}" if sets else "")


def _format_prefix_entry(entry: SectionPart) -> str:
    limits = [f"{name} {entry[name]}" for name in ("ge", "le") if entry[name] is not None]
    return " ".join([entry["prefix"], *limits])
