"""All objects of one snapshot: as they are stored, as the core takes them, and by name.

SnapshotObjects never change. An edit leads to other ones that share everything the edit did not touch, so that
a network of ten thousand objects is read and built once, and an edit costs what it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.catalog import catalog
from provisioning.core import intent as core
from provisioning.core.values.text import normalise_text
from provisioning.snapshots.queries import StoredObject


@dataclass(frozen=True, slots=True)
class ParsedObject:
    """One object: its stored form (whose body nobody may change) and its typed form."""

    row: StoredObject
    typed: Any

    @classmethod
    def of(cls, row: StoredObject) -> ParsedObject:
        """Return the object with its typed form; raise InvalidIntent where the body is not one of its kind."""
        return cls(row, core.build_object(row.kind, row.uid, row.number, row.key, row.body))


ObjectChange = tuple[str, str, ParsedObject | None]
"""kind, uid, and what is there afterwards."""


class SnapshotObjects:
    """``entries``: kind → uid → entry, in order of number."""

    def __init__(
        self, entries: Mapping[str, dict[str, ParsedObject]], names: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.entries = {kind: entries.get(kind, {}) for kind in core.KINDS}
        self._names = names if names is not None else {}

    def __len__(self) -> int:
        return sum(map(len, self.entries.values()))

    def __iter__(self) -> Iterator[StoredObject]:
        return (entry.row for kind in self.entries.values() for entry in kind.values())

    def of(self, kind: str) -> dict[str, ParsedObject]:
        return self.entries.get(kind, {})

    def rows(self, kind: str) -> Iterator[StoredObject]:
        return (entry.row for entry in self.of(kind).values())

    def get(self, kind: str, uid: str) -> StoredObject | None:
        entry = self.of(kind).get(uid)
        return entry.row if entry else None

    def body(self, kind: str, uid: str) -> dict[str, Any] | None:
        entry = self.of(kind).get(uid)
        return entry.row.body if entry else None

    def names(self, kind: str) -> dict[str, str]:
        """Normalised name → uid of the oldest object that has it."""
        if kind not in self._names:
            self._names[kind] = {normalise_text(entry.row.name): uid for uid, entry in reversed(self.of(kind).items())}
        return self._names[kind]

    def label(self, uid: str) -> str:
        """What the object with this uid is called; the uid itself when there is none."""
        entry = next((kind[uid] for kind in self.entries.values() if uid in kind), None)
        return entry.row.name if entry else uid

    def resolve(self, aliases: Mapping[str, str] | None = None) -> Callable[[str, str], str | None]:
        """What the core's readers ask: (kind, name or id) → uid. aliases: other ids for these objects."""

        def find(kind: str, name_or_uid: str) -> str | None:
            name_or_uid = (aliases or {}).get(name_or_uid, name_or_uid)
            return name_or_uid if name_or_uid in self.of(kind) else self.names(kind).get(normalise_text(name_or_uid))

        return find

    def changed(self, changes: Iterable[ObjectChange]) -> SnapshotObjects:
        """Return the objects after these changes."""
        touched: dict[str, dict[str, ParsedObject]] = {}
        unordered = set()
        for kind, uid, entry in changes:
            entries = touched.get(kind)
            if entries is None:
                entries = touched[kind] = dict(self.of(kind))
            if entry is None:
                entries.pop(uid, None)
                continue
            if uid not in entries and entries and entry.row.number < next(reversed(entries.values())).row.number:
                unordered.add(kind)
            entries[uid] = entry
        for kind in unordered:
            touched[kind] = dict(sorted(touched[kind].items(), key=lambda pair: pair[1].row.number))
        names = {kind: known for kind, known in self._names.items() if kind not in touched}
        return SnapshotObjects({**self.entries, **touched}, names)

    @cached_property
    def intent(self) -> core.Intent:
        """The whole network as the core takes it."""
        intent = core.Intent(catalog())
        for kind, entries in self.entries.items():
            intent.of(kind).update((uid, entry.typed) for uid, entry in entries.items())
        return intent

    def users(self, uid: str) -> list[StoredObject]:
        """The objects that name this one."""
        return [row for row in self if any(named == uid for _, named in core.object_references(row.kind, row.body))]


NO_OBJECTS = SnapshotObjects({})
