"""A flow in words, as traces, plans and lists of flows show it: its ends, its packet, the rule that decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core.values.headers import EPHEMERAL_PORT, narrowing_text


def endpoint_names(change: Mapping[str, Any], side: str) -> str:
    """Return the ends at one side of a flow as a phrase: ``dev, lab and the internet``."""
    names = list(change.get(side) or change.get(f"{side}_") or ())
    words = ["any connector" if name == "any" else "the internet" if name == "internet" else name for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}" if words else "nothing"


def flow_text(change: Mapping[str, Any]) -> str:
    """Return the protocol and ports of a change or of a flow: ``tcp/443``, ``any port``, ``udp/53 with DSCP EF``."""
    protocol = str(change.get("protocol", "any"))
    numbers = [str(number) for name in ("ports", "icmp_types") for number in change.get(name) or ()]
    word = {"any": "any port", "other": "other protocols"}.get(protocol, protocol)
    narrowed = narrowing_text(change.get("source_ports") or (), change.get("dscp") or ())
    return (f"{protocol}/{', '.join(numbers)}" if numbers else word) + narrowed


def example_packet_text(packet: Mapping[str, Any] | None) -> str:
    """Return an example packet as text: ``10.1.0.2 → 10.4.0.2 tcp/443``."""
    if not packet:
        return ""
    return f"{packet['source']} → {packet['destination']} {packet_text(packet)}"


def packet_text(packet: Mapping[str, Any]) -> str:
    """Return the headers of a packet: ``tcp/443``, ``udp/53 from source port 53``; what is ordinary is left out."""
    asked = packet_query(packet)
    numbers = [str(asked[name]) for name in ("port", "icmp_type") if name in asked]
    source_ports = [str(asked["source_port"])] if "source_port" in asked else []
    narrowed = narrowing_text(source_ports, [asked["dscp"]] if "dscp" in asked else [])
    return "/".join([asked["protocol"], *numbers]) + narrowed


def packet_query(packet: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query of a trace for an example packet; what an ordinary flow has is left out."""
    names = {"source": "from", "destination": "to", "protocol": "protocol", "port": "port", "icmp_type": "icmp_type"}
    query = {name: packet[field] for field, name in names.items() if packet.get(field) is not None}
    ordinary = {"source_port": EPHEMERAL_PORT, "dscp": 0}
    return query | {name: packet[name] for name, usual in ordinary.items() if packet.get(name) not in (None, usual)}


def deciding_rule_text(rule: str | None, segment: str) -> str:
    """Return words for the rule that decides (``policy/rule`` or ``share/key``), or for the default action if none."""
    if not rule:
        return f"the default action of {segment}"
    if rule.startswith("share/"):
        return f"share {rule.removeprefix('share/')}"
    policy, _, name = rule.partition("/")
    return f"policy {policy}, rule {name}"
