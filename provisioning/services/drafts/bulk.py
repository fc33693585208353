"""Many objects at once, as one edit: a list of edits, or a table of connectors or prefix lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from django.db import transaction

from provisioning.core.formats import csv_tables
from provisioning.core.formats.csv_text import BadCsv, read_csv
from provisioning.core.intent import is_same_body, object_references, translate_old_fields
from provisioning.core.values.resource import Problem
from provisioning.core.values.text import normalise_text
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Item
from provisioning.services.drafts.bodies import BodyNormaliser, ProblemCollector
from provisioning.services.drafts.editing import apply_changes
from provisioning.services.drafts.lifecycle import draft_to_edit
from provisioning.services.drafts.overlay import Body, BodyChange, create_items
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import ParsedObject, SnapshotObjects
from provisioning.snapshots.queries import StoredObject

MAX_EDITS = 1000
MAX_ROWS = 10_000
"""In one request: a few seconds of work, for which everybody else who edits the draft waits."""
MAX_DIFFERENCES = 200
"""Differences in the response to a table; nobody reads ten thousand."""


def apply_edits(draft: Draft, edits: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> list[dict[str, Any]]:
    """Apply edits ``{"action": "create" | "change" | "remove", "kind", "id", "body"}`` in order, all or none.

    A later edit may refer to what an earlier one creates. ``change`` replaces the fields that are given. Returns what
    differs, object by object; raises ValidationFailed with every problem by edit, ``edits[3].prefixes``.
    """
    draft = draft_to_edit(draft, dry_run=dry_run)
    with transaction.atomic():
        changes = changes_of_edits(
            tenant_cache.load_objects(queries.snapshot_of_draft(draft)),
            [(f"edits[{index}].", edit) for index, edit in enumerate(edits)],
            dry_run=dry_run,
        )
        return apply_changes(draft, changes, "made", dry_run=dry_run)


def changes_of_edits(
    before: SnapshotObjects, edits: Sequence[tuple[str, Mapping[str, Any]]], *, dry_run: bool = False
) -> list[BodyChange]:
    """Return what becomes of each object; ``edits``: what stands before the paths of its problems, and the edit.

    Creates the items of what is new, with ``dry_run`` none. Raises ValidationFailed with the problems of all.
    """
    batch, problems = _EditBatch(before, [edit for _, edit in edits], dry_run=dry_run), ProblemCollector()
    for location, edit in edits:
        problems.collect(location, partial(batch.add, edit))
    problems.raise_if_any()
    batch.refuse_dangling()
    return batch.changes()


class _EditBatch:
    """The sum of a list of edits; what they touch is kept apart, so that an edit costs no copy of the network."""

    def __init__(self, before: SnapshotObjects, edits: Sequence[Mapping[str, Any]], *, dry_run: bool) -> None:
        self.before = before
        self.touched: dict[str, dict[str, ParsedObject | None]] = {kind: {} for kind in before.entries}
        self.normaliser = BodyNormaliser(self._find)
        new: dict[str, list[str]] = {}
        for edit in edits:
            if edit["action"] == "create":
                new.setdefault(edit["kind"], []).append(str((edit.get("body") or {}).get("name")))
        self.new = {kind: iter(create_items(kind, names, dry_run=dry_run)) for kind, names in new.items()}
        self.items: dict[str, Item] = {}

    def add(self, edit: Mapping[str, Any]) -> Body:
        kind, action, body = edit["kind"], edit["action"], edit.get("body") or {}
        # Taken even if the body is refused: the next new object has the next item.
        item = next(self.new[kind]) if action == "create" else None
        stored = self._row(kind, str(edit.get("id")))
        if item is None and stored is None:
            raise _single_problem("unknown_reference", "id", f"There is no such object among the {kind} of this draft.")
        if item is not None:
            new_body = self.normaliser.normalise(kind, body)
            self.items[str(item.uid)] = item
            stored = StoredObject(kind, str(item.uid), item.number, item.key, new_body["name"], new_body)
        elif stored and action == "change":
            merged = {**stored.body, **translate_old_fields(kind, body)}
            new_body = self.normaliser.normalise(kind, merged, stored.body)
            stored = StoredObject(kind, stored.uid, stored.number, stored.key, new_body["name"], new_body)
        assert stored is not None
        self.touched[kind][stored.uid] = None if action == "remove" else ParsedObject.of(stored)
        return stored.body

    def _row(self, kind: str, uid: str) -> StoredObject | None:
        if uid in self.touched[kind]:
            parsed = self.touched[kind][uid]
            return parsed.row if parsed else None
        return self.before.get(kind, uid)

    def _find(self, kind: str, reference: str) -> str | None:
        """Return the uid of a reference (a name or an id) as it is after the edits so far; None where there is none."""
        if kind not in self.touched:
            return None
        if self._row(kind, reference):
            return reference
        touched, uid = self.touched[kind], self.before.names(kind).get(reference)
        if uid in touched and ((parsed := touched[uid]) is None or not _is_named(parsed, reference)):
            # The oldest object of this name was renamed or removed by an edit.
            entries = self.before.entries[kind].items()
            uid = next((uid for uid, parsed in entries if _is_named(parsed, reference) and uid not in touched), None)
        return uid or next((uid for uid, parsed in touched.items() if parsed and _is_named(parsed, reference)), None)

    @cached_property
    def after(self) -> SnapshotObjects:
        """The objects after all edits; read it once every edit is added."""
        return self.before.changed(
            (kind, uid, entry) for kind, touched in self.touched.items() for uid, entry in touched.items()
        )

    def changes(self) -> list[BodyChange]:
        return _body_changes(self.before, self.after, self.items)

    def refuse_dangling(self) -> None:
        """Raise ValidationFailed where an object that stays refers to one that is removed."""
        removed = {stored.uid: stored.name for stored in self.before if self.after.get(stored.kind, stored.uid) is None}
        problems = ProblemCollector()
        for referrer in self.after if removed else ():
            for uid in removed.keys() & {target for _, target in object_references(referrer.kind, referrer.body)}:
                problems.add(
                    "in_use",
                    f"{referrer.kind}/{referrer.key}",
                    f"{referrer.name} refers to {removed[uid]}, which is removed.",
                )
        problems.raise_if_any()


def import_table(draft: Draft, kind: str, data: bytes, *, dry_run: bool = False) -> dict[str, Any]:
    """Create and change the objects of a CSV table (core/formats/csv_tables.py), matched by name; others stay.

    Returns ``{"rows", "created", "changed", "unchanged", "differences"}``. Raises ValidationFailed with every problem
    by row and column, ``rows[3].prefixes``; then nothing was changed.
    """
    try:
        header, lines = read_csv(data, MAX_ROWS)
    except BadCsv as error:
        raise ValidationFailed(error.message, [Problem("bad_table", f"rows[{error.line}]", error.message)]) from error
    objects, bad_cells = csv_tables.rows_to_objects(kind, header, lines)
    problems = ProblemCollector()
    for row, column, message in bad_cells:
        problems.add("bad_cell", f"rows[{row}].{column}", f"Row {row}, {column}: {message}")
    problems.raise_if_any()
    draft = draft_to_edit(draft, dry_run=dry_run)
    with transaction.atomic():
        before = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
        after, items = _apply_table(before, kind, objects, dry_run=dry_run)
        changes = _body_changes(before, after, items)
        try:
            differences = apply_changes(draft, changes, "imported", dry_run=dry_run, most=MAX_DIFFERENCES)
        except ValidationFailed as error:
            raise ValidationFailed(error.detail, _problems_by_row(kind, after, objects, error.problems)) from error
    created = sum(change.before is None for change in changes)
    counts = {"created": created, "changed": len(changes) - created, "unchanged": len(objects) - len(changes)}
    return {"rows": len(lines), **counts, "differences": differences}


def _apply_table(
    before: SnapshotObjects, kind: str, objects: Sequence[csv_tables.CsvObject], *, dry_run: bool
) -> tuple[SnapshotObjects, dict[str, Item]]:
    """Return the objects with those of the table in them, and the items of the new ones by uid."""
    names, normaliser, problems = before.names(kind), BodyNormaliser(before.resolve()), ProblemCollector()
    normalised: list[tuple[csv_tables.CsvObject, Body]] = []
    for csv_object in objects:
        existing = before.body(kind, names[csv_object.name]) if csv_object.name in names else None
        try:
            merged = csv_object.merged_onto(existing or {})
            normalised.append((csv_object, normaliser.normalise(kind, merged, existing)))
        except ValidationFailed as error:
            for problem in error.problems:
                row, column = csv_object.place(problem.path)
                problems.add(problem.code, f"rows[{row}].{column}", f"Row {row}, {column}: {problem.message}")
    problems.raise_if_any()
    new_names = [csv_object.name for csv_object, _ in normalised if csv_object.name not in names]
    new = create_items(kind, new_names, dry_run=dry_run)
    created = {str(item.uid): item for item in new}
    unused_items = iter(new)
    stored_objects = []
    for csv_object, body in normalised:
        if stored := before.get(kind, names.get(csv_object.name, "")):
            stored_objects.append(StoredObject(kind, stored.uid, stored.number, stored.key, body["name"], body))
        else:
            item = next(unused_items)
            stored_objects.append(StoredObject(kind, str(item.uid), item.number, item.key, body["name"], body))
    return before.changed((kind, row.uid, ParsedObject.of(row)) for row in stored_objects), created


def _problems_by_row(
    kind: str, after: SnapshotObjects, objects: Sequence[csv_tables.CsvObject], problems: Sequence[Problem]
) -> list[Problem]:
    """Return the problems of the network that the table would make, located at the rows they are about."""
    by_name = {csv_object.name: csv_object for csv_object in objects}
    by_key = {
        parsed.row.key: by_name[parsed.row.name]
        for parsed in after.entries[kind].values()
        if parsed.row.name in by_name
    }
    located = []
    for problem in problems:
        key, _, path = problem.path.removeprefix(f"{kind}/").partition("/")
        csv_object = by_key.get(key) if problem.path.startswith(f"{kind}/") else None
        if csv_object is None:
            located.append(problem)
        else:
            row, column = csv_object.place(path) if path else (csv_object.lines[0].number, "name")
            located.append(Problem(problem.code, f"rows[{row}].{column}", f"Row {row}, {column}: {problem.message}"))
    return located


def _body_changes(before: SnapshotObjects, after: SnapshotObjects, created: Mapping[str, Item]) -> list[BodyChange]:
    """Return what happened to each object that differs, in order of kind and number."""
    touched = [
        (old, new)
        for kind in before.entries
        if before.entries[kind] is not after.entries[kind]
        for uid in {**before.entries[kind], **after.entries[kind]}
        if (old := before.entries[kind].get(uid)) is not (new := after.entries[kind].get(uid))
        and (old is None or new is None or not is_same_body(kind, old.row.body, new.row.body))
    ]
    existing = Item.objects.in_bulk([old.row.number for old, _ in touched if old])
    return [
        BodyChange(
            existing[old.row.number] if old else created[new.row.uid],  # type: ignore[union-attr]  # one of them exists
            old.row.body if old else None,
            new.row.body if new else None,
            new,
        )
        for old, new in touched
    ]


def _is_named(parsed: ParsedObject, reference: str) -> bool:
    return normalise_text(parsed.row.name) == reference


def _single_problem(code: str, path: str, message: str) -> ValidationFailed:
    return ValidationFailed(message, [Problem(code, path, message)])
