"""A connector: where it is attached, its circuits, and its edge in each segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provisioning.core.node_document import ConnectorBody, EdgeEntry, LinkEntry
from provisioning.core.node_document_rules import (
    NatRuleEntry,
    RoutePolicyEntry,
    RoutePrefixEntry,
    RouteRuleEntry,
    SourceTranslationEntry,
)
from provisioning.core.plan.describe import named_items, rules
from provisioning.core.plan.describe.addresses import format_list, format_range_difference, format_ranges
from provisioning.core.plan.describe.fields import describe_changed, format_plus_minus, format_value

_EMPTY_EDGE: EdgeEntry = {
    "inside": [],
    "presented": [],
    "nat_rules": [],
    "filtered_routes": [],
    "route_policies": {"in": [], "out": []},
}
"""What a connector's edge in a segment that is new to it is compared with."""
_DESCRIBED_FIELDS = ("number", "links", "settings", "rate", "size")


def describe_connector(before: ConnectorBody | None, after: ConnectorBody) -> Iterator[str]:
    if before is None:
        at = " with failover to ".join(filter(None, (after["exchange"], after["failover_exchange"])))
        yield f"{after['kind']} at {at}, {_format_size(after)}"
    else:
        if _format_size(before) != _format_size(after):
            yield f"size: {_format_size(before)} → {_format_size(after)}"
        yield from describe_changed(_other_fields(before), _other_fields(after))
    yield from _describe_settings(before, after)
    old_links, new_links = before["links"] if before else (), after["links"]
    yield from named_items.describe_named_items("circuit", _circuits(old_links), _circuits(new_links))
    old, new = _edges(old_links), _edges(new_links)
    for segment, edge in new.items():
        prefix = f"{segment}: " if len(new) > 1 or len(old) > 1 else ""
        yield from (f"{prefix}{line}" for line in _describe_edge(old.get(segment), edge))


def _other_fields(body: ConnectorBody) -> dict[str, object]:
    return {name: value for name, value in body.items() if name not in _DESCRIBED_FIELDS}


def _format_size(body: ConnectorBody) -> str:
    return f"{body['size']} ({_format_rate(body['rate'])})" if body["rate"] else body["size"]


def _format_rate(rate: int) -> str:
    for unit, name in ((10**9, "Gbit/s"), (10**6, "Mbit/s")):
        if rate >= unit:
            return f"{rate / unit:g} {name}"
    return f"{rate} bit/s"


def _describe_settings(before: ConnectorBody | None, after: ConnectorBody) -> Iterator[str]:
    old, new = before.get("settings", {}) if before else {}, after.get("settings", {})
    if old:
        yield from (f"settings.{line}" for line in describe_changed(old, new))
    elif given := {name: value for name, value in new.items() if value not in (None, "", [])}:
        yield "settings: " + ", ".join(f"{name} {format_value(value)}" for name, value in given.items())


def _circuits(links: Sequence[LinkEntry]) -> dict[str, str]:
    return {f"{link['circuit']} in {link['segment']}": _format_circuit(link) for link in links}


def _format_circuit(link: LinkEntry) -> str:
    bgp = link["bgp"]
    parts = [
        f"{link['role']} at {link['node']}",
        f"{link['local']} to {link['peer']}",
        f"over {link['transport']}" + (f" to {link['remote']}" if link["remote"] else ""),
        f"VLAN {link['vlan']}" if link["vlan"] else "",
        f"BGP with AS {bgp['peer_asn']}" + (" and BFD" if bgp.get("bfd") else "") if bgp else "",
        f"public address {link['nat']}" if link["nat"] else "",
    ]
    return ", ".join(filter(None, parts))


def _edges(links: Sequence[LinkEntry]) -> dict[str, EdgeEntry]:
    """Return segment → the connector's edge there, which all its links say alike."""
    return {link["segment"]: link for link in links}


def _describe_edge(before: EdgeEntry | None, after: EdgeEntry) -> Iterator[str]:
    if before is None:
        if after["inside"]:
            yield f"inside: {format_list(after['inside'])}"
        before = _EMPTY_EDGE
    else:
        added = [prefix for prefix in after["inside"] if prefix not in before["inside"]]
        removed = [prefix for prefix in before["inside"] if prefix not in after["inside"]]
        if added or removed:
            yield f"inside: {format_plus_minus(added, removed)}"
    yield from _describe_ordered(
        "NAT rule", *({rule["id"]: _format_nat_rule(rule) for rule in edge["nat_rules"]} for edge in (before, after))
    )
    yield from _describe_route_policies(
        "route policy (in)", before["route_policies"]["in"], after["route_policies"]["in"]
    )
    yield from _describe_route_policies(
        "route policy (out)", before["route_policies"]["out"], after["route_policies"]["out"]
    )
    # Where nothing is translated or filtered, what is presented is what is inside.
    if (_is_translated_or_filtered(before) or _is_translated_or_filtered(after)) and (
        presented := format_range_difference(before["presented"], after["presented"])
    ):
        yield f"presented: {presented}"
    if filtered := format_range_difference(before["filtered_routes"], after["filtered_routes"]):
        yield f"has no route to: {filtered}"


def _is_translated_or_filtered(edge: EdgeEntry) -> bool:
    return bool(edge["nat_rules"] or edge["route_policies"]["in"] or edge["route_policies"]["out"])


def _describe_ordered(noun: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield what differs of things whose order counts; ``before``, ``after``: id (kind/name) → what it is."""
    old, new = ({key.partition("/")[2]: text for key, text in items.items()} for items in (before, after))
    yield from named_items.describe_named_items(noun, old, new)
    yield from (f"↕ {noun} {name} is tried {where}" for name, where in rules.moved_items(list(old), list(new)))


def _describe_route_policies(
    noun: str, before: Sequence[RoutePolicyEntry], after: Sequence[RoutePolicyEntry]
) -> Iterator[str]:
    yield from _describe_ordered(
        noun, *({policy["id"]: _format_route_policy(policy) for policy in policies} for policies in (before, after))
    )


def _format_nat_rule(rule: NatRuleEntry) -> str:
    """Return ``outbound tcp 443, source 10.3.0.0/16 → 100.64.0.0/16 (static)``."""
    to_source, to_destination = rule["to_source"], rule["to_destination"]
    text = f"{rule['direction']} {rules.format_match(rule)}"
    text += _format_translation("source", rule["source"], to_source, None)
    return text + _format_translation("destination", rule["destination"], to_destination, to_destination["port"])


def _format_translation(
    side: str, matched: Sequence[str] | None, translation: SourceTranslationEntry, port: int | None
) -> str:
    if matched is None and translation["type"] == "none":
        return ""
    text = f", {side} {'any' if matched is None else format_ranges(matched)}"
    if translation["type"] == "none":
        return text
    return f"{text} → {format_list(translation['to'])}{f' port {port}' if port else ''} ({translation['type']})"


def _format_route_policy(policy: RoutePolicyEntry) -> str:
    return "; ".join(map(_format_route_rule, policy["rules"])) or "allows everything"


def _format_route_rule(rule: RouteRuleEntry) -> str:
    entries = None if rule["prefixes"] is None else [_format_prefix_entry(entry) for entry in rule["prefixes"]]
    matched = [
        "every route" if entries is None else format_list(entries) or "no route",
        f"path {rule['as_path']}" if rule["as_path"] else "",
        f"community {', '.join(rule['communities'])}" if rule["communities"] else "",
    ]
    attributes = [f"{name.replace('_', ' ')} {format_value(value)}" for name, value in rule["set"].items() if value]
    text = f"{rule['action']} {', '.join(filter(None, matched))}"
    return f"{text} with {', '.join(attributes)}" if attributes else text


def _format_prefix_entry(entry: RoutePrefixEntry) -> str:
    limits = [f"{name} {value}" for name, value in (("ge", entry["ge"]), ("le", entry["le"])) if value is not None]
    return " ".join([entry["prefix"], *limits])
