"""NetBox's sites, prefixes and VRFs: VRFs as segments, sites as connectors with the prefixes that are there.

Read are tables as NetBox exports them and answers of its API, each with one kind of object, or an object with a list
for each. Source: https://netboxlabs.com/docs/netbox/models/ipam/prefix/
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from provisioning.core.intent.limits import ATTACHMENTS
from provisioning.core.translators.netbox_records import Record, read_records
from provisioning.core.translators.translation import (
    BadAddress,
    SourceFile,
    SourceFormat,
    TranslatedFiles,
    TranslationBuilder,
    TranslationContext,
    description,
    read_prefix,
    word,
)

_UNUSED = ("container", "reserved", "deprecated", "planned", "retired")
_Membership = tuple[str, str, tuple[str, ...]]
"""VRF, role and tags: prefixes that are equal in them are one attachment."""

MAX_PAIRS = 1_000
"""Of VRFs that have a target in common, each two of which may share."""


@dataclass(slots=True)
class _Site:
    record: Record | None
    prefixes: dict[_Membership, list[str]] = field(default_factory=dict)


def translate(files: Sequence[SourceFile], context: TranslationContext) -> TranslatedFiles:
    builder = TranslationBuilder(context)
    records = [record for file in files for record in read_records(file)]
    _NetboxTranslator(builder, records).translate()
    return builder.finish()


class _NetboxTranslator:
    def __init__(self, builder: TranslationBuilder, records: Sequence[Record]) -> None:
        self.builder, self.records = builder, records
        self.segments: dict[str, str] = {}
        self.sites: dict[str, _Site] = {}
        self.roles: set[str] = set()
        self.taken: dict[tuple[str, str], str] = {}

    def translate(self) -> None:
        vrfs = [record for record in self.records if record.kind == "vrfs"]
        for record in vrfs:
            self.add_vrf(record)
        for record in self.records:
            if record.kind == "sites":
                site = _Site(record)
                for name in filter(None, (record.text("slug"), record.text("name"))):
                    self.sites.setdefault(name, site)
        for record in self.records:
            if record.kind == "prefixes":
                self.place_prefix(record)
        connected: set[int] = set()
        for name, site in self.sites.items():
            # A site stands under its slug and its name.
            if id(site) not in connected:
                connected.add(id(site))
                self.add_connector(name, site)
        for role in sorted(self.roles):
            self.builder.add("groups", role, selector=f"role={role}")
        self.add_shares(vrfs)

    def add_vrf(self, record: Record) -> None:
        name = record.text("name")
        if name in self.segments:
            return
        # NetBox says what is routed together, and nothing of what is allowed.
        self.segments[name] = self.builder.add(
            "segments", name, description=description(record.text("description")), default_action="allow"
        )
        if rd := record.text("rd"):
            why, remedy = "Segments have no route distinguisher.", "Nothing."
            self.builder.note("left_out", record.place, f"{name}: rd {rd}", why, remedy)

    def segment_of(self, vrf: str, place: str) -> str:
        """Return the segment of a VRF; without one the chosen segment, or one for the global table."""
        if vrf not in self.segments:
            if not vrf and self.builder.context.segment:
                self.segments[vrf] = self.builder.context.segment
            else:
                self.segments[vrf] = self.builder.add("segments", vrf or "global", default_action="allow")
        return self.segments[vrf]

    def place_prefix(self, record: Record) -> None:
        text, site, status = record.text("prefix"), record.site(), record.text("status").lower()
        try:
            prefix = read_prefix(text)
        except BadAddress as error:
            self.builder.note("left_out", record.place, text, str(error), "Correct it in NetBox.")
            return
        if status in _UNUSED:
            why, remedy = f"Its status is {status}: nothing uses it.", "Nothing."
            self.builder.note("left_out", record.place, text, why, remedy)
            return
        if not site:
            why = "It is at no site, so nothing attaches it."
            self.builder.note("left_out", record.place, text, why, "Add it to the connector that it is behind.")
            return
        membership = record.text("vrf"), word(record.text("role")) if record.text("role") else "", record.tags()
        self.sites.setdefault(site, _Site(None)).prefixes.setdefault(membership, []).append(prefix)

    def add_connector(self, name: str, site: _Site) -> None:
        record = site.record
        name, place = (record.text("name") or name, record.place) if record else (name, f"site {name}")
        if not site.prefixes:
            why, remedy = "No prefix is there.", "Nothing, or add the site with its prefixes."
            self.builder.note("left_out", place, f"site {name}", why, remedy)
            return
        attachments = self.attachments(site, place)
        if not attachments:
            return
        facility = record.text("facility") if record else ""
        settings: Mapping[str, Any] = {"facility": facility[:60]} if facility else {"identity": word(name)}
        kind = "colo" if facility else "ipsec-site"
        why = f"NetBox does not say how a site attaches; it is drawn as {kind}."
        remedy = "Choose its kind, and enter what the far side is."
        self.builder.note("needed", place, f"site {name}", why, remedy)
        region = record.text("region") if record else ""
        self.builder.add(
            "connectors",
            name,
            description=description(record.text("description") if record else ""),
            kind=kind,
            exchange=self.builder.exchange_for(region or name, place),
            attachments=attachments,
            settings=settings,
            labels={"site": word(name), **({"region": word(region)} if region else {})},
        )

    def attachments(self, site: _Site, place: str) -> list[dict[str, Any]]:
        made = []
        for (vrf, role, tags), prefixes in site.prefixes.items():
            segment = self.segment_of(vrf, place)
            kept = [prefix for prefix in dict.fromkeys(prefixes) if self.take(segment, prefix, place)]
            labels = {**dict.fromkeys((f"tag.{tag}" for tag in tags), ""), **({"role": role} if role else {})}
            self.roles |= {role} - {""} if kept else set()
            if kept:
                made.append({"segment": segment, "labels": labels, "prefixes": kept})
        if len(made) > ATTACHMENTS.most:
            why, remedy = ATTACHMENTS.message(len(made)), "Draw the others by hand."
            self.builder.note("left_out", place, "some prefixes", why, remedy)
        return made[: ATTACHMENTS.most]

    def take(self, segment: str, prefix: str, place: str) -> bool:
        """Return whether the prefix is nowhere else in the segment; two connectors cannot both bring it."""
        other = self.taken.get((segment, prefix))
        if other is None:
            self.taken[segment, prefix] = place
            return True
        why = f"The segment has it at {other} already."
        self.builder.note("left_out", place, prefix, why, "Correct NetBox, or give both a redundancy group.")
        return False

    def add_shares(self, vrfs: Sequence[Record]) -> None:
        """Share each two VRFs that import what the other exports, as far as MAX_PAIRS."""
        pairs = list(islice(_pairs(vrfs), MAX_PAIRS + 1))
        if len(pairs) > MAX_PAIRS:
            one, other = pairs.pop()
            says = f"{one.text('name')} and {other.text('name')}, and the pairs after them"
            why = f"More than {MAX_PAIRS:,} pairs of VRFs have a target in common."
            self.builder.note("left_out", one.place, says, why, "Put them into one segment.")
        for one, other in pairs:
            there = one.names("export_targets") & other.names("import_targets")
            back = other.names("export_targets") & one.names("import_targets")
            names = one.text("name"), other.text("name")
            if there and back:
                sides = {
                    side: {"segment": self.segments[name], "prefixes": ["0.0.0.0/0", "::/0"]}
                    for side, name in zip("ab", names, strict=True)
                }
                self.builder.add("shares", f"{names[0]} {names[1]}", **sides, route_limit=10_000)
            else:
                why = "Routes go one way only, so nothing comes back."
                says = f"{names[0]} and {names[1]} share the target {', '.join(sorted(there | back))}"
                self.builder.note("left_out", one.place, says, why, "Draw a share where they reach each other.")


def _pairs(vrfs: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """Yield each two VRFs of which one imports what the other exports, in their order."""
    importing: dict[str, list[int]] = {}
    exporting: dict[str, list[int]] = {}
    for index, record in enumerate(vrfs):
        for argument, users in (("import_targets", importing), ("export_targets", exporting)):
            for target in record.names(argument):
                users.setdefault(target, []).append(index)
    for index, record in enumerate(vrfs):
        met = [exporting.get(target, ()) for target in record.names("import_targets")]
        met += [importing.get(target, ()) for target in record.names("export_targets")]
        for other in sorted({other for users in met for other in users[bisect_right(users, index) :]}):
            yield record, vrfs[other]


FORMAT = SourceFormat(
    "netbox",
    "NetBox",
    "Sites, prefixes and VRFs, as exported (CSV) or as the API answers (JSON).",
    (".csv", ".json"),
    translate,
    ("segment", "exchange", "places"),
    max_bytes=20_000_000,
    quick_bytes=2_000_000,
)
