"""The panel beside the canvas: its heading, and the share that a line between two segments begins. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Any

from portal.pages import kind_styles
from portal.pages.canvas_cards import Board, BoardObject
from provisioning.core.intent import INTERNET, capitalise


@dataclass(frozen=True, slots=True)
class PanelHeading:
    """``word``: what the object is; ``segments``: those it is in; ``members``: connectors of a group."""

    icon: str
    name: str
    word: str
    state: str = "same"
    segments: tuple[BoardObject, ...] = ()
    members: int | None = None

    @property
    def label(self) -> str:
        """What a screen reader calls the panel."""
        return f"{self.word} {self.name}" if self.word else self.name


def panel_heading(board: Board, selected: BoardObject | None, panel: dict[str, Any] | None) -> PanelHeading | None:
    """Return the heading of the selected object or of the form of a new one; None where the panel lists the draft."""
    if selected is None:
        kind = panel["kind"] if panel else None
        return PanelHeading(kind.icon, f"New {kind.word}", "") if kind else None
    if selected.kind == INTERNET:
        return PanelHeading(selected.icon, selected.name, "")
    word = kind_styles.kind_style(selected.body["kind"]).word if selected.kind == "connectors" else selected.word
    return PanelHeading(
        selected.icon,
        selected.name,
        capitalise(word),
        selected.state,
        tuple(lane.segment for lane in board.all_lanes if lane.segment.uid in _segment_uids(board, selected)),
        sum(card.member_count for card in board.cards_of(selected.uid)) if selected.kind == "groups" else None,
    )


def _segment_uids(board: Board, selected: BoardObject) -> set[str]:
    """Return the segments that an object names, or that a group is in."""
    body = selected.body
    if selected.kind == "groups":
        return {card.segment for card in board.cards_of(selected.uid)}
    attachments = body.get("attachments", ())
    return {*body.get("segments", ()), *(attachment["segment"] for attachment in attachments)}


def share_between(board: Board, start: str, end: str, names: Collection[str]) -> dict[str, Any] | None:
    """Return the body of a new share from one card to another, as the form begins; None where there are no such cards.

    ``start`` and ``end`` name a card by its segment and reference, or a whole segment: ``{segment}/{ref}``,
    ``{segment}/``. ``names``: of the shares there are.
    """
    sides = [_share_side(board, *end_of_line.partition("/")[::2]) for end_of_line in (start, end)]
    if None in sides:
        return None
    (start_name, a), (end_name, b) = (side for side in sides if side)
    name = unused = f"{start_name}-to-{end_name}"
    for number in count(2):
        if unused not in names:
            break
        unused = f"{name}-{number}"
    return {"name": unused, "a": a, "b": b, "direction": "a-to-b", "route_limit": 100}


def _share_side(board: Board, segment_uid: str, ref: str) -> tuple[str, dict[str, Any]] | None:
    """Return what a side is called and what it shares: a group, or the prefixes of a connector or of the segment."""
    lane = next((lane for lane in board.all_lanes if lane.segment.uid == segment_uid), None)
    if lane is None:
        return None
    card = next((card for card in lane.cards if card.ref == ref), None)
    side: dict[str, Any] = {"segment": segment_uid, "groups": [], "prefixes": []}
    if card and card.role == "group":
        return card.name, {**side, "groups": [ref]}
    connectors = [member for card in lane.cards for _, member in card.members if member.uid == ref]
    for connector in connectors[:1]:
        attachments = connector.body["attachments"]
        prefixes = [prefix for each in attachments if each["segment"] == segment_uid for prefix in each["prefixes"]]
        return connector.name, {**side, "prefixes": prefixes}
    return lane.segment.name, {**side, "prefixes": list(lane.segment.body.get("prefixes", ()))}
