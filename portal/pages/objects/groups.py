"""Groups: what policies talk about."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import KindPage, ListColumn

FIELDS = fields_of("groups")

KIND_PAGE = KindPage(
    key="groups",
    icon="stack-2",
    columns=(
        ListColumn("Selects", lambda body: body["selector"] or "", cell="mono"),
        ListColumn("Contains", lambda body: body["contains"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: tuple(map(FIELDS, ("name", "description", "selector", "contains"))),
)
