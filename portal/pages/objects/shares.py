"""Shares: the only way from one segment to another."""

from __future__ import annotations

from typing import Any

from portal.pages.objects.kind_page import Body, KindPage, ListColumn

ARROWS = {"both": "⇄", "a-to-b": "→", "b-to-a": "←"}


def shared_addresses(path: str) -> Any:
    def show(body: Body) -> list[str]:
        way_out = ["internet"] if body[path]["internet"] else []
        return [*body[path]["groups"], *body[path]["prefixes"], *way_out]

    return show


KIND_PAGE = KindPage(
    key="shares",
    icon="arrows-left-right",
    columns=(
        ListColumn("Side A", lambda body: body["a"]["segment"], cell="segment"),
        ListColumn("Members", shared_addresses("a")),
        ListColumn("Begins", lambda body: ARROWS[body["direction"]]),
        ListColumn("Side B", lambda body: body["b"]["segment"], cell="segment"),
        ListColumn("Members", shared_addresses("b")),
        ListColumn("Through", lambda body: body["services"], wide=True),
    ),
    presets=(("draft-central-egress", "Central egress"),),
    blank={"direction": "both", "route_limit": 100},
)
