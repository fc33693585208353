"""The semantics of the design once more, as slowly and plainly as they read; what the core is held against."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.core.networks import Drawing


def bodies(draw: Drawing, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(uid, body) for uid, (held, _, _, _, body) in draw.rows.items() if held == kind]


def owner(draw: Drawing, segment: str, address: str) -> tuple[str, str | None] | None:
    """(connector uid, group) of the longest prefix; of equal ones the more preferred, then the older connector."""
    found = []
    for uid, body in bodies(draw, "connectors"):
        for attachment in body["attachments"]:
            for prefix in attachment["prefixes"]:
                network = ipaddress.ip_network(prefix)
                if attachment["segment"] == segment and ipaddress.ip_address(address) in network and body["enabled"]:
                    age = -draw.rows[uid][2]
                    found.append(((network.prefixlen, body["preference"], age), uid, attachment["group"]))
    if not found:
        return None
    _, uid, group = max(found)
    return uid, group


def fits(rule: dict[str, Any], source: str, destination: str, protocol: str, port: int | None) -> bool:
    if str(rule["protocol"]) not in ("any", protocol):
        return False
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in rule["ports"]]
    if spans and not any(low <= (port or 0) <= high for low, high in spans):
        return False
    return all(
        prefixes == ["any"] or any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in prefixes)
        for prefixes, address in ((rule["source"], source), (rule["destination"], destination))
    )


def fate(draw: Drawing, segment: str, source: str, destination: str, protocol: str, port: int | None) -> Any:
    """(delivered, chain of service uids); None for packets that never reach an exchange."""
    start, end = owner(draw, segment, source), owner(draw, segment, destination)
    if start is None or segment not in draw.rows:
        return False, ()
    exits = any(
        body["kind"] == "internet-exit" and attachment["segment"] == segment
        for _, body in bodies(draw, "connectors")
        for attachment in body["attachments"]
    )
    if end is None and not exits:
        return False, ()
    if end is not None and start[0] == end[0]:
        return None
    from_names = {"any", *start}
    to_names = {"internet"} if end is None else {"any", *end}
    for _, policy in sorted(bodies(draw, "policies"), key=lambda row: row[1]["position"]):
        if policy["enabled"] and segment in policy["segments"] and from_names & {*policy["from"]}:
            for rule in policy["rules"] if to_names & {*policy["to"]} else ():
                if rule["action"] != "watch" and fits(rule, source, destination, protocol, port):
                    return ruled(draw, rule, source, destination, protocol, port)
    return end is not None and draw.rows[segment][4]["stance"] == "open", ()


def ruled(draw: Drawing, rule: dict[str, Any], *packet: Any) -> tuple[bool, tuple[str, ...]]:
    if rule["action"] != "inspect":
        return rule["action"] == "allow", ()
    for uid in rule["services"]:
        settings = draw.rows[uid][4]["settings"]
        first = next((inner["action"] for inner in settings["rules"] if fits(inner, *packet)), settings["default"])
        if first == "deny":
            return False, ()
    return True, tuple(rule["services"])
