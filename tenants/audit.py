"""The audit log: append-only and hash-chained, so that a row that was changed or deleted afterwards is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone

from tenants import actor, scope
from tenants.models import AuditEntry

# What the hash of an entry covers: everything but the hash itself.
HASHED_FIELDS = tuple(
    field.name for field in AuditEntry._meta.concrete_fields if field.name not in ("id", "tenant", "digest")
)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What an entry says; ``before`` and ``after`` are JSON values and never hold a secret."""

    action: str
    kind: str = ""
    object_id: str = ""
    object_name: str = ""
    before: Any = None
    after: Any = None


def record(
    action: str,
    *,
    kind: str = "",
    object_id: str = "",
    object_name: str = "",
    before: Any = None,
    after: Any = None,
) -> AuditEntry:
    """Write one entry."""
    [entry] = record_all([AuditEvent(action, kind, object_id, object_name, before, after)])
    return entry


def record_all(events: Iterable[AuditEvent]) -> list[AuditEntry]:
    """Write entries in order, all with the same time."""
    tenant, acting, now = scope.current_tenant(), actor.current_actor(), timezone.now()
    with connection.cursor() as cursor:
        # The chain has one end: entries of a tenant are written one after the other.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [0x0A0D, tenant.pk % 2**31])
    last = AuditEntry.objects.order_by("-number").values_list("number", "digest").first()
    newest, previous = last or (0, "")
    entries = []
    for number, event in enumerate(events, newest + 1):
        entry = AuditEntry(
            number=number,
            at=now,
            actor=acting.email,
            acting_as=acting.acting_as,
            address=acting.address,
            request_id=acting.request_id,
            action=event.action,
            kind=event.kind,
            object_id=event.object_id,
            object_name=event.object_name,
            before=_as_json(event.before),
            after=_as_json(event.after),
            previous=previous,
        )
        previous = entry.digest = _digest(entry)
        entries.append(entry)
    return AuditEntry.objects.bulk_insert(entries)


def last_entry(kind: str, object_id: str) -> AuditEntry | None:
    """Return what was last done to an object; None where nothing was."""
    return AuditEntry.objects.filter(kind=kind, object_id=object_id).order_by("-number").first()


def verify_chain() -> Iterator[str]:
    """Yield what is wrong with the chain of the tenant in force, one sentence a finding."""
    previous, expected = "", 1
    for entry in AuditEntry.objects.order_by("number").iterator():
        if entry.number != expected:
            yield f"Entry {expected} is missing."
        if entry.previous != previous:
            yield f"Entry {entry.number} does not follow the one before it."
        if entry.digest != _digest(entry):
            yield f"Entry {entry.number} was changed after it was written."
        previous, expected = entry.digest, entry.number + 1


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _digest(entry: AuditEntry) -> str:
    fields = {name: getattr(entry, name) for name in HASHED_FIELDS}
    fields["at"] = entry.at.isoformat()
    return hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
