"""The panel beside the canvas: what it is called and where the selected object is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.pages import kind_styles
from portal.pages.canvas_board import Board, BoardObject
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
        tuple(lane.segment for lane in board.lanes if lane.segment.uid in _segment_uids(board, selected)),
        len({member.uid for card in board.cards_of(selected.uid) for _, member in card.members})
        if selected.kind == "groups"
        else None,
    )


def _segment_uids(board: Board, selected: BoardObject) -> set[str]:
    """Return the segments that an object names, or that a group is in."""
    body = selected.body
    if selected.kind == "groups":
        return {card.segment for card in board.cards_of(selected.uid)}
    attachments = body.get("attachments", ())
    return {*body.get("segments", ()), *(attachment["segment"] for attachment in attachments)}
