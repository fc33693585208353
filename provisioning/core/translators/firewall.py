"""A firewall's rulebase as CSV: each run of rules between the same zones as a policy, in their order.

Beside the rulebase there may be tables of address objects (name, address) and of services (name, protocol, ports).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from provisioning.core.formats.csv_text import CsvRow
from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.translators.columns import Table, read_table
from provisioning.core.translators.firewall_addresses import AddressBook, split
from provisioning.core.translators.firewall_services import (
    EVERY,
    UnknownService,
    read_protocol,
    read_services,
    well_known_name,
)
from provisioning.core.translators.translation import (
    BadAddress,
    PortMatch,
    SourceFile,
    SourceFormat,
    TableField,
    TranslatedFiles,
    TranslationBuilder,
    TranslationContext,
    description,
    port_entries,
)
from provisioning.core.values.protocols import PORT_PROTOCOLS
from provisioning.core.values.text import name_key
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS

MAX_ROWS = 20_000
INTERNET_ZONES = ("internet", "untrust", "untrusted", "outside", "external", "wan")
FIELDS = (
    TableField(
        "position", "Position", ("no", "number", "seq", "sequence", "order", "id", "rule", "ruleno", "priority")
    ),
    TableField("name", "Name", ("rulename", "title", "policyname", "object", "objectname")),
    TableField("enabled", "Enabled", ("active", "status", "state", "enable")),
    TableField("disabled", "Disabled", ("inactive",)),
    TableField("source_zone", "Source zone", ("fromzone", "srczone", "from", "srcintf", "sourceinterface", "ingress")),
    TableField(
        "source", "Source", ("sourceaddress", "src", "srcaddr", "srcip", "sourceip", "sources", "sourcenetworks")
    ),
    TableField("destination_zone", "Destination zone", ("tozone", "dstzone", "destzone", "to", "dstintf", "egress")),
    TableField(
        "destination",
        "Destination",
        ("destinationaddress", "dst", "dstaddr", "dstip", "dest", "destinationip", "destinations"),
    ),
    TableField("service", "Service", ("services", "servicename")),
    TableField("protocol", "Protocol", ("proto", "ipprotocol")),
    TableField("ports", "Destination ports", ("port", "destinationport", "dstport", "destport", "dport", "dstports")),
    TableField("source_ports", "Source ports", ("sourceport", "srcport", "sport", "srcports")),
    TableField("application", "Application", ("app", "applications", "appid")),
    TableField("user", "User", ("users", "sourceuser", "srcuser")),
    TableField("schedule", "Schedule", ("time", "schedules")),
    TableField("action", "Action", ("verdict", "policyaction", "decision", "permission")),
    TableField("comment", "Comment", ("comments", "description", "remark", "note", "notes")),
    TableField(
        "address",
        "Address (of address objects)",
        ("addresses", "value", "ip", "ipaddress", "network", "subnet", "members"),
    ),
)
_ALLOW = ("allow", "accept", "permit", "pass", "yes")
_DENY = {"deny": False, "drop": False, "discard": False, "block": False, "no": False, "reject": True, "reset": True}
"""Word → whether the sender is told."""
_NO = ("no", "false", "0", "disabled", "disable", "off", "inactive", "n")
_ONLY_ANY = {
    "application": "It matches applications, not ports.",
    "user": "It matches users.",
    "schedule": "It holds at some times only.",
}
Ends = tuple[tuple[str, ...], tuple[str, ...]]


class _Unsayable(Exception):
    """Why a rule cannot be said."""


def translate(files: Sequence[SourceFile], context: TranslationContext) -> TranslatedFiles:
    builder = TranslationBuilder(context)
    tables = [read_table(file, FIELDS, context.columns, MAX_ROWS) for file in files]
    rulebases = [table for table in tables if "action" in table.columns] or tables[:1]
    firewall = _Firewall(builder)
    for table in tables:
        if table not in rulebases:
            firewall.add_objects(table)
    for table in rulebases:
        if missing := [field for field in ("action", "source", "destination") if field not in table.columns]:
            why = f"No column is read as {', '.join(missing)}."
            builder.note("left_out", table.file, "the whole table", why, "Choose the column of each field.")
            continue
        firewall.translate(table)
    return builder.finish(rulebases[0].header, rulebases[0].columns)


class _Firewall:
    def __init__(self, builder: TranslationBuilder) -> None:
        self.builder, self.addresses = builder, AddressBook(builder)
        self.services: dict[str, Sequence[PortMatch]] = {}
        self.port_lists: dict[str, str] = {}
        self.zones = {name_key(group): group for group in builder.context.groups}
        self.segment = builder.context.segment

    def add_objects(self, table: Table) -> None:
        """Read a table of address objects or of services."""
        for row in table.rows:
            name, place = table.cell(row, "name"), table.place(row)
            if address := table.cell(row, "address"):
                self.addresses.add(name, address, place)
                continue
            try:
                self.add_service(name, self.ports(table, row))
            except UnknownService as error:
                self.builder.note("left_out", place, name, str(error), "Correct it in the table.")

    def add_service(self, name: str, matches: Sequence[PortMatch]) -> None:
        """Add a service as a port list, unless it is called like well-known ports or is about every protocol."""
        matches = [*self.services.get(name.lower(), ()), *matches]
        self.services[name.lower()] = matches
        if well_known_name(name) or any(protocol == ANY for protocol, _ in matches):
            return
        if listed := self.builder.body("port-lists", self.port_lists.get(name.lower(), "")):
            listed["entries"] = port_entries(matches)
            return
        # A name that reads like ports is no name of a list.
        list_name = name if re.search("[a-zA-Z]", name) else f"service {name}"
        self.port_lists[name.lower()] = self.builder.add("port-lists", list_name, entries=port_entries(matches))

    def translate(self, table: Table) -> None:
        if not self.segment:
            # What no rule allows a firewall denies.
            self.segment = self.builder.add("segments", "firewall", default_action="deny")
        rows = list(table.rows)
        positions = [table.cell(row, "position") for row in rows]
        if all(position.isdecimal() for position in positions):
            rows = [row for _, row in sorted(zip(map(int, positions), rows, strict=True), key=lambda pair: pair[0])]
        rules: list[tuple[Ends, dict[str, Any]]] = []
        for row in rows:
            try:
                rules.append(self.rule(table, row))
            except (_Unsayable, UnknownService, BadAddress) as error:
                denies = table.cell(row, "action").lower() in _DENY
                remedy = "Draw it by hand; until then " + (
                    "what it denies may be allowed by the rules after it." if denies else "it allows nothing."
                )
                says = table.cell(row, "name") or f"rule {table.cell(row, 'position')}"
                self.builder.note("left_out", table.place(row), says, str(error), remedy)
        for (from_, to), run in groupby(rules, key=lambda pair: pair[0]):
            name = f"{' + '.join(from_)} to {' + '.join(to)}"
            ends = {"segments": [self.segment], "from": list(from_), "to": list(to)}
            self.builder.add_policies(name, [rule for _, rule in run], **ends)

    def rule(self, table: Table, row: CsvRow) -> tuple[Ends, dict[str, Any]]:
        """Return the rule of a row and its ends. Raise where it cannot be said; a wider one is not it."""
        for field, why in _ONLY_ANY.items():
            if table.cell(row, field).lower() not in (*EVERY, "always", "none"):
                raise _Unsayable(why)
        name = table.cell(row, "name") or f"rule {table.cell(row, 'position') or row.number}"
        action = self.action(table.cell(row, "action"))
        source, _ = self.addresses.match(table.cell(row, "source"), f"{name} source")
        destination, may_be_public = self.addresses.match(table.cell(row, "destination"), f"{name} destination")
        from_ = self.zone_groups(table.cell(row, "source_zone"), table.place(row))
        to = self.zone_groups(table.cell(row, "destination_zone"), table.place(row))
        if from_ == (INTERNET,):
            raise _Unsayable("From the internet only an internet application is reached.")
        ends = (from_ or (ANY,)), (to or ((ANY, INTERNET) if may_be_public else (ANY,)))
        is_disabled = self.is_disabled(table, row)
        body = {
            "description": description(table.cell(row, "comment"), 500),
            "mode": "disabled" if is_disabled else "enforce",
            **action,
            **({"source": source} if source else {}),
            **({"destination": destination} if destination else {}),
        }
        return ends, {"name": name, **body, **self.port_fields(table, row, name), **self.source_ports(table, row)}

    def port_fields(self, table: Table, row: CsvRow, name: str) -> dict[str, Any]:
        """Return what the rule of a row matches protocols and ports with: by name where all of them have one."""
        services = split(table.cell(row, "service"))
        names = [self.port_lists.get(service.lower()) or self.well_known(service, table, row) for service in services]
        if services and all(names) and not table.cell(row, "ports"):
            return {"ports": names}
        return self.builder.ports(self.ports(table, row), f"{name} ports")

    def source_ports(self, table: Table, row: CsvRow) -> dict[str, Any]:
        """Return source ports, and the protocols that have them. Raise where they cannot be said."""
        ports = split(table.cell(row, "source_ports"))
        if all(port.lower() in EVERY for port in ports):
            return {}
        protocols = list(dict.fromkeys(protocol for protocol, _ in self.ports(table, row)))
        if not set(protocols) <= set(PORT_PROTOCOLS):
            raise _Unsayable("It matches source ports of a protocol that is neither tcp nor udp.")
        [(_, numbers)] = read_services([f"tcp/{port}" for port in ports], {})
        return {"protocol": protocols if len(protocols) > 1 else protocols[0], "source_ports": list(numbers)}

    def well_known(self, service: str, table: Table, row: CsvRow) -> str | None:
        known = well_known_name(service) if service.lower() not in self.services else None
        if known:
            ports = ", ".join(f"{protocol} {ports}" for protocol, ports in WELL_KNOWN_PORTS[known])
            why, remedy = f"No table of services has it; it is {ports}.", "Correct the rule where it is another."
            self.builder.note("assumed", table.file, f"service {service}", why, remedy)
        return known

    def ports(self, table: Table, row: CsvRow) -> Sequence[PortMatch]:
        """Return protocols with ports, of the service or of protocol and ports. Raise UnknownService."""
        ports = split(table.cell(row, "ports"))
        if all(port.lower() in EVERY for port in ports):
            if service := table.cell(row, "service"):
                return read_services(split(service), self.services)
            protocols = split(table.cell(row, "protocol").replace("/", ",")) or [ANY]
            return [(read_protocol(protocol), ()) for protocol in protocols]
        protocols = split(table.cell(row, "protocol").replace("/", ","))
        if not protocols:
            return read_services(ports, self.services)
        return [
            match for protocol in protocols for match in read_services([f"{protocol}/{port}" for port in ports], {})
        ]

    def action(self, text: str) -> dict[str, Any]:
        word = next(iter(text.lower().split()), "")
        if word in _ALLOW:
            return {"action": "allow"}
        if word in _DENY:
            return {"action": "deny", "reject": _DENY[word]}
        raise _Unsayable(f"The action “{text[:60]}” is not known; allow and deny are.")

    def is_disabled(self, table: Table, row: CsvRow) -> bool:
        disabled = table.cell(row, "disabled").lower()
        return table.cell(row, "enabled").lower() in _NO or (bool(disabled) and disabled not in _NO)

    def zone_groups(self, cell: str, place: str) -> tuple[str, ...]:
        """Return the groups of zones; nothing for every zone. Raise where some are left out."""
        zones = split(cell)
        if any(zone.startswith("!") for zone in zones):
            raise _Unsayable("It matches every zone but some.")
        found: dict[str, None] = {}
        for zone in zones:
            if zone.lower() in EVERY:
                return ()
            if zone.lower() in INTERNET_ZONES:
                found[INTERNET] = None
                continue
            if (key := name_key(zone)) not in self.zones:
                self.zones[key] = self.builder.add("groups", zone)
                why, remedy = "The table does not say what is in the zone.", "Put connectors into the group."
                self.builder.note("needed", place, f"zone {zone}", why, remedy)
            found[self.zones[key]] = None
        return tuple(found)


FORMAT = SourceFormat(
    "firewall-csv",
    "Firewall rules (CSV)",
    "A rulebase as a table, its columns as you map them; beside it tables of address objects and services.",
    (".csv",),
    translate,
    ("segment", "columns"),
    fields=FIELDS,
    max_bytes=10_000_000,
    quick_bytes=1_500_000,
)
