"""Groups: what policies talk about."""

from __future__ import annotations

from portal.pages.objects.object_kind import ListColumn, ObjectKind

KIND = ObjectKind(
    key="groups",
    icon="stack-2",
    columns=(ListColumn("Description", lambda body: body["description"]),),
)
