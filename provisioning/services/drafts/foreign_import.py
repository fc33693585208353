"""Importing what another system calls a network: translated (core/translators/), and added to what a draft has.

Objects are matched by name; what the files do not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from provisioning.catalog import catalog
from provisioning.core import intent as core
from provisioning.core.translators import FORMATS
from provisioning.core.translators.translation import (
    BadSource,
    Note,
    SourceFile,
    SourceFormat,
    TranslatedFiles,
    TranslationContext,
)
from provisioning.core.values.resource import Problem
from provisioning.core.values.text import name_key, normalise_text
from provisioning.drivers import cloud_of_connector
from provisioning.errors import ObjectNotFound, ValidationFailed
from provisioning.models import Draft
from provisioning.services.drafts import document_import, editing
from provisioning.services.drafts.bulk import MAX_DIFFERENCES
from provisioning.services.drafts.lifecycle import draft_to_edit
from provisioning.services.drafts.overlay import BodyChange
from provisioning.snapshots import queries, resource_state, tenant_cache
from provisioning.snapshots.objects import SnapshotObjects

MAX_FILES = 500


@dataclass(frozen=True, slots=True)
class ForeignImport:
    """What files change in a draft, and what of them the network does not say."""

    translation: TranslatedFiles
    changes: Sequence[BodyChange]
    notes: Sequence[Note]


def get_format(key: str) -> SourceFormat:
    """Raise ObjectNotFound where there is none of that name."""
    if key not in FORMATS:
        raise ObjectNotFound(f"There is no format “{key[:60]}”. Use {', '.join(FORMATS)}.")
    return FORMATS[key]


def is_large(source_format: SourceFormat, files: Sequence[SourceFile]) -> bool:
    """Return whether a worker should translate the files."""
    return sum(len(file.data) for file in files) > source_format.quick_bytes


def check_files(source_format: SourceFormat, files: Sequence[SourceFile]) -> None:
    """Raise ValidationFailed where there is no file, or there are too many or too large ones."""
    size = sum(len(file.data) for file in files)
    if not files:
        raise _refusal("required", "files", f"Send at least one file. {source_format.help}")
    if len(files) > MAX_FILES:
        raise _refusal("too_many_files", "files", f"There are {len(files):,} files; {MAX_FILES} is the most.")
    if size > source_format.max_bytes:
        most = f"{source_format.max_bytes // 1_000_000} MB"
        raise _refusal("too_large", "files", f"The files have more than {most} together. Send them in parts.")


def import_files(
    draft: Draft, key: str, files: Sequence[SourceFile], options: Mapping[str, Any], *, dry_run: bool = False
) -> dict[str, Any]:
    """Translate files and add what they say to the draft, as one edit; a dry run only tells.

    Returns ``{"created", "changed", "unchanged", "differences", "notes", "more_notes", "header", "columns"}``. Raises
    ValidationFailed where the files cannot be read, or make a network that is refused.
    """
    draft = draft_to_edit(draft, dry_run=dry_run)
    with transaction.atomic():
        found = changes_from_files(draft, key, files, options, dry_run=dry_run)
        differences = editing.apply_changes(draft, found.changes, "imported", dry_run=dry_run, most=MAX_DIFFERENCES)
    created = sum(change.before is None for change in found.changes)
    named = sum(map(len, found.translation.document.values()))
    return {
        "created": created,
        "changed": len(found.changes) - created,
        "unchanged": named - len(found.changes),
        "differences": differences,
        **report(found),
    }


def report(found: ForeignImport) -> dict[str, Any]:
    """Return what could not be said, as the API shows it."""
    translation = found.translation
    return {
        "notes": [
            {"kind": note.kind, "place": note.place, "says": note.says, "why": note.why, "remedy": note.remedy}
            for note in found.notes
        ],
        "more_notes": translation.more_notes,
        "header": list(translation.header),
        "columns": dict(translation.columns),
    }


def changes_from_files(
    draft: Draft, key: str, files: Sequence[SourceFile], options: Mapping[str, Any], *, dry_run: bool = False
) -> ForeignImport:
    """Return what the files change. Raises ValidationFailed as ``import_files`` does, and where they say nothing."""
    source_format = get_format(key)
    check_files(source_format, files)
    objects = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    try:
        translation = source_format.translate(files, _context(source_format, objects, options))
    except BadSource as error:
        raise _refusal("unreadable", error.place, error.message) from error
    document = _with_positions(translation.document, objects)
    if not document and not dry_run:
        raise _refusal("nothing_to_import", "files", "The files say nothing that the network can hold.")
    changes = document_import.changes_from_document(draft, document, dry_run=dry_run, keep_others=True)
    return ForeignImport(translation, changes, [*translation.notes, *_missing_accounts(document)])


def _context(source_format: SourceFormat, objects: SnapshotObjects, options: Mapping[str, Any]) -> TranslationContext:
    """Raise ValidationFailed where an option is unknown to the format or of the wrong type."""
    for name, value in options.items():
        if name not in source_format.options:
            known = ", ".join(source_format.options) or "none"
            raise _refusal("unknown_field", f"options.{name}", f"{source_format.label} has the options {known}.")
        is_mapping = name in ("places", "columns")
        texts = [*value.keys(), *value.values()] if isinstance(value, Mapping) else [value]
        if isinstance(value, Mapping) is not is_mapping or not all(isinstance(text, str) for text in texts):
            wanted = "an object of texts" if is_mapping else "a text"
            raise _refusal("wrong_type", f"options.{name}", f"“{name}” is {wanted}.")
    return TranslationContext(
        exchanges={row.name: row.body["location"] for row in objects.rows("exchanges")},
        locations={name_key(location.region): location.key for location in catalog().locations.values()},
        groups=frozenset(row.name for row in objects.rows("groups")),
        prefix_lists=frozenset(row.name for row in objects.rows("prefix-lists")),
        **options,
    )


def _with_positions(
    document: Mapping[str, list[dict[str, Any]]], objects: SnapshotObjects
) -> dict[str, list[dict[str, Any]]]:
    """Return the document with a position for each object that has one, in its order, after those of other objects.

    Where all are there already, in this order, they keep theirs.
    """
    placed = dict(document)
    for kind in document:
        if core.kind_of(kind).position is None:
            continue
        taken = {normalise_text(row.name): row.body["position"] for row in objects.rows(kind)}
        mine = [taken.get(normalise_text(body["name"])) for body in document[kind]]
        positions = [position for position in mine if position is not None]
        if len(positions) < len(mine) or positions != sorted(set(positions)):
            start = max(taken.values(), default=0) // 10 * 10
            positions = [start + 10 * number for number in range(1, len(mine) + 1)]
        placed[kind] = [
            {**body, "position": position} for body, position in zip(document[kind], positions, strict=True)
        ]
    return placed


def _missing_accounts(document: Mapping[str, list[dict[str, Any]]]) -> Iterator[Note]:
    """Yield a note for each cloud account that connectors of the document are in, and the tenant has not added."""
    known = resource_state.added_accounts()
    connectors: dict[tuple[str, str], list[str]] = {}
    for body in document.get("connectors", ()):
        if cloud := cloud_of_connector(body["kind"]):
            account = cloud.name, body["settings"][cloud.account_setting(body["kind"])]
            if account not in known:
                connectors.setdefault(account, []).append(body["name"])
    for (provider, account_id), names in connectors.items():
        some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        why = "It is not among the cloud accounts, so nothing in it can be provisioned."
        yield Note("needed", some, f"{provider} account {account_id}", why, "Add it under Cloud accounts.")


def _refusal(code: str, path: str, message: str) -> ValidationFailed:
    where = f"{path}: " if code == "unreadable" else ""
    return ValidationFailed(f"{where}{message}", [Problem(code, path, message)])
