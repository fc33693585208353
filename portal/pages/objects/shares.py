"""Shares: the only way from one segment to another."""

from __future__ import annotations

from typing import Any

from portal.pages.objects.fields import DESCRIPTION, NAME, Choice, Number, Part, Pick, Texts
from portal.pages.objects.kind import Body, Column, Kind

DIRECTIONS = (
    ("both", "Both: either side may begin a connection"),
    ("a-to-b", "Only side A begins; side B answers"),
    ("b-to-a", "Only side B begins; side A answers"),
)
ARROWS = {"both": "⇄", "a-to-b": "→", "b-to-a": "←"}


def side(path: str, label: str) -> Part:
    return Part(
        path,
        label,
        fields=(
            Pick("segment", "Segment", kinds=("segments",)),
            Pick("groups", "Groups", kinds=("groups",), many=True),
            Texts("prefixes", "Prefixes", example="10.9.0.0/24", hint="Of the segment's members; beside the groups."),
        ),
    )


def shared(path: str) -> Any:
    def show(body: Body) -> list[str]:
        return [*body[path]["groups"], *body[path]["prefixes"]]

    return show


KIND = Kind(
    key="shares",
    word="share",
    plural="Shares",
    icon="arrows-left-right",
    teaches="Segments do not reach each other. A share lets named groups or prefixes of two of them do so, begun from "
    "one side or both, through a firewall if you like. Shares are not passed on.",
    columns=(
        Column("Side A", lambda body: body["a"]["segment"], cell="segment"),
        Column("Members", shared("a")),
        Column("Begins", lambda body: ARROWS[body["direction"]]),
        Column("Side B", lambda body: body["b"]["segment"], cell="segment"),
        Column("Members", shared("b")),
        Column("Through", lambda body: body["services"], wide=True),
    ),
    form=lambda body: (
        NAME,
        side("a", "Side A"),
        side("b", "Side B"),
        Choice("direction", "Who begins", options=DIRECTIONS),
        Pick("services", "Through", kinds=("services",), many=True, hint="Inspected in this order."),
        Number("route_limit", "Routes at most", least=1, most=100_000, hint="More than that is an error, not a flood."),
        DESCRIPTION,
    ),
    blank={"direction": "both", "route_limit": 100},
)
