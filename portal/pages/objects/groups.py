"""Groups: what policies talk about."""

from __future__ import annotations

from portal.pages.objects.fields import DESCRIPTION, NAME
from portal.pages.objects.kind import Column, Kind

KIND = Kind(
    key="groups",
    word="group",
    plural="Groups",
    icon="stack-2",
    teaches="A named set of connectors, across clouds and sites. Policies talk about groups; a connector joins one "
    "where it attaches to a segment.",
    columns=(Column("Description", lambda body: body["description"]),),
    form=lambda body: (NAME, DESCRIPTION),
)
