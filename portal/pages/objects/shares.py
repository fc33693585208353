"""Shares: the only way from one segment to another."""

from __future__ import annotations

from typing import Any

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    FieldGroup,
    NumberField,
    ReferenceField,
    SelectField,
    TextListField,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind

DIRECTIONS = (
    ("both", "Both: either side may begin a connection"),
    ("a-to-b", "Only side A begins; side B answers"),
    ("b-to-a", "Only side B begins; side A answers"),
)
ARROWS = {"both": "⇄", "a-to-b": "→", "b-to-a": "←"}


def share_side_fields(path: str, label: str) -> FieldGroup:
    return FieldGroup(
        path,
        label,
        fields=(
            ReferenceField("segment", "Segment", kinds=("segments",)),
            ReferenceField("groups", "Groups", kinds=("groups",), many=True),
            TextListField(
                "prefixes", "Prefixes", example="10.9.0.0/24", hint="Of the segment's members; beside the groups."
            ),
        ),
    )


def shared_addresses(path: str) -> Any:
    def show(body: Body) -> list[str]:
        return [*body[path]["groups"], *body[path]["prefixes"]]

    return show


KIND = ObjectKind(
    key="shares",
    word="share",
    plural="Shares",
    icon="arrows-left-right",
    empty_text="Segments do not reach each other. A share lets named groups or prefixes of two of them do "
    "so, begun from "
    "one side or both, through a firewall if you like. Shares are not passed on.",
    columns=(
        ListColumn("Side A", lambda body: body["a"]["segment"], cell="segment"),
        ListColumn("Members", shared_addresses("a")),
        ListColumn("Begins", lambda body: ARROWS[body["direction"]]),
        ListColumn("Side B", lambda body: body["b"]["segment"], cell="segment"),
        ListColumn("Members", shared_addresses("b")),
        ListColumn("Through", lambda body: body["services"], wide=True),
    ),
    form=lambda body: (
        NAME,
        share_side_fields("a", "Side A"),
        share_side_fields("b", "Side B"),
        SelectField("direction", "Who begins", options=DIRECTIONS),
        ReferenceField("services", "Through", kinds=("services",), many=True, hint="Inspected in this order."),
        NumberField(
            "route_limit", "Routes at most", least=1, most=100_000, hint="More than that is an error, not a flood."
        ),
        DESCRIPTION,
    ),
    blank={"direction": "both", "route_limit": 100},
)
