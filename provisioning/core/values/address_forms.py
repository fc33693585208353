"""Addresses and prefixes as people write them, read into their one spelling.

What is written in a form that no packet carries, or that could be read in two ways, is refused with the form that is
meant.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import TypeVar

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Parsed = TypeVar("Parsed", Address, Interface)

LOOKS_LIKE_ADDRESS = re.compile(r"!.*|[0-9]+[./][0-9./-]*|[0-9a-fA-F]*:[0-9a-fA-F:./-]*")
"""What cannot be the name of a prefix list, so that a mistyped prefix is told as one."""
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_COMPATIBLE = range(1 << 24, 1 << 32)
"""Numbers of IPv4-compatible IPv6 addresses; lower ones hold no IPv4 address that a host can have."""


class BadAddress(ValueError):
    """Text that is no address or prefix; ``code`` of the problem: ``bad_address``, ``bad_prefix`` or ``host_bits``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MistypedAddress(BadAddress):
    """An address in a form that is refused; the message has the form that is meant."""


def canonical_prefix(text: str) -> str:
    """Return the prefix in its canonical spelling (RFC 5952 for IPv6); a bare address becomes a /32 or /128.

    Raise BadAddress when the text is no prefix, has bits set after its length, or is in a form that is refused.
    """
    interface = _parse_interface(text, "is not a prefix. Write it like 10.1.0.0/16.")
    network = interface.network
    if interface.ip != network.network_address:
        raise MistypedAddress("host_bits", f"{text} has host bits set. The network is {network}.")
    return str(network)


def canonical_addresses(text: str) -> str:
    """Return what a rule matches addresses with in its one spelling: a prefix, or a range like 10.1.0.5-10.1.0.9, each
    with ``!`` before it where it is left out.

    Raise BadAddress as canonical_prefix does.
    """
    plain = text.strip()
    if plain.startswith("!") and not plain[1:].strip().startswith("!"):
        return f"!{canonical_addresses(plain[1:])}"
    first, dash, last = plain.partition("-")
    if not dash:
        return canonical_prefix(plain)
    low, high = (ipaddress.ip_address(canonical_address(side)) for side in (first, last))
    if low.version != high.version or int(low) > int(high):
        raise BadAddress(
            "bad_prefix", f"“{text[:100]}” is not a range. Write it from low to high, like 10.1.0.5-10.1.0.9."
        )
    size = int(high) - int(low) + 1
    is_prefix = size & (size - 1) == 0 and int(low) % size == 0
    return f"{low}/{low.max_prefixlen - size.bit_length() + 1}" if is_prefix else f"{low}-{high}"


def is_addresses(name: str) -> bool:
    """Whether a stored name is addresses themselves, not the uid of a list; uids hold none of these signs."""
    return "/" in name or "." in name or ":" in name


def canonical_interface(text: str) -> str:
    """Return an address with the length of its network, canonical; raise BadAddress as canonical_prefix does."""
    return str(_parse_interface(text, "is not an address with its length, like 169.254.1.1/30."))


def canonical_address(text: str) -> str:
    """Return the address in its canonical spelling. Raise BadAddress when it is none, or in a form that is refused."""
    address = _parse(ipaddress.ip_address, text, "bad_address", "is not an address, like 198.51.100.7.")
    _refuse_form(text, "bad_address", address, None)
    return str(address)


def _parse_interface(text: str, wrong: str) -> Interface:
    interface = _parse(ipaddress.ip_interface, text, "bad_prefix", wrong)
    _, slash, length = text.strip().partition("/")
    _refuse_form(text, "bad_prefix", interface, interface.network.prefixlen)
    if slash and not _LENGTH.fullmatch(length):
        raise MistypedAddress("bad_prefix", f"“{text}” does not end with a plain length. Write {interface}.")
    return interface


def _parse(parse: Callable[[str], Parsed], text: str, code: str, wrong: str) -> Parsed:
    try:
        return parse(text.strip())
    except ValueError:
        raise BadAddress(code, f"“{text[:100]}” {wrong}") from None


def _refuse_form(text: str, code: str, address: Address, length: int | None) -> None:
    """Raise MistypedAddress for IPv6 addresses that hold an IPv4 one and are never on the wire (RFC 4291, 2.5.5), and
    for those with the name of an interface in them (RFC 4007)."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.scope_id:
        meant = text.replace(f"%{address.scope_id}", "")
        raise MistypedAddress(code, f"“{text}” names an interface of one machine. Write {meant}.")
    inner = address.ipv4_mapped
    if inner is None and int(address) in _COMPATIBLE:
        inner = ipaddress.IPv4Address(int(address))
    if inner is not None:
        meant = str(inner) if length is None else f"{inner}/{max(length - 96, 0)}"
        raise MistypedAddress(
            code, f"“{text}” is an IPv4 address in a form that no packet carries (RFC 4291, 2.5.5). Write {meant}."
        )
