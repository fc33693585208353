"""Groups: what policies talk about."""

from __future__ import annotations

from portal.pages.objects.form_fields import DESCRIPTION, NAME
from portal.pages.objects.object_kind import ListColumn, ObjectKind

KIND = ObjectKind(
    key="groups",
    word="group",
    plural="Groups",
    icon="stack-2",
    empty_text="A named set of connectors, across clouds and sites. Policies talk about groups; a connector joins one "
    "where it attaches to a segment.",
    columns=(ListColumn("Description", lambda body: body["description"]),),
    form=lambda body: (NAME, DESCRIPTION),
)
