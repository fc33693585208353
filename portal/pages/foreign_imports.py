"""Files of other systems: chosen, tried with what could not be said, imported. Writes go to the API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.documents import draft_context
from provisioning.core.translators import FORMATS
from provisioning.snapshots import queries


@tenant_page()
def importing(request: PageRequest, uid: UUID) -> HttpResponse:
    """Show the import of files of any format."""
    draft = get_draft(request, uid)
    snapshot = queries.snapshot_of_draft(draft)
    choices = {kind: [row.name for row in queries.list_objects(snapshot, kind)] for kind in ("segments", "exchanges")}
    context = {
        **draft_context(request, draft),
        "formats": FORMATS.values(),
        "segments": choices["segments"],
        "exchanges": choices["exchanges"],
    }
    return render(request, "pages/design/import_files.html", context)
