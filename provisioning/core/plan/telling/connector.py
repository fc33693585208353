"""A connector's section: where it is attached, its circuits, and its edge in each segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.plan.telling import rules, things
from provisioning.core.plan.telling.addresses import difference, few, prefixes
from provisioning.core.plan.telling.fieldwise import changed, plus_minus, value
from provisioning.core.resource import Body

Thing = Mapping[str, Any]
_EDGE = ("inside", "presented", "nat_rules", "blind", "route_policies")
_TOLD = ("number", "links", "settings", "rate", "size")


def told(before: Body, after: Body) -> Iterator[str]:
    if not before:
        at = " with failover to ".join(filter(None, (after["exchange"], after.get("failover_exchange"))))
        yield f"{after['kind']} at {at}, {_size(after)}"
    elif (sizes := [_size(before), _size(after)])[0] != sizes[1]:
        yield f"size: {sizes[0]} → {sizes[1]}"
    if before:
        rest = [{name: held for name, held in body.items() if name not in _TOLD} for body in (before, after)]
        yield from changed(*rest)
    yield from _settings(before.get("settings") or {}, after.get("settings") or {})
    yield from things.told("circuit", _circuits(before), _circuits(after))
    old, new = _edges(before), _edges(after)
    for segment, edge in new.items():
        several = f"{segment}: " if len(new) > 1 or len(old) > 1 else ""
        yield from (f"{several}{line}" for line in _edge(old.get(segment, {}), edge))


def _size(body: Body) -> str:
    rate = int(body.get("rate") or 0)
    return f"{body['size']} ({_rate(rate)})" if rate else str(body["size"])


def _rate(rate: int) -> str:
    for unit, name in ((10**9, "Gbit/s"), (10**6, "Mbit/s")):
        if rate >= unit:
            return f"{rate / unit:g} {name}"
    return f"{rate} bit/s"


def _settings(before: Body, after: Body) -> Iterator[str]:
    if before:
        yield from (f"settings.{line}" for line in changed(before, after))
    elif some := {name: held for name, held in after.items() if held not in (None, "", [])}:
        yield "settings: " + ", ".join(f"{name} {value(held)}" for name, held in some.items())


def _circuits(body: Body) -> dict[str, str]:
    return {f"{link['circuit']} in {link['segment']}": _circuit(link) for link in body.get("links", ())}


def _circuit(link: Thing) -> str:
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


def _edges(body: Body) -> dict[str, Thing]:
    """Segment → what all links there say alike."""
    return {link["segment"]: {name: link[name] for name in _EDGE if name in link} for link in body.get("links", ())}


def _edge(before: Thing, after: Thing) -> Iterator[str]:
    come = [one for one in after["inside"] if one not in before.get("inside", ())]
    gone = [one for one in before.get("inside", ()) if one not in after["inside"]]
    if not before and come:
        yield f"inside: {few(come)}"
    elif come or gone:
        yield f"inside: {plus_minus(come, gone)}"
    yield from _rules("NAT rule", before.get("nat_rules", ()), after["nat_rules"], _nat)
    for direction in ("in", "out"):
        old, new = (edge.get("route_policies", {}).get(direction, ()) for edge in (before, after))
        yield from _rules(f"route policy ({direction})", old, new, _route_policy)
    # Where nothing is translated or filtered, what is presented is what is inside.
    if (_is_shaped(before) or _is_shaped(after)) and (
        found := difference(before.get("presented", ()), after["presented"])
    ):
        yield f"presented: {found}"
    if found := difference(before.get("blind", ()), after["blind"]):
        yield f"has no route to: {found}"


def _is_shaped(edge: Thing) -> bool:
    return bool(edge.get("nat_rules")) or any(edge.get("route_policies", {}).values())


def _rules(noun: str, before: Sequence[Thing], after: Sequence[Thing], say: Callable[[Thing], str]) -> Iterator[str]:
    """Whose order counts."""
    old, new = ({one["id"].partition("/")[2]: say(one) for one in some} for some in (before, after))
    yield from things.told(noun, old, new)
    yield from (f"↕ {noun} {name} is tried {where}" for name, where in rules.moved(list(old), list(new)))


def _nat(rule: Thing) -> str:
    """``outbound tcp 443, source 10.3.0.0/16 → 100.64.0.0/16 (static)``."""
    text = f"{rule['direction']} {rules.matched(rule)}"
    for side in ("source", "destination"):
        matched, to = rule[side], rule[f"to_{side}"]
        if matched is not None or to["type"] != "none":
            text += f", {side} {'any' if matched is None else prefixes(matched)}"
        if to["type"] != "none":
            port = f" port {to['port']}" if to.get("port") else ""
            text += f" → {few(to['to'])}{port} ({to['type']})"
    return text


def _route_policy(policy: Thing) -> str:
    return "; ".join(map(_route_rule, policy["rules"])) or "allows everything"


def _route_rule(rule: Thing) -> str:
    routes = rule["prefixes"]
    matched = [
        "every route" if routes is None else few([_entry(one) for one in routes]) or "no route",
        f"path {rule['as_path']}" if rule["as_path"] else "",
        f"community {', '.join(rule['communities'])}" if rule["communities"] else "",
    ]
    sets = [f"{name.replace('_', ' ')} {value(held)}" for name, held in rule["set"].items() if held]
    return f"{rule['action']} {', '.join(filter(None, matched))}" + (f" with {', '.join(sets)}" if sets else "")


def _entry(entry: Thing) -> str:
    limits = [f"{name} {entry[name]}" for name in ("ge", "le") if entry[name] is not None]
    return " ".join([entry["prefix"], *limits])
