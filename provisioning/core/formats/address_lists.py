"""Files that list addresses, as text and as the clouds publish their own ranges, read into entries of a prefix list.

Formats: AWS, https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html; Azure, the weekly download “Azure IP
Ranges and Service Tags”; Google, https://cloud.google.com/vpc/docs/configure-private-google-access#ip-addr-defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.limits import ENTRIES
from provisioning.core.intent.list_sources import ListSource
from provisioning.core.values.address_forms import BadAddress, canonical_addresses
from provisioning.core.values.addresses import prefix_order


class BadAddressList(Exception):
    """The file cannot be taken; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ListedAddresses:
    """``services``, ``regions``: the names under which the file lists them; ``place``: where, for people."""

    addresses: str
    place: str
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


def read_address_list(data: bytes, source: ListSource) -> list[str]:
    """Return what the source asks for of a file, each address form once, in its one spelling and in rising order.

    Raises BadAddressList for a file of another format, one with something that is no address, or too many of them, and
    where a service or region is asked for that the file does not name: it was renamed, and the list would shrink.
    """
    listed = list(_READERS[source.format](data))
    for noun, names in (("service", source.services), ("region", source.regions)):
        _refuse_unknown(noun, names, {name for item in listed for name in getattr(item, f"{noun}s")})
    services, regions = ({name.casefold() for name in names} for names in (source.services, source.regions))
    chosen = {
        _canonical(item)
        for item in listed
        if (not services or not services.isdisjoint(map(str.casefold, item.services)))
        and (not regions or not regions.isdisjoint(map(str.casefold, item.regions)))
    }
    kept = [addresses for addresses in chosen if source.ipv6 or ":" not in addresses]
    if len(kept) > ENTRIES.most:
        raise BadAddressList(
            f"The file lists {len(kept):,} prefixes; {ENTRIES.most:,} is the most. Name services or regions."
        )
    return sorted(kept, key=prefix_order)


def _canonical(item: ListedAddresses) -> str:
    try:
        return canonical_addresses(item.addresses)
    except BadAddress as error:
        raise BadAddressList(f"{item.place}: {error}") from error


def _refuse_unknown(noun: str, asked: tuple[str, ...], known: set[str]) -> None:
    folded = {name.casefold() for name in known}
    for name in asked:
        if name.casefold() not in folded:
            examples = ", ".join(sorted(known)[:8])
            raise BadAddressList(f"The file names no {noun} “{name}”. There are {examples or 'none'}.")


def _read_text(data: bytes) -> Iterator[ListedAddresses]:
    """A line each; what follows ``#``, ``;`` or a comma (RFC 8805) is a comment."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadAddressList(f"Byte {error.start} is no UTF-8, so this is no text.") from error
    for number, line in enumerate(text.splitlines(), 1):
        addresses = re.split("[#;,]", line, maxsplit=1)[0].strip()
        if addresses.startswith("!"):
            raise BadAddressList(f"Line {number}: a source lists what is in the list, and nothing that is left out.")
        if addresses:
            yield ListedAddresses(re.sub(r"\s*-\s*", "-", addresses), f"Line {number}")


def _read_aws(data: bytes) -> Iterator[ListedAddresses]:
    document = _read_json(data)
    for key, field in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for place, record in _records(document, key):
            yield ListedAddresses(
                _text(record, field, place),
                place,
                (_text(record, "service", place),),
                (_text(record, "region", place),),
            )


def _read_azure(data: bytes) -> Iterator[ListedAddresses]:
    """A tag is “Storage” or “Storage.WestEurope”: its prefixes are found by either name, and by the system service."""
    for place, tag in _records(_read_json(data), "values"):
        properties = tag.get("properties")
        if not isinstance(properties, Mapping) or not isinstance(properties.get("addressPrefixes"), list):
            raise BadAddressList(f"{place}.properties.addressPrefixes is no list. Is this a file of service tags?")
        name = _text(tag, "name", place)
        services = (name, name.partition(".")[0], _text(properties, "systemService", place))
        for index, prefix in enumerate(properties["addressPrefixes"]):
            where = f"{place}.properties.addressPrefixes[{index}]"
            if not isinstance(prefix, str):
                raise BadAddressList(f"{where} is no text.")
            region = _text(properties, "region", place)
            yield ListedAddresses(prefix, where, tuple(filter(None, services)), (region,) if region else ())


def _read_gcp(data: bytes) -> Iterator[ListedAddresses]:
    """cloud.json names service and scope (a region) of each prefix, goog.json neither."""
    for place, record in _records(_read_json(data), "prefixes"):
        field = "ipv6Prefix" if "ipv6Prefix" in record else "ipv4Prefix"
        named = [(record[key],) if isinstance(record.get(key), str) else () for key in ("service", "scope")]
        yield ListedAddresses(_text(record, field, place), place, *named)


def _read_json(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadAddressList(f"The file is no JSON: {error}.") from error
    if not isinstance(document, Mapping):
        raise BadAddressList("The file is no JSON object.")
    return document


def _records(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    records = document.get(key)
    if not isinstance(records, list):
        raise BadAddressList(f"The file has no list “{key}”. Choose the format it is in.")
    for index, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise BadAddressList(f"{key}[{index}] is no object.")
        yield f"{key}[{index}]", record


def _text(record: Mapping[str, Any], field: str, place: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        raise BadAddressList(f"{place}.{field} is no text. Choose the format that the file is in.")
    return value


_READERS: Mapping[str, Callable[[bytes], Iterator[ListedAddresses]]] = {
    "text": _read_text,
    "aws": _read_aws,
    "azure": _read_azure,
    "gcp": _read_gcp,
}
