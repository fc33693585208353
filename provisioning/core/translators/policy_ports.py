"""Protocols and ports of rules of Kubernetes and Cilium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.core.translators.segmentation import EVERY_PORT
from provisioning.core.translators.translation import PortMatch, TranslationBuilder
from provisioning.core.values.protocols import PORT_PROTOCOLS

_NUMBERS: dict[str, int | str] = {"SCTP": 132, "ICMP": "icmp", "ICMPV6": "icmpv6"}


def port_matches(ports: Sequence[Mapping[str, Any]], builder: TranslationBuilder, place: str) -> Sequence[PortMatch]:
    """Return the protocols with their ports; without ports every one. What cannot be said is left out, with a note."""
    if not ports:
        return EVERY_PORT
    found: dict[str | int, dict[str, None] | None] = {}
    for entry in ports:
        protocol, port = str(entry.get("protocol") or "TCP").upper(), entry.get("port")
        names = PORT_PROTOCOLS if protocol == "ANY" else (protocol.lower(),)
        text = _port_text(port, entry.get("endPort"))
        if text is None or (
            protocol != "ANY" and names[0] not in PORT_PROTOCOLS and (text or protocol not in _NUMBERS)
        ):
            why = "Ports are numbers, of TCP and UDP; it names one, or has another protocol."
            remedy = "Add a rule with the number; until then it is denied."
            builder.note("left_out", place, f"{protocol} {port}", why, remedy)
            continue
        for name in names:
            key = _NUMBERS.get(protocol, name)
            if not text:
                found[key] = None
            elif (values := found.setdefault(key, {})) is not None:
                values[text] = None
    return [(protocol, list(values or ())) for protocol, values in found.items()]


def _port_text(port: Any, end: Any) -> str | None:
    """Return ``443`` or ``8000-8100``; empty for every port, None where it is no number."""
    if port in (None, 0, "0"):
        return ""
    if not str(port).isdecimal() or not (end is None or str(end).isdecimal()):
        return None
    low, high = int(port), int(end or port)
    if not 1 <= low <= high <= 65535:
        return None
    return str(low) if high == low else f"{low}-{high}"
