"""Many objects at once, as one edit: a list of edits, or a table of connectors or prefix lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from django.db import transaction

from provisioning.core.formats import csv_tables
from provisioning.core.formats.csv_text import BadCsv, read_csv
from provisioning.core.intent import object_references
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Item
from provisioning.services.drafts.bodies import BodyNormaliser, ProblemCollector
from provisioning.services.drafts.editing import apply_changes
from provisioning.services.drafts.lifecycle import lock_draft
from provisioning.services.drafts.overlay import Body, BodyChange, create_items
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import ParsedObject, SnapshotObjects
from provisioning.snapshots.queries import StoredObject

MAX_EDITS = 1000
MAX_ROWS = 10_000
"""In one request; a few seconds of work, that others who edit the draft wait for."""
MAX_DIFFERENCES = 200
"""Differences that the answer to a table tells; nobody reads ten thousand."""


def apply_edits(draft: Draft, edits: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> list[dict[str, Any]]:
    """Edits ``{"action": "create" | "change" | "remove", "kind", "id", "body"}`` in order, all or none; what differs.

    A later edit may name what an earlier one makes. ``change`` replaces the fields that are given.
    """
    draft = lock_draft(draft)
    with transaction.atomic():
        batch = _EditBatch(tenant_cache.load_objects(queries.snapshot_of_draft(draft)), edits)
        problems = ProblemCollector()
        for place, one in enumerate(edits):
            problems.of(f"edits[{place}]", partial(batch.add, one))
        problems.raise_if_any()
        batch.refuse_dangling()
        return apply_changes(draft, batch.changes(), "Make", dry_run=dry_run)


class _EditBatch:
    """What a list of edits comes to; what they touch is kept apart, so that each costs what it says."""

    def __init__(self, content: SnapshotObjects, edits: Sequence[Mapping[str, Any]]) -> None:
        self.content = content
        self.touched: dict[str, dict[str, ParsedObject | None]] = {kind: {} for kind in content.entries}
        self.bodies = BodyNormaliser(self._find)
        new: dict[str, list[str]] = {}
        for one in edits:
            if one["action"] == "create":
                new.setdefault(one["kind"], []).append(str((one.get("body") or {}).get("name")))
        self.new = {kind: iter(create_items(kind, names)) for kind, names in new.items()}
        self.items: dict[str, Item] = {}

    def add(self, one: Mapping[str, Any]) -> Body:
        kind, action, body = one["kind"], one["action"], one.get("body") or {}
        # Also where the body is refused: the next one has the next identity.
        item = next(self.new[kind]) if action == "create" else None
        row = self._row(kind, str(one.get("id")))
        if item is None and row is None:
            raise _single_problem("unknown_reference", "id", f"There is no such object among the {kind} of this draft.")
        if item is not None:
            clean = self.bodies.clean(kind, body)
            self.items[str(item.uid)] = item
            row = StoredObject(kind, str(item.uid), item.number, item.key, clean["name"], clean)
        elif row and action == "change":
            clean = self.bodies.clean(kind, {**row.body, **body})
            row = StoredObject(kind, row.uid, row.number, row.key, clean["name"], clean)
        assert row is not None
        self.touched[kind][row.uid] = None if action == "remove" else ParsedObject.of(row)
        return row.body

    def _row(self, kind: str, uid: str) -> StoredObject | None:
        if uid in self.touched[kind]:
            entry = self.touched[kind][uid]
            return entry.row if entry else None
        return self.content.get(kind, uid)

    def _find(self, kind: str, wanted: str) -> str | None:
        """(kind, name or id) → uid, as it is after the edits before."""
        if kind not in self.touched:
            return None
        if self._row(kind, wanted):
            return wanted
        touched, held = self.touched[kind], self.content.names(kind).get(wanted)
        if held in touched and ((entry := touched[held]) is None or entry.row.name != wanted):
            # The oldest of this name is another one now, or nobody.
            entries = self.content.entries[kind].items()
            held = next((uid for uid, entry in entries if entry.row.name == wanted and uid not in touched), None)
        return held or next((uid for uid, entry in touched.items() if entry and entry.row.name == wanted), None)

    @cached_property
    def after(self) -> SnapshotObjects:
        """What is there after all edits: to be asked for when they are added."""
        return self.content.changed(
            (kind, uid, entry) for kind, touched in self.touched.items() for uid, entry in touched.items()
        )

    def changes(self) -> list[BodyChange]:
        return _body_changes(self.content, self.after, self.items)

    def refuse_dangling(self) -> None:
        """Like a single removal: not while others name it."""
        gone = {row.uid: row.name for row in self.content if self.after.get(row.kind, row.uid) is None}
        problems = ProblemCollector()
        for user in self.after if gone else ():
            for uid in gone.keys() & {named for _, named in object_references(user.kind, user.body)}:
                problems.add("in_use", f"{user.kind}/{user.key}", f"{user.name} names {gone[uid]}, which is removed.")
        problems.raise_if_any()


def import_table(draft: Draft, kind: str, data: bytes, *, dry_run: bool = False) -> dict[str, Any]:
    """Make and change the objects of a CSV table (``core.tables``), found by name; others stay as they are.

    Answers ``{"rows","created","changed","unchanged","differences"}``. Raises Invalid with every problem by row and
    column, ``rows[3].prefixes``; then nothing was changed.
    """
    draft = lock_draft(draft)
    try:
        header, lines = read_csv(data, MAX_ROWS)
    except BadCsv as error:
        raise ValidationFailed(error.message, [Problem("bad_table", f"rows[{error.line}]", error.message)]) from error
    found, wrong = csv_tables.rows_to_objects(kind, header, lines)
    problems = ProblemCollector()
    for row, column, message in wrong:
        problems.add("bad_cell", f"rows[{row}].{column}", f"Row {row}, {column}: {message}")
    problems.raise_if_any()
    with transaction.atomic():
        before = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
        after, items = _apply_table(before, kind, found)
        changes = _body_changes(before, after, items)
        try:
            told = apply_changes(draft, changes, "Import", dry_run=dry_run, most=MAX_DIFFERENCES)
        except ValidationFailed as error:
            raise ValidationFailed(error.detail, _problems_by_row(kind, after, found, error.problems)) from error
    created = sum(change.before is None for change in changes)
    counts = {"created": created, "changed": len(changes) - created, "unchanged": len(found) - len(changes)}
    return {"rows": len(lines), **counts, "differences": told}


def _apply_table(
    before: SnapshotObjects, kind: str, found: Sequence[csv_tables.CsvObject]
) -> tuple[SnapshotObjects, dict[str, Item]]:
    """The content with the table's objects in it, and the identities of the new ones by uid."""
    names, bodies, problems = before.names(kind), BodyNormaliser(before.resolve()), ProblemCollector()
    clean: list[tuple[csv_tables.CsvObject, Body]] = []
    for one in found:
        held = before.body(kind, names[one.name]) if one.name in names else None
        try:
            clean.append((one, bodies.clean(kind, one.merged_onto(held or {}))))
        except ValidationFailed as error:
            for problem in error.problems:
                row, column = one.place(problem.path)
                problems.add(problem.code, f"rows[{row}].{column}", f"Row {row}, {column}: {problem.message}")
    problems.raise_if_any()
    new = create_items(kind, [one.name for one, _ in clean if one.name not in names])
    made = {str(item.uid): item for item in new}
    fresh = iter(new)
    entries = []
    for one, body in clean:
        if held_row := before.get(kind, names.get(one.name, "")):
            entries.append(StoredObject(kind, held_row.uid, held_row.number, held_row.key, body["name"], body))
        else:
            item = next(fresh)
            entries.append(StoredObject(kind, str(item.uid), item.number, item.key, body["name"], body))
    return before.changed((kind, row.uid, ParsedObject.of(row)) for row in entries), made


def _problems_by_row(
    kind: str, after: SnapshotObjects, found: Sequence[csv_tables.CsvObject], problems: Sequence[Problem]
) -> list[Problem]:
    """Problems of the network that the table would make, at the rows that they are about."""
    by_name = {one.name: one for one in found}
    by_key = {
        entry.row.key: by_name[entry.row.name] for entry in after.entries[kind].values() if entry.row.name in by_name
    }
    placed = []
    for problem in problems:
        where, _, path = problem.path.removeprefix(f"{kind}/").partition("/")
        one = by_key.get(where) if problem.path.startswith(f"{kind}/") else None
        if one is None:
            placed.append(problem)
        else:
            row, column = one.place(path) if path else (one.lines[0].number, "name")
            placed.append(Problem(problem.code, f"rows[{row}].{column}", f"Row {row}, {column}: {problem.message}"))
    return placed


def _body_changes(before: SnapshotObjects, after: SnapshotObjects, made: Mapping[str, Item]) -> list[BodyChange]:
    """What became of each object, in order of kind and number."""
    touched = [
        (old, new)
        for kind in before.entries
        if before.entries[kind] is not after.entries[kind]
        for uid in {**before.entries[kind], **after.entries[kind]}
        if (old := before.entries[kind].get(uid)) is not (new := after.entries[kind].get(uid))
        and (old is None or new is None or old.row.body != new.row.body)
    ]
    known = Item.objects.in_bulk([old.row.number for old, _ in touched if old])
    return [
        BodyChange(
            known[old.row.number] if old else made[new.row.uid],  # type: ignore[union-attr]  # one of them is there
            old.row.body if old else None,
            new.row.body if new else None,
            new,
        )
        for old, new in touched
    ]


def _single_problem(code: str, path: str, message: str) -> ValidationFailed:
    return ValidationFailed(message, [Problem(code, path, message)])
