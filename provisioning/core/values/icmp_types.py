"""Types of ICMP and ICMPv6 messages by name, and those that flows begin with (IANA, "ICMP Type Numbers" and "ICMPv6
type Numbers")."""

from __future__ import annotations

from collections.abc import Mapping

_ICMP = """
    0 echo-reply | 3 destination-unreachable | 4 source-quench | 5 redirect | 8 echo-request | 9 router-advertisement
    10 router-solicitation | 11 time-exceeded | 12 parameter-problem | 13 timestamp-request | 14 timestamp-reply
    15 information-request | 16 information-reply | 17 address-mask-request | 18 address-mask-reply
"""
_ICMPV6 = """
    1 destination-unreachable | 2 packet-too-big | 3 time-exceeded | 4 parameter-problem | 128 echo-request
    129 echo-reply | 130 multicast-listener-query | 131 multicast-listener-report | 132 multicast-listener-done
    133 router-solicitation | 134 router-advertisement | 135 neighbor-solicitation | 136 neighbor-advertisement
    137 redirect | 139 node-information-query | 140 node-information-response
"""


def _parse(text: str) -> dict[int, str]:
    pairs = (entry.split() for line in text.strip().splitlines() for entry in line.split("|"))
    return {int(number): name for number, name in pairs}


ICMP_TYPE_NAMES: Mapping[str, Mapping[int, str]] = {"icmp": _parse(_ICMP), "icmpv6": _parse(_ICMPV6)}
"""Protocol → number of the type → its name."""
ICMP_TYPE_NUMBERS: Mapping[str, Mapping[str, int]] = {
    protocol: {name: number for number, name in names.items()} for protocol, names in ICMP_TYPE_NAMES.items()
}

FLOW_ICMP_TYPES: Mapping[str, tuple[int, ...]] = {"icmp": (8, 13, 15, 17), "icmpv6": (128, 139)}
"""Types that a flow begins with: those that ask for an answer. Answers, and errors about another flow, pass with the
flow that they belong to; connection tracking lets nothing else begin one."""


def icmp_type_number(protocol: str, text: str) -> int | None:
    """Return the number of a type that is written by name or by number; None where there is no such type."""
    number = ICMP_TYPE_NUMBERS[protocol].get(text.lower())
    if number is None and text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255:
        return int(text)
    return number


def icmp_type_text(protocol: str, number: int) -> str:
    """Return the name of a type, or its number where it has none."""
    return ICMP_TYPE_NAMES[protocol].get(number, str(number))
