"""The question of a trace, and the headers of the packet that it asks about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisioning.core.intent import ANY, InvalidIntent
from provisioning.core.reach.trace.endpoints import TraceEndpoint
from provisioning.core.values.dscp import parse_dscp
from provisioning.core.values.headers import EPHEMERAL_PORT, Headers
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES, icmp_type_number
from provisioning.core.values.l4 import l4_index
from provisioning.core.values.protocols import PORT_PROTOCOLS, PROTOCOL_NUMBERS
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class FlowQuery:
    """The question of a trace, as people ask it.

    source, destination: uid, name or key of a connector, an address, ``connector@address``, ``internet``, and as
    destination an internet application. segment: uid, name or key of the one both ends are in; from_segment, to_segment
    where a share joins two. What is left out is the first that fits. via, avoid: what the path has to pass, and what it
    must not: uids, names or keys of services, exchanges and connectors, and ids of nodes. Where source port, ICMP type
    or DSCP is left out, it is an ordinary flow's: from an ephemeral port, a ping, DSCP 0.
    """

    source: str
    destination: str
    protocol: str | int = "tcp"
    port: str | int | None = None
    segment: str | None = None
    from_segment: str | None = None
    to_segment: str | None = None
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    source_port: str | int | None = None
    icmp_type: str | int | None = None
    dscp: str | int | None = None


def read_headers(query: FlowQuery, end: TraceEndpoint) -> Headers:
    """Return the headers; those of an ordinary flow where nothing is said.

    Raise InvalidIntent for what no packet has, and for tcp or udp without a port.
    """
    protocol, port = query.protocol, query.port
    if end.app and port is None:
        protocol, port = end.app.protocol, end.app.port
    if protocol == ANY:
        _refuse("bad_protocol", "protocol", "Name one protocol; a packet has exactly one.")
    protocol = _parse_protocol(protocol)
    has_ports = protocol in PORT_PROTOCOLS
    if has_ports and port is None:
        _refuse("required", "port", f"Say which port; {protocol} needs one.")
    if query.source_port is not None and not has_ports:
        _refuse("bad_port", "source_port", f"A source port needs the protocol tcp or udp; this one is {protocol}.")
    number = None if port is None else _parse_port("port", port)
    if query.icmp_type is not None or protocol in ICMP_TYPE_NAMES:
        number = _parse_icmp_type(protocol, query.icmp_type)
    return Headers(
        l4_index(protocol, number),
        EPHEMERAL_PORT if query.source_port is None else _parse_port("source_port", query.source_port),
        _parse_dscp(query.dscp),
    )


def _refuse(code: str, field: str, message: str) -> None:
    raise InvalidIntent([Problem(code, field, message)])


def _parse_port(field: str, port: str | int) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", str(port)) or int(port) > 65535:
        _refuse("bad_port", field, f"“{str(port)[:20]}” is not a port. Use 0 to 65535.")
    return int(port)


def _parse_icmp_type(protocol: str | int, text: str | int | None) -> int | None:
    if protocol not in ICMP_TYPE_NAMES:
        _refuse(
            "bad_icmp_type", "icmp_type", f"An ICMP type needs the protocol icmp or icmpv6; this one is {protocol}."
        )
    number = None if text is None else icmp_type_number(str(protocol), str(text).strip())
    if text is not None and number is None:
        remedy = "Use 0 to 255, or a name such as echo-request."
        _refuse("bad_icmp_type", "icmp_type", f"“{str(text)[:40]}” is not a type of {protocol}. {remedy}")
    return number


def _parse_dscp(text: str | int | None) -> int:
    number = 0 if text is None else parse_dscp(str(text).strip())
    if number is None:
        remedy = "Use 0 to 63, or a name such as EF or AF41."
        raise InvalidIntent([Problem("bad_dscp", "dscp", f"“{str(text)[:20]}” is not a DSCP. {remedy}")])
    return number


def _parse_protocol(text: str | int) -> str | int:
    """Return the name of a protocol where it has one: ports belong to tcp, whether it is written tcp or 6."""
    names = {str(number): name for name, number in PROTOCOL_NUMBERS.items()}
    name = names.get(str(text), str(text).lower())
    if name not in PROTOCOL_NUMBERS and not (re.fullmatch(r"[0-9]{1,3}", name) and int(name) <= 255):
        message = f"“{str(text)[:20]}” is not a protocol. Use tcp, udp, icmp, icmpv6 or a number up to 255."
        _refuse("bad_protocol", "protocol", message)
    return name
