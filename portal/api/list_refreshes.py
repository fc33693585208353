"""The source of a prefix list: when it was fetched and what came of it, and fetching it now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.intent_objects import requested_snapshot
from portal.api.schema_fields import number, object_schema, optional_text, text, timestamp
from provisioning.models import ListRefresh
from provisioning.services import list_sources
from provisioning.snapshots import queries

REFRESH = object_schema(
    "ListRefresh",
    fetched_at=timestamp("when the source last answered as it should", allow_null=True),
    changed_at=timestamp("when it last listed something else than before", allow_null=True),
    due_at=timestamp("when it is fetched next; null in a draft, where it is fetched when asked for", allow_null=True),
    failures=number("one after the other, since it last answered"),
    error=text("why the last one failed, and what to do", allow_blank=True),
    draft=optional_text("id of the draft in which a change waits to be provisioned"),
)


def refresh_json(refresh: ListRefresh | None) -> dict[str, Any]:
    """Return what is known of a list's source; nothing yet where it was never fetched."""
    known = refresh or ListRefresh()
    plain = ("fetched_at", "changed_at", "due_at", "failures", "error")
    waiting = known.waiting_draft if known.is_waiting else None
    return {**{name: getattr(known, name) for name in plain}, "draft": waiting and str(waiting.uid)}


class ListRefreshView(BaseApiView):
    """What is known of the source of a prefix list."""

    @extend_schema(responses=REFRESH)
    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        snapshot = requested_snapshot(**where)
        stored = queries.get_object(snapshot, list_sources.KIND, uid)
        return Response(refresh_json(list_sources.find_refresh(snapshot.draft, stored.number)))

    @extend_schema(request=None, responses={202: REFRESH})
    def post(self, request: Request, uid: UUID, **where: Any) -> Response:
        """Fetches the source now. In a draft the entries are an edit of it; of live a draft with its plan follows."""
        return Response(refresh_json(list_sources.request_refresh(requested_snapshot(**where), uid)), status=202)


def list_refresh_urls(prefix: str) -> list[URLPattern]:
    return [path(f"{prefix}prefix-lists/<uuid:uid>/refresh/", ListRefreshView.as_view())]
