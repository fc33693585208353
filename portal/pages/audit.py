"""The audit log: who did what to which object, before and after. A hash chain shows any later change."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, tenant_page
from tenants.audit import verify_chain
from tenants.models import AuditEntry


@tenant_page("audit")
def audit(request: PageRequest) -> HttpResponse:
    search, kind = request.GET.get("search", "").strip(), request.GET.get("kind", "")
    entries_found = AuditEntry.objects.order_by("-number")
    if search:
        entries_found = entries_found.filter(
            Q(actor__icontains=search) | Q(action__icontains=search) | Q(object_name__icontains=search)
        )
    if kind:
        entries_found = entries_found.filter(kind=kind)
    entries = Paginator(entries_found, 100).get_page(request.GET.get("page"))
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
    """Verify the hash chain and answer the result as a fragment."""
    return render(
        request,
        "pages/audit.html#verdict",
        {"checked": True, "findings": list(verify_chain()), "count": AuditEntry.objects.count()},
    )


def _changed_fields(entry: AuditEntry) -> list[tuple[str, object, object]]:
    """Return (field, before, after) of each field that differs."""
    before, after = entry.before, entry.after
    if not isinstance(before, dict) and not isinstance(after, dict):
        return [("", before, after)] if before != after else []
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    return [(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]
