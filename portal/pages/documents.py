"""The network as one document and as tables: shown, edited as text, downloaded, imported. Writes go to the API."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render

from portal.api import etags
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.objects import KIND_PAGES
from provisioning.core.formats import yaml_format
from provisioning.core.formats.csv_tables import CSV_TABLES
from provisioning.models import Draft
from provisioning.snapshots import queries
from provisioning.snapshots.document_export import export_document
from provisioning.snapshots.queries import Snapshot

MAX_NAMES = 500
COLUMN_HELP = {
    "connectors": (
        ("name", "several rows of one name are several attachments of one connector"),
        ("kind", "such as ipsec-site or colo"),
        ("exchange", "by name"),
        ("size", "such as small"),
        ("segment", "by name"),
        ("groups", "by name, parted by |, may be empty"),
        ("attachments.labels", "of this attachment, such as zone=dmz; they count before the connector's"),
        ("prefixes", "separated by spaces, commas or semicolons"),
        ("labels", "of the connector, such as env=prod, tier=web; selectors of groups match them"),
        ("settings.FIELD", "a column for each setting of its kind, such as settings.peer_addresses"),
    ),
    "prefix-lists": (
        ("name", "several rows of one name are the entries of one list"),
        ("prefix", "such as 10.20.0.0/16"),
        ("ge", "shortest length of routes inside it, may be empty"),
        ("le", "longest length, may be empty"),
    ),
}
"""What the import page says of the columns of a table, where the help of every column would be too much to read."""


@tenant_page()
def text(request: PageRequest, uid: UUID) -> HttpResponse:
    """Show the draft as YAML, to be edited."""
    draft = get_draft(request, uid)
    document = export_document(queries.snapshot_of_draft(draft))
    context = {**draft_context(request, draft), "document": _yaml(document), "tag": etags.entity_tag(document)}
    return render(request, "pages/design/yaml.html", context)


@tenant_page()
def importing(request: PageRequest, uid: UUID, kind: str) -> HttpResponse:
    """Show the import of objects of a kind from a table."""
    if kind not in CSV_TABLES:
        raise Http404
    columns = COLUMN_HELP.get(kind) or CSV_TABLES[kind].help_texts.items()
    draft = get_draft(request, uid)
    context = {**draft_context(request, draft), "kind": KIND_PAGES[kind], "columns": columns}
    return render(request, "pages/design/import.html", context)


@tenant_page()
def of_draft(request: PageRequest, uid: UUID) -> HttpResponse:
    draft = get_draft(request, uid)
    return _download(request, queries.snapshot_of_draft(draft), f"{request.tenant.slug}-{draft.name}")


@tenant_page()
def of_live(request: PageRequest) -> HttpResponse:
    return _download(request, queries.live_snapshot(), f"{request.tenant.slug}-live")


@tenant_page()
def of_revision(request: PageRequest, number: int) -> HttpResponse:
    return _download(request, queries.revision_snapshot(number), f"{request.tenant.slug}-revision-{number}")


@tenant_page()
def names(request: PageRequest, uid: UUID) -> HttpResponse:
    """Answer id → name of the objects of a draft, for lists of differences: ``?id=…&id=…``."""
    uids = request.GET.getlist("id")[:MAX_NAMES]
    objects = queries.objects_by_uid(
        queries.snapshot_of_draft(get_draft(request, uid)), [uid_text for uid_text in uids if _is_uid(uid_text)]
    )
    return JsonResponse({uid_text: row.name for uid_text, row in objects.items()})


def draft_context(request: PageRequest, draft: Draft) -> dict[str, Any]:
    return {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid), "name": draft.name},
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "may": {"edit": "edit" in request.rights and draft.state == Draft.State.OPEN},
    }


def _download(request: PageRequest, snapshot: Snapshot, name: str) -> HttpResponse:
    """Answer the document as a file that can be imported again, as ``?format=yaml`` or json."""
    file_format = "json" if request.GET.get("format") == "json" else "yaml"
    document = export_document(snapshot)
    body = json.dumps(document, indent=2, ensure_ascii=False) if file_format == "json" else _yaml(document)
    safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}.{file_format}"'}
    return HttpResponse(body, content_type=f"application/{file_format}; charset=utf-8", headers=headers)


def _yaml(document: dict[str, Any]) -> str:
    return yaml_format.dump_yaml(document, width=110).decode()


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
