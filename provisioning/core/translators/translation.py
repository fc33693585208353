"""What every translator takes and gives: files, and what the draft has; a document, and what it does not say."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.intent.limits import PREFIXES
from provisioning.core.intent.policies import ENDPOINT_KINDS, RULES
from provisioning.core.values.address_forms import BadAddress, canonical_interface
from provisioning.core.values.addresses import BOGON_RANGES, covers, parse_range
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES
from provisioning.core.values.text import name_key, normalise_text, text_fault

NoteKind = Literal["left_out", "assumed", "needed"]
"""Not in the document; in it, but in another form or by a guess; in it, but provisioning will need more."""
NOTE_KINDS: dict[NoteKind, str] = {"left_out": "Left out", "assumed": "Assumed", "needed": "Needed"}
MAX_NOTES = 1_000
MAX_QUOTE = 200
"""Characters of the source that a note quotes."""
MAX_NAME, MAX_RULE_NAME = 100, 80


PortMatch = tuple[str | int, Sequence[str]]
"""Protocol and ports, or the types of ICMP; none: every one."""


class BadSource(Exception):
    """Text that cannot be read as what it is said to be; ``place`` is the file, and the line where that is known."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place, self.message = place, message


@dataclass(frozen=True, slots=True)
class SourceFile:
    name: str
    data: bytes

    def text(self) -> str:
        """Raise BadSource where it is not UTF-8."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = 1 + self.data[: error.start].count(b"\n")
            raise BadSource(f"{self.name}:{line}", "The text is not UTF-8. Save it as UTF-8.") from error


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a source says and the document does not, or not so: where, what, why, and what to do."""

    kind: NoteKind
    place: str
    says: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TranslatedFiles:
    """``document``: lists of objects by kind, references by name; policies in the order they are tried.

    Of a table also its ``header``, and which column is read as which field.
    """

    document: Mapping[str, list[dict[str, Any]]]
    notes: Sequence[Note]
    more_notes: int = 0
    header: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TranslationContext:
    """What the draft and the catalogue have, and what the person chose.

    ``exchanges``: name in the draft → location; ``locations``: region → location of the catalogue. Chosen: the
    ``segment`` of what names none, the ``exchange`` of everything, or of each place in the source (``places``), and
    the ``columns`` of a table by field.
    """

    exchanges: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    prefix_lists: frozenset[str] = frozenset()
    segment: str = ""
    exchange: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableField:
    """A field of a table: what pages call it, and names that columns of it have elsewhere, in lower case letters."""

    name: str
    label: str
    guesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """A format: how it is called, what a file of it is, and what reads it.

    ``max_bytes``: of all files together. ``quick_bytes``: what a request reads itself, in some three seconds.
    ``options``: of ``TranslationContext`` that it looks at. ``fields``: those of a table whose columns are chosen.
    """

    key: str
    label: str
    help: str
    extensions: tuple[str, ...]
    translate: Callable[[Sequence[SourceFile], TranslationContext], TranslatedFiles]
    options: tuple[str, ...]
    max_bytes: int
    quick_bytes: int
    fields: tuple[TableField, ...] = ()


class TranslationBuilder:
    """Collects a document and its report."""

    def __init__(self, context: TranslationContext) -> None:
        self.context = context
        self.document: dict[str, list[dict[str, Any]]] = {}
        self.notes: list[Note] = []
        self.more_notes = 0
        self._bodies: dict[tuple[str, str], dict[str, Any]] = {}
        self._names: dict[str, dict[str, int]] = {}
        self._said: set[Note] = set()
        self._exchanges: dict[str, str] = {}

    def finish(self, header: Sequence[str] = (), columns: Mapping[str, str] | None = None) -> TranslatedFiles:
        return TranslatedFiles(self.document, self.notes, self.more_notes, header, columns or {})

    def note(self, kind: NoteKind, place: str, says: object, why: str, remedy: str) -> None:
        """Add to the report; the same thing is said once."""
        note = Note(kind, place, quote(says), why, remedy)
        if note in self._said:
            return
        if len(self.notes) >= MAX_NOTES:
            self.more_notes += 1
            return
        self._said.add(note)
        self.notes.append(note)

    def add(self, kind: str, name: str, /, **body: Any) -> str:
        """Add an object and return its name, which has a number where another one has it."""
        space = "endpoints" if kind in ENDPOINT_KINDS else kind
        name = unique_name(name, self._names.setdefault(space, {ANY: 1, INTERNET: 1}), MAX_NAME, name_key)
        self._bodies[kind, name] = {"name": name, **body}
        self.document.setdefault(kind, []).append(self._bodies[kind, name])
        return name

    def body(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return the object of this kind and name that was added."""
        return self._bodies.get((kind, name))

    def addresses(self, prefixes: Iterable[str], list_name: str) -> list[str]:
        """Return what a rule matches addresses with: the prefixes, or the name of a new list where they are many."""
        values = list(dict.fromkeys(prefixes))
        if len(values) <= PREFIXES.most:
            return values
        return [self.add("prefix-lists", list_name, entries=[{"prefix": prefix} for prefix in values])]

    def ports(self, matches: Sequence[PortMatch], list_name: str) -> dict[str, Any]:
        """Return what a rule matches protocols and ports with: written down where all have the same ports, else the
        name of a new port list."""
        protocols, every = [protocol for protocol, _ in matches], {tuple(ports) for _, ports in matches}
        if len(every) == 1:
            ports = list(every.pop())
            protocol = protocols if len(protocols) > 1 else protocols[0]
            field = "icmp_types" if protocols[0] in ICMP_TYPE_NAMES else "ports"
            return {"protocol": protocol, **({field: ports} if ports else {})}
        return {"ports": [self.add("port-lists", list_name, entries=port_entries(matches))]}

    def add_policies(self, name: str, rules: Sequence[dict[str, Any]], /, **body: Any) -> None:
        """Add a policy, or several of one name and a number where the rules are more than one policy holds."""
        used: dict[str, int] = {}
        for rule in rules:
            rule["name"] = unique_name(rule.get("name") or f"rule-{len(used) + 1}", used, MAX_RULE_NAME, str)
        for start in range(0, len(rules), RULES.most):
            self.add("policies", name, **body, rules=list(rules[start : start + RULES.most]))

    def exchange_for(self, place: str, source: str) -> str:
        """Return the name of the exchange that stands for a place in the source: as chosen, of that name or region,
        a new one in that region, or any."""
        if place not in self._exchanges:
            self._exchanges[place] = self._choose_exchange(place, source)
        return self._exchanges[place]

    def _choose_exchange(self, place: str, source: str) -> str:
        context, key = self.context, name_key(place)
        if chosen := context.places.get(place) or context.exchange:
            return chosen
        made = {body["name"]: body["location"] for body in self.document.get("exchanges", ())}
        exchanges, location = {**context.exchanges, **made}, context.locations.get(key, "")
        for name, other in exchanges.items():
            if place and (name_key(name) == key or other == location):
                return name
        if location:
            return self.add("exchanges", key, location=location)
        name = next(iter(exchanges), "")
        if not name:
            name = self.add("exchanges", "exchange", location=next(iter(context.locations.values()), ""))
        why = f"No exchange stands for “{quote(place)}”." if place else "The source names no location."
        remedy = "Choose another one before you import, or in the connectors afterwards."
        self.note("assumed", source, f"exchange {name}", why, remedy)
        return name


def port_entries(matches: Iterable[PortMatch]) -> list[dict[str, Any]]:
    """Return the entries of a port list."""
    return [{"protocol": protocol, **({"ports": list(ports)} if ports else {})} for protocol, ports in matches]


def quote(value: object) -> str:
    """Return text of a source as a note or message may hold it."""
    text = "".join(char for char in normalise_text(str(value)) if char == "\n" or not text_fault(char))
    return text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"


def unique_name(wanted: str, used: dict[str, int], most: int, key: Callable[[str], str]) -> str:
    """Return the name, shortened, with a number where its ``key`` is used already; ``used`` has the last number of
    each."""
    name = stem = quote(" ".join(str(wanted).split()))[:most].strip() or "unnamed"
    while key(name) in used:
        used[key(stem)] += 1
        name = f"{stem[: most - 7]}-{used[key(stem)]}"
    used[key(name)] = 1
    return name


def description(text: object, most: int = 2000) -> str:
    """Return text of a source as a description of ours."""
    clean = "".join(char for char in normalise_text(str(text or "")) if not text_fault(char, lines=True))
    return clean[:most].strip()


def read_prefix(text: str) -> str:
    """Return the prefix in its canonical spelling; host bits go, and a mask becomes a length. Raise BadAddress."""
    address, slash, length = text.strip().partition("/")
    if "." in length:
        try:
            length = str(ipaddress.ip_network(f"0.0.0.0/{length}").prefixlen)
        except ValueError:
            raise BadAddress("bad_prefix", f"“{quote(text)}” does not end with a mask.") from None
    return str(ipaddress.ip_interface(canonical_interface(f"{address}/{length}" if slash else address)).network)


def is_private(prefix: str) -> bool:
    """Whether no address of it is on the internet."""
    return covers(BOGON_RANGES, (parse_range(prefix),))


def placeholder_prefixes() -> Iterator[str]:
    """Yield prefixes that stand for unknown ones: single addresses for documentation (RFC 5737), then for
    benchmarks (RFC 2544)."""
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"):
        yield from (f"{address}/32" for address in ipaddress.ip_network(network).hosts())


def word(text: str) -> str:
    """Return the text as an identifier of letters, digits, ``_``, ``.`` and ``-``."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")[:100] or "unknown"
