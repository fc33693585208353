"""Records of NetBox, from a table that it exports or an answer of its API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.formats.csv_text import BadCsv, read_csv
from provisioning.core.translators.json_source import load_json, objects
from provisioning.core.translators.translation import BadSource, SourceFile, word

MAX_RECORDS = 100_000
KINDS = ("sites", "vrfs", "prefixes")


@dataclass(frozen=True, slots=True)
class Record:
    """``values``: by the names of the API, in lower case; ``place``: where it stands."""

    kind: str
    place: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a value as text: of an object its name, of a choice its value."""
        return _text(self.values.get(name))

    def names(self, name: str) -> frozenset[str]:
        """Return a list of objects, or a cell of names, as names."""
        value = self.values.get(name)
        parts = value if isinstance(value, list) else re.split(r"[,;\n]", _text(value))
        return frozenset(filter(None, (_text(part).strip() for part in parts)))

    def tags(self) -> tuple[str, ...]:
        return tuple(sorted(word(tag)[:59] for tag in self.names("tags")))

    def site(self) -> str:
        """Return the site of a prefix: since NetBox 4.2 one of several scopes."""
        if site := self.text("site"):
            return site
        scope_type = self.text("scope_type").lower().replace(" ", "")
        return self.text("scope") if scope_type in ("dcim.site", "dcim|site", "site") else ""


def read_records(file: SourceFile) -> Iterator[Record]:
    """Yield the records of a file. Raise BadSource where it has none, or too many."""
    records = _json_records(file) if _is_json(file) else _csv_records(file)
    for count, record in enumerate(records, 1):
        if count > MAX_RECORDS:
            raise BadSource(file.name, f"There are more than {MAX_RECORDS:,} records. Send them in parts.")
        yield record


def _is_json(file: SourceFile) -> bool:
    return file.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _json_records(file: SourceFile) -> Iterator[Record]:
    value = load_json(file)
    lists = {kind: objects(value, kind) or objects(value, kind, "results") for kind in KINDS}
    if not any(lists.values()):
        results = objects(value) or objects(value, "results")
        lists = {kind: [each for each in results if _kind_of(each) == kind] for kind in KINDS}
    if not any(lists.values()):
        raise BadSource(file.name, "It has no sites, prefixes or VRFs of NetBox.")
    for kind, found in lists.items():
        for index, each in enumerate(found):
            yield Record(kind, f"{file.name} {kind}[{index}]", each)


def _csv_records(file: SourceFile) -> Iterator[Record]:
    try:
        header, rows = read_csv(file.data, MAX_RECORDS)
    except BadCsv as error:
        raise BadSource(f"{file.name} row {error.line}", error.message) from error
    names = {column: re.sub(r"[^a-z0-9]+", "_", column).strip("_") for column in header}
    kind = _kind_of(dict.fromkeys(names.values(), ""))
    if kind is None:
        raise BadSource(file.name, "These are no columns of NetBox's sites, prefixes or VRFs.")
    for row in rows:
        # NetBox writes a dash for an empty cell.
        values = {names[column]: "" if cell in ("—", "-") else cell for column, cell in row.cells.items()}
        yield Record(kind, f"{file.name} row {row.number}", values)


def _kind_of(values: Mapping[str, Any]) -> str | None:
    if "prefix" in values:
        return "prefixes"
    if "rd" in values:
        return "vrfs"
    return "sites" if "slug" in values or ("name" in values and "facility" in values) else None


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("name", "value", "display", "slug") if value.get(key)), "")
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
