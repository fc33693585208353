"""The audit log: who did what to which object, before and after. A hash chain shows any later change."""

from __future__ import annotations

import csv
import json
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.pages.audit_words import action_word, actions_matching
from portal.pages.days import midnight, parse_day
from portal.pages.decorators import PageRequest, tenant_page
from provisioning.core.formats.csv_text import escape_formula
from tenants.audit import verify_chain
from tenants.models import AuditEntry

CSV_COLUMNS = ("number", "at", "actor", "acting_as", "address", "action", "kind", "object_id", "object_name")


@tenant_page("audit")
def audit(request: PageRequest) -> HttpResponse:
    query = {name: request.GET.get(name, "").strip() for name in ("search", "kind", "from", "to")}
    entries_found = _find_entries(query)
    if request.GET.get("format") == "csv":
        return _csv_response(entries_found, f"audit-{request.tenant.slug}.csv")
    entries = Paginator(entries_found, 100).get_page(request.GET.get("page"))
    context = {
        "page": entries,
        "rows": [(entry, action_word(entry.action), _changed_fields(entry)) for entry in entries],
        "kinds": sorted(filter(None, set(AuditEntry.objects.order_by().values_list("kind", flat=True).distinct()))),
        "query": query,
        "filtered": any(query.values()),
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "pages/audit.html", context)


@tenant_page("audit")
def verify(request: PageRequest) -> HttpResponse:
    """Verify the hash chain and answer the result as a fragment."""
    return render(
        request,
        "pages/audit.html#verdict",
        {"checked": True, "findings": list(verify_chain()), "count": AuditEntry.objects.count()},
    )


def _find_entries(query: dict[str, str]) -> QuerySet[AuditEntry]:
    """Return the entries that match, the newest first; a day that cannot be read is no limit."""
    entries = AuditEntry.objects.order_by("-number")
    if search := query["search"]:
        named = Q(actor__icontains=search) | Q(action__icontains=search) | Q(object_name__icontains=search)
        entries = entries.filter(named | Q(action__in=actions_matching(search)))
    if query["kind"]:
        entries = entries.filter(kind=query["kind"])
    if first := _limit(query["from"]):
        entries = entries.filter(at__gte=midnight(first, timezone.get_current_timezone()))
    if last := _limit(query["to"]):
        entries = entries.filter(at__lt=midnight(last + timedelta(days=1), timezone.get_current_timezone()))
    return entries


def _limit(text: str) -> date | None:
    """Return a day that a limit can be made of: at both ends of the calendar other zones have other years."""
    day = parse_day(text)
    return day if day and MINYEAR < day.year < MAXYEAR else None


def _csv_response(entries: QuerySet[AuditEntry], name: str) -> HttpResponse:
    """Answer all entries with what they changed, times in UTC (ISO 8601)."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow([*CSV_COLUMNS, "before", "after"])
    for entry in entries.iterator():
        values = (getattr(entry, column) for column in CSV_COLUMNS)
        words = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
        changes = ["" if value is None else json.dumps(value) for value in (entry.before, entry.after)]
        writer.writerow(map(escape_formula, [*words, *changes]))
    return response


def _changed_fields(entry: AuditEntry) -> list[tuple[str, Any, Any]]:
    """Return (field, before, after) of each field that differs."""
    before, after = entry.before, entry.after
    if not isinstance(before, dict) and not isinstance(after, dict):
        return [("", before, after)] if before != after else []
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    return [(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]
