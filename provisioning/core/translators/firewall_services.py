"""Services of firewall rules: protocols with ports, by their names or as ``tcp/443``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from provisioning.core.translators.translation import PortMatch
from provisioning.core.values.protocols import PORT_PROTOCOLS, PROTOCOL_NUMBERS
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS

EVERY = ("", "any", "all", "*", "ip", "any4", "any6", "all services", "application-default")
_PROTOCOLS: dict[str, str | int] = {
    **{name: name for name in PROTOCOL_NUMBERS},
    "ping": "icmp",
    "icmp-any": "icmp",
    "all_icmp": "icmp",
    "ipv6-icmp": "icmpv6",
    "icmp6": "icmpv6",
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ospf": 89,
    "vrrp": 112,
    "sctp": 132,
}
_OTHER_NAMES = {"domain": "dns", "ms-rdp": "rdp", "postgres": "postgresql", "ms-sql": "mssql", "snmptrap": "snmp-trap"}
_PREFIXES = ("service-", "svc-", "svc_")
_FORM = re.compile(
    r"(?:(?P<before>[a-z0-9]+)[/:_ -]+)?(?P<low>\d{1,5})(?:[-:](?P<high>\d{1,5}))?(?:/(?P<after>[a-z]+))?"
)


class UnknownService(Exception):
    """A service that cannot be told; its text is why."""


def read_services(names: Iterable[str], known: Mapping[str, Sequence[PortMatch]]) -> list[PortMatch]:
    """Return protocols with ports, each protocol once; ``known``: services of the firewall's own by lower-case name.

    Raises UnknownService.
    """
    found: dict[str | int, list[str] | None] = {}
    protocol: str | int = ""
    for name in names:
        matches = _read(name.strip().lower(), protocol, known)
        protocol = matches[-1][0]
        for key, ports in matches:
            # Every port of a protocol covers single ones.
            kept = found.setdefault(key, []) if ports else None
            found[key] = [*kept, *ports] if kept is not None else None
    if "any" in found:
        return [("any", ())]
    return [(key, tuple(dict.fromkeys(ports or ()))) for key, ports in found.items()]


def well_known_name(name: str) -> str | None:
    """Return the name of the well-known ports that a service of a firewall is called by."""
    bare = _without_prefix(name.strip().lower())
    known = _OTHER_NAMES.get(bare, bare)
    return known if known in WELL_KNOWN_PORTS else None


def _without_prefix(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def read_protocol(text: str) -> str | int:
    """Raise UnknownService."""
    name = text.strip().lower()
    if name in _PROTOCOLS:
        return _PROTOCOLS[name]
    if name in EVERY:
        return "any"
    if name.isdecimal() and int(name) <= 255:
        return int(name)
    raise UnknownService(f"“{text[:60]}” is not a protocol that is known here.")


def _read(name: str, protocol: str | int, known: Mapping[str, Sequence[PortMatch]]) -> Sequence[PortMatch]:
    if name in known:
        return known[name]
    if name in EVERY:
        return [("any", ())]
    bare = _without_prefix(name)
    if well_known := well_known_name(name):
        return [(protocol, (ports,)) for protocol, ports in WELL_KNOWN_PORTS[well_known]]
    if bare in _PROTOCOLS:
        return [(_PROTOCOLS[bare], ())]
    match = _FORM.fullmatch(bare)
    if match is None:
        raise UnknownService(f"The service “{name[:60]}” is not known; it is a name of the firewall.")
    if match["before"] in ("ip", "proto", "protocol"):
        return [(read_protocol(match["low"]), ())]
    protocol = match["before"] or match["after"] or protocol
    if protocol not in PORT_PROTOCOLS:
        raise UnknownService(f"“{name[:60]}” has no protocol with ports. Write it like tcp/443.")
    low, high = int(match["low"]), int(match["high"] or match["low"])
    if not low <= high <= 65535:
        raise UnknownService(f"“{name[:60]}” is not a range of ports.")
    return [(protocol, (str(low) if low == high else f"{low}-{high}",))]
