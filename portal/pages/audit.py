"""The audit log: who did what to which thing, before and after, chained so that a change afterwards shows."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, tenant_page
from tenants import audit as chain
from tenants.models import AuditEntry


@tenant_page("audit")
def audit(request: PageRequest) -> HttpResponse:
    search, kind = request.GET.get("search", "").strip(), request.GET.get("kind", "")
    found = AuditEntry.objects.order_by("-number")
    if search:
        found = found.filter(
            Q(actor__icontains=search) | Q(action__icontains=search) | Q(object_name__icontains=search)
        )
    if kind:
        found = found.filter(kind=kind)
    entries = Paginator(found, 100).get_page(request.GET.get("page"))
    for entry in entries:
        entry.fields = _changed_fields(entry)
    context = {
        "page": entries,
        "kinds": sorted(filter(None, set(AuditEntry.objects.order_by().values_list("kind", flat=True).distinct()))),
        "kind": kind,
        "search": search,
    }
    return render(request, "pages/audit.html", context)


@tenant_page("audit")
def verify(request: PageRequest) -> HttpResponse:
    """The chain recomputed, as a fragment."""
    return render(
        request,
        "pages/audit.html#verdict",
        {"checked": True, "findings": list(chain.verify_chain()), "count": AuditEntry.objects.count()},
    )


def _changed_fields(entry: AuditEntry) -> list[tuple[str, object, object]]:
    """What differs between before and after, field by field."""
    before, after = entry.before, entry.after
    if not isinstance(before, dict) and not isinstance(after, dict):
        return [("", before, after)] if before != after else []
    was, now = (value if isinstance(value, dict) else {} for value in (before, after))
    return [(name, was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)]
