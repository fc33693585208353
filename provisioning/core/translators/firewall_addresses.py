"""Addresses of firewall rules: prefixes, hosts, masks, ranges, names of address objects, and all but these."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioning.core.translators.translation import BadAddress, TranslationBuilder, is_private, read_prefix
from provisioning.core.values.addresses import parse_range, range_text
from provisioning.core.values.text import name_key

EVERY = ("", "any", "all", "*", "any4", "any6", "any-ipv4", "any-ipv6")
_SEPARATOR = re.compile(r"[,;|\n]")
_WITH_MASK = re.compile(r"([0-9.]+)[\s/]+([0-9]+\.[0-9.]+)")
_RANGE = re.compile(r"([0-9a-fA-F.:]+)\s*-\s*([0-9a-fA-F.:]+)")


class AddressBook:
    """Address objects of the firewall by name, and prefix lists that the draft has."""

    def __init__(self, builder: TranslationBuilder) -> None:
        self.builder = builder
        self._lists = {name_key(name): name for name in builder.context.prefix_lists}
        self._prefixes: dict[str, list[str]] = {}

    def add(self, name: str, text: str, place: str) -> None:
        """Add an address object as a prefix list; one with several rows has all their addresses."""
        key = name_key(name)
        try:
            prefixes = [
                prefix for part in split(text) for prefix in self._prefixes.get(name_key(part)) or self.read(part)
            ]
        except BadAddress as error:
            self.builder.note("left_out", place, f"{name}: {text}", str(error), "Correct it in the table.")
            return
        entries = [{"prefix": prefix} for prefix in prefixes]
        if key in self._prefixes:
            body = self.builder.body("prefix-lists", self._lists[key]) or {}
            body["entries"] += entries
            self._prefixes[key] += prefixes
        else:
            self._lists[key] = self.builder.add("prefix-lists", _list_name(name), entries=entries)
            self._prefixes[key] = prefixes

    def match(self, cell: str, list_name: str) -> tuple[list[str], bool]:
        """Return what a rule matches addresses with, none for every one, and whether some may be on the internet.

        Raises BadAddress.
        """
        values: list[str] = []
        every = may_be_public = False
        for part in split(cell):
            sign, bare = ("!", part[1:].strip()) if part.startswith("!") else ("", part)
            if bare.lower() in EVERY:
                if sign:
                    raise BadAddress("matches_nothing", f"“{part}” leaves every address out.")
                every = True
                continue
            key = name_key(bare)
            prefixes = self._prefixes.get(key, ["0.0.0.0/0"]) if key in self._lists else list(self.read(bare))
            values += [f"{sign}{value}" for value in ([self._lists[key]] if key in self._lists else prefixes)]
            may_be_public |= bool(sign) or not all(map(is_private, prefixes))
        if every or {"0.0.0.0/0", "::/0"} <= set(values):
            # What is left out is left out of every address.
            values, may_be_public = [value for value in values if value.startswith("!")], True
        return self.builder.addresses(values, f"{list_name} addresses"), may_be_public or not values

    def read(self, text: str) -> Iterator[str]:
        """Yield addresses, prefixes and ranges in their canonical spelling. Raise BadAddress."""
        for part in split(text):
            bare = part.removeprefix("host ").strip()
            if masked := _WITH_MASK.fullmatch(bare):
                yield read_prefix(f"{masked[1]}/{masked[2]}")
            elif pair := _RANGE.fullmatch(bare):
                low, high = (parse_range(read_prefix(address))[0] for address in pair.groups())
                if low > high:
                    raise BadAddress("bad_range", f"“{bare}” ends before it begins.")
                yield range_text((low, high))
            elif re.fullmatch(r"[0-9a-fA-F.:/]+", bare):
                yield read_prefix(bare)
            else:
                raise BadAddress("unknown", f"“{part[:60]}” is a name that no table of address objects has.")


def split(cell: str) -> list[str]:
    """Return the parts of a cell; at spaces too where all of them are addresses."""
    parts = [part for part in map(str.strip, _SEPARATOR.split(cell)) if part]
    words = cell.split()
    if len(parts) == 1 and len(words) > 1 and not _WITH_MASK.fullmatch(parts[0]):
        return words if all(re.fullmatch(r"[0-9a-fA-F.:]+(/[0-9]+)?", word) for word in words) else parts
    return parts


def _list_name(name: str) -> str:
    """Return a name that does not read like an address."""
    return f"object {name}" if re.fullmatch(r"[0-9a-fA-F.:/]+", name) else name
